"""How far eyes and lips are open: the ratios that LivePortrait's retargeting networks are driven with.

The official `utils.retargeting_utils` measures them on 203 landmarks. MediaPipe's 468 points at the same places:

    eye at the picture's left    lids 6, 18 -> 159, 145      corners 0, 12 -> 33, 133
    eye at the picture's right   lids 30, 42 -> 386, 374     corners 24, 36 -> 362, 263
    lips                         inner 90, 102 -> 13, 14     corners 48, 66 -> 61, 291

That "left" is the picture's left follows from `utils.crop`, where the way from the left eye to the right one, turned
by 90 degrees, has to point down the face.
"""

from __future__ import annotations

import numpy as np

from avatar_runtime.liveportrait.keypoints import Floats

#: upper, lower, corner, corner
EYES = ((159, 145, 33, 133), (386, 374, 362, 263))  # at the picture's left, at its right
LIPS = (13, 14, 61, 291)


def _opening(points: Floats, upper: int, lower: int, first: int, second: int) -> float:
    """The distance of two points as a share of the distance of two others."""
    width = float(np.linalg.norm(points[first] - points[second]))
    return float(np.linalg.norm(points[upper] - points[lower])) / (width + 1e-6)


def eyes(landmarks: Floats) -> Floats:
    """landmarks [468, 2 or more] -> f32 [2]: the eyes' openings in widths of the eye, the picture's left first."""
    return np.array([_opening(landmarks[:, :2], *eye) for eye in EYES], np.float32)


def lips(landmarks: Floats) -> float:
    """landmarks [468, 2 or more] -> the gap between the lips in widths of the mouth."""
    return _opening(landmarks[:, :2], *LIPS)
