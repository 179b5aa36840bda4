"""`antlitz bench soak`: one talk in Chromium that does not stop, and what it does to memory, pictures, sound and turns.

Recorded sentences one after another; now and then the person interrupts, writes instead of speaking, or talks to
another character. A flash and a tone every two seconds (`marked.py`) tell how sound and picture lie to each other.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from gateway.bench.crowd import sentences
from gateway.bench.language_model import LanguageModel
from gateway.bench.marked import COUNTS, offsets
from gateway.bench.processes import OTHERS, Meter, below
from gateway.bench.stack import Running, browser, up
from gateway.bench.visitors import Visitor

MARKS = Path(__file__).with_name("marks.js")
EVERY_SECONDS = 10.0  # a sample
LOOK_SECONDS = 0.2
WARM_SECONDS = 300.0  # at most, and a third of the time: caches fill, arenas of malloc find their size
SETTLE_SECONDS = 5.0  # in which Chromium finds its delay
SYNC_SECONDS = 60.0  # in which it brings sound and picture together, step by step
ANSWER_SECONDS = 20.0  # within which an answer must begin
QUIET_SECONDS = 1.0  # after an answer
INTERRUPT_SECONDS = 1.0  # of an answer that are heard before it is interrupted
NEAR_MS = 200.0  # a tone this near a flash is its own: before it nothing is heard for longer
CHARACTERS = ("mona-lisa", "donna-velata", "maedchen-mit-perlenohrring")
WRITTEN = "What do you think about when the museum is closed?"
MOST_GROWTH, MOST_OFFSET_MS, MOST_DRIFT_MS = 0.02, 45.0, 10.0
LEAST_FPS = 24
FRAMES = round(25 * EVERY_SECONDS)  # between two samples
COUNT_SECONDS = 5.0


@dataclass(frozen=True)
class Sample:
    """One look; bytes of memory that is in nobody's files."""

    at: float  # s from the start
    gateway: float
    triton: float
    counts: dict[str, int]
    fps: float  # median second since the sample before
    slowest: float
    freezes: float  # of all the time
    longest: float = 0.0  # ms from a frame to the next, since the sample before
    others: float = 0.0  # cores that others on this machine kept busy


@dataclass
class Turn:
    kind: str
    answered: bool = False


@dataclass
class Talk:
    """What was found, as it goes on."""

    samples: list[Sample] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    offsets: list[tuple[float, float]] = field(default_factory=list)  # ms: when, sound after picture


def kinds() -> Iterator[str]:
    """What the person does, turn by turn."""
    turn = 0
    while True:
        turn += 1
        yield "interrupts" if turn % 5 == 3 else "writes" if turn % 7 == 4 else "moves on" if turn % 11 == 6 else "says"


