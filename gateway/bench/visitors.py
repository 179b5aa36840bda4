"""Visitors with a scripted microphone in Chromium: what they say is chosen while they talk (`visitor.js`)."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from avatar_runtime.contracts import LISTENING_RATE

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = Path(__file__).with_name("visitor.js")
SOUND_RATE = 48_000  # Hz, in which WebRTC's statistics count samples
SPOKEN = 0.02  # of full scale: what is softer at a recording's edges is breath

Audio = npt.NDArray[np.float32]


@dataclass
class Seen:
    """What a visitor saw and heard; times are ms on the page's clock, in order."""

    frames: list[float] = field(default_factory=list)  # when each was shown
    heard: list[float] = field(default_factory=list)  # the beginning of every 5 ms in which the portrait was heard
    messages: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    seconds: list[dict[str, float]] = field(default_factory=list)  # WebRTC's statistics, one a second

    def add(self, noted: dict[str, Any]) -> None:
        self.frames += noted["frames"]
        self.heard += noted["heard"]
        self.messages += [(at, json.loads(text)) for at, text in noted["messages"]]
        self.seconds += noted["seconds"]

    def rates(self, since: float, until: float) -> list[int]:
        """Frames shown in each whole second."""
        counts, _ = np.histogram(self.frames, np.arange(since, until + 1, 1000))
        return [int(count) for count in counts]

    def grown(self, name: str) -> float:
        """By how much a figure of WebRTC's has grown from the first second to the last."""
        known = [second[name] for second in self.seconds if name in second]
        return known[-1] - known[0] if known else 0.0

    def longest_gap(self) -> float:
        """Seconds of sound that were missing and had to be made up within one second, at most."""
        missing = [
            second["concealedSamples"] - second["silentConcealedSamples"]
            for second in self.seconds
            if "concealedSamples" in second
        ]
        return float(max(np.diff(missing), default=0)) / SOUND_RATE

    def first_heard(self, since: float, until: float) -> float | None:
        """The first moment in which the portrait was heard."""
        return next((at for at in self.heard if since <= at < until), None)

    def reached(self, state: str, since: float, until: float) -> float | None:
        """When the conversation was first in this state."""
        told = (at for at, each in self.messages if each["type"] == "state" and each["state"] == state)
        return next((at for at in told if since <= at < until), None)


class Visitor:
    """A page that is talked with."""

    def __init__(self, page: Page, voices: Sequence[Audio]) -> None:
        """`voices` are what it can say, mono at `LISTENING_RATE`."""
        self.page, self.seen = page, Seen()
        self._spans = [spoken(voice) for voice in voices]
        self._voices = [base64.b64encode((voice * 32767).astype("<i2").tobytes()).decode() for voice in voices]

    def come(self, url: str, character: str = "mona-lisa", seconds: float = 30) -> None:
        """Connect, until the picture is there."""
        self.open(url, character)
        self.press()
        self.page.wait_for_function(
            "document.querySelector('[data-testid=avatar]').videoWidth === 512", timeout=seconds * 1000
        )
        for voice in self._voices:
            self.page.evaluate("([voice, rate]) => visitor.load(voice, rate)", [voice, LISTENING_RATE])
        self.page.evaluate("visitor.attach(document.querySelector('[data-testid=avatar]'))")

    def open(self, url: str, character: str = "mona-lisa") -> None:
        self.page.add_init_script(path=SCRIPT)
        self.page.goto(url)
        self.page.locator(f'[data-testid="character"][data-id="{character}"]').click()

    def press(self) -> None:
        """Talk."""
        self.page.get_by_test_id("connect").click()

    def say(self, index: int) -> tuple[float, float]:
        """Begin to say it: when its first and its last sound are (ms)."""
        at = float(self.page.evaluate("index => visitor.say(index)", index))
        first, last = self._spans[index]
        return at + first * 1000, at + last * 1000

    def now(self) -> float:
        """The page's clock, ms."""
        return float(self.page.evaluate("performance.now()"))

    def look(self) -> Seen:
        """Everything since it came."""
        self.seen.add(self.page.evaluate("visitor.drain()"))
        return self.seen

    def forget(self) -> None:
        """What was noted so far does not count."""
        self.look()
        self.seen = Seen()


def spoken(audio: Audio) -> tuple[float, float]:
    """Where in a recording somebody speaks, s."""
    loud = np.flatnonzero(np.abs(audio) > SPOKEN)
    return float(loud[0]) / LISTENING_RATE, float(loud[-1]) / LISTENING_RATE
