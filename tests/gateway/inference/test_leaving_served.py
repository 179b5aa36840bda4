"""A real tritonserver, left by thousands of impatient people: it lives.

The one in NVIDIA's wheel (2.51) dies within a second or two of this on a busy machine, where the gateway cancels
whatever is no longer wanted, and the engines end their streams with the last answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from avatar_runtime.contracts import AvatarError
from gateway.inference import Inference
from gateway.settings import Settings
from triton_launch import command as launcher
from triton_launch.server import Server

pytestmark = pytest.mark.server

TOGETHER = 8
REQUESTS = 3_000
SPEECHES = 400
MODELS = ("motion_speech", "tts_hibari")


@pytest.fixture
def server(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    repository = tmp_path / "repository"
    repository.mkdir()
    for name in MODELS:
        (repository / name).symlink_to(launcher.REPOSITORY / name)
    monkeypatch.setattr(launcher, "REPOSITORY", repository)
    one = Server(models, tmp_path / "triton")
    try:
        one.wait_ready()
        yield one
    finally:
        one.stop()


@pytest.fixture
async def inference(server: Server) -> AsyncIterator[Inference]:
    door = Inference(server.address, Settings.from_environment({}))
    yield door
    await door.close()


async def test_it_survives_everybody_who_goes_away(server: Server, inference: Inference) -> None:
    chance, together = random.Random(3), asyncio.Semaphore(TOGETHER)
    answered, left, refused = [], [], []

    async def moves() -> None:
        async with inference.motion() as stream:
            await stream.push(np.zeros(960, np.float32), [], np.zeros((0, 2), np.float32))

    async def speaks() -> None:
        async with contextlib.aclosing(inference.synthesize("Good morning to you.", "en", engine="tts_hibari")) as all_:
            async for _ in all_:
                pass

    async def is_refused() -> None:
        with pytest.raises(AvatarError, match="unknown_language"):
            await anext(inference.synthesize("Hello.", "xx", engine="tts_hibari"))
        refused.append(1)

    async def impatient(what: Callable[[], Awaitable[None]], seconds: float) -> None:
        async with together:
            assert server.alive(), server.log and server.log.read_text("utf-8")[-2000:]
            try:
                async with asyncio.timeout(chance.uniform(0, seconds)):
                    await what()
                answered.append(1)
            except TimeoutError:
                left.append(1)

    work = [(moves, 0.02)] * REQUESTS + [(speaks, 0.4)] * SPEECHES + [(is_refused, 5.0)] * SPEECHES
    chance.shuffle(work)
    await asyncio.gather(*(impatient(*each) for each in work))
    assert server.alive()
    assert answered and len(left) > REQUESTS // 10 and len(refused) > SPEECHES // 2
