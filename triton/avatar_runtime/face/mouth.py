"""The mouth: two warped layers that part on the line between the lips, and the interior in the gap."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import FRAME_SIZE
from avatar_runtime.face import fields
from avatar_runtime.face.geometry import Geometry
from avatar_runtime.face.interior import paint
from avatar_runtime.face.landmarks import Floats
from avatar_runtime.face.texture import Texture

UPPER_LINE = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)  # inner lips, the picture's left to right
LOWER_LINE = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
SAMPLES = 41  # points along each lip line
SHUT = 0.012  # face heights: lips nearer than this are closed, and part on one line
FEATHER = 1.3  # pixels: softness of the lips' edge
#: Exponents of shade for red, green, blue: light in a mouth has been through flesh.
RED_SHADOW = np.array([0.75, 1.12, 1.18], np.float32)


class Mouth:
    """One portrait's mouth. Patches are in pixels of the frame, aligned to the fields' grid."""

    def __init__(self, frame: NDArray[np.uint8], face: Geometry, texture: Texture) -> None:
        self._frame, self._texture = frame, texture
        height = face.height
        corners = face.points[[61, 291], :2]
        low = corners.min(0) - np.array([0.12, 0.16]) * height
        high = corners.max(0) + np.array([0.12, 0.44]) * height
        x0, y0 = (int(np.clip(v // 8 * 8, 0, FRAME_SIZE - 16)) for v in low)
        x1, y1 = (int(np.clip(-(-v // 8) * 8, 16, FRAME_SIZE)) for v in high)
        self.rows, self.columns = slice(y0, y1), slice(x0, x1)
        self.grid_rows, self.grid_columns = (slice(s.start // 4, s.stop // 4 + 2) for s in (self.rows, self.columns))
        self.upper, self.lower, self.gap = _lines(frame, face)
        # Where the lower layer can be seen, on the grid: from the lips' line down.
        line = int(face.points[[61, 13, 291], 1].min() / 4)
        self.seen = (slice(line, self.grid_rows.stop), self.grid_columns)
        self._x = np.arange(x0, x1, dtype=np.float32)
        self._y = np.arange(y0, y1, dtype=np.float32)[:, None]
        self._interior = paint(frame, face, x0, y0, y1 - y0, x1 - x0)
        self._height = height
        self._middle = np.stack([self.upper[SAMPLES // 2], self.lower[SAMPLES // 2]])
        self._crease = _crease(frame, self.upper, self._x)
        self._shade = 0.026 * height
        self.layer_mask = self._mask(face)

    def _mask(self, face: Geometry) -> Floats:
        """Where on the grid the lower layer differs from the upper: f32 [130, 130, 1], 0 beyond the corners."""
        right, left = face.points[61, :2], face.points[291, :2]
        axis = left - right
        along = ((fields.PLACES - right) @ axis) / (axis @ axis)
        down = (fields.PLACES - (right + left) / 2) @ face.down[:2] / face.height
        sideways = _smooth((along + 0.08) / 0.16) * _smooth((1.08 - along) / 0.16)
        return np.asarray((sideways * _smooth((0.34 - down) / 0.12))[..., None], np.float32)

    def draw(
        self, out: NDArray[np.uint8], upper: Floats, lower: Floats, pose: Floats, jaw: Floats, rounded: float
    ) -> None:
        """Paints the mouth into the warped frame `out`, whose upper layer is already there.

        upper, lower: the two layers' displacement fields; pose f32 [130, 130, 2]: the head's share of them;
        jaw f32 [2]: the jaw's own movement in pixels;
        rounded 0..1: lips pushed forward, which hides the teeth.
        """
        top, bottom = _joined(
            self.upper + fields.sample(upper, self.upper), self.lower + fields.sample(lower, self.lower), self._x
        )
        source = 2 * fields.inverse(lower, self.grid_rows, self.grid_columns)
        under = self._texture.sample(fields.enlarge(source))
        middle = (top + bottom) / 2
        top, bottom = np.minimum(top, middle), np.maximum(bottom, middle)
        # Above these rows there is only the upper layer, below them only the lower.
        first, last = (int(np.clip(v - self.rows.start, 0, len(under))) for v in (top.min() - 2, bottom.max() + 3))
        part = slice(first, last)
        over = out[self.rows, self.columns]
        over[last:] = under[last:]
        is_over = np.clip(0.5 + (top - self._y[part]) / FEATHER, 0, 1)[..., None]
        is_under = np.clip(0.5 + (self._y[part] - bottom) / FEATHER, 0, 1)[..., None]
        mixed = over[part] * is_over + under[part] * is_under
        between = np.clip(1 - is_over - is_under, 0, 1)
        if between.any():
            mixed += between * self._between(part, pose, jaw, rounded, top, bottom)
        over[part] = (mixed + 0.5).astype(np.uint8)

    def _between(self, part: slice, pose: Floats, jaw: Floats, rounded: float, top: Floats, bottom: Floats) -> Floats:
        """The interior's colours f32 [rows, columns, 3]."""
        ends = fields.sample(pose, self._middle)
        head = ends.mean(0)
        inside = self._interior
        cavity = _moved(inside.cavity, head, part)
        teeth, alpha = _moved(inside.teeth, head, part), _moved(inside.teeth_alpha, head, part)
        floor, floor_alpha = _moved(inside.jaw, head + jaw, part), _moved(inside.jaw_alpha, head + jaw, part)
        colours = cavity + floor_alpha * (floor - cavity)
        colours += (1 - 0.85 * rounded) * alpha * (teeth - colours)
        # Lips throw shadow: strong below the upper, weak above the lower.
        y = self._y[part]
        gap = np.maximum(bottom - top, 1e-3)
        shade = 0.45 + 0.55 * _smooth((y - top + 0.5) / self._shade)
        shade *= 0.75 + 0.25 * _smooth((bottom - y) / (0.5 * self._shade))
        shade *= 0.6 + 0.4 * _smooth(gap.max() / (1.6 * self._shade))  # a slit lets little light in
        colours *= shade[..., None] ** RED_SHADOW
        # Where the gap is narrow, towards the corners, it is the shadow between the lips rather than a hole.
        narrow = 1 - _smooth((gap - 1.0) / (0.022 * self._height))
        colours += 0.8 * narrow[None, :, None] * (self._crease - colours)
        if self.gap.max() > 0:
            # Lips open at rest: what the picture shows there stays, and gives way to the painted as they open further.
            source = self._stretched(part, top, bottom)
            wider = (gap.max() - self.gap.max()) / (0.025 * self._height)
            colours = source + _smooth(wider) * (colours - source)
        return np.asarray(colours, np.float32)

    def _stretched(self, part: slice, top: Floats, bottom: Floats) -> Floats:
        """The picture's own interior, stretched between the lips."""
        rest_top = _columns(self.upper, self._x)
        rest_bottom = _columns(self.lower, self._x)
        share = (self._y[part] - top) / np.maximum(bottom - top, 1e-3)
        share = np.where(bottom - top < 0.5, 0.5, np.clip(share, -0.5, 1.5))
        y = (rest_top + share * (rest_bottom - rest_top)).astype(np.float32)
        x = np.broadcast_to(self._x, y.shape).astype(np.float32)
        return cv2.remap(self._frame, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)


