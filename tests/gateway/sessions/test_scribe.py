"""A turn written down while it is spoken: what is asked of the ears, and when their word is enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from loopback import until

from avatar_runtime.contracts import AvatarError, Code
from gateway.sessions import scribe as scribes
from gateway.sessions.health import Health
from gateway.sessions.scribe import FIRST, FIRST_LOOKS, LOOK, Expected, Scribe, enough
from gateway.transcript import Heard, Transcript
from gateway.turns import Recording

SECOND = 16_000


class Ears:
    """Answers each request by `hear(samples so far, whether all is asked for)`."""

    def __init__(self, hear: Callable[[int, bool], str]) -> None:
        self.hear, self.samples, self.asked, self.closed = hear, 0, [], False
        self.missing = False
        self.takes = 0.0  # s, a look
        self.transcribed: list[int] = []

    def listen(self, *expected: str) -> Ears:
        return self

    async def push(self, audio: Any, flush: bool = False) -> Heard:
        if self.missing:
            raise AvatarError(Code.ENGINE_UNAVAILABLE, "Away.")
        self.samples += len(audio)
        self.asked.append((self.samples, flush))
        await asyncio.sleep(self.takes)
        return Heard("", "en", [], self.hear(self.samples, flush))

    async def transcribe(self, audio: Any, **_: Any) -> Transcript:
        self.transcribed.append(len(audio))
        if self.missing == "for good":
            raise AvatarError(Code.ENGINE_UNAVAILABLE, "Away.")
        return Transcript("all of it", "en", [])

    async def close(self) -> None:
        self.closed = True


@asynccontextmanager
async def writing(ears: Ears) -> AsyncIterator[tuple[Scribe, Recording, list[str], list[Any]]]:
    recording, told, sent = Recording(30), [], []
    async with asyncio.TaskGroup() as tasks:
        scribe = Scribe(
            ears, recording, 0, Expected("", "en", "Ada"), Health(sent.append), tasks,
            lambda heard, whole: told.append(heard.whole),
        )  # fmt: skip
        yield scribe, recording, told, sent
        await scribe.close()
    assert ears.closed


def speak(scribe: Scribe, recording: Recording, seconds: float) -> None:
    recording.append(np.ones(int(seconds * SECOND), np.float32))
    scribe.more()


async def test_first_words_are_looked_for_often_later_ones_less() -> None:
    ears = Ears(lambda samples, flush: str(samples))
    async with writing(ears) as (scribe, recording, told, _):
        for _ in range(16):
            speak(scribe, recording, 0.125)
            await asyncio.sleep(0.01)
        await until(lambda: len(told) == len(ears.asked))
        looks = [samples / SECOND for samples, _ in ears.asked]
        assert looks == [0.125 * count for count in range(1, 9)] + [1.375, 1.75]


def test_a_slow_ear_is_asked_less_often() -> None:
    assert enough(0, 0.2) == FIRST_LOOKS and enough(FIRST, 0.2) == LOOK
    assert enough(0, 0.5) == enough(FIRST, 0.5) == SECOND
    assert enough(FIRST, 3.0) == 6 * SECOND


async def test_the_words_at_the_end_do_not_wait_for_a_slow_ear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribes, "SLOW", 0.001)
    monkeypatch.setattr(scribes, "REST", 1000.0)
    ears = Ears(lambda samples, flush: "all of it" if flush else f"guess {samples}")
    ears.takes = 0.002  # so that two seconds, at least, are to pass
    async with writing(ears) as (scribe, recording, told, _):
        speak(scribe, recording, 0.5)
        await until(lambda: len(told) == 1)
        for _ in range(3):
            speak(scribe, recording, 0.5)
            await asyncio.sleep(0)
        assert len(ears.asked) == 1
        scribe.breath()
        await until(lambda: len(told) == 2)
        assert ears.asked[1] == (2 * SECOND, True) and told[-1] == "all of it"


async def test_all_is_heard_when_asked_for() -> None:
    ears = Ears(lambda samples, flush: "all of it" if flush else f"guess {samples}")
    async with writing(ears) as (scribe, recording, _, _):
        speak(scribe, recording, 1.0)
        heard = await scribe.text(SECOND)
        assert heard is not None and heard.whole == "all of it"
        assert ears.asked[-1] == (SECOND, True)
        count = len(ears.asked)
        assert await scribe.text(SECOND) == heard and len(ears.asked) == count  # nothing new: nothing is asked


async def test_a_breath_is_heard_at_once_and_its_words_count() -> None:
    ears = Ears(lambda samples, flush: "all of it" if flush else f"guess {samples}")
    async with writing(ears) as (scribe, recording, told, _):
        speak(scribe, recording, 1.0)
        await until(lambda: ears.asked)
        recording.append(np.zeros(SECOND // 2, np.float32))
        scribe.breath()
        await until(lambda: "all of it" in told)
        count = len(ears.asked)
        heard = await scribe.text(SECOND)
        assert heard is not None and heard.whole == "all of it" and len(ears.asked) == count


async def test_two_looks_that_agree_shortly_before_the_end_are_believed() -> None:
    ears = Ears(lambda samples, flush: "Good morning." if samples < 1.5 * SECOND else "good morning")
    async with writing(ears) as (scribe, recording, told, _):
        for _ in range(2):
            speak(scribe, recording, 0.9)
            await until(lambda: len(told) == len(ears.asked) > 0)
        await until(lambda: len(told) == 2)
        recording.append(np.zeros(int(0.1 * SECOND), np.float32))
        heard = await scribe.text(recording.samples)
        assert heard is not None and heard.whole == "good morning"
        assert not any(flush for _, flush in ears.asked)


async def test_two_looks_that_agree_long_before_the_end_are_not() -> None:
    ears = Ears(lambda samples, flush: "and more" if flush else "Good morning.")
    async with writing(ears) as (scribe, recording, told, _):
        for count in (1, 2):
            speak(scribe, recording, 0.9)
            await until(lambda count=count: len(told) == count)
        recording.append(np.ones(int(0.3 * SECOND), np.float32))
        heard = await scribe.text(recording.samples)
        assert heard is not None and heard.whole == "and more"


async def test_ears_that_fail_in_the_middle_hear_the_whole_turn_again() -> None:
    ears = Ears(lambda samples, flush: f"guess {samples}")
    async with writing(ears) as (scribe, recording, told, sent):
        speak(scribe, recording, 1.0)
        await until(lambda: told)
        ears.missing = True
        speak(scribe, recording, 1.0)
        await asyncio.sleep(0.02)
        ears.missing = False
        heard = await scribe.text(2 * SECOND)
        assert heard is not None and heard.whole == "all of it"
        assert ears.transcribed == [2 * SECOND] and sent == []


async def test_words_are_heard_by_an_engine_that_comes_back_soon() -> None:
    ears = Ears(lambda samples, flush: "")
    ears.missing = "for good"  # type: ignore[assignment]
    async with writing(ears) as (scribe, recording, _, sent):
        speak(scribe, recording, 1.0)
        asking = asyncio.create_task(scribe.text(SECOND))
        await asyncio.sleep(0.05)
        ears.missing = False
        heard = await asking
        assert heard is not None and heard.whole == "all of it" and sent == []


async def test_ears_that_are_away_are_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.sessions.scribe.RETURN", 0.1)
    ears = Ears(lambda samples, flush: "")
    ears.missing = "for good"  # type: ignore[assignment]
    async with writing(ears) as (scribe, recording, _, sent):
        speak(scribe, recording, 1.0)
        assert await scribe.text(SECOND) is None
        assert await scribe.text(SECOND) is None
        assert [message["code"] for message in sent] == ["engine_unavailable"]


async def test_two_looks_that_heard_nothing_prove_nothing() -> None:
    ears = Ears(lambda samples, flush: "Hello." if flush else "")
    async with writing(ears) as (scribe, recording, told, _):
        for count in (1, 2):
            speak(scribe, recording, 0.2)
            await until(lambda count=count: len(told) == count)
        heard = await scribe.text(recording.samples)
        assert heard is not None and heard.whole == "Hello."


async def test_a_bug_in_the_ears_ends_no_session() -> None:
    def broken(samples: int, flush: bool) -> str:
        raise ZeroDivisionError

    ears = Ears(broken)
    async with writing(ears) as (scribe, recording, _, sent):
        speak(scribe, recording, 1.0)
        heard = await scribe.text(SECOND)
        assert heard is not None and heard.whole == "all of it"
        assert [message["code"] for message in sent] == ["engine_unavailable", "engine_back"]
