"""Small ONNX graphs that keep a cache of keys and values where it lies, on any device: append, widen, copy.

What is appended is a choice between old and new, element by element, so the result may lie where its input lay.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from avatar_runtime.bundle import opened

OPSET: Final = 18
KEYS: Final = "KEYS"
VALUES: Final = "VALUES"
AT: Final = "AT"  # i64 [n]: where each row's first new position goes; beyond the room it is not written
CACHE: Final = "CACHE_"  # and the array's number: keys and values of a layer take turns
NEXT: Final = "NEXT_"
MORE: Final = "MORE"  # i64 [2 * axes]: zeros before and behind each axis, as ONNX's Pad takes them


def appending(layers: int, kind: int, provider: str, recorded: bool = False) -> ort.InferenceSession:
    """CACHE_i [n, h, p, d], KEYS and VALUES [layers, n, h, m, d], AT -> NEXT_i with m positions more.

    Either one position (m = 1) for any number of rows, or any number of positions for one row. `recorded`: some of its
    runs will be a `Replay`.
    """
    nodes = [
        _number("axes", [1, 2, 3]), _number("third", [2]), _number("fourth", [3]), _number("zero", 0),
        _number("one", 1), _number("first", [0]),
        helper.make_node("Shape", [f"{CACHE}0"], ["shape"]),
        helper.make_node("Gather", ["shape", "third"], ["rooms"]),
        helper.make_node("Squeeze", ["rooms"], ["room"]),
        helper.make_node("Range", ["zero", "room", "one"], ["index"]),
        helper.make_node("Shape", [KEYS], ["fresh"]),
        helper.make_node("Gather", ["fresh", "fourth"], ["counts"]),
        helper.make_node("Squeeze", ["counts"], ["count"]),
        _number("column", [1, 1, -1, 1]),
        helper.make_node("Reshape", ["index", "column"], ["place"]),
        helper.make_node("Unsqueeze", [AT, "axes"], ["at"]),
        helper.make_node("Add", ["at", "count"], ["end"]),
        helper.make_node("GreaterOrEqual", ["place", "at"], ["behind"]),
        helper.make_node("Less", ["place", "end"], ["before"]),
        helper.make_node("And", ["behind", "before"], ["here"]),
        # Which of the new positions belongs to a place: of one row's many, or the only one of many rows.
        helper.make_node("Gather", [AT, "first"], ["start"]),
        helper.make_node("Sub", ["index", "start"], ["offset"]),
        helper.make_node("Sub", ["count", "one"], ["last"]),
        helper.make_node("Max", ["offset", "zero"], ["positive"]),
        helper.make_node("Min", ["positive", "last"], ["which"]),
    ]  # fmt: skip
    inputs = [helper.make_tensor_value_info(AT, TensorProto.INT64, ["n"])]
    inputs += [helper.make_tensor_value_info(name, kind, [layers, "n", "h", "m", "d"]) for name in (KEYS, VALUES)]
    outputs = []
    for index in range(2 * layers):
        nodes += [
            _number(f"layer_{index}", index // 2),
            helper.make_node("Gather", [(KEYS, VALUES)[index % 2], f"layer_{index}"], [f"new_{index}"], axis=0),
            helper.make_node("Gather", [f"new_{index}", "which"], [f"spread_{index}"], axis=2),
            helper.make_node("Where", ["here", f"spread_{index}", f"{CACHE}{index}"], [f"{NEXT}{index}"]),
        ]
        inputs.append(helper.make_tensor_value_info(f"{CACHE}{index}", kind, ["n", "h", "p", "d"]))
        outputs.append(helper.make_tensor_value_info(f"{NEXT}{index}", kind, ["n", "h", "p", "d"]))
    return _opened(nodes, inputs, outputs, provider, recorded)


def widening(count: int, axes: int, kind: int, provider: str) -> ort.InferenceSession:
    """CACHE_i of so many axes, MORE -> NEXT_i with zeros around them."""
    inputs = [helper.make_tensor_value_info(MORE, TensorProto.INT64, [2 * axes])]
    return _each("Pad", [MORE], count, axes, kind, inputs, provider)


def copying(count: int, kind: int, provider: str) -> ort.InferenceSession:
    """CACHE_i [n, h, p, d] -> NEXT_i, the same."""
    return _each("Identity", [], count, 4, kind, [], provider)


def _each(
    operator: str, more: list[str], count: int, axes: int, kind: int, inputs: list[Any], provider: str
) -> ort.InferenceSession:
    """One operator on each of `count` arrays."""
    nodes = [helper.make_node(operator, [f"{CACHE}{i}", *more], [f"{NEXT}{i}"]) for i in range(count)]
    free = [[helper.make_tensor_value_info(f"{name}{i}", kind, [None] * axes) for i in range(count)]
            for name in (CACHE, NEXT)]  # fmt: skip
    return _opened(nodes, [*inputs, *free[0]], free[1], provider)


def _opened(
    nodes: list[Any], inputs: list[Any], outputs: list[Any], provider: str, recorded: bool = False
) -> ort.InferenceSession:
    graph = helper.make_graph(nodes, "cache", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return opened(model.SerializeToString(), options, provider, recorded)


def _number(name: str, values: Any) -> onnx.NodeProto:
    """A constant of the graph."""
    return helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(np.array(values, np.int64)))
