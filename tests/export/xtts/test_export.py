"""The exported graphs: standard ONNX that says what PyTorch says, a wrong one does not count, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from avatar_runtime.xtts import graphs
from export import cli
from export.onnx_graph import ExportError, operators, sha256
from export.xtts import checkpoint, command, parity


@pytest.fixture(scope="module", params=["fp32", "fp16", "int8"])
def precision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def bundle(made: checkpoint.Checkpoint, precision: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / precision
    command.export(made, folder, precision)
    return folder


def test_operators_are_onnxs_own(bundle: Path) -> None:
    for name in graphs.GRAPHS:
        model = onnx.load(str(bundle / f"{name}.onnx"))
        onnx.checker.check_model(model)
        assert not [kind for kind in operators(model) if "::" in kind]


def test_the_gpts_precision_is_its_own(bundle: Path, precision: str) -> None:
    model = onnx.load(str(bundle / "gpt.onnx"))
    kind = onnx.TensorProto.FLOAT16 if precision == "fp16" else onnx.TensorProto.FLOAT
    types = {item.name: item.type.tensor_type.elem_type for item in model.graph.input}
    assert types[graphs.EMBEDS] == types["KEY_0"] == types["VALUE_1"] == kind
    kinds = operators(model)
    assert (kinds["MatMulInteger"] > 0) == (precision == "int8")


def test_the_manifest_tells_of_the_graphs(bundle: Path, precision: str, made: checkpoint.Checkpoint) -> None:
    manifest = json.loads((bundle / graphs.MANIFEST).read_text("utf-8"))
    assert manifest["precision"] == precision and manifest["checkpoint_sha256"] == command.digest(made.model)
    assert all(manifest["graphs"][name]["sha256"] == sha256(bundle / f"{name}.onnx") for name in graphs.GRAPHS)
    with np.load(bundle / graphs.VOICES, allow_pickle=False) as voices:
        assert voices["latents"].shape == (58, 32, made.model.config.width)


def test_the_codes_are_pytorchs(bundle: Path, precision: str) -> None:
    found = json.loads((bundle / graphs.MANIFEST).read_text("utf-8"))["graphs"]["gpt"]["difference"]
    other = found[f"gpt: other codes of {parity.GREEDY}"]
    assert other == 0 if precision == "fp32" else other < 0.2


def test_an_export_beyond_tolerance_does_not_count(
    made: checkpoint.Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graph whose weights went wrong on the way is caught, and what was there before stays."""
    real = command.write

    def wrong(graph: object, path: Path) -> onnx.ModelProto:
        model = real(graph, path)
        for weight in model.graph.initializer:
            values = numpy_helper.to_array(weight)
            if values.dtype.kind == "f" and values.size > 100:
                weight.CopyFrom(numpy_helper.from_array(values * values.dtype.type(1.2), weight.name))
        onnx.save(model, str(path))
        return model

    out = tmp_path / "xtts"
    out.mkdir()
    (out / "old").write_text("old")
    monkeypatch.setattr(command, "write", wrong)
    with pytest.raises(ExportError, match="differs from PyTorch"):
        command.export(made, out)
    assert [path.name for path in tmp_path.iterdir()] == ["xtts"] and (out / "old").exists()


def test_the_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert cli.main(["xtts", "--checkpoint", str(folder), "--precision", "fp32", "--out", str(out)]) == 0
    assert "other codes of 200" in capsys.readouterr().out
    expected = {f"{name}.onnx" for name in graphs.GRAPHS} | {
        graphs.TABLES, graphs.VOICES, graphs.VOCABULARY, graphs.MANIFEST,
    }  # fmt: skip
    assert {path.name for path in out.iterdir()} == expected


def test_a_checkpoint_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["xtts", "--checkpoint", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("antlitz: ") and "is missing" in said and said.count("\n") == 1
