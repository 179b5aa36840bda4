"""`antlitz transcribe`: what it refuses in one sentence, and real speech through the real server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest
import soxr

from avatar_runtime.contracts import LISTENING_RATE, SPEAKING_RATE
from gateway import cli
from gateway.bench.stt import edit_distance, load_recordings, normalised
from gateway.inference import Inference
from gateway.settings import Settings
from triton_launch.server import Server

PAUSE = 0.7  # s
#: Runs the command and says how much memory it had at most (kB), the last line of its errors. Not ru_maxrss, which
#: knows pytest's own memory from before the exec.
CODE = """import re, sys
from gateway.cli import main
status = main(sys.argv[1:])
sys.stderr.write(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1] + "\\n")
sys.exit(status)"""
TEXTS = (
    "The weather was fine in the morning, and the whole family went down to the river.",
    "Nobody had expected that the old house would be sold so quickly.",
    "She opened the window and listened to the birds.",
    "After dinner they talked about the journey for a long time.",
)


def write_wav(path: Path, samples: np.ndarray, rate: int = LISTENING_RATE) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * LISTENING_RATE), np.float32)


@pytest.fixture(scope="module")
def sentences(triton: Server) -> list[tuple[np.ndarray, str]]:
    """People reading aloud, where `antlitz bench stt` has fetched them; else a voice of ours."""
    folder = Settings.from_environment().models / "bench"
    if (folder / "librivox" / "transcription").exists():
        return [(item.audio, item.text) for item in load_recordings(folder)]

    async def speak() -> list[tuple[np.ndarray, str]]:
        inference = Inference(triton.address, Settings.from_environment())
        try:
            return [(await _said(inference, text), text) for text in TEXTS]
        finally:
            await inference.close()

    return asyncio.run(speak())


async def _said(inference: Inference, text: str) -> np.ndarray:
    chunks = [chunk.audio async for chunk in inference.synthesize(text, "en", engine="tts_hibari")]
    return soxr.resample(np.concatenate(chunks), SPEAKING_RATE, LISTENING_RATE).astype(np.float32)


def voice(audio: np.ndarray) -> tuple[float, float]:
    """Where the voice begins and ends in a recording (s)."""
    frames = audio[: len(audio) // 320 * 320].reshape(-1, 320)
    loud = np.flatnonzero((level := np.sqrt((frames**2).mean(axis=1))) > 0.05 * level.max())
    return loud[0] * 0.02, (loud[-1] + 1) * 0.02


def error_rate(expected: str, found: str) -> float:
    return edit_distance(normalised(expected), normalised(found)) / len(normalised(expected))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{sound}"], "No tritonserver answers"),
        (["{sound}", "--language", "klingon"], "This language is not known"),
        (["{sound}", "{other}", "--format", "srt"], "Subtitles of several files need --out"),
        (["{sound}", "{sound}", "--out", "{folder}"], "2 of the files would be written to"),
        (["{sound}", "--out", "{other}"], "is not a folder"),
        (["{sound}", "--out", "/proc/x"], "cannot be written"),
    ],
)
def test_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    sound, other = (write_wav(tmp_path / name, silence(1)) for name in ("a.wav", "b.wav"))
    words = [word.format(sound=sound, other=other, folder=tmp_path) for word in words]
    assert cli.main(["transcribe", *words, "--triton", "127.0.0.1:1"]) == 1
    said = capsys.readouterr()
    assert sentence in said.err and said.err.startswith("antlitz: ") and said.err.count("\n") == 1 and not said.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "b.wav"]


@pytest.mark.server
def test_words_and_times_of_sentences_between_pauses(
    triton: Server, sentences: list[tuple[np.ndarray, str]], tmp_path: Path
) -> None:
    parts, spans, at = [silence(2.0)], [], 2.0
    for pause, (audio, _) in zip([1.0, 5.0, 1.5, 40.0, 1.0] * 2, sentences, strict=False):
        first, last = voice(audio)
        spans.append((at + first, at + last))
        parts += [audio, silence(pause)]
        at += len(audio) / LISTENING_RATE + pause
    recording = write_wav(tmp_path / "talk.wav", np.concatenate(parts))
    line = [str(recording), "--triton", triton.address, "--out", str(tmp_path / "out")]
    for form in ("json", "srt"):
        assert cli.main(["transcribe", *line, "--format", form]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["talk.json", "talk.srt"]
    found = json.loads((tmp_path / "out" / "talk.json").read_text())
    assert found["language"] == "en" and found["duration"] == pytest.approx(at, abs=0.1)
    assert error_rate(" ".join(text for _, text in sentences), found["text"]) < 0.12
    words = np.array([(word["start"], word["end"]) for word in found["words"]])
    middles = words.mean(axis=1)
    for (start, end), (_, text) in zip(spans, sentences, strict=False):
        inside = words[(middles > start - 0.5) & (middles < end + 0.5)]
        assert len(inside) == pytest.approx(len(normalised(text)), abs=3)
        assert inside[0, 0] == pytest.approx(start, abs=0.3) and inside[-1, 1] == pytest.approx(end, abs=0.3)
    srt = (tmp_path / "out" / "talk.srt").read_text()
    assert srt.startswith("1\n00:00:0") and srt.count(" --> ") == len(found["segments"])


@pytest.mark.server
def test_some_files_fail_and_the_others_are_done(
    triton: Server, sentences: list[tuple[np.ndarray, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audio, text = sentences[2]
    good = write_wav(tmp_path / "good.wav", np.concatenate([audio, silence(0.5)]))
    random = np.random.default_rng(0)
    noise = write_wav(tmp_path / "noise.wav", random.normal(0, 0.1, 10 * LISTENING_RATE))
    text_file = tmp_path / "notes.mp3"
    text_file.write_text("words " * 300)
    files = [str(path) for path in (text_file, noise, tmp_path / "none.wav", good)]
    assert cli.main(["transcribe", *files, "--triton", triton.address]) == 1
    said = capsys.readouterr()
    heads, body = said.out.split("==> ")[1:], said.out.split("good.wav <==\n")[1]
    assert [head.split(" <==")[0] for head in heads] == [str(noise), str(good)] and "<==\n==>" in said.out
    assert error_rate(text, body) < 0.3
    errors = said.err.splitlines()
    assert len(errors) == 3 and all(line.startswith("antlitz: ") for line in errors)
    for line, sentence in zip(errors, ["cannot be read", "noise.wav: nothing was said.", "There is no"], strict=True):
        assert sentence in line
    assert cli.main(["transcribe", str(good), "--language", "yue", "--triton", triton.address]) == 1
    assert "is not known here" in capsys.readouterr().err


def start(line: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", CODE, "transcribe", *line],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ), text=True,
    )  # fmt: skip


@pytest.mark.server
def test_ten_minutes_word_for_word_in_little_memory(
    triton: Server, sentences: list[tuple[np.ndarray, str]], tmp_path: Path
) -> None:
    once = np.concatenate([part for audio, _ in sentences for part in (audio, silence(PAUSE))])
    times = int(600 * LISTENING_RATE / len(once)) + 1
    memory = []
    for count in (1, times):
        recording = write_wav(tmp_path / "long.wav", np.tile(once, count))
        process = start([str(recording), "--triton", triton.address])
        out, errors = process.communicate(timeout=300)
        assert process.returncode == 0
        memory.append(int(errors.splitlines()[-1]) / 1024)
        assert error_rate(" ".join(text for _, text in sentences * count), out) < 0.12
    assert memory[1] - memory[0] < 30, "MB; ten minutes are 38 MB as float32, and the pieces are copied"


@pytest.mark.server
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ended_in_the_middle_nothing_is_left(
    triton: Server, sentences: list[tuple[np.ndarray, str]], tmp_path: Path, how: signal.Signals
) -> None:
    once = np.concatenate([audio for audio, _ in sentences])
    short, long = write_wav(tmp_path / "a.wav", sentences[1][0]), write_wav(tmp_path / "b.wav", np.tile(once, 40))
    out = tmp_path / "out"
    process = start([str(short), str(long), "--triton", triton.address, "--out", str(out)])
    end = time.monotonic() + 60
    while not (out / "a.txt").exists() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(how)
    said, errors = process.communicate(timeout=20)
    assert process.returncode == 130 and not said and "Traceback" not in errors
    assert [path.name for path in out.iterdir()] == ["a.txt"], "what was done stays"
