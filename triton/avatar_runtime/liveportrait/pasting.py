"""The networks' crop back into the view, plane by plane, under a soft mask; outside it no byte changes."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import FRAME_SIZE, I420_ROWS
from avatar_runtime.liveportrait.framing import Framing
from avatar_runtime.liveportrait.keypoints import Floats

Bytes = NDArray[np.uint8]

BORDER: Final = 3.0  # pixels of the crop at 512 that are never shown: interpolation reaches beyond them
EDGE: Final = 40.0  # pixels in which the crop fades in; the official mask_template.png takes 16, a harder seam
CORNER: Final = 96.0  # radius of the mask's corners in pixels


def mask(x: Floats, y: Floats) -> Floats:
    """The crop's weight 0..1 at its continuous coordinates (0..512): a square with round, soft corners."""
    half = FRAME_SIZE / 2
    reach = half - BORDER - CORNER
    across, along = np.abs(x - half) - reach, np.abs(y - half) - reach
    # How far inside the rounded square: its radius less the distance to the inner square (negative inside that).
    outside = np.hypot(np.maximum(across, 0), np.maximum(along, 0)) + np.minimum(np.maximum(across, along), 0)
    share = np.clip((CORNER - outside) / EDGE, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def planes(frame: Bytes) -> tuple[Bytes, Bytes, Bytes]:
    """Views of the three planes of an I420 frame u8 [768, 512]: Y [512, 512], U and V [256, 256]."""
    half, quarter = FRAME_SIZE // 2, FRAME_SIZE // 4
    u, v = frame[FRAME_SIZE : FRAME_SIZE + quarter], frame[FRAME_SIZE + quarter :]
    return frame[:FRAME_SIZE], u.reshape(half, half), v.reshape(half, half)


class _Plane:
    """One size of plane: where the mask is above nothing, and what each of its pixels shows of the crop."""

    def __init__(self, back: Floats, step: int) -> None:
        """back: view -> crop, continuous at 512; step: 1 for Y, 2 for U and V."""
        size = FRAME_SIZE // step
        rows, columns = np.mgrid[:size, :size].astype(np.float32)
        x, y = (columns + 0.5) * step, (rows + 0.5) * step
        there_x, there_y = (back[axis, 0] * x + back[axis, 1] * y + back[axis, 2] for axis in (0, 1))
        weight = mask(there_x, there_y)
        shown_rows, shown_columns = np.flatnonzero(weight.any(1)), np.flatnonzero(weight.any(0))
        self._area = (_extent(shown_rows), _extent(shown_columns))
        source_x, source_y = there_x[self._area] / step - 0.5, there_y[self._area] / step - 0.5
        self._map = cv2.convertMaps(source_x.astype(np.float32), source_y.astype(np.float32), cv2.CV_16SC2)
        self._crop = np.ascontiguousarray(weight[self._area])
        self._view = 1 - self._crop

    def paste(self, crop: Bytes, view: Bytes) -> None:
        """Blends a plane of the crop into the same plane of the view, in place."""
        if not self._crop.size:
            return
        shown = cv2.remap(crop, *self._map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        area = view[self._area]
        area[...] = cv2.blendLinear(shown, np.ascontiguousarray(area), self._crop, self._view)


def _extent(found: NDArray[np.intp]) -> slice:
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


class Paste:
    """Pastes crops of one portrait into its view."""

    def __init__(self, view: Bytes, framing: Framing) -> None:
        """view: RGB u8 [512, 512, 3] (see `face.geometry.crop`)."""
        self.view = np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2YUV_I420), np.uint8)
        self._luma, self._chroma = _Plane(framing.back, 1), _Plane(framing.back, 2)

    def __call__(self, crops: Bytes) -> Bytes:
        """I420 crops u8 [k, 768, 512] -> I420 views of the same shape."""
        frames = np.empty((len(crops), I420_ROWS, FRAME_SIZE), np.uint8)
        for frame, crop in zip(frames, crops, strict=True):
            frame[...] = self.view
            for plane, source, target in zip(
                (self._luma, self._chroma, self._chroma), planes(np.ascontiguousarray(crop)), planes(frame), strict=True
            ):
                plane.paste(source, target)
        return frames
