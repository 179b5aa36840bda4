"""The engines found in the repository, by role: a new folder is tested without a new line here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from avatar_runtime.contracts import Role
from gateway.inference import Inference
from gateway.settings import Settings
from triton_launch.command import REPOSITORY
from triton_launch.server import Server


def engines(role: Role) -> list[str]:
    return sorted(path.parent.name for path in REPOSITORY.glob(f"{role}_*/config.pbtxt"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with the argument `<role>_engine` runs over every engine of the role."""
    for role in Role:
        if f"{role}_engine" in metafunc.fixturenames:
            metafunc.parametrize(f"{role}_engine", engines(role))


@pytest.fixture
async def inference(triton: Server) -> AsyncIterator[Inference]:
    door = Inference(triton.address, Settings.from_environment({}))
    yield door
    await door.close()
