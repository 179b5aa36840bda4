"""Runs whose tensors stay where they are, on the processor's device."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from avatar_runtime.bundle import opened
from avatar_runtime.replay import Replay, plain

HERE = "CPUExecutionProvider"


@pytest.fixture
def session() -> ort.InferenceSession:
    """C = A + B."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "ABC"]
    graph = helper.make_graph([helper.make_node("Add", ["A", "B"], ["C"])], "sum", ends[:2], ends[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return opened(model.SerializeToString(), ort.SessionOptions(), HERE, recorded=True)


def test_every_run_reads_and_writes_the_same_places(session: ort.InferenceSession) -> None:
    run, fixed = Replay(session, "cpu", 1), np.array([1, 2], np.float32)
    run.input("A", np.zeros(2, np.float32))
    run.input("B", fixed)
    out = run.output("C", np.zeros(2, np.float32))
    place = out.data_ptr()
    fixed[:] = 99  # what is given is copied
    for value in (3, 4):
        run({"A": np.full(2, value, np.float32)})
        assert run.read("C").tolist() == [value + 1, value + 2]
    assert out.data_ptr() == place
    before = run.read("C")
    run({"A": np.zeros(2, np.float32)})
    assert before.tolist() == [5, 6]  # an array of its own


def test_a_session_that_records_also_runs_plainly(session: ort.InferenceSession) -> None:
    given = {name: np.ones(3, np.float32) for name in "AB"}
    assert session.run(["C"], given, plain())[0].tolist() == [2, 2, 2]
