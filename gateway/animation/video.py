"""A driving video as pictures at MOTION_RATE, whatever its own rate is; one frame is in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from avatar_runtime.contracts import MOTION_RATE, AvatarError, Code
from gateway.animation.files import opened, seconds

Bytes = npt.NDArray[np.uint8]

LONGEST_SIDE: Final = 960  # pixels: more shows a face no better to networks that see 192 of them


@dataclass(frozen=True)
class VideoFacts:
    """`frames` at MOTION_RATE, None where the file does not say; `start` in s of its first picture."""

    frames: int | None
    start: float


def facts(path: Path) -> VideoFacts:
    """What a video says of itself. Raises `invalid_request` when it is none, or has no pictures."""
    with opened(path, "video", Code.INVALID_REQUEST) as container:
        stream = _stream(container, path)
        first = next(container.decode(stream), None)
        if first is None:
            raise AvatarError(Code.INVALID_REQUEST, f"The video {path} has no pictures.")
        length = seconds(container, stream)
        return VideoFacts(None if length is None else max(1, round(length * MOTION_RATE)), first.time or 0.0)


def frames(path: Path) -> Iterator[Bytes]:
    """RGB uint8 [h, w, 3], MOTION_RATE a second: at each moment the picture that a player would show."""
    with opened(path, "video", Code.INVALID_REQUEST) as container:
        stream = _stream(container, path)
        stream.thread_type = "AUTO"
        shown: Any = None
        start, slot, last, pause = 0.0, 0, 0.0, 1 / MOTION_RATE
        for number, frame in enumerate(container.decode(stream)):
            time = frame.time if frame.time is not None else number / float(stream.average_rate or MOTION_RATE)
            if shown is None:
                start = time
            else:
                pause = max(time - start - last, 0.0) or pause
            last = time - start
            # Half a millisecond: times are rounded in files.
            while shown is not None and slot / MOTION_RATE < last - 5e-4:
                yield _pixels(shown)
                slot += 1
            shown = frame
        while shown is not None and slot / MOTION_RATE < last + pause - 5e-4:
            yield _pixels(shown)
            slot += 1


def _stream(container: Any, path: Path) -> Any:
    if not container.streams.video or container.streams.video[0].codec_context is None:
        raise AvatarError(Code.INVALID_REQUEST, f"{path} has no pictures: it is not a video.")
    return container.streams.video[0]


def _pixels(frame: Any) -> Bytes:
    """Square pixels, upright, at most LONGEST_SIDE."""
    aspect = float(getattr(frame, "sample_aspect_ratio", 0) or 1)
    width, height = frame.width * aspect, float(frame.height)
    share = min(1.0, LONGEST_SIDE / max(width, height))
    size = {"width": max(2, round(width * share / 2) * 2), "height": max(2, round(height * share / 2) * 2)}
    pixels = frame.reformat(format="rgb24", **size).to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, round(getattr(frame, "rotation", 0) / 90) % 4))
