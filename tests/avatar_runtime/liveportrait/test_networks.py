"""`avatar_runtime.liveportrait.networks` and `bundle`: graphs that run, and every bundle that is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.liveportrait.bundle import EXPORT
from avatar_runtime.liveportrait.graphs import MANIFEST, SIGNATURES
from avatar_runtime.liveportrait.networks import FRAME_MODEL, SOURCE_MODEL, InProcess, Retargeting, Served

Record = Callable[[Path], None]
CROP = np.random.default_rng(1).integers(0, 255, (256, 256, 3), np.uint8)


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "liveportrait"))


def refusal(folder: Path, make: Callable[[Path], object] = InProcess) -> str:
    with pytest.raises(AvatarError) as caught:
        make(folder)
    assert caught.value.code is Code.ENGINE_UNAVAILABLE
    assert EXPORT in caught.value.message and "\n" not in caught.value.message
    return caught.value.message


def test_source_and_frames(bundle: Path) -> None:
    networks = InProcess(bundle, threads=1)
    held = networks.source(CROP)
    assert set(held) == set(SIGNATURES["source"][1])
    driven = np.repeat(held["SOURCE"], 3, 0)
    driven[1, :, 0] += 0.1
    frames = networks.frames(held, driven)
    assert frames.shape == (3, 768, 512) and frames.dtype == np.uint8
    assert (frames[0] == frames[2]).all() and frames[1, :512].mean() > frames[0, :512].mean() + 5


def test_retargeting_takes_several_frames(bundle: Path) -> None:
    keypoints = np.zeros((21, 3), np.float32)
    eyes, lips = np.array([[0.3, 0.3, 0.3], [0.3, 0.3, 0.0]], np.float32), np.array([[0, 0], [0, 0.5]], np.float32)
    lids, mouth = Retargeting(bundle)(keypoints, eyes, lips)
    assert lids.shape == mouth.shape == (2, 21, 3)
    assert np.abs(lids[0]).max() < 1e-6 < lids[1, 11, 1] and mouth[1, 19, 1] > 0


@pytest.mark.parametrize("graph", ["source", "frame"])
def test_a_missing_graph(copy: Path, graph: str) -> None:
    (copy / f"{graph}.onnx").unlink()
    assert f"{graph}.onnx is missing" in refusal(copy)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "retarget.onnx is missing" in refusal(tmp_path / "none", Retargeting)


def test_a_truncated_graph(copy: Path, rerecord: Record) -> None:
    path = copy / "frame.onnx"
    path.write_bytes(path.read_bytes()[:200])
    assert f"is not the file that {MANIFEST} tells of" in refusal(copy)
    rerecord(copy)
    assert "frame.onnx is not a whole ONNX graph" in refusal(copy)


def test_external_data(copy: Path, rerecord: Record) -> None:
    path = copy / "retarget.onnx"
    options = {"save_as_external_data": True, "location": "retarget.onnx.data", "size_threshold": 64}
    onnx.save_model(onnx.load(path), path, **options)
    rerecord(copy)
    Retargeting(copy)
    (copy / "retarget.onnx.data").unlink()
    assert "retarget.onnx is not a whole ONNX graph" in refusal(copy, Retargeting)


def test_another_graph_under_the_name(copy: Path, rerecord: Record) -> None:
    shutil.copy(copy / "retarget.onnx", copy / "frame.onnx")
    rerecord(copy)
    assert "frame.onnx is another graph" in refusal(copy)


def test_other_shapes(copy: Path, rerecord: Record) -> None:
    twenty = ("SOURCE", "EYES_DELTA", "LIPS_DELTA")
    ends = [
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", 20, 3] if name in twenty else ["b", 2])
            for name in names
        ]
        for names in SIGNATURES["retarget"]
    ]
    nodes = [helper.make_node("Identity", ["SOURCE"], [name]) for name in SIGNATURES["retarget"][1]]
    made = helper.make_model(
        helper.make_graph(nodes, "retarget", *ends), opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    )
    onnx.save(made, copy / "retarget.onnx")
    rerecord(copy)
    assert "retarget.onnx has SOURCE as tensor(float) ['b', 20, 3]" in refusal(copy, Retargeting)


def test_graphs_of_two_exports(copy: Path, rerecord: Record) -> None:
    made = onnx.load(copy / "frame.onnx")
    made.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 5
    (copy / "frame.onnx").write_bytes(made.SerializeToString())
    rerecord(copy)
    assert "does not fit source.onnx: FEATURE differs" in refusal(copy)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"graphs": {"source": 3}}', '{"graphs": {"source": {}}}'])
def test_a_manifest_of_something_else(copy: Path, text: str) -> None:
    (copy / MANIFEST).write_text(text, "utf-8")
    said = refusal(copy)
    assert MANIFEST in said and any(each in said for each in ("does not tell of", "cannot be read"))
    (copy / MANIFEST).unlink()
    assert f"{MANIFEST} is missing" in refusal(copy)


def test_a_graph_of_another_manifest(copy: Path) -> None:
    recorded = json.loads((copy / MANIFEST).read_text("utf-8"))
    recorded["graphs"]["frame"]["sha256"] = "0" * 64
    (copy / MANIFEST).write_text(json.dumps(recorded), "utf-8")
    assert "frame.onnx is not the file" in refusal(copy)


def test_served_networks_ask_for_what_the_graphs_give(bundle: Path) -> None:
    """What goes to Triton, answered by the graphs themselves: the same frames, and volumes handed on untouched."""
    here, asked = InProcess(bundle, threads=1), []

    def infer(calls: Sequence[Any]) -> list[Mapping[str, Any]]:
        answers = []
        for name, inputs, outputs, stay in calls:
            asked.append((name, stay))
            if name == SOURCE_MODEL:
                found = here.source(inputs["IMAGE"][0])
            else:
                found = {"FRAME": here.frames({k: v for k, v in inputs.items() if k != "DRIVEN"}, inputs["DRIVEN"])}
            answers.append({each: found[each] for each in outputs})
        return answers

    served = Served(infer)
    held = served.source(CROP)
    driven = np.random.default_rng(2).normal(0, 0.1, (4, 21, 3)).astype(np.float32)
    assert (served.frames(held, driven) == here.frames(here.source(CROP), driven)).all()
    assert asked == [(SOURCE_MODEL, True), (SOURCE_MODEL, False), *[(FRAME_MODEL, False)] * 4]
