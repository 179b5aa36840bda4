"""The exported graphs: standard ONNX that says what PyTorch says, a wrong one does not count, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from avatar_runtime.contracts import AvatarError
from avatar_runtime.whisper import exported
from avatar_runtime.whisper.bundle import WhisperBundle
from avatar_runtime.whisper.decoding import DecodingOptions, decode
from avatar_runtime.whisper.network import CAPACITY
from avatar_runtime.whisper.tokens import Vocabulary
from export import cli
from export.onnx_graph import ExportError, operators, sha256
from export.whisper import checkpoint, command, parity, twin
from export.whisper.config import Config
from export.whisper.model import Whisper


@pytest.fixture(scope="module", params=["fp32", "fp16", "int8"])
def precision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def bundle(made: checkpoint.Checkpoint, precision: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / precision
    command.export(made, folder, precision)
    return folder


def test_operators_are_onnxs_own(bundle: Path, precision: str) -> None:
    half = onnx.TensorProto.FLOAT16 if precision == "fp16" else onnx.TensorProto.FLOAT
    for name in exported.GRAPHS:
        model = onnx.load(str(bundle / f"{name}.onnx"))
        onnx.checker.check_model(model)
        kinds = operators(model)
        assert not [kind for kind in kinds if "::" in kind]
        assert (kinds["MatMulInteger"] > 0) == (precision == "int8")
        ends = {item.name: item.type.tensor_type.elem_type for item in (*model.graph.input, *model.graph.output)}
        assert {ends[each] for each in ends if each.startswith(("KEY", "VALUE", "CROSS", "STATES"))} == {half}
        assert all(ends[each] == onnx.TensorProto.FLOAT for each in ends if each in ("MEL", "LOGITS", "ATTENTION"))


def test_the_manifest_tells_of_the_graphs(bundle: Path, precision: str, made: checkpoint.Checkpoint) -> None:
    manifest = json.loads((bundle / exported.MANIFEST).read_text("utf-8"))
    assert manifest["precision"] == precision and manifest["checkpoint_sha256"] == command.digest(made.model)
    assert all(manifest["graphs"][name]["sha256"] == sha256(bundle / f"{name}.onnx") for name in exported.GRAPHS)
    assert Config(**manifest["sizes"]) == made.model.config
    assert manifest["alignment_heads"] == [list(each) for each in made.heads] and manifest["tokens"] == made.ids
    assert Vocabulary(bundle).languages == {"en": 258, "de": 259}
    other = manifest["difference"][f"decoder: other tokens of {parity.GREEDY}"]
    assert other == 0 if precision == "fp32" else other < 0.1


def test_the_likeliest_tokens_are_lively(made: checkpoint.Checkpoint) -> None:
    """Otherwise their equality would say little."""
    states = made.model.encoder(torch.from_numpy(parity.sound(80, 411)))
    assert len(set(parity.greedy(made, states).tokens)) > parity.GREEDY // 3


def test_tokens_at_once_and_one_by_one(bundle: Path, made: checkpoint.Checkpoint, precision: str) -> None:
    """A text longer than the cache's first capacity."""
    networks = command.opened(bundle, made.model.config)
    memory = networks.encode(np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32), 50)
    tokens = [int(each) for each in np.random.default_rng(1).integers(0, 256, 2 * CAPACITY + 9)]
    whole, parts = networks.begin(memory), networks.begin(memory)
    wanted = networks.feed(whole, tokens)
    found = np.concatenate([networks.feed(parts, tokens[:5]), *(networks.feed(parts, [each]) for each in tokens[5:])])
    assert parts.length == whole.length == len(tokens)
    assert parity.relative(found, wanted, precision) < {"fp32": 1e-5, "fp16": 5e-3, "int8": 0.05}[precision]
    attention = np.concatenate(parts.attention, 1)
    assert attention.shape == whole.attention[0].shape == (2, len(tokens), 50)
    assert np.allclose(attention.sum(-1), 1, atol=1e-3)


def test_rows_of_one_run(made: checkpoint.Checkpoint, bundle: Path, precision: str) -> None:
    """Two sounds in one run of the encoder: each as it would be alone."""
    networks, config = command.opened(bundle, made.model.config), made.model.config
    mel = np.random.default_rng(0).normal(size=(2, config.bins, 77)).astype(np.float32)
    alone = np.concatenate([networks.states(mel[row : row + 1]) for row in range(2)])
    assert parity.relative(networks.states(mel), alone, precision) < (0.02 if precision == "int8" else 2e-3)


def test_todays_decoding_runs_on_it(bundle: Path, made: checkpoint.Checkpoint) -> None:
    """Language, guards and attention, as the engine asks for them."""
    networks = command.opened(bundle, made.model.config)
    memory = networks.encode(np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32), 100)
    found = decode(networks, Vocabulary(bundle), memory, 0.5, DecodingOptions(), (0.0,))  # type: ignore[arg-type]
    assert found.language in ("en", "de") and all(token < made.ids["end"] for token in found.tokens)
    assert len(found.attention) == len(found.tokens) + 1 and found.attention[0].shape == (2, 1, 100)


def test_128_bins(tmp_path: Path) -> None:
    """As large-v3 and turbo have."""
    found = command.made(tmp_path / "checkpoint", 128)
    command.export(found, tmp_path / "out")
    networks = command.opened(tmp_path / "out", found.model.config)
    assert networks.encode(np.zeros(1600, np.float32), 5)["CROSS_KEY_0"].shape == (1, 4, 5, 16)


