"""Whisper's ONNX graphs as the hub publishes them, made lean in memory while loading; the files stay as they are.

* The encoder takes any even number of mel frames instead of always 30 s: the table of positions is cut to the length.
* Of the merged decoder (one ``If`` over two branches) the branch with a cache becomes a plain graph that ONNX Runtime
  can optimise; of the other only the keys and values of the encoder's states remain. Outputs nobody reads are dropped.
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
MASK = "mask"


def load_encoder(path: Path) -> ModelProto:
    """The encoder: ``input_features`` f32 [1, mels, 2t] -> ``last_hidden_state`` [1, t, d] and nothing else."""
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
    """The graphs (memory, decoder) of a merged decoder.

    memory: ``encoder_hidden_states`` (and any one token) -> ``present.<layer>.encoder.{key,value}``, once for a sound.
    decoder: ``input_ids`` i64 [1, n], ``mask`` f32 [n, p + n] (0 or -inf), ``past_key_values.*`` with p tokens (p may
    be 0) -> ``logits`` [1, n, v], ``present.<layer>.decoder.*``, and ``cross_attentions.<layer>`` [1, heads, n, t] for
    `attention_layers`.
    """
    merged = onnx.load(str(path))
    choice = next(node for node in merged.graph.node if node.op_type == "If")
    branches = {attribute.name: attribute.g for attribute in choice.attribute}
    without_cache, with_cache = branches["else_branch"], branches["then_branch"]
    attention = {f"cross_attentions.{layer}" for layer in attention_layers}
    present = [output.name for output in with_cache.output if output.name.startswith("present.")]
    memory = _extract(merged, without_cache, [name for name in present if ".encoder." in name])
    _mask_self_attention(with_cache)
    _quantise_projection(with_cache, merged.graph)
    own = [name for name in present if ".decoder." in name]
    decoder = _extract(merged, with_cache, ["logits", *own, *sorted(attention)])
    decoder.graph.input.append(helper.make_tensor_value_info(MASK, TensorProto.FLOAT, ["n", "total"]))
    return memory, decoder


def _extract(merged: ModelProto, branch: GraphProto, outputs: list[str]) -> ModelProto:
    """One branch as a graph of its own, reduced to what `outputs` need."""
    graph = GraphProto(name=branch.name)
    graph.node.extend(node for node in merged.graph.node if node.op_type != "If")
    graph.node.extend(branch.node)
    graph.initializer.extend(merged.graph.initializer)
    graph.initializer.extend(branch.initializer)
    described = {output.name: output for output in merged.graph.output}
    graph.output.extend(described[name] for name in outputs)
    _drop_unused(graph)
    used = {name for node in graph.node for name in node.input}
    graph.input.extend(value for value in merged.graph.input if value.name in used)
    return helper.make_model(graph, opset_imports=list(merged.opset_import), ir_version=merged.ir_version)


def _mask_self_attention(graph: GraphProto) -> None:
    """Let the graph with a cache take several tokens at once: it was exported for one, which needs no causal mask."""
    for index, node in reversed(list(enumerate(graph.node))):
        if node.op_type == "Softmax" and "self_attn" in node.name:
            masked = f"{node.input[0]}_masked"
            graph.node.insert(index, helper.make_node("Add", [node.input[0], MASK], [masked]))
            node.input[0] = masked


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


def _quantise_projection(graph: GraphProto, outer: GraphProto) -> None:
    """Replace ``logits = MatMul(x, DequantizeLinear(Transpose(W)))`` by an integer product; W lies in `outer`."""
    producers = {name: node for node in graph.node for name in node.output}
    product = producers["logits"]
    dequantise = producers.get(product.input[1])
    if product.op_type != "MatMul" or dequantise is None or dequantise.op_type != "DequantizeLinear":
        return  # another exporter's graph: correct as it is, only slower
    embedding = producers[dequantise.input[0]].input[0]
    matrix = numpy_helper.to_array(_weights(outer)[embedding]).T
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(matrix), "projection/weight"))
    _, scale, zero = dequantise.input
    x, x_scale, x_zero = "projection/x", "projection/x_scale", "projection/x_zero"
    graph.node.remove(product)
    graph.node.extend(
        [
            helper.make_node("DynamicQuantizeLinear", [product.input[0]], [x, x_scale, x_zero]),
            helper.make_node("MatMulInteger", [x, "projection/weight", x_zero, zero], ["projection/sum"]),
            helper.make_node("Cast", ["projection/sum"], ["projection/float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [x_scale, scale], ["projection/scale"]),
            helper.make_node("Mul", ["projection/float", "projection/scale"], ["logits"]),
        ]
    )
