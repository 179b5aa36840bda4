"""ONNX sessions of voices: the predicted durations, which both networks keep to themselves, become an output."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnxruntime as ort

DURATIONS = "durations"


def with_durations(path: Path) -> onnx.ModelProto:
    """The graph in `path` with one more output, `durations`: frames per token.

    In hibari and in Kokoro (StyleTTS 2's ProsodyPredictor) it is the one Clip that follows a Round. Works in memory;
    the file keeps its checksum.
    """
    model = onnx.load(str(path))
    rounded = {output for node in model.graph.node if node.op_type == "Round" for output in node.output}
    found = [n for n in model.graph.node if n.op_type == "Clip" and n.input[0] in rounded]
    if len(found) != 1:
        raise ValueError(f"{path.name} is not the graph this code knows: {len(found)} duration predictors in it")
    model.graph.node.append(onnx.helper.make_node("Identity", [found[0].output[0]], [DURATIONS]))
    model.graph.output.append(onnx.ValueInfoProto(name=DURATIONS))
    return model


def session(model: onnx.ModelProto, threads: int) -> ort.InferenceSession:
    """A CPU session that does not spin while it waits: the cores belong to the video."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