def _crease(frame: NDArray[np.uint8], line: Floats, x: Floats) -> Floats:
    """The colour of the shadow between the lips at each column, f32 [1, columns, 3]."""
    y = _columns(line, x)
    rows = np.stack([y - 1, y, y + 1])
    found = cv2.remap(frame, np.broadcast_to(x, rows.shape).astype(np.float32), rows, cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(found.astype(np.float32).min(0)[None], (0, 0), 5)
    return np.asarray(0.62 * soft, np.float32)


def _moved(layer: Floats, by: Floats, part: slice) -> Floats:
    """The rows `part` of a layer moved by `by` pixels."""
    matrix = np.array([[1, 0, by[0]], [0, 1, by[1] - part.start]], np.float32)
    size = (layer.shape[1], part.stop - part.start)
    moved = cv2.warpAffine(layer, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved.reshape(size[1], size[0], -1), np.float32)


def _columns(line: Floats, x: Floats) -> Floats:
    """The y of a polyline [n, 2] at each column, level beyond its ends."""
    return np.interp(x, np.maximum.accumulate(line[:, 0]), line[:, 1]).astype(np.float32)


def _joined(upper: Floats, lower: Floats, x: Floats) -> tuple[Floats, Floats]:
    """The y of both lip lines at each column, meeting at the corners of the mouth and one line beyond them."""
    middle = (upper + lower) / 2
    ends = np.clip(np.minimum(np.arange(SAMPLES), np.arange(SAMPLES)[::-1]) / 5, 0, 1)[:, None]
    ends = np.sqrt(ends * (2 - ends))
    return _columns(middle + ends * (upper - middle), x), _columns(middle + ends * (lower - middle), x)


def _lines(frame: NDArray[np.uint8], face: Geometry) -> tuple[Floats, Floats, Floats]:
    """Upper and lower lip line at rest f32 [SAMPLES, 2], left to right, and the gap between them [SAMPLES] pixels.

    Closed lips get one line, drawn to the darkest pixels nearby: landmarks miss it by a pixel or two.
    """
    upper, lower = face.points[list(UPPER_LINE), :2], face.points[list(LOWER_LINE), :2]
    x = np.linspace(upper[0, 0], upper[-1, 0], SAMPLES).astype(np.float32)
    top, bottom = (_smoothed(_columns(line, x)) for line in (upper, lower))
    if float((bottom - top).max()) > SHUT * face.height:
        gap = np.maximum(bottom - top, 0) * np.sin(np.linspace(0, np.pi, SAMPLES)) ** 0.25
        middle = (top + bottom) / 2
        top, bottom = middle - gap / 2, middle + gap / 2
    else:
        top = bottom = _darkest(frame, x, (top + bottom) / 2, face.height)
        gap = np.zeros(SAMPLES, np.float32)
    return np.stack([x, top], 1), np.stack([x, bottom], 1), gap.astype(np.float32)


def _darkest(frame: NDArray[np.uint8], x: Floats, y: Floats, height: float) -> Floats:
    """The line `y` drawn to the darkest row within 1.5 % of the face's height, smooth."""
    luma = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (0, 0), 1.0).astype(np.float32)
    reach = np.arange(-0.02 * height, 0.02 * height + 0.1, 0.5, dtype=np.float32)
    at_x, at_y = np.broadcast_to(x[:, None], (SAMPLES, len(reach))), y[:, None] + reach
    found = cv2.remap(luma, np.ascontiguousarray(at_x), np.ascontiguousarray(at_y, np.float32), cv2.INTER_LINEAR)
    found = found + 12 * (reach / (0.02 * height)) ** 2  # far from the landmarks it has to be darker
    # Dynamic programming: the darkest way from corner to corner that bends little.
    cost = found[0]
    ways = []
    bend = 3.0 * (reach[:, None] - reach[None]) ** 2
    for column in found[1:]:
        total = cost[None] + bend
        ways.append(total.argmin(1))
        cost = column + total.min(1)
    at = int(cost.argmin())
    picked = [at]
    for way in reversed(ways):
        at = int(way[at])
        picked.append(at)
    return _smoothed(y + reach[np.array(picked[::-1])])


def _smoothed(line: Floats) -> Floats:
    padded = np.pad(line, 3, mode="edge")
    return np.convolve(padded, np.array([1, 2, 3, 4, 3, 2, 1]) / 16, "valid").astype(np.float32)


def _smooth(value: Floats | float) -> Floats:
    clipped = np.clip(value, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), np.float32)
