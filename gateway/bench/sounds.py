"""What a benchmark listens to: recorded German, and a minute each of what is no speech."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE
from gateway.media import decode

Audio = NDArray[np.float32]

GERMAN = "ktuberling-data"  # Debian: a game whose words somebody says (GPL-2+)
GERMAN_FOLDER = "usr/share/ktuberling/sounds/de"
WORDS_TOGETHER = 6  # of the single words, with a pause between two
PAUSE = 0.35  # s


def german(cache: Path, together: int = WORDS_TOGETHER) -> list[Audio]:
    """Recorded German, `together` words at a time, 16 kHz; fetched from Debian into `cache`. Raises `ValueError`."""
    folder = cache / "german"
    if not any(folder.glob("*.ogg")):
        _unpack(GERMAN, GERMAN_FOLDER, folder)
    words = [decode(path.read_bytes()) for path in sorted(folder.glob("*.ogg"))]
    quiet = np.zeros(int(PAUSE * LISTENING_RATE), np.float32)
    groups = [words[start : start + together] for start in range(0, len(words), together)]
    return [np.concatenate([part for word in group for part in (word, quiet)]) for group in groups]


def _unpack(package: str, inside: str, folder: Path) -> None:
    """The files below `inside` of a Debian package, through apt and dpkg."""
    work = folder.with_name(folder.name + "-package")
    work.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["apt-get", "download", package], cwd=work, check=True, capture_output=True)
        (archive,) = work.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", archive.name, "files"], cwd=work, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise ValueError(f"{package} could not be fetched with apt-get: run apt-get update first.") from error
    folder.mkdir(parents=True, exist_ok=True)
    for path in (work / "files" / inside).glob("*.ogg"):
        path.rename(folder / path.name)


def noisy(audio: Audio, decibels: float, seed: int = 0) -> Audio:
    """`audio` with the noise of a room behind it, this far below its own level."""
    noise = _room(len(audio), np.random.default_rng(seed))
    level = np.sqrt(np.mean(np.square(audio)))
    return (audio + noise * level * 10 ** (-decibels / 20)).astype(np.float32)


def speechless(seconds: float, seed: int = 0) -> dict[str, Audio]:
    """Silence, white noise, music, breathing and room tone, 16 kHz."""
    random, count = np.random.default_rng(seed), int(seconds * LISTENING_RATE)
    sounds = {
        "silence": np.zeros(count),
        "white noise": random.normal(0, 0.1, count),
        "music": music(count),
        "breathing": breathing(count, random),
        "room tone": _room(count, random) * 0.003 + 0.001 * np.sin(2 * np.pi * 50 * _seconds(count)),
    }
    return {name: sound.astype(np.float32) for name, sound in sounds.items()}


def music(count: int) -> NDArray[np.float64]:
    """A tune over chords and a beat: plucked strings with overtones."""
    melody, chords = (72, 76, 79, 76, 74, 77, 81, 77, 71, 74, 79, 74, 72, 67, 64, 67), ((48, 55, 64), (53, 57, 60))
    beat = LISTENING_RATE // 4
    sound = np.zeros(count + 8 * beat)
    for number, start in enumerate(range(0, count, beat)):
        notes = [(melody[number % len(melody)], 0.12, 2 * beat)]
        if number % 8 == 0:
            notes += [(note, 0.06, 8 * beat) for note in chords[number // 8 % len(chords)]]
        for note, level, length in notes:
            sound[start : start + length] += level * _string(440 * 2 ** ((note - 69) / 12), length)
        if number % 4 == 0:
            drum = _seconds(beat)
            sound[start : start + beat] += 0.2 * np.sin(2 * np.pi * 60 * drum) * np.exp(-12 * drum)
    return sound[:count]


def breathing(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """In and out every four seconds: noise between 300 and 3000 Hz that swells and fades, the way out louder."""
    spectrum = np.fft.rfft(random.normal(0, 1, count))
    hertz = np.fft.rfftfreq(count, 1 / LISTENING_RATE)
    noise = np.fft.irfft(spectrum * np.exp(-(((np.log(hertz + 1) - np.log(900)) / 0.8) ** 2)), count)
    phase = _seconds(count) % 4
    swell = np.where(phase < 1.5, 0.6 * np.sin(np.pi * phase / 1.5), 0.0)
    swell += np.where((phase > 1.8) & (phase < 3.5), np.sin(np.pi * (phase - 1.8) / 1.7), 0.0)
    return 0.05 * noise / noise.std() * np.maximum(swell, 0)


def _room(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Noise that falls by 6 dB an octave from 40 Hz on, of level 1."""
    hertz = np.fft.rfftfreq(count, 1 / LISTENING_RATE)
    noise = np.fft.irfft(np.fft.rfft(random.normal(0, 1, count)) / np.maximum(hertz, 40), count)
    return noise / max(noise.std(), 1e-12)  # type: ignore[no-any-return]


def _string(hertz: float, count: int) -> NDArray[np.float64]:
    time = _seconds(count)
    overtones = sum(np.sin(2 * np.pi * hertz * number * time) / number for number in range(1, 6))
    return overtones * np.exp(-3 * time)  # type: ignore[no-any-return]


def _seconds(count: int) -> NDArray[np.float64]:
    return np.arange(count) / LISTENING_RATE
