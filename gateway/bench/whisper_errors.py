"""Time and word errors of `antlitz bench whisper`: our int8 export and faster-whisper's int8, of the same weights."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE
from avatar_runtime.whisper.folder import open_transcriber
from gateway.bench import sounds
from gateway.bench.stt import LONGEST_SECONDS, Recording, edit_distance, load_recordings, normalised, timed, yardstick
from gateway.bench.whisper_weights import exported_base, published_base, transcriber

Audio = NDArray[np.float32]
Hear = Callable[[Audio], str]
Say = Callable[..., None]

LONG_SECONDS = 600
OURS, THEIRS, GREEDY, TRANSFORMERS = "ours", "faster-whisper", "faster-whisper, beam 1", "transformers"
NOISE = 15.0  # dB below the speech
SHARE, LONG_SHARE, POINTS = 0.6, 1.0, 0.5


def utterances(models: Path, python: str, rounds: int, say: Say) -> None:
    """Sentences of 2 to 10 s, as they are and with noise: seconds and word error rate of each engine."""
    cache = models / "bench"
    clean = [item for item in load_recordings(cache) if 2 <= item.seconds <= LONGEST_SECONDS]
    noisy = [
        Recording(item.name, sounds.noisy(item.audio, NOISE, seed), item.text) for item in clean for seed in (1, 2)
    ]
    ours = transcriber(exported_base(models, "int8"))
    engines: dict[str, Hear] = {
        OURS: lambda audio: ours.transcribe(audio).text,
        THEIRS: yardstick(cache),
        GREEDY: yardstick(cache, beam_size=1),
    }
    found = {name: _heard(hear, clean + noisy, rounds) for name, hear in engines.items()}
    if python:
        found[TRANSFORMERS] = _transformers(python, models, clean + noisy, rounds)
    for name, (texts, seconds) in found.items():
        rates = [_rate(part, said) for part, said in ((clean, texts[: len(clean)]), (noisy, texts[len(clean) :]))]
        share = seconds / found[THEIRS][1]
        wanted, good = (f"{SHARE}x", share <= SHARE) if name == OURS else ("", "")
        say(f"utterances, {name}: time, of faster-whisper's", f"{share:.2f}x ({seconds:.2f} s)", wanted, good)
        say(f"  word error rate, clean; {NOISE:g} dB", f"{rates[0]:.1f} %; {rates[1]:.1f} %", "", "")
        if name == THEIRS:
            theirs = rates
    mine = _rate(clean, found[OURS][0][: len(clean)])
    more = mine - theirs[0]
    say("utterances: more word errors than theirs, clean", f"{more:+.1f} points", f"{POINTS:+}", more <= POINTS)


def long(models: Path, say: Say) -> None:
    """Ten minutes of the sentences one after the other."""
    cache = models / "bench"
    items = load_recordings(cache)
    quiet = np.zeros(LISTENING_RATE // 2, np.float32)
    once = np.concatenate([part for item in items for part in (item.audio, quiet)])
    times = -(-LONG_SECONDS * LISTENING_RATE // len(once))
    audio, text = np.tile(once, times), " ".join(item.text for item in items * times)
    recording = [Recording("ten minutes", audio, text)]
    ours = transcriber(exported_base(models, "int8"))
    found = {
        OURS: _heard(lambda sound: ours.transcribe(sound).text, recording, 1),
        THEIRS: _heard(yardstick(cache), recording, 1),
    }
    share = found[OURS][1] / found[THEIRS][1]
    took = f"{share:.2f}x ({found[OURS][1]:.0f} s, {found[THEIRS][1]:.0f} s)"
    say(
        f"{len(audio) / LISTENING_RATE:.0f} s of speech: time, of faster-whisper's",
        took,
        f"{LONG_SHARE}x",
        share <= LONG_SHARE,
    )
    rates = [_rate(recording, found[name][0]) for name in (OURS, THEIRS)]
    good = rates[0] - rates[1] <= POINTS
    say("  word error rate, ours and theirs", f"{rates[0]:.1f} %; {rates[1]:.1f} %", f"{POINTS:+} points", good)


def german(models: Path, say: Say) -> None:
    """Recorded German: how far each base is from our small, which stands in for the truth."""
    groups = sounds.german(models / "bench")
    small = open_transcriber(models, "small")
    truth = [small.transcribe(audio, small.options("de")).text for audio in groups]
    ours, theirs = transcriber(exported_base(models, "int8")), yardstick(models / "bench", language="de")
    apart = {}
    for name, hear in ((OURS, lambda audio: ours.transcribe(audio, ours.options("de")).text), (THEIRS, theirs)):
        pairs = [(normalised(wanted), normalised(hear(audio))) for wanted, audio in zip(truth, groups, strict=True)]
        apart[name] = 100 * sum(edit_distance(*pair) for pair in pairs) / sum(len(wanted) for wanted, _ in pairs)
    say(
        f"German, {len(groups)} recordings: words unlike small's, ours and theirs",
        f"{apart[OURS]:.1f} %; {apart[THEIRS]:.1f} %",
        "no more than theirs",
        apart[OURS] <= apart[THEIRS],
    )


def _heard(hear: Hear, recordings: list[Recording], rounds: int) -> tuple[list[str], float]:
    """The texts, and the sum of each recording's median seconds."""
    hear(recordings[0].audio[: 5 * LISTENING_RATE])  # warm
    texts, total = [], 0.0
    for item in recordings:
        text, seconds = timed(hear, item.audio, rounds)
        texts.append(text)
        total += seconds
    return texts, total


def _rate(recordings: list[Recording], texts: list[str]) -> float:
    pairs = [(normalised(item.text), normalised(text)) for item, text in zip(recordings, texts, strict=True)]
    return 100 * sum(edit_distance(*pair) for pair in pairs) / sum(len(wanted) for wanted, _ in pairs)


def _transformers(python: str, models: Path, recordings: list[Recording], rounds: int) -> tuple[list[str], float]:
    """transformers' own pipeline in its own environment, float32, greedy, on as many threads."""
    with tempfile.TemporaryDirectory(prefix="antlitz-whisper-") as made:
        work = Path(made)
        published_base(models, work / "base")
        np.savez(work / "sounds.npz", *[item.audio for item in recordings])
        script = Path(__file__).with_name("whisper_transformers_speed.py")
        names = [str(work / name) for name in ("base", "sounds.npz", "out.json")]
        command = [python, str(script), *names, str(rounds)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(
                f"transformers' side failed: {(done.stderr.strip().splitlines() or ['no word'])[-1][:300]}"
            )
        told = json.loads((work / "out.json").read_text())
    return told["texts"], float(told["seconds"])
