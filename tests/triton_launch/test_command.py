"""Which models a tritonserver is told to load."""

from __future__ import annotations

from pathlib import Path

import pytest

from triton_launch.command import REPOSITORY, Ports, command

PORTS = Ports(1, 2, 3)


@pytest.fixture(autouse=True)
def tritonserver(monkeypatch: pytest.MonkeyPatch) -> None:
    """One on PATH; nothing is started."""
    monkeypatch.setattr("shutil.which", lambda name: f"/opt/tritonserver/bin/{name}")


def models(work: Path, *arguments: str) -> set[str]:
    line, _ = command(PORTS, work, arguments)
    (folder,) = (Path(each.partition("=")[2]) for each in line if each.startswith("--model-repository="))
    assert all(link.resolve() == REPOSITORY / link.name for link in folder.iterdir())
    return {link.name for link in folder.iterdir()}


def test_networks_for_gpus_alone_are_loaded_where_their_config_is_named(tmp_path: Path) -> None:
    everywhere = models(tmp_path)
    on_gpus = models(tmp_path, "--model-config-name=gpu")
    assert "render_liveportrait" in everywhere and everywhere < on_gpus
    assert models(tmp_path) == everywhere


def test_configs_are_completed_only_where_a_network_leaves_its_backend_to_the_server(tmp_path: Path) -> None:
    flag = "--disable-auto-complete-config"
    assert flag in command(PORTS, tmp_path)[0]
    assert flag not in command(PORTS, tmp_path, ["--model-config-name=gpu"])[0]


def test_a_second_server_over_the_same_folder_takes_nothing_from_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = models(tmp_path)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: pytest.fail("a link was gone for a moment"))
    assert models(tmp_path) == first


def test_links_of_another_checkout_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    for name in ("vad_silero", "gone"):
        (tmp_path / "repository" / name).symlink_to(tmp_path / "elsewhere" / name)
    assert "gone" not in models(tmp_path)


def test_a_server_without_their_backends_runs_networks_as_python_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, wheel = tmp_path / "models", tmp_path / "pytriton"
    for name, config in (("network", 'name: "network"'), ("adapter", 'backend: "python"')):
        (repository / name / "1").mkdir(parents=True)
        (repository / name / "configs").mkdir()
        (repository / name / "configs" / "gpu.pbtxt").write_text(config, "utf-8")
    (repository / "network" / "1" / "model.onnx").write_bytes(b"graph")
    monkeypatch.setattr("triton_launch.command.REPOSITORY", repository)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("triton_launch.command._pytriton", lambda: wheel)
    monkeypatch.setattr("triton_launch.command._backends", lambda *_: wheel)
    for _ in range(2):  # the second finds what the first made
        line, _ = command(PORTS, tmp_path / "work", ["--model-config-name=gpu"])
        assert "--disable-auto-complete-config" in line, "the stand-in names its backend"
    made = tmp_path / "work" / "repository" / "network"
    assert 'backend: "python"' in (made / "configs" / "gpu.pbtxt").read_text("utf-8")
    assert (made / "1" / "model.onnx").read_bytes() == b"graph"
    assert "TritonPythonModel" in (made / "1" / "model.py").read_text("utf-8")
    assert (tmp_path / "work" / "repository" / "adapter").resolve() == repository / "adapter"
