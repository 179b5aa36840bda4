"""Edits of ONNX graphs, in memory when a voice is loaded: the files on disk keep their published bytes."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

#: In both Kokoro and hibari a duration is round(sum(sigmoid)), clipped to at least one: the one Clip behind a Round.
DURATION_OPERATORS = ("Round", "Clip")


def with_durations(model: onnx.ModelProto) -> str:
    """Makes the predicted duration of each phoneme (frames) a graph output; returns its name."""
    rounded = {name for node in model.graph.node if node.op_type == DURATION_OPERATORS[0] for name in node.output}
    clips = [node for node in model.graph.node if node.op_type == DURATION_OPERATORS[1] and node.input[0] in rounded]
    if len(clips) != 1:
        raise ValueError("this graph does not predict durations as Kokoro does")
    name = str(clips[0].output[0])
    model.graph.output.append(onnx.ValueInfoProto(name=name))
    return name


def with_float_convolutions(model: onnx.ModelProto) -> int:
    """Replaces each dynamically quantised convolution by the float one it stands for; returns how many.

    ONNX Runtime has no fast integer 1-D convolution on CPUs: quantising every activation, convolving and scaling
    back costs two to three times the float convolution (measured on two x86-64 cores). The weights stay the 8-bit ones.
    """
    graph = model.graph
    constants = {each.name: each for each in graph.initializer}
    maker = {name: node for node in graph.node for name in node.output}
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    replaced: dict[int, onnx.NodeProto] = {}
    dropped: set[int] = set()
    for node in graph.node:
        if node.op_type != "ConvInteger" or node.input[1] not in constants:
            continue
        quantised = maker[node.input[0]]  # DynamicQuantizeLinear: (integers, scale, zero point)
        after, bias = users[node.output[0]][0], []
        if after.op_type == "Add":  # the bias, quantised too; its float original stands behind a Div
            name = next(each for each in after.input if each != node.output[0])
            source = maker[name]
            while source.op_type != "Div":
                source = maker[source.input[0]]
            bias = [source.input[0]]
            dropped.add(id(after))
            after = users[after.output[0]][0]
        scale = users[after.output[0]][0]  # Mul by scale(activation) * scale(weight)
        product = maker[next(each for each in scale.input if each != after.output[0])]
        weight_scale = next(each for each in product.input if each != quantised.output[1])
        if after.op_type != "Cast" or scale.op_type != "Mul" or weight_scale not in constants:
            continue
        weight = numpy_helper.to_array(constants[node.input[1]]).astype(np.float32)
        if len(node.input) > 3 and node.input[3]:
            weight = weight - numpy_helper.to_array(constants[node.input[3]]).astype(np.float32)
        weight = (weight * numpy_helper.to_array(constants[weight_scale]).reshape(-1)).astype(np.float32)
        name = f"{node.input[1]}_float"
        graph.initializer.append(numpy_helper.from_array(weight, name))
        convolution = helper.make_node("Conv", [quantised.input[0], name, *bias], [scale.output[0]], f"{node.name}_float")
        convolution.attribute.extend(node.attribute)
        replaced[id(node)] = convolution
        dropped |= {id(after), id(scale)}
    nodes = [replaced.get(id(node), node) for node in graph.node if id(node) not in dropped]
    _keep_used(graph, nodes)
    return len(replaced)


def _keep_used(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """Sets the graph's nodes, without those whose outputs nobody reads, and drops constants nobody reads."""
    while True:
        used = {name for node in nodes for name in node.input} | {output.name for output in graph.output}
        kept = [node for node in nodes if any(name in used for name in node.output)]
        if len(kept) == len(nodes):
            break
        nodes = kept
    constants = [each for each in graph.initializer if each.name in used]
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)


def session(model: onnx.ModelProto, threads: int) -> onnxruntime.InferenceSession:
    """`model` on the CPU. Idle threads sleep instead of spinning: the picture needs the cores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
