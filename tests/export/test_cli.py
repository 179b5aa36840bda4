"""`antlitz export`, as a person types it."""

from __future__ import annotations

import builtins
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from avatar_runtime import engines
from export import cli, tensorrt
from export.liveportrait import command
from export.liveportrait.model import seeded
from export.liveportrait.widths import narrow


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2 and "liveportrait" in capsys.readouterr().err
    assert cli.main(["--help"]) == 0 and "liveportrait" in capsys.readouterr().out
    assert cli.main(["face"]) == 2


def test_python_m_export_is_the_same(tmp_path: Path) -> None:
    """From the checkout too, where our folder `triton` must not stand in for torch's compiler."""
    command = [sys.executable, "-m", "export", "liveportrait", "--checkpoint", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(cli.__file__).parents[1])
    assert done.returncode == 1 and "There is no folder" in done.stderr


def failed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is said on the way out with status 1; one line."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["liveportrait", *arguments])
    assert caught.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("antlitz: ") and said.count("\n") == 1
    return said


def test_no_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "There is no folder" in failed(["--checkpoint", str(tmp_path / "none")], capsys)
    assert "is missing" in failed(["--checkpoint", str(tmp_path)], capsys)


def test_an_impossible_width() -> None:
    with pytest.raises(ValueError, match="1 to 16"):  # the command says it in one sentence, status 2
        cli.main(["liveportrait", "--checkpoint", "puppet", "--width", "0"])


def test_models_for_a_gpu_are_fp16(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (["--engine", "tensorrt"], ["--repository", str(tmp_path)]):
        with pytest.raises(SystemExit) as caught:
            cli.main(["liveportrait", "--checkpoint", "puppet", *wrong])
        assert caught.value.code == 2 and "--precision fp16" in capsys.readouterr().err


def test_without_tensorrt_the_alternative_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    arguments = ["--checkpoint", "puppet", "--width", "16", "--precision", "fp16"]
    arguments += ["--engine", "tensorrt", "--out", str(tmp_path / "out")]
    said = failed(arguments, capsys)
    assert "TensorRT is not installed" in said and "ONNX Runtime" in said
    assert not (tmp_path / "out").exists(), "it is said before anything is exported"


def test_without_torch_the_extra_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(cli, "import_module", missing)
    assert cli.main(["liveportrait", "--checkpoint", "puppet"]) == 1
    assert ".[export]" in capsys.readouterr().err


def test_the_whole_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """fp16: exported, compared, and placed where Triton looks for the GPU's models."""
    repository = tmp_path / "repository"
    stale = repository / "liveportrait_frame" / "1"
    stale.mkdir(parents=True)
    (stale / "model.plan").write_bytes(b"an older engine, which Triton would prefer")
    arguments = ["--checkpoint", "puppet", "--width", "16", "--precision", "fp16"]
    arguments += ["--out", str(tmp_path / "out"), "--repository", str(repository)]
    assert cli.main(["liveportrait", *arguments]) == 0
    assert "dB" in capsys.readouterr().out
    for name in ("source", "frame"):
        version = repository / f"liveportrait_{name}" / "1"
        assert [path.name for path in version.iterdir()] == ["model.onnx"]
        onnx.checker.check_model(str(version / "model.onnx"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "frame.onnx",
        "liveportrait.json",
        "retarget.onnx",
        "source.onnx",
    ]


def test_a_full_disk_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(command, "write", full)
    said = failed(["--checkpoint", "puppet", "--width", "16", "--out", str(tmp_path / "out")], capsys)
    assert "No space left" in said
    assert not list(tmp_path.iterdir())


def test_engine_and_record_belong_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = tmp_path / engines.PLAN
    tensorrt.place(plan, b"one", {"tensorrt": "10.3"})
    assert plan.read_bytes() == b"one" and engines.RECORD in [path.name for path in tmp_path.iterdir()]
    # A build that is stopped between its two files leaves no record that tells of another engine.
    replaced: list[Path] = []
    real = tensorrt.os.replace

    def once(source: Path, target: Path) -> None:
        if replaced:
            raise KeyboardInterrupt
        replaced.append(target)
        real(source, target)

    monkeypatch.setattr(tensorrt.os, "replace", once)
    with pytest.raises(KeyboardInterrupt):
        tensorrt.place(plan, b"two", {"tensorrt": "11.0"})
    assert plan.read_bytes() == b"two" and not (tmp_path / engines.RECORD).exists()


def test_a_gpu_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorrt, "require", lambda: builtins)
    monkeypatch.setattr(engines, "here", engines.Here)
    with pytest.raises(tensorrt.EngineError, match="nvidia-smi shows none"):
        tensorrt.build(tmp_path / "frame.onnx", tmp_path / "model.plan", 8, "")


def test_seeded_networks_are_the_same_every_time() -> None:
    from export.weights import digest

    assert digest(seeded(narrow(16))) == digest(seeded(narrow(16))) != digest(seeded(narrow(16), 1))
