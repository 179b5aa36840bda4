"""From measures of a face to blend shapes: the weights, none below 0, that explain best what is measured.

What each shape does to the measures stands in the tables; `calibrate` measures it on what `render_meshwarp` draws, so a
weight of 1 is what `shapes` draws for 1, whatever a smile does to a cheek is not taken for another shape, and a
captured motion played back looks like what was captured. (Sides evened out, entries under 0.003 left out.)
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import CHANNEL, MOTION_SIZE
from avatar_runtime.face.landmarks import Floats
from avatar_runtime.face.measures import MEASURES, NAMES

#: Paired shapes: face heights at weight 1, of the measures of the same side.
SIDED: dict[str, dict[str, float]] = {
    "browDown": {"browInnerUp": -0.011, "browMiddleUp": -0.010, "browOuterUp": -0.003},
    "browOuterUp": {"browInnerUp": 0.003, "browMiddleUp": 0.018, "browOuterUp": 0.014},
    "mouthFrown": {"cornerUp": -0.022, "cornerOut": 0.003, "upperLipUp": -0.014, "lowerLipDown": 0.007},
    "mouthLowerDown": {"lowerLipDown": 0.012, "cornerUp": -0.005, "upperLipUp": -0.003, "gap": 0.003},
    "mouthSmile": {
        "cornerOut": 0.031, "cornerUp": 0.033, "upperLipUp": 0.020, "lowerLipDown": -0.007, "cheekUp": 0.012,
        "noseUp": 0.006,
    },
    "mouthStretch": {"cornerOut": 0.018, "cornerUp": -0.005, "lowerLipDown": 0.003},
    "mouthUpperUp": {"upperLipUp": 0.006, "noseUp": 0.003},
    "noseSneer": {"noseUp": 0.010, "upperLipUp": 0.003, "browInnerUp": -0.003},
}  # fmt: skip
#: Shapes of the whole face; a paired measure without its side means both.
WHOLE: dict[str, dict[str, float]] = {
    "browInnerUp": {"browInnerUp": 0.012, "browMiddleUp": 0.003},
    "jawLeft": {"chinLeft": 0.022, "mouthLeft": 0.011, "cornerOutRight": -0.003, "cornerOutLeft": 0.003},
    "jawRight": {"chinLeft": -0.022, "mouthLeft": -0.011, "cornerOutRight": 0.003, "cornerOutLeft": -0.003},
    "jawOpen": {
        "gap": 0.046, "chinDown": 0.090, "lowerLipDown": 0.073, "cornerOut": -0.005, "cornerUp": -0.023,
        "upperLipUp": -0.010,
    },
    "mouthFunnel": {"gap": 0.009, "cornerOut": -0.016, "cornerUp": -0.004, "lowerLipDown": 0.013},
    "mouthPucker": {"gap": 0.004, "cornerOut": -0.030, "lowerLipDown": 0.006},
    "mouthLeft": {"mouthLeft": 0.019, "cornerOutRight": -0.017, "cornerOutLeft": 0.016},
    "mouthRight": {"mouthLeft": -0.019, "cornerOutRight": 0.016, "cornerOutLeft": -0.017},
}  # fmt: skip
#: How much a measure is believed; the others 1.
BELIEF = {"gap": 0.6, "cheekUp": 0.5}
RIDGE = 4e-6  # face heights squared: between shapes that look alike, the smaller weights
NOTHING = 1e-7  # face heights squared: a slope of the fit that is not worth another shape
PRESENT = 0.04  # a weight below this is not seen: what is left is stretched to reach 1 again
SOFT = 0.8  # from here on a weight nears 1 ever more slowly, instead of stopping there


def _rows() -> tuple[tuple[str, ...], Floats]:
    """Names of the shapes, and their signatures f32 [shapes, measures]."""
    found = {}
    for name, signature in SIDED.items():
        for side in ("Left", "Right"):
            found[name + side] = {key if key in MEASURES else key + side: value for key, value in signature.items()}
    for name, signature in WHOLE.items():
        found[name] = {
            each: value
            for key, value in signature.items()
            for each in (key, f"{key}Right", f"{key}Left")
            if each in MEASURES
        }
    table = np.array([[signature.get(name, 0.0) for name in NAMES] for signature in found.values()], np.float32)
    return tuple(found), table


SHAPES, SIGNATURES = _rows()
_BELIEF = np.array([BELIEF.get(name.removesuffix("Left").removesuffix("Right"), 1.0) for name in NAMES], np.float32)
_WEIGHED = SIGNATURES * _BELIEF
_GRAM = (_WEIGHED @ _WEIGHED.T + RIDGE * np.eye(len(SHAPES))).astype(np.float64)
_CHANNELS = [CHANNEL[name] for name in SHAPES]
_CLOSE, _JAW = CHANNEL["mouthClose"], CHANNEL["jawOpen"]
_GAP, _GAP_OF_JAW = NAMES.index("gap"), WHOLE["jawOpen"]["gap"]


def solve(found: Floats) -> Floats:
    """Measures f32 [m] relative to rest -> motion f32 [58] with the shapes of SHAPES and `mouthClose`."""
    motion = np.zeros(MOTION_SIZE, np.float32)
    weights = _nonnegative(_GRAM, (_WEIGHED @ (found * _BELIEF)).astype(np.float64))
    motion[_CHANNELS] = _limited(np.maximum(weights - PRESENT, 0) / (1 - PRESENT))
    # A chin that falls while the lips stay shut: ARKit's `mouthClose` is the part of the jaw's opening they undo.
    if motion[_JAW] > 0.1:
        missing = motion[_JAW] - max(float(found[_GAP]), 0.0) / _GAP_OF_JAW
        motion[_CLOSE] = min(max(missing - 0.5 * motion[_JAW], 0.0) * 2, motion[_JAW])
    return motion


def _nonnegative(gram: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """The x >= 0 that minimises x' gram x / 2 - wanted' x (Lawson and Hanson 1974, on the normal equations)."""
    x = np.zeros(len(wanted))
    free = np.zeros(len(wanted), bool)
    for _ in range(3 * len(wanted)):
        slope = wanted - gram @ x
        slope[free] = -np.inf
        best = int(slope.argmax())
        if slope[best] <= NOTHING:
            break
        free[best] = True
        while True:
            trial = np.zeros_like(x)
            # OpenCV's, because NumPy's would wake BLAS's threads, which costs more than so small a system.
            trial[free] = cv2.solve(gram[np.ix_(free, free)], wanted[free], flags=cv2.DECOMP_CHOLESKY)[1][:, 0]
            if (trial[free] > 0).all():
                break
            falling = free & (trial <= 0)
            share = float((x[falling] / (x[falling] - trial[falling])).min())
            x = x + share * (trial - x)
            free &= x > 1e-12
        x = trial
    return x


def _limited(weights: Floats) -> Floats:
    above = np.maximum(weights - SOFT, 0)
    return np.minimum(weights, SOFT) + (1 - SOFT) * np.tanh(above / (1 - SOFT))
