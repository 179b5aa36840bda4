"""Requests of many in one run, on the processor's device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.together import Together

HERE = "CPUExecutionProvider"


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """SUM = A + B and TWICE = 2 A, [b, 2] each."""
    names = ("A", "B", "SUM", "TWICE")
    ends = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", 2]) for name in names}
    nodes = [helper.make_node("Add", ["A", "B"], ["SUM"]), helper.make_node("Add", ["A", "A"], ["TWICE"])]
    made = helper.make_graph(nodes, "sum", [ends["A"], ends["B"]], [ends["SUM"], ends["TWICE"]])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
    return path


def rows(*values: float) -> np.ndarray:
    return np.array([[each, each + 0.5] for each in values], np.float32)


@pytest.mark.parametrize("place", [np.asarray, ort.OrtValue.ortvalue_from_numpy], ids=["arrays", "tensors"])
def test_each_gets_its_own_rows(graph: Path, place: object) -> None:
    network = Together(graph, HERE)
    asked = [(rows(1), rows(10)), (rows(2, 3), rows(20, 30)), (rows(4), rows(40))]
    found = network([{"A": place(a), "B": b} for a, b in asked])  # type: ignore[operator]
    for (a, b), answer in zip(asked, found, strict=True):
        assert np.array_equal(answer["SUM"], a + b) and np.array_equal(answer["TWICE"], 2 * a)


@pytest.mark.parametrize("place", [np.asarray, ort.OrtValue.ortvalue_from_numpy], ids=["arrays", "tensors"])
def test_batches_may_be_filled_up(graph: Path, place: object) -> None:
    network = Together(graph, HERE, sizes=[1, 4])
    for count in (1, 2, 3, 4):
        asked = [{"A": place(rows(row)), "B": place(rows(10 * row))} for row in range(count)]  # type: ignore[operator]
        found = network(asked)
        assert [answer["SUM"][0, 0] for answer in found] == [11 * row for row in range(count)]
    (several,) = network([{"A": place(rows(1, 2, 3)), "B": place(rows(0, 0, 0))}])  # type: ignore[operator]
    assert several["SUM"][:, 0].tolist() == [1, 2, 3]
    with pytest.raises(AvatarError, match="At most 4"):
        network([{"A": rows(1), "B": rows(1)}] * 5)


def test_one_request_needs_no_joining(graph: Path) -> None:
    value = ort.OrtValue.ortvalue_from_numpy(rows(1))
    (found,) = Together(graph, HERE)([{"A": value, "B": rows(2)}])
    assert np.array_equal(found["SUM"], rows(1) + rows(2))


@pytest.mark.parametrize("content", [None, b"no graph"])
def test_a_broken_graph_is_an_engine_not_available(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AvatarError, match="missing or no whole") as caught:
        Together(path, HERE)
    assert caught.value.code is Code.ENGINE_UNAVAILABLE
