"""Eyelids and gaze: openings from the iris network's contours, finer movements and gaze from the skin's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatar_runtime.contracts import CHANNEL, MOTION_SIZE
from avatar_runtime.face.landmarks import Face, Floats

CORNERS = ((33, 133), (362, 263))  # first the eye at the picture's left, the person's right
UPPER = ((160, 159, 158), (385, 386, 387))
LOWER = ((144, 145, 153), (380, 374, 373))
BROW = ((52, 105), (282, 334))
FOLD = ((27, 28, 29), (257, 258, 259))  # the upper lid's skin
POUCH = ((22, 23, 24), (252, 253, 254))  # below the lower lid
IRISES = ((468, 469, 470, 471, 472), (473, 474, 475, 476, 477))  # rows of `Skin.moved`
SIDES = ("Right", "Left")

#: What weight 1 does, in openings of the eye at rest (gaze: in radii of the iris): measured on faces that
#: `render_meshwarp` drew. A contour shows less than the whole of a blink.
BLINK_CLOSES = 0.60
BLINK_IGNORES = 0.05  # of the opening: the contour trembles
WIDE_RAISES = 0.06
SQUINT_RAISES = 0.12
LOOK_X, LOOK_Y = 0.20, 0.14
LOOK_LIFTS_LID = 0.05  # looking up takes the lid along
BROW_LIFTS_LID = 0.2  # and so does a brow, by this share of its way
REOPENS = 1.3  # an eye this much wider than at rest was not at rest then
FOLLOW = 0.3  # of the way, a frame


@dataclass(slots=True)
class EyeRest:
    """One eye in the first frame: opening in eye widths, and in face heights; the iris's radius in face heights."""

    opening: float
    height: float
    radius: float


def opening(face: Face, side: int) -> float:
    """How far an eye is open, in eye widths."""
    points = face.landmarks[:, :2]
    upper, lower = points[list(UPPER[side])].mean(0), points[list(LOWER[side])].mean(0)
    return float(np.linalg.norm(lower - upper) / np.linalg.norm(np.subtract(*points[list(CORNERS[side])])))


def rest(face: Face, height: float) -> tuple[EyeRest, EyeRest]:
    """Both eyes of a first frame; `height` of the face in its pixels."""
    found = []
    for side in (0, 1):
        width = float(np.linalg.norm(np.subtract(*face.landmarks[list(CORNERS[side]), :2])))
        rim = face.irises[side]
        radius = float(np.linalg.norm(rim[1:] - rim[0], axis=1).mean())
        found.append(EyeRest(opening(face, side), opening(face, side) * width / height, radius / height))
    return found[0], found[1]


def eyes(face: Face, at_rest: tuple[EyeRest, EyeRest], moved: Floats, doubt: float = 0.0) -> Floats:
    """Weights of the eyes' blend shapes in a motion f32 [58], the rest 0.

    moved: `Skin.moved`; doubt: face heights that lids may seem to have moved for the head's turn. An eye that opens far
    beyond its rest was half shut in the first frame: its rest follows.
    """
    out = np.zeros(MOTION_SIZE, np.float32)
    looks = []
    shut = []
    for side, name in enumerate(SIDES):
        eye = at_rest[side]
        now = opening(face, side)
        if now > REOPENS * eye.opening:
            grown = 1 + FOLLOW * (now / eye.opening - 1)
            eye.opening, eye.height = eye.opening * grown, eye.height * grown
        closed = (1 - now / eye.opening - BLINK_IGNORES) / (BLINK_CLOSES - BLINK_IGNORES)
        closed = min(max(closed, 0.0), 1.0)
        shut.append(closed)
        out[CHANNEL[f"eyeBlink{name}"]] = closed
        corners = moved[list(CORNERS[side])].mean(0)
        pouch = (float(corners[1] - moved[list(POUCH[side]), 1].mean()) - doubt) / eye.height
        out[CHANNEL[f"eyeSquint{name}"]] = min(max(pouch / SQUINT_RAISES, 0.0), 1.0) * (1 - closed)
        looks.append((moved[list(IRISES[side])].mean(0) - corners) / eye.radius)
    # Both eyes look at one thing: what they share is gaze, the rest is noise. Shut ones are not asked.
    x, y = np.mean(looks, 0) / (LOOK_X, LOOK_Y) * max(1 - 1.6 * max(shut), 0.0)
    for side, name in enumerate(SIDES):
        still = float(moved[list(CORNERS[side]), 1].mean())
        fold, brow = (still - float(moved[list(part[side]), 1].mean()) for part in (FOLD, BROW))
        raised = (fold - doubt - BROW_LIFTS_LID * max(brow, 0)) / at_rest[side].height
        raised -= LOOK_LIFTS_LID * max(-float(y), 0.0)
        out[CHANNEL[f"eyeWide{name}"]] = min(max(raised / WIDE_RAISES, 0.0), 1.0) * (1 - shut[side])
        outwards = -x if name == "Right" else x
        for look, value in (("Out", outwards), ("In", -outwards), ("Down", y), ("Up", -y)):
            out[CHANNEL[f"eyeLook{look}{name}"]] = min(max(float(value), 0.0), 1.0)
    return out
