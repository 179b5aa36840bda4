"""Convolutions and spectra as matrix products: their weights, and whether this CPU multiplies them right."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from avatar_runtime.prepared import cpu_session


def width(taps: int, block: int) -> int:
    """How many steps of input `block` steps of output need, up to whole blocks."""
    return -(-(block + taps - 1) // block) * block


def blocked(weights: NDArray[Any], block: int, zero: Any) -> NDArray[Any]:
    """Weights [out, in, taps] as the matrix [width * in, block * out] that makes `block` steps at once.

    Where a step does not reach, it holds the zero point.
    """
    outputs, inputs, taps = weights.shape
    steps = width(taps, block) if block > 1 else taps
    matrix = np.full((steps, inputs, block, outputs), zero, weights.dtype)
    for step in range(block):
        matrix[step : step + taps, :, step] = weights.transpose(2, 1, 0)
    return matrix.reshape(steps * inputs, block * outputs)


def windowed(window: NDArray[np.float32]) -> NDArray[np.float32]:
    """The real and imaginary waves of a real Fourier transform, under `window`: [bins * 2, 1, size].

    Zero frequency and the highest have no imaginary part. Theirs is a millionth of the real part, turned round, so that
    the angle of what is negative is pi, as PyTorch has it, and not by chance -pi.
    """
    size = len(window)
    turns = np.outer(np.arange(size // 2 + 1), np.arange(size)) % size / size
    real, imaginary = np.cos(2 * np.pi * turns), -np.sin(2 * np.pi * turns)
    edges = [0, -1] if size % 2 == 0 else [0]
    imaginary[edges] = -1e-6 * real[edges]
    waves: NDArray[np.float32] = (np.stack([real, imaginary], axis=1) * window).astype(np.float32)
    return waves.reshape(-1, 1, size)


def signed(unsigned: NDArray[np.uint8]) -> NDArray[np.int8]:
    """128 less; a zero point that is moved along leaves every product as it was."""
    return (unsigned ^ np.uint8(128)).view(np.int8)


@cache
def signed_products_are_exact() -> bool:
    """Whether this CPU multiplies u8 by s8 exactly: without VNNI, x86 adds pairs of products in 16 bits, too few."""
    size = 64
    weights = numpy_helper.from_array(np.full((size, size), 127, np.int8), "w")
    probe = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
        "probe",
        [helper.make_tensor_value_info("x", onnx.TensorProto.UINT8, [size, size])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.INT32, [size, size])],
        [weights],
    )
    model = helper.make_model(probe, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    (product,) = cpu_session(model.SerializeToString(), threads=1).run(
        ["y"], {"x": np.full((size, size), 255, np.uint8)}
    )
    return bool((product == 255 * 127 * size).all())
