"""`avatar_runtime.voices.rewrite`: the same numbers from fewer, faster nodes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from avatar_runtime.prepared import cpu_session
from avatar_runtime.voices import rewrite
from avatar_runtime.voices.products import signed_products_are_exact
from avatar_runtime.voices.rewrite import faster

CHANNELS, OUTPUTS = 3, 128


def model(nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], inputs: tuple[str, ...]) -> onnx.ModelProto:
    made = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in inputs],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    domains = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(made, opset_imports=domains, ir_version=9)


def convolution(weights: np.ndarray, zero: np.generic, bias: bool, **attributes: object) -> onnx.ModelProto:
    """As onnxruntime's quantizer writes it: the bias is rounded down to units of the scale."""
    node = helper.make_node
    added = [
        node("Div", ["bias", "scales"], ["b1"]),
        node("Floor", ["b1"], ["b2"]),
        node("Cast", ["b2"], ["b3"], to=TensorProto.INT32),
        node("Reshape", ["b3", "column"], ["b4"]),
        node("Add", ["c", "b4"], ["d"]),
    ]
    nodes = [
        node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        node("ConvInteger", ["q", "w", "z", "wz"], ["c"], name="conv", **attributes),
        node("Mul", ["s", "ws"], ["scales"]),
        *(added if bias else []),
        node("Cast", ["d" if bias else "c"], ["e"], to=TensorProto.FLOAT),
        node("Mul", ["e", "scales"], ["y"]),
    ]
    constants = {
        "w": weights,
        "wz": zero,
        "ws": np.float32(0.02),
        "bias": np.linspace(-1, 1, OUTPUTS, dtype=np.float32),
        "column": np.array([1, -1, 1]),
    }
    return model(nodes, constants, ("x",))


def run(made: onnx.ModelProto, **feed: np.ndarray) -> np.ndarray:
    return cpu_session(made.SerializeToString(), 1).run(["y"], feed)[0]


@pytest.mark.parametrize("time", [1, 2, 7, 8, 41])
@pytest.mark.parametrize(("taps", "dilation"), [(1, 1), (3, 1), (7, 1), (11, 1), (3, 3), (11, 5)])
@pytest.mark.parametrize(("kind", "exact"), [(np.uint8, True), (np.uint8, False), (np.int8, True)])
def test_a_convolution_is_a_product(
    monkeypatch: pytest.MonkeyPatch, time: int, taps: int, dilation: int, kind: type, exact: bool
) -> None:
    """On CPUs with VNNI and on those without."""
    if exact and not signed_products_are_exact():
        pytest.skip("this CPU multiplies u8 by s8 in too few bits")
    monkeypatch.setattr(rewrite, "signed_products_are_exact", lambda: exact)
    rng = np.random.default_rng(taps)
    info = np.iinfo(kind)
    weights = rng.integers(info.min, info.max, (OUTPUTS, CHANNELS, taps), endpoint=True).astype(kind)
    reach = dilation * (taps - 1) // 2
    before = convolution(weights, kind(7), True, kernel_shape=[taps], dilations=[dilation], pads=[reach, reach])
    after = onnx.ModelProto.FromString(before.SerializeToString())
    faster(after)
    kinds = {node.op_type for node in after.graph.node}
    assert "MatMulIntegerToFloat" in kinds and "ConvInteger" not in kinds
    sound = rng.normal(size=(1, CHANNELS, time)).astype(np.float32)
    scale = 0.02 * (max(0.0, sound.max()) - min(0.0, sound.min())) / 255  # of one unit, to which the bias was rounded
    assert run(after, x=sound) == pytest.approx(run(before, x=sound), abs=1.01 * scale)


def test_without_a_bias_it_is_the_same_to_the_last_unit() -> None:
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 255, (OUTPUTS, CHANNELS, 3)).astype(np.uint8)
    before = convolution(weights, np.uint8(120), False, kernel_shape=[3], dilations=[1], pads=[1, 1])
    after = onnx.ModelProto.FromString(before.SerializeToString())
    faster(after)
    sound = rng.normal(size=(1, CHANNELS, 50)).astype(np.float32)
    assert run(after, x=sound) == pytest.approx(run(before, x=sound), rel=1e-6)


@pytest.mark.parametrize("pads", [[0, 0], [2, 0], [3, 4]])
def test_it_may_become_shorter_or_longer(pads: list[int]) -> None:
    weights = np.random.default_rng(0).integers(0, 255, (OUTPUTS, CHANNELS, 3)).astype(np.uint8)
    before = convolution(weights, np.uint8(120), False, kernel_shape=[3], dilations=[1], pads=pads)
    after = onnx.ModelProto.FromString(before.SerializeToString())
    faster(after)
    sound = np.random.default_rng(1).normal(size=(1, CHANNELS, 9)).astype(np.float32)
    assert run(after, x=sound) == pytest.approx(run(before, x=sound), rel=1e-6)


