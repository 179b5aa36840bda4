"""The sound of a file, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt

from avatar_runtime.contracts import MOTION_SAMPLES, SPEAKING_RATE, AvatarError, Code
from gateway.animation.files import opened, seconds

Floats = npt.NDArray[np.float32]

FILM_RATE: Final = 48_000  # Hz, of the sound in films made from files


def has_sound(path: Path) -> bool:
    """Whether a video has a sound track."""
    with opened(path, "video", Code.INVALID_REQUEST) as container:
        return bool(container.streams.audio)


def length(path: Path) -> float | None:
    """Seconds, None where the file does not say. Raises `invalid_audio` when it is no recording or has no sound."""
    with opened(path, "recording", Code.INVALID_AUDIO) as container:
        stream = _stream(container, path)
        if next(container.decode(stream), None) is None:
            raise AvatarError(Code.INVALID_AUDIO, f"The recording {path} is empty.")
        return seconds(container, stream)


def pieces(path: Path, rate: int, channels: int, start: float | None = None) -> Iterator[Floats]:
    """Samples f32 [n, channels] in -1..1 at `rate`, from `start` (the file's own time in s; None: the sound's) on.

    Sound that begins later than `start` has silence before it.
    """
    with opened(path, "recording", Code.INVALID_AUDIO) as container:
        stream = _stream(container, path)
        layout = "mono" if channels == 1 else "stereo"
        resampler = av.AudioResampler(format="flt", layout=layout, rate=rate)
        skip: int | None = 0 if start is None else None
        for frame in _with_flush(container.decode(stream)):
            if skip is None:
                skip = round((start - (frame.time or 0.0)) * rate) if start is not None and frame is not None else 0
                if skip < 0:
                    yield np.zeros((-skip, channels), np.float32)
            for resampled in resampler.resample(frame):
                samples = resampled.to_ndarray().reshape(-1, channels).astype(np.float32, copy=False)
                left = samples[max(skip, 0) :]
                skip = max(skip - len(samples), 0)
                if len(left):
                    yield np.clip(np.nan_to_num(left), -1, 1)


def speech(path: Path) -> Iterator[Floats]:
    """Mono samples at SPEAKING_RATE, a slot of MOTION_SAMPLES at a time; the last one is filled up with silence."""
    waiting = np.zeros(0, np.float32)
    for piece in pieces(path, SPEAKING_RATE, 1):
        waiting = np.concatenate([waiting, piece[:, 0]])
        whole = len(waiting) // MOTION_SAMPLES * MOTION_SAMPLES
        yield from waiting[:whole].reshape(-1, MOTION_SAMPLES)
        waiting = waiting[whole:]
    if len(waiting):
        yield np.pad(waiting, (0, MOTION_SAMPLES - len(waiting)))


def _stream(container: Any, path: Path) -> Any:
    if not container.streams.audio or container.streams.audio[0].codec_context is None:
        raise AvatarError(Code.INVALID_AUDIO, f"{path} has no sound.")
    return container.streams.audio[0]


def _with_flush(frames: Iterator[Any]) -> Iterator[Any]:
    yield from frames
    yield None
