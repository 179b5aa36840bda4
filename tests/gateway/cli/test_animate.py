"""`antlitz animate`: what it refuses in one sentence, and films made through the real server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import wave
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from gateway import cli
from triton_launch.server import Server

PORTRAITS = Path(__file__).parents[3] / "characters" / "defaults" / "portraits"
PORTRAIT = PORTRAITS / "elizabeth_winthrop_chanler.jpg"


def write_wav(path: Path, samples: np.ndarray, rate: int = 24_000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def write_video(path: Path, frames: list[np.ndarray], fps: Fraction) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, 1 / fps
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def babble(seconds: float) -> np.ndarray:
    """Something like a voice at 24 kHz: harmonics of 120 Hz, loud for half a second, then silent for half a second."""
    time_ = np.arange(int(seconds * 24_000)) / 24_000
    voice = sum(np.sin(2 * np.pi * 120 * k * time_) / k for k in range(1, 12))
    loud = (time_ % 1.0 < 0.5) * np.minimum(1, 20 * np.abs((time_ % 1.0) % 0.5))
    return 0.2 * voice * loud


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--portrait", "none.jpg", "--text", "Hello."], "There is no portrait none.jpg"),
        (["--portrait", "{text}", "--text", "Hello."], "not a picture"),
        (["--portrait", "{face}", "--text", "  "], "There is no text"),
        (["--portrait", "{face}", "--driving", "{text}"], "damaged or of a kind that cannot be read"),
        (["--portrait", "{face}", "--driving", "{face}"], "is a picture, not a video"),
        (["--portrait", "{face}", "--audio", "none.wav"], "There is no recording"),
        (["--portrait", "{face}", "--audio", "{text}"], "damaged or of a kind that cannot be read"),
        (["--portrait", "{face}", "--text", "Hi.", "--out", "/proc/x.mp4"], "cannot be written"),
        (["--portrait", "{face}", "--text", "Hi.", "--out", "film.gif"], "should end in .mp4"),
        (["--portrait", "{face}", "--text", "Hi.", "--intensity", "3"], "between 0 and 1"),
        (["--portrait", "{face}", "--driving", "{text}", "--emotion", "sad"], "has its own emotion"),
        (["--portrait", "{face}", "--text", "Hi.", "--triton", "127.0.0.1:1"], "No tritonserver answers"),
    ],
)
def test_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("words " * 100)
    words = [word.format(face=PORTRAIT, text=text) for word in words]
    words += [] if "--out" in words else ["--out", str(tmp_path / "out.mp4")]
    words += [] if "--triton" in words else ["--triton", "127.0.0.1:1"]
    assert cli.main(["animate", *words]) == 1
    said = capsys.readouterr().err
    assert sentence in said and said.startswith("antlitz: ") and said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["text.mp4"]


def film(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Grey frames [n, 512, 512] and mono sound at 48 kHz, after looking at the film's form."""
    with av.open(str(path)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.width, picture.height, picture.codec_context.pix_fmt) == (512, 512, "yuv420p")
        assert picture.codec_context.name == "h264" and picture.average_rate == 25
        assert sound.codec_context.name == "aac"
        assert float(sound.duration * sound.time_base) == pytest.approx(picture.frames / 25, abs=0.06)
        frames = np.array([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono", 48_000)
        parts = [
            part.to_ndarray().reshape(-1)
            for frame in [*container.decode(audio=0), None]
            for part in resampler.resample(frame)
        ]
    return frames, np.concatenate(parts)


def loudness(sound: np.ndarray, frames: int) -> np.ndarray:
    whole = np.pad(sound, (0, max(frames * 1920 - len(sound), 0)))[: frames * 1920]
    return np.sqrt((whole.reshape(frames, 1920) ** 2).mean(1))


def openness(frames: np.ndarray) -> np.ndarray:
    """How much of the darkness inside an open mouth is seen; the portrait's mouth lies about here."""
    return np.maximum(70 - frames[:, 325:385, 215:295].astype(np.float32), 0).mean((1, 2))


@pytest.mark.server
def test_a_recording_moves_the_mouth(triton: Server, tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "voice.wav", babble(4.0))
    out = tmp_path / "film.mp4"
    words = ["--portrait", str(PORTRAIT), "--audio", str(recording), "--out", str(out), "--triton", triton.address]
    assert cli.main(["animate", *words]) == 0
    frames, sound = film(out)
    assert len(frames) == 100
    loud = loudness(sound, 100)
    assert np.corrcoef(loud, loudness(np.repeat(babble(4.0), 2), 100))[0, 1] > 0.97, "the sound is the recording's"
    later = [np.corrcoef(openness(frames)[5:90], loud[5 - lag : 90 - lag])[0, 1] for lag in range(-4, 5)]
    assert max(later) > 0.8 and later.index(max(later)) - 4 in (-1, 0, 1, 2), "the mouth moves with the sound"


@pytest.mark.server
def test_a_video_moves_the_portrait_and_its_sound_is_kept(triton: Server, tmp_path: Path) -> None:
    """A portrait says something; the film of it, at another rate, then drives another portrait."""
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    to = ["--triton", triton.address]
    spoken = ["--text", "Mama, about a better world, papa.", "--emotion", "happy", "--out", str(first)]
    assert cli.main(["animate", "--portrait", str(PORTRAIT), *spoken, *to]) == 0
    frames, sound = film(first)
    drives = ["--driving", str(first), "--out", str(second)]
    assert cli.main(["animate", "--portrait", str(PORTRAIT), *drives, *to]) == 0
    driven, kept = film(second)
    assert len(driven) == pytest.approx(len(frames), abs=1)
    count = min(len(driven), len(frames))
    assert np.corrcoef(loudness(sound, count), loudness(kept, count))[0, 1] > 0.95, "in step, too"
    assert np.corrcoef(openness(frames)[:count], openness(driven)[:count])[0, 1] > 0.6


@pytest.mark.server
def test_faces_that_are_not_there(triton: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = write_video(tmp_path / "empty.mp4", [np.full((240, 320, 3), 90, np.uint8)] * 20, Fraction(30))
    nobody = tmp_path / "nobody.png"
    cv2.imwrite(str(nobody), np.full((300, 300, 3), 128, np.uint8))
    out, to = tmp_path / "out.mp4", ["--triton", triton.address]
    words = ["--out", str(out), *to]
    assert cli.main(["animate", "--portrait", str(PORTRAIT), "--driving", str(empty), *words]) == 1
    assert "No face was found in the video" in capsys.readouterr().err
    assert cli.main(["animate", "--portrait", str(nobody), "--text", "Hello.", *words]) == 1
    assert "face" in capsys.readouterr().err
    assert cli.main(["animate", "--portrait", str(PORTRAIT), "--text", "Hi.", "--renderer", "render_x", *words]) == 1
    assert "There is no renderer 'render_x'" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.mp4", "nobody.png"]


@pytest.mark.server
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ended_in_the_middle_nothing_is_left(triton: Server, tmp_path: Path, how: signal.Signals) -> None:
    recording = write_wav(tmp_path / "long.wav", np.zeros(24_000 * 300))
    line = ["animate", "--portrait", str(PORTRAIT), "--audio", str(recording), "--out", str(tmp_path / "out.mp4")]
    code = "import sys; from gateway.cli import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code, *line, "--triton", triton.address],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=dict(os.environ), text=True,
    )  # fmt: skip
    end = time.monotonic() + 30
    while not list(tmp_path.glob(".*.part")) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)
    assert list(tmp_path.glob(".*.part"))
    process.send_signal(how)
    assert "Traceback" not in process.communicate(timeout=20)[1] and process.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["long.wav"]
