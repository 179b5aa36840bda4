"""The sound of a file as an ear hears it: mono, LISTENING_RATE, a block at a time, on the file's own clock."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt

from avatar_runtime.contracts import LISTENING_RATE, VAD_WINDOW, AvatarError, Code
from gateway.animation.files import opened
from gateway.media import MAX_CHANNELS, RATES, decoded_frames

Floats = npt.NDArray[np.float32]

BLOCK: Final = 256 * VAD_WINDOW  # samples: 8.2 s
SMALLEST_GAP: Final = 0.2  # s between two packets that count as silence and not as rounding
LARGEST_GAP: Final = 60.0  # s, where the file does not say how long it is; more is a broken clock


def blocks(path: Path) -> Generator[Floats, None, None]:
    """Samples [n] in -1..1, BLOCK each but the last; the first is what a player shows at 0:00. Blocking.

    What has no sound (it begins later than the picture, or packets are missing) is silence. A constant offset is taken
    away: the ear's lowest band would hear nothing else. Raises `invalid_audio` with one sentence.
    """
    waiting: list[Floats] = []
    length = 0
    for samples in _samples(path):
        waiting.append(samples)
        length += samples.size
        if length < BLOCK:
            continue
        whole = np.concatenate(waiting)
        for at in range(0, length - BLOCK + 1, BLOCK):
            yield _centred(whole[at : at + BLOCK])
        waiting = [whole[length - length % BLOCK :]]
        length %= BLOCK
    if length:
        yield _centred(np.concatenate(waiting))


def _centred(samples: Floats) -> Floats:
    centred: Floats = np.clip(samples - samples.mean(dtype=np.float32), -1, 1)
    return centred


def _samples(path: Path) -> Iterator[Floats]:
    with opened(path, "recording", Code.INVALID_AUDIO) as container:
        stream = _stream(container, path)
        start = (container.start_time or 0) / av.time_base
        length = None if container.duration is None else container.duration / av.time_base
        position = 0
        for frame in _steady(decoded_frames(container, stream)):
            if isinstance(frame, float):
                for silence in _gap(round((frame - start) * LISTENING_RATE) - position, position, length):
                    position += silence.size
                    yield silence
                continue
            if not np.isfinite(frame).all():
                raise AvatarError(Code.INVALID_AUDIO, f"The recording {path} holds values that are not numbers.")
            position += frame.size
            yield frame


def _stream(container: Any, path: Path) -> Any:
    if not container.streams.audio or container.streams.audio[0].codec_context is None:
        raise AvatarError(Code.INVALID_AUDIO, f"{path} has no sound that can be read.")
    stream = container.streams.audio[0]
    if stream.rate not in RATES:
        raise AvatarError(Code.INVALID_AUDIO, f"The recording {path} is damaged: no sound has {stream.rate} Hz.")
    if not 1 <= stream.channels <= MAX_CHANNELS:
        most = f"at most {MAX_CHANNELS} can be read"
        raise AvatarError(Code.INVALID_AUDIO, f"The recording {path} has {stream.channels} channels; {most}.")
    return stream


def _steady(frames: Iterator[Any]) -> Iterator[float | Floats]:
    """Resampled samples, and before those of a frame its time in s, where it has one."""
    resampler: Any = None
    form: Any = None
    for frame in frames:
        if frame is None:
            if resampler is not None:
                yield from _resampled(resampler, None)
            return
        if form != (frame.format.name, frame.layout.name, frame.sample_rate):  # streams may change on the way
            if resampler is not None:
                yield from _resampled(resampler, None)
            form = (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = av.AudioResampler(format="flt", layout="mono", rate=LISTENING_RATE)
        if frame.time is not None:
            yield float(frame.time)
        yield from _resampled(resampler, frame)


def _resampled(resampler: Any, frame: Any) -> Iterator[Floats]:
    for part in resampler.resample(frame):
        yield part.to_ndarray().reshape(-1).astype(np.float32, copy=False)


def _gap(missing: int, position: int, length: float | None) -> Iterator[Floats]:
    """Silence of `missing` samples, where a clock that can be believed says that there is some."""
    room = LARGEST_GAP * LISTENING_RATE if length is None else length * LISTENING_RATE - position
    if SMALLEST_GAP * LISTENING_RATE < missing <= room:
        for at in range(0, missing, BLOCK):
            yield np.zeros(min(BLOCK, missing - at), np.float32)
