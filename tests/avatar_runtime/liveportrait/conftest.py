"""A tiny bundle: graphs of the exported signatures that answer plainly, so that everything around them can be tested.

`source` keeps the crop's grey in its volume; `frame` shows it, brighter by how far the driven keypoints lie to the
right of the source's; `retarget` moves lids and lips by the difference of the ratios it is given.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from avatar_runtime.face.landmarks import Face, FaceFinder
from avatar_runtime.face.picture import decode
from avatar_runtime.liveportrait.bundle import SHAPES
from avatar_runtime.liveportrait.graphs import MANIFEST, SIGNATURES

FOLDER = Path(__file__).parents[3] / "characters" / "defaults" / "portraits"
WIDTH = 2  # channels of both volumes
VOLUME = (WIDTH, 16, 64, 64)
CANONICAL = np.random.default_rng(7).uniform(-0.5, 0.5, (21, 3)).astype(np.float32)


def constant(name: str, value: object, kind: type = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value, kind), name)


def model(graph: str, nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto]) -> onnx.ModelProto:
    ends = []
    for names in SIGNATURES[graph]:
        kinds = [TensorProto.UINT8 if name in ("IMAGE", "FRAME") else TensorProto.FLOAT for name in names]
        shapes = [["b", *(VOLUME if None in SHAPES[name] else SHAPES[name])] for name in names]
        ends.append([helper.make_tensor_value_info(*each) for each in zip(names, kinds, shapes, strict=True)])
    made = helper.make_model(
        helper.make_graph(nodes, graph, *ends, constants), opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    )
    onnx.checker.check_model(made)
    return made


def source_graph() -> onnx.ModelProto:
    node = helper.make_node
    fixed = {"CANONICAL": CANONICAL, "POSE": [2, -3, 1], "EXPRESSION": CANONICAL * 0.1, "TRANSLATION": [0.02, 0.01, 5]}
    fixed |= {"SCALE": [1.5]}
    fixed["SOURCE"] = CANONICAL  # not what these numbers make, so that nothing can confuse the two
    nodes = [
        node("Cast", ["IMAGE"], ["pixels"], to=TensorProto.FLOAT),
        node("ReduceMean", ["pixels"], ["grey"], axes=[3], keepdims=0),
        node("Reshape", ["grey", "folded"], ["volume"]),
        node("Concat", ["volume"] * WIDTH, ["FEATURE"], axis=1),
        node("Neg", ["FEATURE"], ["COMPRESSED"]),
        node("ReduceMean", ["pixels"], ["nothing"], axes=[1, 2], keepdims=0),
        node("Mul", ["nothing", "zero"], ["zeros3"]),
        node("ReduceMean", ["zeros3"], ["zeros1"], axes=[1], keepdims=1),
        node("Reshape", ["zeros1", "flat"], ["zeros11"]),
    ]
    constants = [constant("folded", [-1, 1, 16, 64, 64], np.int64), constant("flat", [-1, 1, 1], np.int64)]
    constants += [constant("zero", 0.0)]
    for name, value in fixed.items():
        constants.append(constant(f"fixed_{name}", np.array(value, np.float32)[None]))
        zeros = "zeros11" if np.ndim(value) == 2 else "zeros1"
        nodes.append(node("Add", [f"fixed_{name}", zeros], [name]))
    return model("source", nodes, constants)


def frame_graph() -> onnx.ModelProto:
    node = helper.make_node
    nodes = [
        node("Sub", ["DRIVEN", "SOURCE"], ["moved"]),
        node("Gather", ["moved", "first"], ["aside"], axis=2),
        node("ReduceMean", ["aside"], ["far"], axes=[1, 2], keepdims=1),
        node("Reshape", ["far", "one"], ["light"]),
        node("Slice", ["FEATURE", "begin", "end", "channel"], ["volume"]),
        node("Reshape", ["volume", "square"], ["grey"]),
        node("Mul", ["light", "gain"], ["brighter"]),
        node("Add", ["grey", "brighter"], ["shown"]),
        node("Resize", ["shown", "", "twice"], ["large"], mode="linear"),
        node("Mul", ["large", "range"], ["scaled"]),
        node("Add", ["scaled", "black"], ["luma"]),
        node("Reshape", ["luma", "rows"], ["y"]),
        # Neutral chroma, as many rows as the batch has frames.
        node("Slice", ["y", "begin", "half", "channel"], ["some"]),
        node("Mul", ["some", "zero"], ["none"]),
        node("Add", ["none", "neutral"], ["uv"]),
        node("Concat", ["y", "uv"], ["planes"], axis=1),
        node("Clip", ["planes", "zero", "white"], ["limited"]),
        node("Cast", ["limited"], ["FRAME"], to=TensorProto.UINT8),
    ]
    numbers = {"gain": 200.0, "range": 219 / 255, "black": 16.0, "zero": 0.0, "neutral": 128.0, "white": 255.0}
    constants = [constant(name, value) for name, value in numbers.items()]
    constants += [constant("twice", [1, 1, 2, 2])]
    whole = {"first": [0], "one": [-1, 1, 1, 1], "begin": [0], "end": [1], "channel": [1], "half": [256]}
    whole |= {"square": [-1, 1, 256, 256], "rows": [-1, 512, 512]}
    return model("frame", nodes, constants + [constant(name, value, np.int64) for name, value in whole.items()])


def retarget_graph() -> onnx.ModelProto:
    node = helper.make_node
    lids, mouth = np.zeros((2, 1, 21, 3), np.float32)
    lids[0, [11, 15], 1], mouth[0, 19, 1] = -0.05, 0.1
    nodes = [
        node("MatMul", ["EYES", "eyes_by"], ["eyes1"]),
        node("Reshape", ["eyes1", "flat"], ["eyes"]),
        node("Mul", ["eyes", "lids"], ["eyes_delta"]),
        node("Mul", ["SOURCE", "zero"], ["nothing"]),
        node("Add", ["eyes_delta", "nothing"], ["EYES_DELTA"]),
        node("MatMul", ["LIPS", "lips_by"], ["lips1"]),
        node("Reshape", ["lips1", "flat"], ["lips"]),
        node("Mul", ["lips", "mouth"], ["LIPS_DELTA"]),
    ]
    constants = [constant("eyes_by", [[-0.5], [-0.5], [1]]), constant("lips_by", [[-1], [1]]), constant("zero", 0.0)]
    constants += [constant("lids", lids), constant("mouth", mouth), constant("flat", [-1, 1, 1], np.int64)]
    return model("retarget", nodes, constants)


def record(folder: Path) -> None:
    """Writes the manifest of the graphs that lie in `folder`."""
    graphs = {
        name: {"sha256": hashlib.sha256((folder / f"{name}.onnx").read_bytes()).hexdigest()} for name in SIGNATURES
    }
    (folder / MANIFEST).write_text(json.dumps({"precision": "fp32", "graphs": graphs}), "utf-8")


@pytest.fixture(scope="session", autouse=True)
def denormals() -> None:
    """Keeps denormal numbers in this process: ONNX Runtime sets the calling thread as its first session wants it.

    A bundle's sessions want them to be zero; hypothesis needs them, in the tests after these too.
    """
    ort.InferenceSession(retarget_graph().SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole, tiny bundle; not to be changed."""
    folder = tmp_path_factory.mktemp("liveportrait")
    for made in (source_graph(), frame_graph(), retarget_graph()):
        onnx.save(made, folder / f"{made.graph.name}.onnx")
    record(folder)
    return folder


@pytest.fixture
def rerecord() -> Callable[[Path], None]:
    return record


@pytest.fixture(scope="session")
def finder(models: Path) -> FaceFinder:
    return FaceFinder(models / "mediapipe")


@pytest.fixture(scope="session")
def pictures() -> dict[str, np.ndarray]:
    """The default portraits, RGB, and two of them with their heads turned in the picture."""
    found = {path.stem: decode(path.read_bytes()) for path in sorted(FOLDER.glob("*.jpg"))}
    for name, angle in (("mona_lisa", 25.0), ("la_donna_velata", -15.0)):
        height, width = found[name].shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
        turned = cv2.warpAffine(found[name], turn, (width, height), borderMode=cv2.BORDER_REFLECT)
        found[f"{name}_turned"] = np.asarray(turned, np.uint8)
    return found


@pytest.fixture(scope="session")
def faces(finder: FaceFinder, pictures: dict[str, np.ndarray]) -> dict[str, Face]:
    return {name: finder.find(pixels)[0] for name, pixels in pictures.items()}
