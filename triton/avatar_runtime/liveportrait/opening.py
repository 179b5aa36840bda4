"""How far lids and lips shall be open: blend shapes to the ratios that the retargeting networks take."""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar_runtime.contracts import CHANNEL
from avatar_runtime.liveportrait.control import WINK_LEFT, WINK_RIGHT, Row
from avatar_runtime.liveportrait.graphs import KEYPOINTS
from avatar_runtime.liveportrait.keypoints import Floats

WIDEST: Final = 0.8  # where the official sliders of both ratios end
SQUINT: Final = 0.4  # share of an eye's opening that eyeSquint takes away
WIDE: Final = 0.35  # share that eyeWide adds
#: The lips' gap in widths of the mouth at jawOpen 1: speech opens up to about 8 % of the face's height (FACTS), which
#: a mouth of a quarter of that height shows as 0.3 at the 0.6 that speech reaches.
JAW: Final = 0.5
WINK: Final = 39.0  # the official slider's end: an eye that shuts alone
#: Shapes that seal lips which are open at rest, as in `face.meshwarp.weights`.
SEALS: Final = ("mouthPressLeft", "mouthPressRight", "mouthRollLower", "mouthRollUpper")


def _column(motion: Floats, name: str) -> Floats:
    return np.asarray(motion[:, CHANNEL[name]], np.float32)


def lids(motion: Floats) -> Floats:
    """motion [k, 58] -> [k, 2]: openings as shares of rest, 0 shut, 1 as painted; the picture's left eye first."""
    shares = []
    for side in ("Right", "Left"):  # the person's: their right eye lies at the picture's left
        blink = _column(motion, "eyeBlink" + side)
        squint, wide = _column(motion, "eyeSquint" + side), _column(motion, "eyeWide" + side)
        shares.append(np.clip((1 - blink) * (1 - SQUINT * squint + WIDE * wide), 0, 1 + WIDE))
    return np.stack(shares, -1)


def eyes(motion: Floats, measured: Floats) -> Floats:
    """motion [k, 58], measured [2] (`ratios.eyes`) -> EYES [k, 3]: what is, and what the wider eye shall have."""
    found = np.empty((len(motion), 3), np.float32)
    found[:, :2] = measured
    found[:, 2] = np.minimum(measured.mean() * lids(motion).max(-1), max(WIDEST, float(measured.mean())))
    return found


def lips(motion: Floats, measured: float) -> Floats:
    """motion [k, 58], measured (`ratios.lips`) -> LIPS [k, 2]: the gap that is, and the one that shall be."""
    jaw, close = _column(motion, "jawOpen"), _column(motion, "mouthClose")
    seal = np.maximum(close - jaw, 0) + np.max([_column(motion, name) for name in SEALS], 0)
    gap = JAW * np.maximum(jaw - close, 0) + measured * np.exp(-10 * seal)
    return np.stack([np.full(len(motion), measured, np.float32), np.minimum(gap, max(WIDEST, measured))], -1)


def _edit(rows: tuple[Row, ...]) -> Floats:
    found = np.zeros((KEYPOINTS, 3), np.float32)
    for keypoint, axis, amount in rows:
        found[keypoint, axis] += WINK * amount
    return found.reshape(-1)


_WINKS: Final = np.stack([_edit(WINK_RIGHT), _edit(WINK_LEFT)])  # [2, 63], the picture's left eye first


def winks(motion: Floats) -> Floats:
    """motion [k, 58] -> [k, 63] for the expression: what one eye closes more than the other."""
    shares = lids(motion)
    return np.asarray((shares.max(-1, keepdims=True) - shares) @ _WINKS, np.float32)
