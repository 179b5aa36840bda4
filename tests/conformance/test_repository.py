"""The folders of the model repository and their configs.

Engines of a role run anywhere and have a config.pbtxt; networks are what an engine asks on a GPU, and have only a
configs/gpu.pbtxt.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from avatar_runtime.contracts import Role
from avatar_runtime.liveportrait.bundle import BYTES, HALF_ALLOWED, SHAPES
from avatar_runtime.liveportrait.graphs import MAX_BATCH, SIGNATURES
from avatar_runtime.whisper import exported as whisper
from avatar_runtime.whisper.features import WINDOW_FRAMES
from gateway.inference import Inference
from triton_launch.command import REPOSITORY, Ports, command

MODELS = sorted(path.parent.name for path in REPOSITORY.glob("*/config.pbtxt"))
NETWORKS = sorted({path.parents[1].name for path in REPOSITORY.glob("*/configs/*.pbtxt")} - set(MODELS))
LIVEPORTRAIT = [name for name in NETWORKS if name.startswith("liveportrait")]


def parsed(path: Path) -> model_config_pb2.ModelConfig:
    return text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())


def test_every_folder_is_an_engine_or_a_network() -> None:
    assert {path.name for path in REPOSITORY.iterdir() if path.is_dir()} == {*MODELS, *NETWORKS}
    assert NETWORKS == ["liveportrait_frame", "liveportrait_source", "whisper_encoder"]


@pytest.mark.parametrize("name", [*MODELS, *NETWORKS])
def test_config_is_a_model_config(name: str) -> None:
    for path in [*REPOSITORY.glob(f"{name}/config.pbtxt"), *REPOSITORY.glob(f"{name}/configs/*.pbtxt")]:
        config = parsed(path)
        assert config.name in ("", name)
        assert config.max_batch_size == (MAX_BATCH if name in NETWORKS else 0)
        assert config.parameters["licence"].string_value


@pytest.mark.parametrize("name", MODELS)
def test_a_gpu_config_keeps_the_contract(name: str) -> None:
    default = parsed(REPOSITORY / name / "config.pbtxt")
    for path in REPOSITORY.glob(f"{name}/configs/*.pbtxt"):
        other = parsed(path)
        assert list(other.input) == list(default.input) and list(other.output) == list(default.output)
        assert other.sequence_batching == default.sequence_batching and other.backend == default.backend


def test_whispers_encoder_is_its_exported_graph() -> None:
    """large-v3's, which is turbo's too: `export.whisper.config` has its sizes."""
    config = parsed(REPOSITORY / "whisper_encoder" / "configs" / "gpu.pbtxt")
    assert [(end.name, list(end.dims)) for end in config.input] == [(whisper.MEL, [128, WINDOW_FRAMES])]
    assert [(end.name, list(end.dims)) for end in config.output] == [(whisper.STATES, [WINDOW_FRAMES // 2, 1280])]
    assert [sample.batch_size for sample in config.model_warmup] == [1, config.max_batch_size]


@pytest.mark.parametrize("name", LIVEPORTRAIT)
def test_a_network_is_its_exported_graph(name: str) -> None:
    config = parsed(REPOSITORY / name / "configs" / "gpu.pbtxt")
    for ends, wanted in zip((config.input, config.output), SIGNATURES[name.partition("_")[2]], strict=True):
        assert [end.name for end in ends] == list(wanted)
        for end in ends:
            fits = (wanted is None or size == wanted for size, wanted in zip(end.dims, SHAPES[end.name], strict=True))
            assert all(fits), end.name
            kind = "TYPE_UINT8" if end.name in BYTES else "TYPE_FP16" if end.name in HALF_ALLOWED else "TYPE_FP32"
            assert end.data_type == getattr(model_config_pb2, kind)
    # The backend is left to Triton, which sees whether an engine or a graph lies there.
    assert not config.backend and not config.platform and not config.default_model_filename
    for sample in config.model_warmup:
        assert 1 <= sample.batch_size <= MAX_BATCH and set(sample.inputs) == {end.name for end in config.input}
        for end in config.input:
            given = sample.inputs[end.name]
            assert (given.data_type, list(given.dims)) == (end.data_type, list(end.dims))


def test_networks_are_loaded_where_their_config_is_asked_for(tmp_path: Path) -> None:
    """Without a GPU tritonserver never hears of them."""
    for arguments, wanted in ((), set(MODELS)), (("--model-config-name=gpu",), {*MODELS, *NETWORKS}):
        line, _ = command(Ports.free(), tmp_path, arguments)
        repository = next(word.partition("=")[2] for word in line if word.startswith("--model-repository="))
        assert {path.name for path in Path(repository).iterdir()} == wanted
        for path in Path(repository).iterdir():
            # A network may be a folder of its own, with a Python model in the place of a backend that is not there.
            assert path.resolve() == REPOSITORY / path.name or path.name in NETWORKS
            assert (path / "config.pbtxt").exists() or (path / "configs" / "gpu.pbtxt").exists()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_an_engine_of_a_role(name: str) -> None:
    assert name.partition("_")[0] in set(Role)
    assert (REPOSITORY / name / "1" / "model.py").exists()


def test_every_role_has_an_engine() -> None:
    assert {name.partition("_")[0] for name in MODELS} >= set(Role)


def test_what_clones_has_something_to_clone_for() -> None:
    for name in MODELS:
        if name.startswith(f"{Role.VOICE}_"):
            speaks = parsed(REPOSITORY / f"tts_{name.partition('_')[2]}" / "config.pbtxt")
            assert {"LATENTS", "SEED"} <= {each.name for each in speaks.input if each.optional}


@pytest.mark.server
async def test_every_engine_is_ready_and_named_in_the_catalogue(inference: Inference) -> None:
    roles = await inference.catalogue()
    ready = {engine["name"] for role in roles.values() for engine in role["engines"] if engine["ready"]}
    exported = importlib.util.find_spec("torch") is not None
    assert ready == set(MODELS) - (set() if exported else {"render_liveportrait", "tts_xtts", "voice_xtts"})
    assert all(engine["licence"] for role in roles.values() for engine in role["engines"])
