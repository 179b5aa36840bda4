"""Recordings of every kind, made as they are needed: words are tones, one pitch a word."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 16_000


def tone(seconds: float, pitch: float = 440.0, rate: int = RATE, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def write_wav(path: Path, samples: np.ndarray, rate: int = RATE, channels: int = 1) -> Path:
    """Samples as they are: uint8, int16 or float32, interleaved."""
    width = samples.dtype.itemsize
    form = struct.pack(
        "<HHIIHH", 3 if samples.dtype.kind == "f" else 1, channels, rate, rate * channels * width, channels * width,
        width * 8,
    )  # fmt: skip
    data = samples.tobytes()
    head = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + form
    path.write_bytes(head + b"data" + struct.pack("<I", len(data)) + data)
    return path


def pcm(samples: np.ndarray) -> np.ndarray:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2")


def write(path: Path, samples: np.ndarray, codec: str, video: float = 0.0, delay: float = 0.0, **options: str) -> Path:
    """48 kHz samples in a container; `video` seconds of pictures, before whose end the sound begins `delay` late."""
    with av.open(str(path), "w", options=options) as container:
        pictures = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"}) if video else None
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        if pictures is not None:
            pictures.width = pictures.height = 64
            pictures.pix_fmt = "yuv420p"
            for number in range(int(video * 25)):
                frame = av.VideoFrame(64, 64, "yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                container.mux(pictures.encode(frame))
            container.mux(pictures.encode(None))
        for at in range(0, len(samples), 1024):
            sound = av.AudioFrame.from_ndarray(samples[None, at : at + 1024], format="fltp", layout="mono")
            sound.sample_rate, sound.time_base = 48_000, Fraction(1, 48_000)
            sound.pts = at + round(delay * 48_000)
            container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    return path
