"""The exported graphs: what is in them, that they say what PyTorch says, and that a wrong one does not count."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from avatar_runtime.liveportrait import graphs
from avatar_runtime.liveportrait.networks import InProcess, Retargeting
from export import onnx_graph
from export.liveportrait import command, parity
from export.liveportrait.model import LivePortrait, seeded
from export.liveportrait.widths import narrow
from export.onnx_graph import ExportError, operators, sha256


@pytest.fixture(scope="module", params=["fp32", "fp16"])
def precision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def bundle(precision: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / precision
    command.export(seeded(narrow(16)), folder, precision)
    return folder


@pytest.fixture(scope="module")
def models(bundle: Path) -> Iterator[dict[str, onnx.ModelProto]]:
    yield {name: onnx.load(str(bundle / f"{name}.onnx")) for name in graphs.SIGNATURES}


def test_operators_are_onnxs_own(models: dict[str, onnx.ModelProto]) -> None:
    for model in models.values():
        onnx.checker.check_model(model)
        assert not [name for name in operators(model) if "::" in name]
        assert [entry.domain for entry in model.opset_import] == [""]


def test_no_volume_is_sampled(models: dict[str, onnx.ModelProto]) -> None:
    inferred = onnx.shape_inference.infer_shapes(models["frame"])
    axes = {value.name: len(value.type.tensor_type.shape.dim) for value in inferred.graph.value_info}
    found = [node for node in inferred.graph.node if node.op_type == "GridSample"]
    assert found and all(axes[node.output[0]] == 4 for node in found)
    convolved = [axes.get(node.output[0], 4) for node in inferred.graph.node if node.op_type == "Conv"]
    assert set(convolved) == {4}, "3-D convolutions are 2-D ones"


def test_nothing_of_this_machine_is_in_them(bundle: Path) -> None:
    for path in bundle.iterdir():
        data = path.read_bytes()
        assert b"/home" not in data and str(Path(command.__file__).parents[2]).encode() not in data


def test_the_precision_is_the_graphs_own(models: dict[str, onnx.ModelProto], precision: str) -> None:
    wanted = onnx.TensorProto.FLOAT16 if precision == "fp16" else onnx.TensorProto.FLOAT
    frame = models["frame"].graph
    types = {item.name: item.type.tensor_type.elem_type for item in frame.input}
    assert types == {
        graphs.FEATURE: wanted,
        graphs.COMPRESSED: wanted,
        graphs.SOURCE: onnx.TensorProto.FLOAT,
        graphs.DRIVEN: onnx.TensorProto.FLOAT,
    }
    convolved = {node.input[1] for node in frame.node if node.op_type == "Conv"}
    assert {item.data_type for item in frame.initializer if item.name in convolved} == {wanted}


def test_the_manifest_tells_of_the_graphs(bundle: Path, precision: str) -> None:
    manifest = json.loads((bundle / graphs.MANIFEST).read_text("utf-8"))
    assert manifest["precision"] == precision
    for name in graphs.SIGNATURES:
        assert manifest["graphs"][name]["sha256"] == sha256(bundle / f"{name}.onnx")


@pytest.mark.parametrize("batch", [1, 3, graphs.MAX_BATCH])
def test_every_batch_is_as_pytorch_says(bundle: Path, precision: str, batch: int) -> None:
    rows = parity.compare(seeded(narrow(16)), "frame", bundle / "frame.onnx", precision, batch)
    assert {row.tensor for row in rows} == {parity.PICTURE, graphs.FRAME}


def test_an_export_beyond_tolerance_does_not_count(bundle: Path, precision: str, tmp_path: Path) -> None:
    for name in graphs.SIGNATURES:
        model = onnx.load(str(bundle / f"{name}.onnx"))
        for weight in model.graph.initializer:
            values = numpy_helper.to_array(weight).copy()
            if values.dtype.kind == "f" and values.size > 100:
                weight.CopyFrom(numpy_helper.from_array(values * values.dtype.type(1.5), weight.name))
        onnx.save(model, str(tmp_path / "wrong.onnx"))
        with pytest.raises(ExportError, match=f"The exported {name} differs from PyTorch"):
            parity.compare(seeded(narrow(16)), name, tmp_path / "wrong.onnx", precision)


def test_the_runtime_runs_it(bundle: Path, twin: LivePortrait) -> None:
    given = parity.example(twin, 1)
    networks = InProcess(bundle, 1)
    held = networks.source(given[graphs.IMAGE][0].numpy())
    driven = given[graphs.DRIVEN].numpy()
    frame = networks.frames(held, driven)
    wanted = parity.truth(twin, "frame", given)[graphs.FRAME].numpy()
    assert np.abs(frame.astype(int) - wanted).max() <= 3
    eyes, lips = Retargeting(bundle)(
        given[graphs.SOURCE][0].numpy(), given[graphs.EYES].numpy(), given[graphs.LIPS].numpy()
    )
    wanted = parity.truth(twin, "retarget", given)
    assert np.abs(eyes - wanted[graphs.EYES_DELTA].numpy()).max() < 1e-5
    assert np.abs(lips - wanted[graphs.LIPS_DELTA].numpy()).max() < 1e-5


def test_a_failed_export_leaves_the_old_one(
    twin: LivePortrait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "liveportrait"
    out.mkdir()
    (out / "source.onnx").write_bytes(b"the old one")

    def differs(*_: object) -> None:
        raise ExportError("it differs")

    monkeypatch.setattr(parity, "compare", differs)
    with pytest.raises(ExportError):
        command.export(twin, out)
    assert [path.name for path in tmp_path.iterdir()] == ["liveportrait"]
    assert (out / "source.onnx").read_bytes() == b"the old one"


def test_foreign_operators_are_refused(twin: LivePortrait) -> None:
    graph = command.prepared(twin, "retarget", "fp32")
    node = onnx.helper.make_node("Special", ["x"], ["y"], domain="com.somebody")
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [], []))
    with pytest.raises(ExportError, match=r"com\.somebody::Special"):
        onnx_graph.check(model, graph)


def test_a_sampled_volume_is_refused(tmp_path: Path) -> None:
    class Volume(torch.nn.Module):
        def forward(self, x: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.grid_sample(x, grid, align_corners=False)

    example = [torch.rand(2, 1, 3, 4, 5), torch.rand(2, 3, 4, 5, 3)]
    graph = onnx_graph.Graph("volume", Volume(), ("x", "grid"), ("y",), example, 4)
    with pytest.raises(ExportError, match="samples a volume"):
        onnx_graph.write(graph, tmp_path / "volume.onnx")
    assert not list(tmp_path.iterdir())
