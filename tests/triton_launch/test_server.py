"""Which models a tritonserver is told to load."""

from __future__ import annotations

from pathlib import Path

import pytest

from triton_launch.server import REPOSITORY, Ports, command

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
