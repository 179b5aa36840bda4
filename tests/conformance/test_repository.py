"""The folders of the model repository and their configs."""

from __future__ import annotations

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from avatar_runtime.contracts import Role
from gateway.inference import Inference
from triton_launch.server import REPOSITORY

MODELS = sorted(path.parent.name for path in REPOSITORY.glob("*/config.pbtxt"))


@pytest.mark.parametrize("name", MODELS)
def test_config_is_a_model_config(name: str) -> None:
    for path in [REPOSITORY / name / "config.pbtxt", *REPOSITORY.glob(f"{name}/configs/*.pbtxt")]:
        config = text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())
        assert config.name in ("", name)
        assert config.max_batch_size == 0
        assert config.parameters["licence"].string_value


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_an_engine_of_a_role(name: str) -> None:
    assert name.partition("_")[0] in set(Role)
    assert (REPOSITORY / name / "1" / "model.py").exists()


def test_every_role_but_cloning_has_an_engine() -> None:
    roles = {name.partition("_")[0] for name in MODELS}
    assert roles >= set(Role) - {Role.VOICE}


@pytest.mark.server
async def test_every_engine_is_ready_and_named_in_the_catalogue(inference: Inference) -> None:
    roles = await inference.catalogue()
    ready = {engine["name"] for role in roles.values() for engine in role["engines"] if engine["ready"]}
    assert ready == set(MODELS)
    assert all(engine["licence"] for role in roles.values() for engine in role["engines"])