def test_other_strides_stay_convolutions() -> None:
    weights = np.ones((OUTPUTS, CHANNELS, 3), np.uint8)
    made = convolution(weights, np.uint8(0), True, kernel_shape=[3], dilations=[1], pads=[1, 1], strides=[2])
    faster(made)
    assert "ConvInteger" in {node.op_type for node in made.graph.node}


def test_an_instance_norm_is_one_node() -> None:
    node = helper.make_node
    nodes = [
        node("ReduceMean", ["x", "axis"], ["mean"]),
        node("Sub", ["x", "mean"], ["centred"]),
        node("Mul", ["centred", "centred"], ["squares"]),
        node("ReduceMean", ["squares", "axis"], ["power"]),
        node("Add", ["power", "epsilon"], ["variance"]),
        node("Sqrt", ["variance"], ["root"]),
        node("Div", ["centred", "root"], ["normed"]),
        node("Mul", ["scale", "normed"], ["scaled"]),
        node("Add", ["scaled", "shift"], ["y"], name="norm"),
    ]
    before = model(nodes, {"axis": np.array([2]), "epsilon": np.float32(1e-5)}, ("x", "scale", "shift"))
    after = onnx.ModelProto.FromString(before.SerializeToString())
    faster(after)
    assert [n.op_type for n in after.graph.node] == ["Reshape", "Reshape", "InstanceNormalization"]
    rng = np.random.default_rng(0)
    feed = {name: rng.normal(2, 3, (1, CHANNELS, n)).astype(np.float32) for name, n in zip(
        ("x", "scale", "shift"), (100, 1, 1), strict=True)}  # fmt: skip
    assert run(after, **feed) == pytest.approx(run(before, **feed), abs=1e-4)


def test_a_norm_and_its_snake_are_one_run_of_nodes() -> None:
    node = helper.make_node
    nodes = [
        node("ReduceMean", ["x", "axis"], ["mean"]),
        node("Sub", ["x", "mean"], ["centred"]),
        node("Mul", ["centred", "centred"], ["squares"]),
        node("ReduceMean", ["squares", "axis"], ["power"]),
        node("Add", ["power", "epsilon"], ["variance"]),
        node("Sqrt", ["variance"], ["root"]),
        node("Div", ["centred", "root"], ["normed"]),
        node("Mul", ["scale", "normed"], ["scaled"]),
        node("Add", ["scaled", "shift"], ["sound"], name="norm"),
        node("Mul", ["alpha", "sound"], ["angle"]),
        node("Sin", ["angle"], ["sine"]),
        node("Pow", ["sine", "two"], ["square"]),
        node("Mul", ["reciprocal", "square"], ["wave"]),
        node("Add", ["sound", "wave"], ["y"]),
    ]
    alpha = np.array([0.5, 1, 3], np.float32).reshape(1, CHANNELS, 1)
    constants = {
        "axis": np.array([2]),
        "epsilon": np.float32(1e-5),
        "alpha": alpha,
        "reciprocal": 1 / alpha,
        "two": np.float32(2),
    }
    before = model(nodes, constants, ("x", "scale", "shift"))
    after = onnx.ModelProto.FromString(before.SerializeToString())
    faster(after)
    assert len(after.graph.node) == 9 and "Pow" not in {n.op_type for n in after.graph.node}
    rng = np.random.default_rng(0)
    sizes = {"x": 100, "scale": 1, "shift": 1}
    feed = {name: rng.normal(2, 3, (1, CHANNELS, n)).astype(np.float32) for name, n in sizes.items()}
    assert run(after, **feed) == pytest.approx(run(before, **feed), abs=1e-4)


def test_a_spectrum_is_a_convolution() -> None:
    size, step = 20, 5
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    constants = {"step": np.array(step), "window": window, "size": np.array(size)}
    made = model([helper.make_node("STFT", ["x", "step", "window", "size"], ["y"])], constants, ("x",))
    faster(made)
    assert "STFT" not in {node.op_type for node in made.graph.node}
    sound = np.random.default_rng(0).normal(size=(1, 200)).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(sound[0], size)[::step] * window
    spectrum = run(made, x=sound)[0]
    assert spectrum[..., 0] + 1j * spectrum[..., 1] == pytest.approx(np.fft.rfft(frames), abs=2e-5)
    edges = spectrum[:, [0, -1]]
    angles = np.arctan2(edges[..., 1], edges[..., 0])
    assert np.where(edges[..., 0] < 0, np.pi, 0.0) == pytest.approx(angles, abs=1e-5), "never -pi"
