"""Eyelids and gaze, painted on the portrait at rest before it is warped.

An upper lid closes as skin: the strip between brow and lash line stretches down over the eye while the lash line keeps
its thickness, and the eyeball below stays where it is. Nothing of the iris is dragged along.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import FRAME_SIZE
from avatar_runtime.face.geometry import Geometry
from avatar_runtime.face.landmarks import Floats

#: Lid margins from the picture's left to right; first the eye at the picture's left (the person's right).
UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
BROWS = ((46, 53, 52, 65, 55), (285, 295, 282, 283, 276))  # their lower edges
FEATHER = 1.4  # pixels
OUTER_CORNER = 0.10  # of the eye's width: how far it reaches beyond its outermost landmark
LOWER_SHARE = 0.14  # of the opening: how far the lower lid comes up to meet the upper


@dataclass(frozen=True, slots=True)
class EyeWeights:
    """What one eye does: blink, squint, wide 0..1; look_x (to the picture's right), look_y (down) -1..1."""

    blink: float
    squint: float
    wide: float
    look_x: float
    look_y: float

    @property
    def rests(self) -> bool:
        return max(self.blink, self.squint, self.wide, abs(self.look_x), abs(self.look_y)) < 1e-4


class Eye:
    """One eye of one portrait."""

    def __init__(self, frame: NDArray[np.uint8], face: Geometry, side: int) -> None:
        """side 0: the eye at the picture's left."""
        self._frame = frame
        points = face.points[:, :2]
        upper, lower = points[list(UPPER_LIDS[side])], points[list(LOWER_LIDS[side])]
        # Landmarks stop short of the outer corner, most of all on the far side of a turned head.
        outer = (0, -1)[side]
        beyond = OUTER_CORNER * (upper[outer] - upper[-1 - outer])
        upper[outer] += beyond
        lower[outer] += beyond
        self._width = float(upper[-1, 0] - upper[0, 0])
        margin = 0.35 * self._width
        brow_y = float(points[list(BROWS[side]), 1].min())
        x0, x1 = int(max(upper[0, 0] - margin, 0)), int(min(upper[-1, 0] + margin, FRAME_SIZE))
        y0 = int(max(min(brow_y, upper[:, 1].min() - 0.3 * self._width), 0))
        y1 = int(min(lower[:, 1].max() + 0.45 * self._width, FRAME_SIZE))
        self.rows, self.columns = slice(y0, y1), slice(x0, x1)
        self._x = np.arange(x0, x1, dtype=np.float32)
        self._y = np.arange(y0, y1, dtype=np.float32)[:, None]
        self._top, self._bottom = _curve(upper, self._x), _curve(lower, self._x)
        ends = _ends(self._x, upper[0, 0], upper[-1, 0])
        self._opening = np.maximum(self._bottom - self._top, 0) * ends
        middle = (self._top + self._bottom) / 2
        self._top, self._bottom = middle - self._opening / 2, middle + self._opening / 2
        self._ends = ends
        self._tallest = max(float(self._opening.max()), 1.0)
        self._taper = np.clip(1.25 * self._opening / self._tallest, 0, 1)
        brow = np.interp(self._x, points[list(BROWS[side]), 0], points[list(BROWS[side]), 1])
        # The strip that stretches: most of the way to the brow.
        self._strip = np.maximum(0.72 * (self._top - brow), 0.5 * self._tallest).astype(np.float32)
        self._lash = max(0.06 * self._width, 1.5)
        # Landmarks may lie on the eyeball's side of the lid: a closed lid is made of skin from this far above them.
        self._margin = np.minimum(0.11 * self._width, 0.55 * self._strip)
        self._lash_colour = self._darkest()
        self._lid = self._lit_skin()
        iris = face.irises[side]
        self._iris = iris[0]
        self._radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
        across = (self._x - self._iris[0]) / (1.5 * self._radius)
        along = (self._y - self._iris[1]) / (1.5 * self._radius)
        self._bump = np.exp(-0.5 * (across**4 + along**4)).astype(np.float32)

    def _darkest(self) -> Floats:
        """The colour of the lashes: the darkest tenth of the pixels along the upper lid's margin."""
        near = (np.abs(self._y - self._top) < 2.5) & (self._opening > 0.4 * self._tallest)
        pixels = self._frame[self.rows, self.columns][near].astype(np.float32)
        luma = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
        return np.asarray(pixels[luma <= np.percentile(luma, 12)].mean(0), np.float32)

    def _lit_skin(self) -> Floats:
        """The skin's colour around the eye at each column, f32 [1, columns, 3]: what a closed lid shows of light."""
        above = self._top - 0.9 * self._strip
        below = self._bottom + 0.55 * self._tallest
        rows = np.stack([above, below]).astype(np.float32)
        columns = np.broadcast_to(self._x, rows.shape).astype(np.float32)
        soft = cv2.GaussianBlur(self._frame, (0, 0), 0.05 * self._width)
        found = cv2.remap(soft, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mixed = 0.45 * found[0].astype(np.float32) + 0.55 * found[1]
        return cv2.GaussianBlur(mixed[None], (0, 0), 0.08 * self._width).reshape(1, -1, 3)

    def painted(self, weights: EyeWeights) -> NDArray[np.uint8]:
        """The eye as it then looks in the portrait at rest: RGB uint8 for `rows` and `columns`."""
        closed = float(np.clip(weights.blink, 0, 1))
        squint = weights.squint * (1 - closed)
        wide = weights.wide * (1 - closed)
        rise = (LOWER_SHARE * closed + 0.26 * squint) * self._opening
        bottom = self._bottom - rise
        fall = closed * (self._opening - rise) + 0.14 * squint * self._opening - 0.15 * wide * self._opening
        # Looking down takes the lid along.
        fall = fall + (1 - closed) * 0.22 * weights.look_y * self._opening * (1 if weights.look_y > 0 else 0.5)
        top = self._top + fall
        x = np.broadcast_to(self._x, (len(self._y), len(self._x)))
        above = self._above(fall, closed)
        below = self._below(rise)
        skin = self._remap(x, np.where(self._y < (top + bottom) / 2, above, below))
        if closed > 0:
            # The lid rounds over the ball and catches light, however deep its strip lay in the brow's shadow.
            lid = np.clip((self._y - self._top + 1.5 * self._margin) / (1.5 * self._margin), 0, 1)
            lid = lid * np.clip((top - self._y) / 2 + 0.5, 0, 1) * (0.5 * _smooth(closed) * self._taper)
            skin += lid[..., None] * (self._lid - skin)
        ball = self._eyeball(x, weights, fall * (1 - closed) if wide or squint else None)
        shade = 1 - 0.35 * closed * np.exp(-np.maximum(self._y - top, 0) / (0.12 * self._width))
        inside = np.clip(0.5 + (self._y - top) / FEATHER, 0, 1) * np.clip(0.5 + (bottom - self._y) / FEATHER, 0, 1)
        inside = inside * np.clip((bottom - top) / FEATHER, 0, 1)
        mixed = skin + inside[..., None] * (ball * shade[..., None] - skin)
        if closed > 0:
            near = np.exp(-(((self._y - top) / (0.032 * self._width)) ** 2))
            lashes = 0.62 * _smooth(closed / 0.6) * self._taper * near
            mixed += lashes[..., None] * (np.minimum(self._lash_colour, mixed) - mixed)
        return np.clip(mixed + 0.5, 0, 255).astype(np.uint8)

    def _above(self, fall: Floats, closed: float) -> Floats:
        """Source rows of the upper lid's skin: rigid at the lashes, stretched in the strip above them.

        The further it closes, the more of the lashes' place is taken by skin from above them.
        """
        start = self._top - self._strip
        skipped = self._margin * _smooth(closed / 0.5) * self._ends
        lash = np.minimum(self._lash, 0.5 * self._strip) * (1 - _smooth(closed / 0.5))
        rigid = self._top - skipped - lash
        moved = self._top + fall - lash
        share = (self._y - start) / np.maximum(moved - start, 1e-3)
        stretched = start + share * (rigid - start)
        return np.where(self._y < start, self._y, np.where(self._y < moved, stretched, self._y - fall - skipped))

    def _below(self, rise: Floats) -> Floats:
        """Source rows of the lower lid's skin, pushed up."""
        strip = max(0.8 * self._tallest, 3.0)
        end = self._bottom + strip
        share = (end - self._y) / np.maximum(strip + rise, 1e-3)
        return np.where(self._y > end, self._y, end - share * strip)

    def _eyeball(self, x: Floats, weights: EyeWeights, fall: Floats | None) -> Floats:
        shift_x = 0.42 * self._radius * weights.look_x
        shift_y = 0.30 * self._radius * weights.look_y
        y = np.broadcast_to(self._y, x.shape)
        if fall is not None:  # an eye opened wide shows more of the ball: the part above its middle stretches
            middle = (self._top + self._bottom) / 2
            share = np.clip((middle - y) / np.maximum(middle - self._top, 1.0), 0, 1.5)
            y = y - np.minimum(fall, 0) * share
        return self._remap(x - shift_x * self._bump, y - shift_y * self._bump)

    def _remap(self, x: Floats, y: Floats) -> Floats:
        found = cv2.remap(
            self._frame,
            np.ascontiguousarray(x, np.float32),
            np.ascontiguousarray(y, np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return found.astype(np.float32)


def _curve(points: Floats, x: Floats) -> Floats:
    """A smooth y for each column through lid points ordered in x, level beyond the corners."""
    order = np.argsort(points[:, 0])
    dense = np.linspace(points[order[0], 0], points[order[-1], 0], 49)
    y = np.interp(dense, points[order, 0], points[order, 1])
    smooth = np.convolve(np.pad(y, 4, mode="edge"), np.array([1, 2, 3, 4, 5, 4, 3, 2, 1]) / 25, "valid")
    return np.interp(x, dense, smooth).astype(np.float32)


def _ends(x: Floats, start: float, stop: float) -> Floats:
    """1 within the eye, 0 beyond its corners, soft at them."""
    soft = 0.06 * (stop - start)
    return np.asarray(np.clip((x - start) / soft, 0, 1) * np.clip((stop - x) / soft, 0, 1), np.float32)


def _smooth(value: float) -> float:
    clipped = min(max(value, 0.0), 1.0)
    return clipped * clipped * (3 - 2 * clipped)
