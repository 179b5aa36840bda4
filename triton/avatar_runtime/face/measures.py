"""What a face's expression changes, as geometric measures of its pose-free landmarks, in face heights.

Every measure is a difference of mean coordinates, so it is linear in the landmarks and blend shapes add up in it. The
person's right comes first, as in `shapes.POINTS`; `out` is away from the middle, `up` towards the forehead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatar_runtime.face.landmarks import Floats

RIGHTWARDS, DOWN, FORWARD = 0, 1, 2  # axes of `Geometry.local`


@dataclass(frozen=True, slots=True)
class Measure:
    """sign * (mean of `at` - mean of `less`) along `axis`."""

    at: tuple[int, ...]
    axis: int
    sign: float = 1.0
    less: tuple[int, ...] = ()


MEASURES: dict[str, Measure] = {
    "gap": Measure((14, 87, 317), DOWN, less=(13, 82, 312)),
    "chinDown": Measure((152, 148, 377, 176, 400), DOWN),
    "chinLeft": Measure((152, 148, 377, 176, 400), RIGHTWARDS),
    "mouthLeft": Measure((0, 17, 37, 267, 84, 314), RIGHTWARDS),
    "cornerOutRight": Measure((61, 76), RIGHTWARDS, -1),
    "cornerOutLeft": Measure((291, 306), RIGHTWARDS),
    "cornerUpRight": Measure((61, 76), DOWN, -1),
    "cornerUpLeft": Measure((291, 306), DOWN, -1),
    "upperLipUpRight": Measure((37, 39, 40), DOWN, -1),
    "upperLipUpLeft": Measure((267, 269, 270), DOWN, -1),
    "lowerLipDownRight": Measure((84, 181, 91), DOWN),
    "lowerLipDownLeft": Measure((314, 405, 321), DOWN),
    "upperLipThin": Measure((0, 37, 267), DOWN, less=(13, 82, 312)),
    "lowerLipThin": Measure((14, 87, 317), DOWN, less=(17, 84, 314)),
    "cheekUpRight": Measure((50, 101, 205), DOWN, -1),
    "cheekUpLeft": Measure((280, 330, 425), DOWN, -1),
    "noseUpRight": Measure((129, 98, 64), DOWN, -1),
    "noseUpLeft": Measure((358, 327, 294), DOWN, -1),
    "browInnerUpRight": Measure((55, 107, 65), DOWN, -1),
    "browInnerUpLeft": Measure((285, 336, 295), DOWN, -1),
    "browMiddleUpRight": Measure((52, 105), DOWN, -1),
    "browMiddleUpLeft": Measure((282, 334), DOWN, -1),
    "browOuterUpRight": Measure((46, 70, 53, 63), DOWN, -1),
    "browOuterUpLeft": Measure((276, 300, 283, 293), DOWN, -1),
    "browInRight": Measure((55, 107), RIGHTWARDS),
    "browInLeft": Measure((285, 336), RIGHTWARDS, -1),
}
NAMES = tuple(MEASURES)


def _weights() -> Floats:
    """f32 [measures, 468 * 3]: every measure as a row."""
    rows = np.zeros((len(MEASURES), 468, 3), np.float32)
    for row, measure in zip(rows, MEASURES.values(), strict=True):
        row[list(measure.at), measure.axis] += measure.sign / len(measure.at)
        if measure.less:
            row[list(measure.less), measure.axis] -= measure.sign / len(measure.less)
    return rows.reshape(len(MEASURES), -1)


_WEIGHTS = _weights()


def measured(local: Floats) -> Floats:
    """Landmarks f32 [468, 3] along the head's axes in face heights -> f32 [measures]."""
    # Not a matrix product: BLAS would wake its threads for it.
    return np.asarray(np.einsum("mk,k->m", _WEIGHTS, local.reshape(-1)), np.float32)
