"""`antlitz bench talk`: how a conversation feels, in Chromium, with recorded speech and a language model that answers
after 50 ms.

Parts: `latency` (voice to voice, first caption, where the time goes), `interruption` (from the person's first sound to
silence), `pauses` (turns cut off while the speaker only paused).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr
from rich.console import Console
from rich.table import Table

from avatar_runtime.contracts import LISTENING_RATE, SPEAKING_RATE
from avatar_runtime.voices.kokoro import FOLDER, Kokoro
from gateway.bench import sounds
from gateway.bench.conversation import LONG, LOUD, RATE, connect, onset
from gateway.bench.language_model import LanguageModel
from gateway.bench.roundtrip import SENTENCES
from gateway.bench.stack import browser, up, write_wav
from gateway.bench.stt import load_recordings
from gateway.settings import Settings

Audio = npt.NDArray[np.float32]

PARTS = ("latency", "interruption", "pauses")
ANSWER_SECONDS = 8.0  # of silence after an utterance: the test model's answers are shorter
SPEECH = 0.02  # RMS of full scale: quieter than this a recording's edges are breath
PAUSES = (0.5, 0.6, 0.7, 0.8)  # s that a speaker pauses within a sentence
INTERRUPT_AFTER = 5.0  # s of silence after an utterance: the answer to it is being spoken
QUIET_MS = 150.0  # a silence of this length is one; between words there are shorter ones


@dataclass(frozen=True)
class Script:
    """A microphone recording, and where in it (s) each utterance begins and ends."""

    audio: Audio
    times: list[tuple[float, float]]


def script(utterances: Sequence[Audio], silence: float) -> Script:
    """Utterances at 16 kHz one after another, with `silence` seconds after each."""
    pieces, times, at = [np.zeros(RATE * 4, np.float32)], [], 4.0
    for utterance in utterances:
        speech = soxr.resample(utterance, LISTENING_RATE, RATE).astype(np.float32)
        first, last = spoken_span(speech)
        times.append((at + first, at + last))
        pieces += [speech, np.zeros(int(silence * RATE), np.float32)]
        at += len(speech) / RATE + silence
    return Script(np.concatenate(pieces), times)


def spoken_span(speech: Audio) -> tuple[float, float]:
    """Where somebody speaks in a recording at `RATE`, s: it is loud, and so is most of the 60 ms around it."""
    step = RATE // 100
    levels = np.sqrt(np.add.reduceat(speech**2, np.arange(0, len(speech), step)) / step)
    loud = (levels > SPEECH).astype(float)
    lasting = np.flatnonzero((np.convolve(loud, np.ones(6), "same") >= 4) & (loud > 0))
    return lasting[0] * step / RATE, (lasting[-1] + 1) * step / RATE


class Hearing:
    """What Chromium saw and heard while a script was spoken; times are ms of its clock."""

    def __init__(self, probe: dict[str, Any], spoken: Script) -> None:
        self.loudspeaker = np.array(probe["loudspeaker"])
        self.messages = [(at, json.loads(text)) for at, text in probe["messages"]]
        first = onset(np.array(probe["microphone"]), 0)
        if first is None:
            raise RuntimeError("The microphone was never heard.")
        origin = first - spoken.times[0][0] * 1000
        self.spans = [(origin + begin * 1000, origin + end * 1000) for begin, end in spoken.times]

    def window(self, index: int) -> tuple[float, float]:
        """From the beginning of an utterance to the beginning of the next."""
        until = self.spans[index + 1][0] if index + 1 < len(self.spans) else self.spans[index][1] + 1e4
        return self.spans[index][0], until

    def of(self, kind: str, since: float, until: float) -> list[tuple[float, dict[str, Any]]]:
        return [(at, each) for at, each in self.messages if each["type"] == kind and since <= at < until]


def listen(spoken: Script, character: str, model: LanguageModel, **environ: str) -> Hearing:
    """Speak the script to a portrait."""
    with tempfile.TemporaryDirectory() as folder:
        microphone = write_wav(Path(folder) / "microphone.wav", spoken.audio, RATE)
        with (
            up(None, (), ANTLITZ_LLM_URL=model.url, ANTLITZ_LLM_MODEL="test", **environ) as running,
            browser(microphone) as page,
        ):
            connect(page, running.url, character)
            page.wait_for_timeout(len(spoken.audio) / RATE * 1000)
            return Hearing(page.evaluate("probe"), spoken)


@dataclass
class Latencies:
    """Seconds, one of each turn that had it."""

    answered: list[float]  # from the last sound of the person to the first of the portrait
    captions: list[float]  # from the first sound of the person to the first caption
    steps: dict[str, list[float]]  # as the page shows them
    trace: list[tuple[float, str]]  # what was told, s after the end of each utterance


def latencies(heard: Hearing) -> Latencies:
    found = Latencies([], [], {}, [])
    for index, (begin, end) in enumerate(heard.spans):
        _, until = heard.window(index)
        answer = onset(heard.loudspeaker, end, until)
        if answer is not None:
            found.answered.append((answer - end) / 1000)
        captions = [
            at
            for at, each in heard.of("caption", begin, until)
            if each["role"] == "user" and (each["text"] or each.get("tentative"))
        ]
        if captions:
            found.captions.append((captions[0] - begin) / 1000)
        for kind in ("state", "caption", "timing", "notice"):
            found.trace += [
                ((at - end) / 1000, json.dumps(each, ensure_ascii=False)) for at, each in heard.of(kind, begin, until)
            ]
        if answer is not None:
            found.trace.append(((answer - end) / 1000, f"turn {index}: heard"))
        for _, timing in heard.of("timing", begin, until):
            for step, ms in timing["ms"].items():
                found.steps.setdefault(step, []).append(ms / 1000)
    return found


def english(models: Path) -> list[Audio]:
    """LibriVox readers."""
    return [each.audio for each in load_recordings(models / "bench") if each.seconds < 6]


def german(models: Path) -> list[Audio]:
    """Sentences by a synthetic voice: recorded ones were not to be had."""
    voice = Kokoro(models / FOLDER)
    voice.opening = 0  # a person says a sentence in one breath
    said = [
        np.concatenate([chunk.audio for chunk in voice.speak(text, "de", "im_nicola+im_nicola+ff_siwis")])
        for text in SENTENCES["de"][:8]
    ]
    return [soxr.resample(audio, SPEAKING_RATE, LISTENING_RATE).astype(np.float32) for audio in said]


def words(models: Path) -> list[Audio]:
    """Recorded German: three words of a game at a time, which are no sentences."""
    return sounds.german(models / "bench", 3)


#: Who is spoken to, and what is said.
SIDES = {
    "English": ("mona-lisa", english),
    "German": ("maedchen-mit-perlenohrring", german),
    "Words": ("maedchen-mit-perlenohrring", words),
}


def latency(turns: int, languages: Sequence[str], trace: bool, table: Table) -> None:
    models = Settings.from_environment().models
    both = Latencies([], [], {}, [])
    count = turns // len(languages)
    for name in languages:
        character, utterances = SIDES[name]
        recordings = utterances(models)
        spoken = script([recordings[index % len(recordings)] for index in range(count)], ANSWER_SECONDS)
        with LanguageModel() as model:
            found = latencies(listen(spoken, character, model))
        table.add_row(f"voice to voice, {name}, p50 / p95", spread(found.answered, count), "")
        steps = ", ".join(f"{step} {statistics.median(each):.2f}" for step, each in found.steps.items())
        if trace:
            for at, message in found.trace:
                print(f"{at:8.2f}", message)
        table.add_row("  at the gateway, medians after the end of speech", f"{steps} s", "")
        both.answered += found.answered
        both.captions += found.captions
    spoken_turns = count * len(languages)
    table.add_row("voice to voice, all, p50 / p95", spread(both.answered, spoken_turns), "0.9 / 1.4 s")
    table.add_row("first caption after speech starts, p50 / p95", spread(both.captions, spoken_turns), "0.7 s")


def interruption(count: int, trace: bool, table: Table) -> None:
    english = [each.audio for each in load_recordings(Settings.from_environment().models / "bench") if each.seconds < 4]
    spoken = script([english[index % len(english)] for index in range(count + 1)], INTERRUPT_AFTER)
    with LanguageModel(answer=lambda text: LONG) as model:
        heard = listen(spoken, "mona-lisa", model)
    silences = []
    for begin, _ in heard.spans[1:]:
        near = heard.loudspeaker[(heard.loudspeaker[:, 0] > begin - 500) & (heard.loudspeaker[:, 0] < begin + 3000)]
        loud = near[near[:, 1] > LOUD, 0]
        if not len(loud) or begin - loud[loud <= begin + 20].max(initial=0) > QUIET_MS:
            continue  # the portrait was between two sentences
        after = loud[loud >= begin - QUIET_MS]
        gaps = np.flatnonzero(np.diff(after) > QUIET_MS)
        last = after[gaps[0]] if len(gaps) else after[-1]
        silences.append(max(0.0, float(last - begin)) / 1000)
        if trace:
            print(f"silence after {silences[-1]:.3f} s")
    table.add_row("from the person's first sound to silence, p50 / p95", spread(silences, count), "p95 0.25 s")


def with_pause(audio: Audio, seconds: float) -> Audio:
    """The recording with a pause where it is quietest near its middle."""
    step = LISTENING_RATE // 50
    energy = np.convolve(audio**2, np.ones(3 * step) / (3 * step), "same")
    first, last = int(len(audio) * 0.35), int(len(audio) * 0.65)
    cut = first + int(np.argmin(energy[first:last]))
    fade = np.linspace(1, 0, step, dtype=np.float32)
    before, after = audio[:cut].copy(), audio[cut:].copy()
    before[-step:] *= fade
    after[:step] *= fade[::-1]
    return np.concatenate([before, np.zeros(int(seconds * LISTENING_RATE), np.float32), after])


def pauses(count: int, trace: bool, table: Table) -> None:
    recordings = load_recordings(Settings.from_environment().models / "bench")
    utterances = [
        with_pause(recordings[index % len(recordings)].audio, PAUSES[index % len(PAUSES)]) for index in range(count)
    ]
    with LanguageModel() as model:
        heard = listen(script(utterances, ANSWER_SECONDS), "mona-lisa", model)
    cut = 0
    for index, (begin, end) in enumerate(heard.spans):
        _, until = heard.window(index)
        turns = {each["id"] for _, each in heard.of("caption", begin, until) if each["role"] == "user" and each["text"]}
        early = onset(heard.loudspeaker, begin + 300, end)
        cut += len(turns) > 1 or early is not None
        if trace and (len(turns) > 1 or early is not None):
            print(f"utterance {index}, {end - begin:.0f} ms long, paused {PAUSES[index % len(PAUSES)]} s, was cut:")
            for kind in ("state", "caption"):
                for at, each in heard.of(kind, begin, until):
                    print(f"  {(at - begin) / 1000:6.2f} {json.dumps(each, ensure_ascii=False)}")
    table.add_row(
        f"turns cut off at a pause of {PAUSES[0]} to {PAUSES[-1]} s", f"{cut} of {count} ({cut / count:.0%})", "5 %"
    )


def spread(values: list[float], of: int) -> str:
    if not values:
        return f"none of {of}"
    return f"{statistics.median(values):.2f} / {float(np.quantile(values, 0.95)):.2f} s ({len(values)} of {of})"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz bench talk", description=__doc__)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--turns", type=int, default=30, help="utterances of the part `latency`")
    parser.add_argument("--interruptions", type=int, default=20)
    parser.add_argument("--pauses", type=int, default=24)
    parser.add_argument("--languages", nargs="+", choices=tuple(SIDES), default=("English", "German"))
    parser.add_argument("--trace", action="store_true", help="print what the page was told, and when")
    options = parser.parse_args(arguments)
    console, table = Console(width=120), Table("what", "measured", "at most")
    if options.only in (None, "latency"):
        latency(options.turns, options.languages, options.trace, table)
    if options.only in (None, "interruption"):
        interruption(options.interruptions, options.trace, table)
    if options.only in (None, "pauses"):
        pauses(options.pauses, options.trace, table)
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
