"""Whisper's ONNX graphs as the hub publishes them, made lean in memory when they are loaded; the files stay as they are.

* The encoder takes any even number of mel frames instead of always 30 s: the table of positions is cut to the length.
* The merged decoder (one ``If`` over two branches) becomes two plain graphs: ``prefill`` without a cache and ``step``
  with one, which lets ONNX Runtime optimise each. Outputs that nobody reads are dropped.
* The vocabulary projection multiplies with its int8 weights directly instead of making them float32 for each token:
  a quarter of the memory traffic of the largest matrix.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

HIDDEN = "last_hidden_state"
ENCODER_INPUT = "encoder_hidden_states"


def load_encoder(path: Path) -> ModelProto:
    """The encoder with inputs ``input_features`` f32 [1, mels, 2t] and the only output ``last_hidden_state`` [1, t, d]."""
    model = onnx.load(str(path))
    graph = model.graph
    keep = [output for output in graph.output if output.name == HIDDEN]
    del graph.output[:]
    graph.output.extend(keep)
    _cut_positions(graph)
    _convolve_in_float(graph)
    _drop_unused(graph)
    return model


def load_decoder(path: Path, attention_layers: Iterable[int]) -> tuple[ModelProto, ModelProto]:
    """The graphs (prefill, step) of a merged decoder.

    prefill: ``input_ids`` i64 [1, n], ``encoder_hidden_states`` -> ``logits`` [1, n, v], all ``present.*``.
    step: ``input_ids`` i64 [1, 1], all ``past_key_values.*`` -> ``logits``, ``present.*.decoder.*``.
    Both also give ``cross_attentions.<layer>`` for `attention_layers`.
    """
    merged = onnx.load(str(path))
    choice = next(node for node in merged.graph.node if node.op_type == "If")
    branches = {attribute.name: attribute.g for attribute in choice.attribute}
    attention = {f"cross_attentions.{layer}" for layer in attention_layers}

    def kept(name: str, cached: bool) -> bool:
        past = ".encoder." in name
        return name == "logits" or name in attention or (name.startswith("present.") and not (cached and past))

    return (
        _extract(merged, branches["else_branch"], lambda name: kept(name, cached=False)),
        _extract(merged, branches["then_branch"], lambda name: kept(name, cached=True)),
    )


def _extract(merged: ModelProto, branch: GraphProto, keep: object) -> ModelProto:
    assert callable(keep)
    graph = GraphProto(name=branch.name)
    graph.node.extend(node for node in merged.graph.node if node.op_type != "If")
    graph.node.extend(branch.node)
    graph.initializer.extend(merged.graph.initializer)
    graph.initializer.extend(branch.initializer)
    described = {output.name: output for output in merged.graph.output}
    graph.output.extend(described.get(output.name, output) for output in branch.output if keep(output.name))
    _quantise_projection(graph)
    _drop_unused(graph)
    used = {name for node in graph.node for name in node.input}
    graph.input.extend(value for value in merged.graph.input if value.name in used)
    return helper.make_model(graph, opset_imports=list(merged.opset_import), ir_version=merged.ir_version)


def _drop_unused(graph: GraphProto) -> None:
    """Remove the nodes and initializers that no output depends on."""
    producer = {name: index for index, node in enumerate(graph.node) for name in node.output}
    wanted: set[int] = set()
    pending = [output.name for output in graph.output]
    names = set(pending)
    while pending:
        index = producer.get(pending.pop())
        if index is not None and index not in wanted:
            wanted.add(index)
            names.update(graph.node[index].input)
            pending.extend(graph.node[index].input)
    nodes = [node for index, node in enumerate(graph.node) if index in wanted]
    weights = [weight for weight in graph.initializer if weight.name in names]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(weights)


def _cut_positions(graph: GraphProto) -> None:
    """Add the first t rows of the table of positions, t being the length of what they are added to."""
    index, add = next((i, node) for i, node in enumerate(graph.node) if "embed_positions.weight" in node.input)
    sequence = next(name for name in add.input if name != "embed_positions.weight")
    nodes = [
        helper.make_node("Shape", [sequence], ["positions/shape"]),
        helper.make_node("Gather", ["positions/shape", "positions/axis"], ["positions/length"]),
        helper.make_node(
            "Slice",
            ["embed_positions.weight", "positions/start", "positions/length", "positions/rows"],
            ["positions/cut"],
        ),
    ]
    graph.initializer.extend(
        numpy_helper.from_array(np.array([value], dtype=np.int64), f"positions/{name}")
        for name, value in (("axis", 1), ("start", 0), ("rows", 0))
    )
    for node in reversed(nodes):
        graph.node.insert(index, node)
    add.input[:] = [sequence, "positions/cut"]


def _weights(graph: GraphProto) -> dict[str, TensorProto]:
    return {weight.name: weight for weight in graph.initializer}


def _convolve_in_float(graph: GraphProto) -> None:
    """Turn ``ConvInteger`` into ``Conv``: ONNX Runtime has no fast kernel for the former on a CPU."""
    weights = _weights(graph)
    consumers: dict[str, list[NodeProto]] = {}
    producers: dict[str, NodeProto] = {}
    for node in graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
        for name in node.output:
            producers[name] = node
    for index, node in enumerate(list(graph.node)):
        if node.op_type != "ConvInteger":
            continue
        quantised, weight_name = node.input[0], node.input[1]
        stem = weight_name.removesuffix("_quantized")
        zero = numpy_helper.to_array(weights[f"{stem}_zero_point"]).astype(np.float32)
        scale = numpy_helper.to_array(weights[f"{stem}_scale"])
        weight = (numpy_helper.to_array(weights[weight_name]).astype(np.float32) - zero) * scale
        graph.initializer.append(numpy_helper.from_array(weight, f"{stem}_float"))
        cast = next(user for user in consumers[node.output[0]] if user.op_type == "Cast")
        scaled = next(user for user in consumers[cast.output[0]] if user.op_type == "Mul")
        convolution = helper.make_node("Conv", [producers[quantised].input[0], f"{stem}_float"], list(scaled.output))
        convolution.attribute.extend(node.attribute)
        scaled.output[:] = [f"{scaled.output[0]}_unused"]
        graph.node.remove(node)
        graph.node.insert(index, convolution)


def _quantise_projection(graph: GraphProto) -> None:
    """Replace ``logits = MatMul(x, DequantizeLinear(W))`` by an integer product with W."""
    weights = _weights(graph)
    producers = {name: node for node in graph.node for name in node.output}
    product = producers["logits"]
    dequantise = producers.get(product.input[1])
    if product.op_type != "MatMul" or dequantise is None or dequantise.op_type != "DequantizeLinear":
        return  # another exporter's graph: correct as it is, only slower
    transpose = producers[dequantise.input[0]]
    matrix = numpy_helper.to_array(weights[transpose.input[0]]).T
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(matrix), "projection/weight"))
    _, scale, zero = dequantise.input
    graph.node.remove(product)
    graph.node.extend(
        [
            helper.make_node("DynamicQuantizeLinear", [product.input[0]], ["projection/x", "projection/s", "projection/z"]),
            helper.make_node("MatMulInteger", ["projection/x", "projection/weight", "projection/z", zero], ["projection/i"]),
            helper.make_node("Cast", ["projection/i"], ["projection/f"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["projection/s", scale], ["projection/scale"]),
            helper.make_node("Mul", ["projection/f", "projection/scale"], ["logits"]),
        ]
    )
