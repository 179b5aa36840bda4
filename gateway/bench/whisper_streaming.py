"""Streaming of `antlitz bench whisper`: how late words become certain, how busy the cores are, what it costs in errors.

Time is simulated: the sound arrives in real time, one push is under way at a time, and what came meanwhile goes with
the next, as the gateway does it; the seconds that a push takes are real.
"""

from __future__ import annotations

import json
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE
from avatar_runtime.whisper.folder import open_transcriber
from avatar_runtime.whisper.streaming import Stream, StreamingOptions
from avatar_runtime.whisper.transcribe import Transcriber, Transcript
from gateway.bench.stt import edit_distance, load_recordings, normalised
from gateway.bench.whisper_weights import THREADS, exported_base, transcriber

PUSH = 1024  # samples: 64 ms
LONG_SECONDS = 600
DELAY, BUSY = 1.2, 0.7
RULES = {
    "AlignAtt 0.5 s": StreamingOptions(margin=0.5, agree=False),
    "AlignAtt 0.8 s": StreamingOptions(margin=0.8, agree=False),
    "LocalAgreement": StreamingOptions(margin=0.0),
    "both, 0.5 s": StreamingOptions(margin=0.5, agree=True),
    "both, 0.8 s": StreamingOptions(margin=0.8, agree=True),
}


@dataclass
class Heard:
    """One recording heard while it was spoken."""

    final: Transcript = field(default_factory=Transcript)
    certain: list[float] = field(default_factory=list)  # s at which each word became so
    first: float = 0.0  # s at which the first text was shown
    busy: float = 0.0  # s of both cores' work
    trace: list[tuple[float, str, str]] = field(default_factory=list)  # s, certain, probable, at each change

    @property
    def delays(self) -> list[float]:
        """Seconds from the end of each word until it was certain."""
        return [at - word.end for at, word in zip(self.certain, self.final.words, strict=False)]


def listen(
    ears: Transcriber, audio: NDArray[np.float32], rule: StreamingOptions | None = None, real: bool = True
) -> Heard:
    """`audio` as a stream; without `real` a push takes no time, so that every run is the same."""
    stream, options, heard = Stream(ears, rule), ears.options(), Heard()
    now, start = 0.0, 0
    while start < len(audio):
        arrived = int(now * LISTENING_RATE) // PUSH * PUSH
        end = min(max(start + PUSH, arrived), len(audio))
        now = max(now, end / LISTENING_RATE)
        before, used = time.perf_counter(), _used()
        stream.add(audio[start:end], options)
        found = stream.heard()
        now += (time.perf_counter() - before) * real
        heard.busy += _used() - used
        _note(heard, found, now)
        start = end
    before = time.perf_counter()
    heard.final = stream.finish(options)
    now += (time.perf_counter() - before) * real
    _note(heard, heard.final, now)
    return heard


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _note(heard: Heard, found: Transcript, now: float) -> None:
    if (found.text or found.partial) and not heard.first:
        heard.first = now
    count = len(found.text.split())
    heard.certain += [now] * (count - len(heard.certain))
    if not heard.trace or heard.trace[-1][1:] != (found.text, found.partial):
        heard.trace.append((round(now, 2), found.text, found.partial))


def measure(models: Path, every_rule: bool, say: Callable[..., None]) -> None:
    """The sentences one after the other; with the rules compared, or only the one in use, and for ten minutes."""
    items = load_recordings(models / "bench")
    quiet = np.zeros(LISTENING_RATE // 2, np.float32)
    audio = np.concatenate([part for item in items for part in (item.audio, quiet)])
    wanted = [word for item in items for word in normalised(item.text)]
    ears = transcriber(exported_base(models, "int8"))
    rules = RULES if every_rule else {}
    for name, rule in {**rules, "in use": StreamingOptions()}.items():
        heard = listen(ears, audio, rule)
        _say(f"streaming, {name}", heard, audio, wanted, say)
    times = -(-LONG_SECONDS * LISTENING_RATE // len(audio))
    sound = np.tile(audio, times)
    heard = listen(ears, sound)
    _say(f"streaming, {len(sound) / LISTENING_RATE:.0f} s", heard, sound, wanted * times, say)
    tenth = len(heard.delays) // 10
    first, last = (statistics.median(part) for part in (heard.delays[:tenth], heard.delays[-tenth:]))
    say("  delay in the first tenth and the last", f"{first:.2f} s; {last:.2f} s", "keeps up", last < first + 0.3)


def _say(what: str, heard: Heard, audio: NDArray[np.float32], wanted: list[str], say: Callable[..., None]) -> None:
    busy = heard.busy / (len(audio) / LISTENING_RATE) / THREADS
    delays = sorted(heard.delays)
    middle, late = statistics.median(delays), delays[int(0.95 * len(delays))]
    rate = 100 * edit_distance(wanted, normalised(heard.final.text)) / len(wanted)
    say(
        f"{what}: delay of a certain word, median",
        f"{middle:.2f} s (95 %: {late:.2f} s)",
        f"{DELAY} s",
        middle <= DELAY,
    )
    say("  both cores busy", f"{busy:.0%}", f"{BUSY:.0%}", busy <= BUSY)
    say("  word error rate; first text after the start", f"{rate:.1f} %; {heard.first:.2f} s", "", "")


def write_trace(models: Path, path: Path) -> None:
    """The trace of the first sentence: [s, certain, probable] at each change, as if pushes took no time."""
    rows = [json.dumps(row) for row in trace(models)]
    path.write_text("[\n " + ",\n ".join(rows) + "\n]\n", "utf-8")


def trace(models: Path) -> list[tuple[float, str, str]]:
    """What the installed base hears of the first recorded sentence while it is spoken."""
    item = load_recordings(models / "bench")[0]
    return listen(open_transcriber(models, "base"), item.audio, real=False).trace
