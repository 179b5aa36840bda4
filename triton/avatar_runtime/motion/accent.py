"""Speech with the whole head: stressed syllables nod a little, some raise the brows.

Head and brow movements mark prosodic stress and come within about 100 ms of it (Munhall et al., "Visual prosody",
2004; Graf et al. 2002). Only some stresses get one: each sound has a number of its own that decides.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar_runtime.contracts import BLEND_SHAPES, CHANNEL, HEAD_POSE
from avatar_runtime.motion.coarticulation import Sounds

_HALF_WIDTH: Final = 0.26  # s, from the start of a nod to its lowest point
_DELAY: Final = 0.04  # s after the vowel's middle
_NOD: Final = 2.0  # degrees for a primary stress at full luck
_BROWS: Final = 0.24


def _bump(time: np.ndarray, at: np.ndarray, half: float) -> np.ndarray:
    return 0.5 + 0.5 * np.cos(np.pi * np.clip((time[:, None] - at) / half, -1.0, 1.0))


def accents(time: np.ndarray, said: Sounds) -> tuple[np.ndarray, np.ndarray]:
    """At the times [n] (s): blend shapes [n, 52] to add, and head pose [n, 6] to add."""
    shapes = np.zeros((len(time), len(BLEND_SHAPES)))
    pose = np.zeros((len(time), len(HEAD_POSE)))
    rows = said.stress > 0
    if not rows.any() or len(time) == 0:
        return shapes, pose
    luck, stress = said.luck[rows], said.stress[rows]
    bump = _bump(time, (said.start[rows] + said.end[rows]) / 2 + _DELAY, _HALF_WIDTH)
    # Tanh bounds what several close stresses add up to.
    nod = np.tanh(bump @ (stress * np.clip(luck * 1.6 - 0.6, 0.0, 1.0)))
    brows = np.tanh(bump @ (stress * (luck * 7.0 % 1.0 > 0.68) * (0.5 + 0.5 * luck)))
    pose[:, HEAD_POSE.index("headPitch")] = _NOD * nod
    pose[:, HEAD_POSE.index("headRoll")] = 0.5 * np.tanh(bump @ (stress * (luck * 3.0 % 1.0 - 0.5)))
    for name, share in (("browInnerUp", 1.0), ("browOuterUpLeft", 0.8), ("browOuterUpRight", 0.8), ("eyeWideLeft", 0.3),
                        ("eyeWideRight", 0.3)):  # fmt: skip
        shapes[:, CHANNEL[name]] = _BROWS * share * brows
    return shapes, pose
