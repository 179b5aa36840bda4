"""`avatar_runtime.engines`: stale and foreign TensorRT engines."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from avatar_runtime import engines
from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.engines import REBUILD, Here, check, check_plan

RECORD: dict[str, Any] = {
    "tensorrt": "10.13.3.9",
    "gpu": "NVIDIA H200",
    "compute_capability": "9.0",
    "onnx_sha256": "ab" * 32,
    "checkpoint_sha256": "cd" * 32,
    "profile_max_batch": 8,
}
HERE = Here("10.13.3.9", (("NVIDIA H200", "9.0"),))


def refusal(record: dict[str, Any], here: Here, batch: int = 8) -> str:
    with pytest.raises(AvatarError) as caught:
        check(record, here, batch)
    assert caught.value.code is Code.ENGINE_UNAVAILABLE and caught.value.message.endswith(REBUILD)
    return caught.value.message


def test_the_same_machine() -> None:
    check(RECORD, HERE)


@pytest.mark.parametrize(
    "here", [Here(), Here("10.13.3.9"), Here(None, HERE.gpus), Here("10.13.3"), Here("10", HERE.gpus)]
)
def test_what_is_not_known_is_not_a_mismatch(here: Here) -> None:
    check(RECORD, here)
    check({}, HERE)


def test_an_engine_of_other_weights_is_stale() -> None:
    check(RECORD, HERE, checkpoint="cd" * 32)
    check(RECORD, HERE, checkpoint=None)
    with pytest.raises(AvatarError, match="holds other weights"):
        check(RECORD, HERE, checkpoint="ef" * 32)


def test_each_difference_is_named() -> None:
    assert "TensorRT 10.13.3.9 and this is 11.1.0" in refusal(RECORD, Here("11.1.0", HERE.gpus))
    assert "TensorRT 10.13.3.9 and this is 10.1" in refusal(RECORD, Here("10.1"))
    other = Here(HERE.tensorrt, (("NVIDIA GeForce RTX 4090", "8.9"),))
    assert "compute capability 9.0 and NVIDIA GeForce RTX 4090 has 8.9" in refusal(RECORD, other)
    assert "on NVIDIA H200 and this is NVIDIA H100" in refusal(RECORD, Here(None, (("NVIDIA H100", "9.0"),)))
    assert "takes 4 frames at once and 8 are needed" in refusal({**RECORD, "profile_max_batch": 4}, HERE)


def test_a_second_gpu_of_another_kind() -> None:
    assert "NVIDIA L4 has 8.9" in refusal(RECORD, Here(None, (*HERE.gpus, ("NVIDIA L4", "8.9"))))


def test_files_beside_the_engine(tmp_path: Path) -> None:
    check_plan(tmp_path, HERE)  # no engine: ONNX Runtime, or nothing exported yet
    (tmp_path / "model.plan").write_bytes(b"engine")
    check_plan(tmp_path, HERE)  # no record: nothing known
    (tmp_path / "model.plan.json").write_text(json.dumps(RECORD), "utf-8")
    check_plan(tmp_path, HERE)
    with pytest.raises(AvatarError, match=r"TensorRT 10\.13\.3\.9 and this is 9\.3"):
        check_plan(tmp_path, Here("9.3"))
    for broken in ("{", "[]", ""):
        (tmp_path / "model.plan.json").write_text(broken, "utf-8")
        with pytest.raises(AvatarError, match="unreadable record"):
            check_plan(tmp_path, HERE)


def test_what_nvidia_smi_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA H200, 9.0'\necho 'NVIDIA L4, 8.9'\n", "utf-8")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert engines.here().gpus == (("NVIDIA H200", "9.0"), ("NVIDIA L4", "8.9"))
    tool.write_text("#!/bin/sh\nexit 9\n", "utf-8")
    assert engines.here().gpus == ()


def test_tensorrt_by_its_librarys_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("libnvinfer.so.10", "libnvinfer.so.10.13.3", "libnvinfer_plugin.so.10.13.3"):
        (tmp_path / name).touch()
    monkeypatch.setattr(engines, "LIBRARIES", (str(tmp_path),))
    assert engines.here().tensorrt == "10.13.3"
    monkeypatch.setattr(engines, "LIBRARIES", (str(tmp_path / "none"),))
    assert engines.here().tensorrt is None
