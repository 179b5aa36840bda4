"""Small recordings and videos, made as they are needed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_sound(path: Path, seconds: float, rate: int = 44_100, level: float = 0.3) -> Path:
    """A tone of 220 Hz, in the codec that the name's ending asks for."""
    samples = (level * np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate)) / rate)).astype(np.float32)
    codec = {".wav": "pcm_s16le", ".flac": "flac", ".mp3": "libmp3lame", ".ogg": "libopus"}[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        for at in range(0, len(samples), 4096):
            piece = (samples[at : at + 4096] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(piece[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate, at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_video(path: Path, frames: list[np.ndarray], fps: Fraction, sound: bool = False, delay: float = 0.0) -> Path:
    """RGB frames as H.264; `sound`: a click every second; `delay`: s that the sound begins later."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "12", "preset": "ultrafast"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=48_000, layout="mono") if sound else None
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, 1 / fps
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio is not None:
            seconds = len(frames) / float(fps) - delay
            samples = np.zeros(int(seconds * 48_000), np.float32)
            for start in range(24_000 - int(delay * 48_000), len(samples) - 2400, 48_000):
                samples[start : start + 2400] = 0.8
            for at in range(0, len(samples), 1024):
                frame_ = av.AudioFrame.from_ndarray(samples[None, at : at + 1024], format="fltp", layout="mono")
                frame_.sample_rate, frame_.pts = 48_000, at + int(delay * 48_000)
                frame_.time_base = Fraction(1, 48_000)
                container.mux(audio.encode(frame_))
            container.mux(audio.encode(None))
    return path
