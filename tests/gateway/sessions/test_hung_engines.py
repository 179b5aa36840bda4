"""A model that hangs for ever, with the real server: its `execute` does not return, while its process lives on.

(A process that is stopped with SIGSTOP does not hang: tritonserver 2.51 waits for the lock of its shared memory for a
second and then aborts, itself with all its models. That is a dead server, which starts again.)
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from loopback import Page, gateway, page

from avatar_runtime.contracts import LISTENING_RATE, SPEAKING_RATE, AvatarError
from characters import Voice
from gateway.inference import Inference
from gateway.settings import Settings
from triton_launch import command as launcher
from triton_launch.server import Server

pytestmark = pytest.mark.server

MODELS = ("vad_silero", "stt_whisper", "tts_hibari", "motion_speech", "render_meshwarp")
TOLD = 20.0  # s until the person knows: 10 that an engine may take, a second try of an ear, and two busy cores
BACK = 12.0  # s from the moment on which the model goes on

#: The model of the repository, which does nothing as long as a file lies there.
HANGING = """
import importlib.util, time
from pathlib import Path

spec = importlib.util.spec_from_file_location("model_behind", {model!r})
behind = importlib.util.module_from_spec(spec)
spec.loader.exec_module(behind)


class TritonPythonModel(behind.TritonPythonModel):
    def execute(self, requests):
        while Path({flag!r}).exists():
            time.sleep(0.02)
        return super().execute(requests)
"""


@pytest.fixture(scope="module")
def hanging(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A tritonserver, and the folder in which a file of a model's name lets that model hang."""
    repository, flags = tmp_path_factory.mktemp("repository"), tmp_path_factory.mktemp("flags")
    for name in MODELS:
        (repository / name / "1").mkdir(parents=True)
        real = launcher.REPOSITORY / name
        (repository / name / "config.pbtxt").symlink_to(real / "config.pbtxt")
        text = HANGING.format(model=str(real / "1" / "model.py"), flag=str(flags / name))
        (repository / name / "1" / "model.py").write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launcher, "REPOSITORY", repository)
        server = Server(served, tmp_path_factory.mktemp("hanging"))
    try:
        server.wait_ready()
        yield server, flags
    finally:
        for name in MODELS:
            (flags / name).unlink(missing_ok=True)
        server.stop()


@contextmanager
def stopped(model: str, hanging: tuple[Server, Path]) -> Iterator[None]:
    """This model hangs."""
    flag = hanging[1] / model
    flag.touch()
    try:
        yield
    finally:
        flag.unlink()


@asynccontextmanager
async def talking(hanging: tuple[Server, Path]) -> AsyncIterator[tuple[Page, Any]]:
    """A page whose picture moves and whose voice has been heard, with the engines behind it."""
    door = Inference(hanging[0].address, Settings())
    try:
        async with gateway(door) as (url, sessions):  # type: ignore[arg-type]  # the real one
            characters = sessions._characters
            characters.known["ada"] = replace(characters.known["ada"], voice=Voice("tts_hibari", "heart", None))
            characters.portrait = lambda ident: PORTRAIT
            async with page(url) as one:
                one.tell(type="text", text="Yes.", mode="say")
                await one.until(lambda: one.captions("avatar") == ["Yes."] and one.frames, 60)
                yield one, door
                assert sessions.running
    finally:
        await door.close()


class PORTRAIT:
    data = (Path(__file__).parents[3] / "characters" / "defaults" / "portraits" / "mona_lisa.jpg").read_bytes()


def warnings(one: Page) -> list[str]:
    return [notice["message"] for notice in one.of("notice") if notice["level"] == "warning"]


def back(one: Page) -> bool:
    notices = one.of("notice")
    return bool(notices) and notices[-1]["code"] == "engine_back"


async def say(one: Page, door: Inference, words: str) -> None:
    """A person says these words into the microphone."""
    chunks = [speech.audio async for speech in door.synthesize(words, engine="tts_hibari")]
    sound = soxr.resample(np.concatenate(chunks), SPEAKING_RATE, LISTENING_RATE)
    one.mic._pending = np.concatenate([one.mic._pending, sound.astype(np.float32)])


async def test_a_renderer_that_hangs_holds_up_no_sound(hanging: tuple[Server, Path]) -> None:
    async with talking(hanging) as (one, _):
        with stopped("render_meshwarp", hanging):
            began = time.monotonic()
            one.tell(type="text", text="The picture stands still, and the voice goes on.", mode="say")
            await one.until(lambda: len(one.captions("avatar")) == 2, 15)
            loud = one.loud(began)
            assert len(loud) > 60 and max(later - at for at, later in pairwise(loud)) < 0.6, "pauses between words"
            await one.until(lambda: warnings(one), TOLD)
            assert "too slow" in warnings(one)[0]
            shown = len(one.frames)
            await one.until(lambda: len(one.frames) > shown + 25)
        await one.until(lambda: back(one), BACK)
        assert len(warnings(one)) == 1


async def test_a_voice_that_hangs_is_written(hanging: tuple[Server, Path]) -> None:
    async with talking(hanging) as (one, _):
        with stopped("tts_hibari", hanging):
            one.tell(type="text", text="First.", mode="chat")
            await one.until(lambda: one.captions("avatar")[1:] == ["First."], TOLD)
            assert "no voice" in warnings(one)[0]
            began = time.monotonic()
            one.tell(type="text", text="Second.", mode="chat")
            await one.until(lambda: one.captions("avatar")[2:] == ["Second."], TOLD)
            assert time.monotonic() - began < 7, "it is not waited for again as long as the first time"
        one.tell(type="text", text="Third.", mode="chat")
        began = time.monotonic()
        await one.until(lambda: one.captions("avatar")[3:] == ["Third."], BACK)
        assert back(one) and one.loud(began)


async def test_an_ear_that_hangs_leaves_typing(hanging: tuple[Server, Path]) -> None:
    async with talking(hanging) as (one, door):
        with stopped("stt_whisper", hanging):
            await say(one, door, "Nobody understands this sentence.")
            await one.until(lambda: warnings(one), TOLD + 5)
            assert "cannot understand" in warnings(one)[0]
            one.tell(type="text", text="Typed.", mode="chat")
            await one.until(lambda: one.captions("avatar")[1:] == ["Typed."], 15)
        await say(one, door, "Now somebody listens again.")
        await one.until(lambda: "listen" in " ".join(one.captions("user")), BACK + 10)
        assert [notice["code"] for notice in one.of("notice")].count("engine_back") == 1


async def test_a_model_that_tells_speech_from_silence_and_hangs(hanging: tuple[Server, Path]) -> None:
    async with talking(hanging) as (one, door):
        with stopped("vad_silero", hanging):
            await one.until(lambda: warnings(one), TOLD)
            assert "cannot hear" in warnings(one)[0]
            one.tell(type="text", text="Typed.", mode="chat")
            await one.until(lambda: one.captions("avatar")[1:] == ["Typed."], 15)
        await one.until(lambda: back(one), BACK)
        await say(one, door, "Now somebody listens again.")
        await one.until(lambda: "listen" in " ".join(one.captions("user")), BACK + 10)


async def test_who_asks_for_speech_alone_is_told(hanging: tuple[Server, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.inference.server.ANSWER_SECONDS", 1.0)
    door = Inference(hanging[0].address, Settings())
    try:
        with stopped("tts_hibari", hanging), pytest.raises(AvatarError, match="did not answer in time"):
            async for _ in door.synthesize("Hello.", engine="tts_hibari"):
                pass
        assert [speech async for speech in door.synthesize("Hello.", engine="tts_hibari")]
    finally:
        await door.close()
