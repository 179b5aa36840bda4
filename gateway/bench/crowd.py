"""`antlitz bench crowd`: several talks at once in Chromium, on this machine too; and one visitor more than there are
places.

The visitors first only look on, then talk one after another, then all at the same moment, to a language model that
answers after 50 ms. Their microphones are scripted in the page (`visitor.js`): Chromium's own echo canceller, which
would run on the visitor's machine, is not in it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from gateway.bench.language_model import LanguageModel
from gateway.bench.processes import Meter
from gateway.bench.stack import browser, up
from gateway.bench.stt import load_recordings
from gateway.bench.visitors import Audio, Seen, Visitor
from gateway.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

LONGEST = 4.0  # s of a sentence
SETTLE_SECONDS = 6.0  # after the last has come: Chromium finds its delay, estimates of the network rise
LOOK_SECONDS = 10.0
ANSWER_SECONDS = 6.0  # after a sentence, in which it is answered
REFUSAL_SECONDS = 4.0
FULL_RATE = 25


@dataclass(frozen=True)
class Turn:
    visitor: int
    began: float  # ms on the visitor's page
    ended: float


def sentences() -> list[Audio]:
    """Recorded English sentences, 16 kHz."""
    recordings = load_recordings(Settings.from_environment().models / "bench")
    return [each.audio for each in recordings if each.seconds < LONGEST]


def newcomer(page: Page) -> Page:
    """One more page of the same browser, of somebody else who asks pages for less motion.

    Without that the page's glow, which Chromium composes on this machine's processor 60 times a second, would take a
    third of a core.
    """
    browser = page.context.browser
    assert browser is not None
    size = {"width": 1280, "height": 800}
    context = browser.new_context(
        viewport=size,  # type: ignore[arg-type]  # a dictionary of just that
        permissions=["microphone"],
        bypass_csp=True,
        reduced_motion="reduce",
    )
    return context.new_page()


class Crowd:
    """The visitors, and what each part of the evening took."""

    def __init__(self, visitors: list[Visitor], voices: int) -> None:
        self.visitors, self._voices = visitors, voices
        self.turns: list[Turn] = []
        self.parts: dict[str, dict[str, float]] = {}  # cores by process
        self.rates: dict[str, list[list[int]]] = {}  # frames of each second, by visitor
        self._said = 0

    def wait(self, seconds: float) -> None:
        self.visitors[0].page.wait_for_timeout(seconds * 1000)

    def talk(self, rounds: Sequence[Sequence[int]]) -> None:
        """In each round these visitors say a sentence, all of them now, and are answered."""
        for who in rounds:
            for index in who:
                began, ended = self.visitors[index].say(self._said % self._voices)
                self.turns.append(Turn(index, began, ended))
                self._said += 1
            self.wait(LONGEST + ANSWER_SECONDS)

    def part(self, name: str, happens: Callable[[], None]) -> None:
        meter = Meter()
        began = [visitor.now() for visitor in self.visitors]
        happens()
        self.parts[name] = meter.read()
        self.rates[name] = [
            visitor.look().rates(since, visitor.now()) for visitor, since in zip(self.visitors, began, strict=True)
        ]

    def answered(self, index: int) -> list[float | None]:
        """Voice to voice of each turn of a visitor, s; None where no answer was heard."""
        seen, mine = self.visitors[index].look(), [turn for turn in self.turns if turn.visitor == index]
        return [answer(seen, turn) for turn in mine]


def answer(seen: Seen, turn: Turn) -> float | None:
    """Seconds from the last sound of a turn to the first of its answer, where there was one."""
    heard = seen.first_heard(turn.ended, turn.ended + (ANSWER_SECONDS + LONGEST) * 1000)
    return None if heard is None else (heard - turn.ended) / 1000


def refusal(visitor: Visitor) -> str:
    """What one visitor too many is told."""
    visitor.press()
    notice = visitor.page.get_by_test_id("notice").locator(".notice-text")
    notice.wait_for(timeout=15_000)
    return notice.inner_text()


def told_to(crowd: Crowd) -> Iterator[str]:
    """What each page was told, and when (s): talks with the test's model, nobody's words."""
    for index, visitor in enumerate(crowd.visitors):
        turns = [(turn.began, "speaks") for turn in crowd.turns if turn.visitor == index]
        turns += [(turn.ended, "has spoken") for turn in crowd.turns if turn.visitor == index]
        messages = [(at, json.dumps(each, ensure_ascii=False)) for at, each in visitor.seen.messages]
        yield from (f"{index + 1} {at / 1000:8.2f} {what[:200]}" for at, what in sorted(turns + messages))


def of_sessions(crowd: Crowd) -> Table:
    table = Table("talk", *crowd.rates, "freezes", "longest gap of sound", "voice to voice, median; answered")
    for index, visitor in enumerate(crowd.visitors):
        rates = [each[index] for each in crowd.rates.values()]
        times = crowd.answered(index)
        answered = [each for each in times if each is not None]
        middle = f"{statistics.median(answered):.2f} s; " if answered else ""
        table.add_row(
            str(index + 1),
            *(f"{np.median(each):.0f} fps, least {min(each)}" for each in rates),
            f"{visitor.seen.grown('freezeCount'):.0f}",
            f"{visitor.seen.longest_gap() * 1000:.0f} ms",
            f"{middle}{len(answered)} of {len(times)}",
        )
    return table


def of_processes(crowd: Crowd) -> Table:
    table = Table("cores", *crowd.parts)
    names = sorted({name for part in crowd.parts.values() for name in part})
    names.sort(key=lambda name: -max(part.get(name, 0) for part in crowd.parts.values()))
    for name in names:
        cores = [part.get(name, 0) for part in crowd.parts.values()]
        if max(cores) >= 0.01:
            table.add_row(name, *(f"{each:.2f}" for each in cores))
    return table


def measure(count: int, rounds: int, character: str, picture: Path | None, trace: bool, console: Console) -> bool:
    """Whether every talk kept its frames, and one visitor too many was refused."""
    voices = sentences()
    with (
        LanguageModel() as model,
        tempfile.TemporaryDirectory(prefix="antlitz-") as folder,
        up(
            Path(folder), ANTLITZ_MAX_SESSIONS=str(count), ANTLITZ_LLM_URL=model.url, ANTLITZ_LLM_MODEL="test"
        ) as running,
        browser() as first,
    ):
        visitors = [Visitor(newcomer(first), voices) for _ in range(count)]
        late = Visitor(newcomer(first), [])
        late.open(running.url, character)
        for visitor in visitors:
            visitor.come(running.url, character)
        crowd = Crowd(visitors, len(voices))
        crowd.wait(SETTLE_SECONDS)
        for visitor in visitors:
            visitor.forget()
        crowd.part("they look on", lambda: crowd.wait(LOOK_SECONDS))
        crowd.part("one talks", lambda: crowd.talk([(index,) for index in range(count)]))
        crowd.part("all talk", lambda: crowd.talk([tuple(range(count))] * rounds))
        told: list[str] = []

        def come() -> None:
            told.append(refusal(late))
            crowd.wait(REFUSAL_SECONDS)

        crowd.part("one more comes", come)
        if picture is not None:
            late.page.screenshot(path=picture)
        if trace:
            for line in told_to(crowd):
                console.print(line, markup=False, highlight=False)
        console.print(of_sessions(crowd))
        console.print(of_processes(crowd))
        console.print(f"Visitor {count + 1} is told: {told[0]}")
        return all(np.median(rates) >= FULL_RATE - 1 for part in crowd.rates.values() for rates in part) and not any(
            visitor.seen.grown("freezeCount") for visitor in visitors
        )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz bench crowd", description=__doc__)
    parser.add_argument("--talks", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3, help="sentences that all say at the same moment")
    parser.add_argument("--character", default="mona-lisa")
    parser.add_argument("--trace", action="store_true", help="print what the pages were told, and when")
    parser.add_argument("--picture", type=Path, help="a PNG of the page of whom there is no place for")
    options = parser.parse_args(arguments)
    console = Console(width=150)
    kept = measure(options.talks, options.rounds, options.character, options.picture, options.trace, console)
    console.print("Every talk kept its frames, without a freeze." if kept else "Frames were missing.")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
