"""Displacement fields on a coarse grid: from landmarks to grid, sums of weighted shapes, and their inverse.

A field says for each node, a place of the portrait at rest, how far it moves: f32 [130, 130, 2] pixels. The nodes lie
every 4 pixels, one beyond the frame on each side, so that enlarging needs no guess at the borders.
"""

from __future__ import annotations

import cv2
import numpy as np

from avatar_runtime.contracts import FRAME_SIZE
from avatar_runtime.face.geometry import OVAL, Geometry
from avatar_runtime.face.landmarks import Floats

STEP = 4  # pixels from node to node
NODES = FRAME_SIZE // STEP + 2
REACH = 0.6  # face heights: radius of the interpolating kernel
STEEPEST = 0.85  # the largest stretch |gradient of d|; below 1, x + d(x) cannot fold and its inverse converges
INVERSIONS = 7  # at most: less steep fields need fewer
CLOSE = 0.03  # pixels: as near as an inverse has to come
SMOOTHING = 1.3  # nodes: evens out where landmarks crowd, as on the far side of a turned face


def node_places() -> Floats:
    """Pixel positions of the nodes f32 [130, 130, 2] (x, y)."""
    line = (np.arange(NODES, dtype=np.float32) - 1) * STEP + (STEP - 1) / 2
    return np.stack(np.meshgrid(line, line), -1)


PLACES = node_places()


class Interpolator:
    """Values at some of the landmarks -> the whole grid, smooth, and zero outside the face's surroundings.

    Wendland's C2 kernel (1 - r)^4 (4 r + 1), with a ring of zeros around the face's outline.
    """

    def __init__(self, face: Geometry, chosen: list[int], ring: bool = True) -> None:
        self._chosen = chosen
        oval = face.points[list(OVAL), :2]
        rings = [face.centre + (oval - face.centre) * share for share in ((1.45, 1.8) if ring else ())]
        places = np.concatenate([face.points[chosen, :2], *rings])
        self._zeros = len(places) - len(chosen)
        reach = REACH * face.height
        kernel = _wendland(places, places, reach)
        kernel[np.diag_indices(len(places))] += 0.004  # landmarks that lie on one another must not fight
        self._solve = np.linalg.inv(kernel)
        self._spread = _wendland(PLACES.reshape(-1, 2), places, reach).astype(np.float32)

    def __call__(self, values: Floats) -> Floats:
        """[468, c] -> [130, 130, c]."""
        known = np.concatenate([values[self._chosen], np.zeros((self._zeros, values.shape[1]))])
        grid = self._spread @ (self._solve @ known).astype(np.float32)
        grid = grid.reshape(NODES, NODES, -1)
        for channel in range(grid.shape[2]):
            grid[..., channel] = cv2.GaussianBlur(np.ascontiguousarray(grid[..., channel]), (0, 0), SMOOTHING)
        return np.asarray(grid, np.float32)


def _wendland(left: Floats, right: Floats, reach: float) -> Floats:
    squares = (left**2).sum(1)[:, None] + (right**2).sum(1)[None] - 2 * left @ right.T
    distance = np.minimum(np.sqrt(np.maximum(squares, 0)) / reach, 1)
    return np.asarray((1 - distance) ** 4 * (4 * distance + 1), np.float64 if len(left) == len(right) else np.float32)


def weighted(layers: Floats, amounts: Floats) -> Floats:
    """The sum of fields [n, 130, 130, 2] times `amounts` [n]; a matrix product would wake BLAS's threads for it."""
    total = np.zeros(layers.shape[1:], np.float32)
    for index in np.flatnonzero(amounts):
        total = cv2.scaleAdd(layers[index], float(amounts[index]), total)
    return total


def steepness(field: Floats) -> float:
    """The largest operator norm of the field's gradient over the grid (looked at every other node)."""
    coarse = field[::2, ::2]
    along_x = (coarse[:-1, 1:] - coarse[:-1, :-1]) / (2 * STEP)
    along_y = (coarse[1:, :-1] - coarse[:-1, :-1]) / (2 * STEP)
    a, c = along_x[..., 0], along_x[..., 1]
    b, d = along_y[..., 0], along_y[..., 1]
    # Largest singular value of [[a, b], [c, d]].
    together = a * a + b * b + c * c + d * d
    determinant = a * d - b * c
    return float(np.sqrt(((together + np.sqrt(np.maximum(together**2 - 4 * determinant**2, 0))) / 2).max()))


def damping(*layers: Floats) -> np.float32:
    """What to scale all of these fields by, so that none of them folds anywhere: 1 in ordinary motion."""
    steepest = max(steepness(field) for field in layers)
    return np.float32(min(1.0, STEEPEST / max(steepest, 1e-6)))


def sample(field: Floats, places: Floats) -> Floats:
    """The field at pixel positions [..., 2]."""
    at = (places - (STEP - 1) / 2) / STEP + 1
    shape = at.shape
    at = np.ascontiguousarray(at.reshape(1, -1, 2), np.float32)
    found = cv2.remap(field, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(shape), np.float32)


def inverse(field: Floats, rows: slice = slice(None), columns: slice = slice(None)) -> Floats:
    """Where each node's pixel comes from: s with s + d(s) = p, for a part of the grid. Fixed point of s = p - d(s)."""
    target = PLACES[rows, columns]
    scaled = field * np.float32(1 / STEP)
    wanted = (target - (STEP - 1) / 2) / STEP + 1
    at = wanted - scaled[rows, columns]
    for _ in range(_rounds(field)):
        at = wanted - cv2.remap(scaled, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray((at - 1) * STEP + (STEP - 1) / 2, np.float32)


def _rounds(field: Floats) -> int:
    """How often the fixed point's step has to be taken: each is nearer by the factor of the field's stretch."""
    stretch, reach = steepness(field), float(np.abs(field).max())
    rounds = 0
    while rounds < INVERSIONS and reach * stretch ** (rounds + 1) > CLOSE:
        rounds += 1
    return rounds


def enlarge(grid: Floats) -> Floats:
    """A grid of m x n nodes -> pixels f32 [(m - 2) * 4, (n - 2) * 4, 2]: all but the outermost nodes' cells."""
    height, width = grid.shape[:2]
    full = cv2.resize(grid, (width * STEP, height * STEP), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full[STEP:-STEP, STEP:-STEP], np.float32)