def test_an_export_beyond_tolerance_does_not_count(
    made: checkpoint.Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graph whose weights went wrong on the way is caught, and what was there before stays."""
    real = command.write

    def wrong(graph: object, path: Path) -> onnx.ModelProto:
        model = real(graph, path)  # type: ignore[arg-type]
        if path.stem == "decoder":
            for weight in model.graph.initializer:
                values = numpy_helper.to_array(weight)
                if values.dtype.kind == "f" and values.ndim == 2:
                    weight.CopyFrom(numpy_helper.from_array(values * values.dtype.type(1.2), weight.name))
            onnx.save(model, str(path))
        return model

    out = tmp_path / "whisper"
    out.mkdir()
    (out / "old").write_text("old")
    monkeypatch.setattr(command, "write", wrong)
    with pytest.raises(ExportError, match=r"other tokens than PyTorch|differs from PyTorch"):
        command.export(made, out)
    assert [path.name for path in tmp_path.iterdir()] == ["whisper"] and (out / "old").exists()


def test_what_cannot_be_made_8_bits_of_is_said_before() -> None:
    with torch.device("meta"):
        large = Whisper(Config(width=1280, encoder_layers=32, encoder_heads=20, encoder_inner=5120))
    with pytest.raises(ExportError, match="--precision fp16"):
        command._fits(large)


def test_the_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert cli.main(["whisper", "--checkpoint", str(folder), "--precision", "fp32", "--out", str(out)]) == 0
    assert "other tokens of 100" in capsys.readouterr().out
    expected = {f"{name}.onnx" for name in exported.GRAPHS} | {*exported.VOCABULARY, exported.MANIFEST}
    assert {path.name for path in out.iterdir()} == expected


def test_a_checkpoint_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["whisper", "--checkpoint", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("antlitz: ") and "is missing" in said and said.count("\n") == 1


def test_the_runtime_opens_it(bundle: Path, made: checkpoint.Checkpoint, tmp_path: Path) -> None:
    assert WhisperBundle(bundle, threads=1).networks().sizes == command.sizes(made.model.config)
    folder = tmp_path / "broken"
    folder.mkdir()
    for path in bundle.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "cross.onnx").write_bytes((bundle / "encoder.onnx").read_bytes())
    with pytest.raises(AvatarError, match=r"cross\.onnx is not the file"):
        WhisperBundle(folder).networks()
    told = json.loads((folder / exported.MANIFEST).read_text("utf-8"))
    told["graphs"]["cross"] = told["graphs"]["encoder"]
    (folder / exported.MANIFEST).write_text(json.dumps(told), "utf-8")
    with pytest.raises(AvatarError, match="is not a graph of this model"):
        WhisperBundle(folder).networks()
    del told["sizes"]["length"]
    (folder / exported.MANIFEST).write_text(json.dumps(told), "utf-8")
    with pytest.raises(AvatarError, match="networks' sizes"):
        WhisperBundle(folder)


def test_a_gpus_encoder_goes_into_the_model_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--checkpoint", "twin", "--precision", "fp16", "--out", str(tmp_path / "bundle")]
    assert command.main([*arguments, "--repository", str(tmp_path / "repository")]) == 0
    placed = tmp_path / "repository" / "whisper_encoder" / "1" / "model.onnx"
    assert placed.read_bytes() == (tmp_path / "bundle" / "encoder.onnx").read_bytes()
    assert "--model-config-name=gpu" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--engine", "tensorrt"], ["--repository", "/nowhere"]])
def test_models_for_a_gpu_are_halves(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--checkpoint", "twin", "--precision", "int8", *wrong])
    assert "add --precision fp16" in capsys.readouterr().err


def test_weights_too_large_for_a_file_lie_beside_it(
    made: checkpoint.Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export.onnx_graph.LARGEST", 100_000)
    command.export(made, tmp_path / "bundle", "fp32")
    data = tmp_path / "bundle" / "encoder.onnx.data"
    assert data.stat().st_size > 100_000 > (tmp_path / "bundle" / "encoder.onnx").stat().st_size
    networks = WhisperBundle(tmp_path / "bundle").networks()
    assert networks.states(np.zeros((1, 80, 10), np.float32)).shape == (1, 5, 64)
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(AvatarError, match=r"encoder\.onnx\.data is not the file that whisper\.json tells of"):
        WhisperBundle(tmp_path / "bundle").networks()
    data.unlink()
    with pytest.raises(AvatarError, match=r"encoder\.onnx\.data is missing"):
        WhisperBundle(tmp_path / "bundle").networks()


def test_made_weights_may_recite(tmp_path: Path) -> None:
    """For measurements: the same 20 tokens and the end, whatever is heard."""
    twin.write(tmp_path / "made", twin.narrow(), says=twin.SENTENCE)
    command.export(checkpoint.load(tmp_path / "made"), tmp_path / "bundle")
    vocabulary = Vocabulary(tmp_path / "bundle")
    networks = WhisperBundle(tmp_path / "bundle", threads=1).networks()
    for seed in range(2):
        noise = np.random.default_rng(seed).normal(0, 0.1, (80, 600)).astype(np.float32)
        heard = decode(networks, vocabulary, networks.understand(noise), 5.0, DecodingOptions("de"))
        assert vocabulary.decode(heard.tokens) == twin.SENTENCE and heard.trusted