def private(rollup: str) -> float:
    """Bytes of a process that lie in no file, shared ones by their share, of its `smaps_rollup`."""
    found = (line.split() for line in rollup.splitlines())
    return sum(float(words[1]) for words in found if words[0] in ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")) * 1024


def memory(pid: int) -> float:
    """`private` of a process; 0 when it is gone."""
    try:
        return private(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError:
        return 0.0


def growth(samples: Sequence[tuple[float, float]], warm: float) -> tuple[float, float, float]:
    """(median of the first third after `warm`, that of the last third, growth) of (s, bytes)."""
    after = [size for at, size in samples if at >= warm]
    third = max(1, len(after) // 3)
    early, late = statistics.median(after[:third]), statistics.median(after[-third:])
    return early, late, late / early - 1


def drift(found: Sequence[tuple[float, float]]) -> float:
    """By how much the offset has moved over all the time, ms: robust against single ones (Theil and Sen's slope)."""
    when, late = np.array(found[:: max(1, len(found) // 300)]).T
    i, j = np.triu_indices(len(when), 1)
    return float(np.median((late[j] - late[i]) / (when[j] - when[i])) * (when[-1] - when[0]))


class Person:
    """Talks until the time is over, and looks at everything every `EVERY_SECONDS`."""

    def __init__(self, visitor: Visitor, running: Running, voices: int, seconds: float, console: Console) -> None:
        self._visitor, self._running, self._voices, self._console = visitor, running, voices, console
        self._began = time.monotonic()
        self._until, self._next = self._began + seconds, self._began
        self._seen_until = visitor.now()  # frames up to here have been counted, ms
        self._said = self._character = 0
        self._meter = Meter()
        self.talk = Talk()

    def run(self) -> None:
        for kind in kinds():
            if time.monotonic() >= self._until:
                return
            turn = Turn(kind)
            self.talk.turns.append(turn)
            began = self._visitor.now()
            turn.answered = self._take(kind)
            if not turn.answered:
                self._console.print(f"turn {len(self.talk.turns)} ({kind}) was not answered", highlight=False)
                for at, message in self._visitor.look().messages:
                    if at > began - 1000:
                        text = json.dumps(message, ensure_ascii=False)[:160]
                        self._console.print(f"  {(at - began) / 1000:6.2f} {text}", markup=False, highlight=False)
            self._wait(QUIET_SECONDS)

    def _take(self, kind: str) -> bool:
        """One turn; whether it was answered."""
        if kind == "moves on":
            self._character = (self._character + 1) % len(CHARACTERS)
            self._visitor.page.locator(f'[data-testid="character"][data-id="{CHARACTERS[self._character]}"]').click()
            self._wait(2 * QUIET_SECONDS)
        if kind == "writes":
            since = self._visitor.now()
            self._visitor.page.get_by_test_id("text").fill(WRITTEN)
            self._visitor.page.get_by_test_id("send").click()
            return self._answered(since)
        if kind == "interrupts":
            if self._reach("speaking", self._say()) is None:
                return False
            self._wait(INTERRUPT_SECONDS)
        return self._answered(self._say())

    def _say(self) -> float:
        """A sentence is said; when it ended."""
        _, ended = self._visitor.say(self._said % self._voices)
        self._said += 1
        while self._visitor.now() < ended:
            self._wait(LOOK_SECONDS)
        return ended

    def _answered(self, since: float) -> bool:
        """An answer has begun, and been spoken to its end."""
        began = self._reach("speaking", since)
        return began is not None and self._reach("idle", began) is not None

    def _reach(self, state: str, since: float) -> float | None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            self._wait(LOOK_SECONDS)
            if (found := self._visitor.look().reached(state, since, float("inf"))) is not None:
                return found
        return None

    def _wait(self, seconds: float) -> None:
        self._visitor.page.wait_for_timeout(seconds * 1000)
        if time.monotonic() >= self._next:
            self._next += EVERY_SECONDS
            self._sample()

    def _sample(self) -> None:
        seen, now = self._visitor.look(), self._visitor.now()
        rates = seen.rates(self._seen_until, now) or [0]
        recent = [at for at in seen.frames[-2 * FRAMES :] if at >= self._seen_until - 1000]
        self._seen_until = now
        self.talk.offsets += self._marks()
        gateway = self._running.process.pid
        sizes = {pid: memory(pid) for pid in below(gateway)}
        mine = sizes.pop(gateway)
        sample = Sample(
            time.monotonic() - self._began, mine, sum(sizes.values()), self._counts(), float(np.median(rates)),
            min(rates), seen.grown("freezeCount"), float(max(np.diff(recent), default=0.0)),
            self._meter.read()[OTHERS],
        )  # fmt: skip
        self.talk.samples.append(sample)
        answered = sum(turn.answered for turn in self.talk.turns)
        middle = statistics.median(late for _, late in self.talk.offsets[-5:]) if self.talk.offsets else float("nan")
        counts = " ".join(f"{name} {number}" for name, number in sample.counts.items())
        self._console.print(
            f"{sample.at:6.0f} s  gateway {mine / 1e6:6.1f} MB  Triton {sample.triton / 1e6:7.1f} MB  "
            f"{sample.fps:.0f} fps (least {sample.slowest:.0f}, longest frame {sample.longest:.0f} ms)  "
            f"freezes {sample.freezes:.0f}  sound {middle:+.0f} ms  "
            f"answered {answered} of {len(self.talk.turns)} ({self.talk.turns[-1].kind})  {counts}  "
            f"others {sample.others:.2f} cores",
            highlight=False,
        )

    def _marks(self) -> list[tuple[float, float]]:
        """The offsets of the flashes since the last look, but for the very last, whose tone may yet come."""
        marks = self._visitor.page.evaluate(
            "() => { const {flashes, tones} = marks; Object.assign(marks, {frames: [], flashes: [], tones: []});"
            " return {flashes, tones}; }"
        )
        return offsets(marks["flashes"], marks["tones"], NEAR_MS)

    def _counts(self) -> dict[str, int]:
        """What sessions are made of, in the gateway."""
        known = len(self._running.output)
        os.kill(self._running.process.pid, signal.SIGUSR1)
        deadline = time.monotonic() + COUNT_SECONDS
        while time.monotonic() < deadline:
            for line in self._running.output[known:]:
                if line.startswith(COUNTS):
                    found: dict[str, int] = json.loads(line.removeprefix(COUNTS))
                    return found
            time.sleep(0.01)
        return {}


def verdict(talk: Talk, seconds: float) -> tuple[Table, bool]:
    """The table, and whether everything passed."""
    table = Table("what", "measured", "at most", "")
    warm = min(WARM_SECONDS, seconds / 3)
    passed = True

    def row(what: str, measured: str, most: str, good: bool) -> None:
        nonlocal passed
        passed = passed and good
        table.add_row(what, measured, most, "passed" if good else "missed")

    for name in ("gateway", "triton"):
        early, late, grown = growth([(sample.at, getattr(sample, name)) for sample in talk.samples], warm)
        row(
            f"memory of {'the gateway' if name == 'gateway' else 'tritonserver and its models'}, "
            "medians of the first and last third",
            f"{early / 1e6:.1f} to {late / 1e6:.1f} MB: {grown:+.1%}", f"{MOST_GROWTH:+.0%}", grown < MOST_GROWTH,
        )  # fmt: skip
    found = (
        []
        if not talk.offsets
        else [pair for pair in talk.offsets if pair[0] - talk.offsets[0][0] >= min(warm, SYNC_SECONDS) * 1000]
    )
    if len(found) >= 20:
        low, middle, high = np.quantile([late for _, late in found], [0.05, 0.5, 0.95])
        row(
            f"sound after picture, {len(found)} flashes: median; 5 to 95 %",
            f"{middle:+.0f}; {low:+.0f} to {high:+.0f} ms", f"±{MOST_OFFSET_MS:.0f} ms",
            bool(max(-low, high) <= MOST_OFFSET_MS),
        )  # fmt: skip
        moved = drift(found)
        row(
            "  its drift over all the time", f"{moved:+.1f} ms", f"±{MOST_DRIFT_MS:.0f} ms", abs(moved) <= MOST_DRIFT_MS
        )
    else:
        row("sound after picture", f"only {len(found)} flashes were seen and heard", "", False)
    middle_fps = statistics.median(sample.fps for sample in talk.samples[1:])
    row("frames a second, median", f"{middle_fps:.0f}", f"at least {LEAST_FPS}", middle_fps >= LEAST_FPS)
    table.add_row("  slowest second", f"{min(sample.slowest for sample in talk.samples[1:]):.0f}", "", "")
    longest = max(sample.longest for sample in talk.samples[1:])
    table.add_row("  longest time from a frame to the next", f"{longest:.0f} ms", "", "")
    freezes = talk.samples[-1].freezes
    row("freezes", f"{freezes:.0f}", "0", freezes == 0)
    answered = sum(turn.answered for turn in talk.turns)
    row("turns answered", f"{answered} of {len(talk.turns)}", "all", answered == len(talk.turns))
    first, last = talk.samples[len(talk.samples) // 3].counts, talk.samples[-1].counts
    kept = {name: last[name] - first[name] for name in ("sessions", "peers") if first and last}
    left = ", ".join(f"{name} {number:+d}" for name, number in kept.items())
    row("sessions and peers, more than after a third", left, "0", bool(kept) and not any(kept.values()))
    tasks = [sample.counts.get("tasks", 0) for sample in talk.samples]
    sequences = [sample.counts.get("sequences", 0) for sample in talk.samples]
    table.add_row(
        "tasks; Triton sequences", f"{min(tasks)} to {max(tasks)}; {min(sequences)} to {max(sequences)}", "", ""
    )
    return table, passed


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz bench soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    options = parser.parse_args(arguments)
    seconds, console, voices = options.minutes * 60, Console(width=190), sentences()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="antlitz-")))
        model = stack.enter_context(LanguageModel())
        program = (sys.executable, "-m", "gateway.bench.marked")
        running = stack.enter_context(
            up(folder, program, ANTLITZ_LLM_URL=model.url, ANTLITZ_LLM_MODEL="test", ANTLITZ_LOG_LEVEL="warning")
        )
        page = stack.enter_context(browser())
        page.add_init_script(path=MARKS)
        visitor = Visitor(page, voices)
        visitor.come(running.url, CHARACTERS[0])
        page.evaluate("marks.attach(document.querySelector('[data-testid=avatar]'))")
        page.wait_for_timeout(SETTLE_SECONDS * 1000)
        visitor.forget()
        person = Person(visitor, running, len(voices), seconds, console)
        person.run()
        table, passed = verdict(person.talk, seconds)
        console.print(table)
        for line in running.output:
            if "ERROR" in line or "Traceback" in line:
                console.print(line.rstrip(), markup=False, highlight=False)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
