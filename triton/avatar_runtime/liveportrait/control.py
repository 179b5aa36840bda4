"""Face motion to LivePortrait's keypoints: one table from blend shapes to expression, and the head's pose.

Lids and the jaw's opening are not here but in `opening`: the retargeting networks know better how far a given face's
lids and lips have to go. What stays is added to the portrait's own expression, so the motion of rest moves nothing.

Sides: of the eyes' keypoints 11 (upper lid and iris) and 13 (lower lid) belong to the eye at the picture's left, which
is the person's right; 15 and 16 to the other. Measured on the motion templates that the official repository publishes
(assets/examples/driving/d1, d2, d5, d7, d8.pkl, 633 frames): the y of 11 follows the left eye's opening with a
correlation of -0.92 (the right eye's: -0.81), that of 15 the right eye's with -0.91 (the left eye's: -0.78).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_runtime.contracts import BLEND_SHAPES, CHANNEL, HEAD_POSE
from avatar_runtime.liveportrait.graphs import KEYPOINTS
from avatar_runtime.liveportrait.keypoints import Floats, transform

X, Y, Z = 0, 1, 2  # right, down, into the picture
Row = tuple[int, int, float]

#: A published edit: what one unit of a slider adds to the expression, (keypoint, axis, amount). The functions
#: `update_delta_new_*` of KwaiVGI/LivePortrait src/gradio_pipeline.py; ranges from its app.py. The same numbers stand
#: in `calc_fe` of PowerHouseMan/ComfyUI-AdvancedLivePortrait, where they were found; its names and ranges in brackets.
SMILE: Final[tuple[Row, ...]] = (  # smile, -0.3..1.3
    (20, Y, -0.01), (14, Y, -0.02), (17, Y, 0.0065), (17, Z, 0.003),
)  # fmt: skip
SMILE_RIGHT: Final[tuple[Row, ...]] = ((13, Y, -0.00275), (3, Y, -0.0035))  # smile: lower lid and cheek
SMILE_LEFT: Final[tuple[Row, ...]] = ((16, Y, -0.00275), (7, Y, -0.0035))
PURSE: Final[tuple[Row, ...]] = (  # lip_variation_one, -20..15 [woo, -20..15]
    (14, Y, 0.001), (3, Y, -0.0005), (7, Y, -0.0005), (17, Z, -0.0005),
)  # fmt: skip
GRIN: Final[tuple[Row, ...]] = ((20, Z, -0.001), (20, Y, -0.001), (14, Y, -0.001))  # lip_variation_two, 0..15 [eee]
UPPER_LIP: Final[tuple[Row, ...]] = ((20, Z, -0.001), (20, Y, -0.001))  # the same without the corners
PART: Final[tuple[Row, ...]] = (  # lip_variation_three, -90..120 [aaa, -30..120]
    (19, Y, 0.001), (19, Z, 0.0001), (17, Y, -0.0001),
)  # fmt: skip
ASIDE: Final[tuple[Row, ...]] = ((19, X, 1.0),)  # lip_variation_zero, -0.09..0.09
FORWARD: Final[tuple[Row, ...]] = ((19, Z, -0.0001),)  # our own: the depth that `lip_variation_three` gives the jaw
WINK_RIGHT: Final[tuple[Row, ...]] = (  # wink, 0..39 [0..25]; closes the eye at the picture's left
    (11, Y, 0.001), (13, Y, -0.0003), (17, X, 0.0003), (17, Y, 0.0003), (3, Y, -0.0003),
)  # fmt: skip
WINK_LEFT: Final[tuple[Row, ...]] = (  # its mirror
    (15, Y, 0.001), (16, Y, -0.0003), (17, X, -0.0003), (17, Y, 0.0003), (7, Y, -0.0003),
)  # fmt: skip
BROWS_UP: Final[tuple[Row, ...]] = ((1, Y, 0.001), (2, Y, -0.001))  # eyebrow, 0..30 [0..15]
BROWS_DOWN: Final[tuple[Row, ...]] = (  # eyebrow, 0..-30 [0..-10]
    (1, X, 0.001), (2, X, -0.001), (1, Y, -0.0003), (2, Y, 0.0003),
)  # fmt: skip
#: eyeball_direction_x, -30..30 [pupil_x, -15..15]; the eye that looks outwards moves further.
OUT_RIGHT: Final[tuple[Row, ...]] = ((11, X, -0.001),)
IN_RIGHT: Final[tuple[Row, ...]] = ((11, X, 0.0007),)
OUT_LEFT: Final[tuple[Row, ...]] = ((15, X, 0.001),)
IN_LEFT: Final[tuple[Row, ...]] = ((15, X, -0.0007),)
#: eyeball_direction_y, -63..63 [pupil_y, -15..15], upwards, with the half blink that goes with it.
UP_RIGHT: Final[tuple[Row, ...]] = ((11, Y, -0.0005), (13, Y, -0.00015))
UP_LEFT: Final[tuple[Row, ...]] = ((15, Y, -0.0005), (16, Y, -0.00015))

#: Blend shape -> (edit, slider at weight 1). Two sides of a shape stand together within the slider's range.
TABLE: Final[dict[str, tuple[tuple[tuple[Row, ...], float], ...]]] = {
    # No published edit moves one brow alone, or its inner end: the shapes share one slider.
    "browDownLeft": ((BROWS_DOWN, 10.0),),
    "browDownRight": ((BROWS_DOWN, 10.0),),
    "browInnerUp": ((BROWS_UP, 8.0),),
    "browOuterUpLeft": ((BROWS_UP, 6.0),),
    "browOuterUpRight": ((BROWS_UP, 6.0),),
    "cheekSquintLeft": ((SMILE_LEFT, 1.0),),
    "cheekSquintRight": ((SMILE_RIGHT, 1.0),),
    "eyeLookDownLeft": ((UP_LEFT, -35.0),),
    "eyeLookDownRight": ((UP_RIGHT, -35.0),),
    "eyeLookUpLeft": ((UP_LEFT, 35.0),),
    "eyeLookUpRight": ((UP_RIGHT, 35.0),),
    "eyeLookInLeft": ((IN_LEFT, 20.0),),
    "eyeLookInRight": ((IN_RIGHT, 20.0),),
    "eyeLookOutLeft": ((OUT_LEFT, 20.0),),
    "eyeLookOutRight": ((OUT_RIGHT, 20.0),),
    "jawForward": ((FORWARD, 60.0),),
    "jawLeft": ((ASIDE, 0.03),),
    "jawRight": ((ASIDE, -0.03),),
    "mouthDimpleLeft": ((GRIN, 2.0),),
    "mouthDimpleRight": ((GRIN, 2.0),),
    # The corners go down as far as `lip_variation_one` lets them; the smile's own slider ends at -0.3.
    "mouthFrownLeft": ((SMILE, -0.3),),
    "mouthFrownRight": ((SMILE, -0.3),),
    "mouthFunnel": ((PURSE, 8.0), (PART, 20.0)),
    "mouthLeft": ((ASIDE, 0.05),),
    "mouthLowerDownLeft": ((PART, 12.0),),
    "mouthLowerDownRight": ((PART, 12.0),),
    "mouthPressLeft": ((PART, -8.0),),
    "mouthPressRight": ((PART, -8.0),),
    "mouthPucker": ((PURSE, 14.0),),
    "mouthRight": ((ASIDE, -0.05),),
    "mouthRollLower": ((PART, -15.0),),
    "mouthRollUpper": ((PART, -10.0),),
    "mouthShrugLower": ((PART, -15.0),),
    "mouthShrugUpper": ((UPPER_LIP, 3.0),),
    "mouthSmileLeft": ((SMILE, 0.5), (SMILE_LEFT, 1.0)),
    "mouthSmileRight": ((SMILE, 0.5), (SMILE_RIGHT, 1.0)),
    "mouthStretchLeft": ((GRIN, 6.0),),
    "mouthStretchRight": ((GRIN, 6.0),),
    "mouthUpperUpLeft": ((UPPER_LIP, 4.0),),
    "mouthUpperUpRight": ((UPPER_LIP, 4.0),),
    "noseSneerLeft": ((UPPER_LIP, 2.0), (SMILE_LEFT, 1.0)),
    "noseSneerRight": ((UPPER_LIP, 2.0), (SMILE_RIGHT, 1.0)),
}
#: What `opening` turns into ratios for the retargeting networks.
RETARGETED: Final = (
    "eyeBlinkLeft", "eyeBlinkRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawOpen",
    "mouthClose",
)  # fmt: skip
#: Not expressed: nothing published blows up a cheek, and no keypoint holds a tongue that the portrait does not show.
LEFT_OUT: Final = ("cheekPuff", "tongueOut")

#: Where each channel of the head ends: degrees, degrees, degrees, face heights, face heights, relative. Angles and
#: scale end where the official sliders do (relative pitch, yaw, roll; z-axis movement).
LIMITS: Final = {"headPitch": 15.0, "headYaw": 25.0, "headRoll": 15.0, "headX": 0.15, "headY": 0.15, "headScale": 0.15}


def _deltas() -> Floats:
    """f32 [52, 21 * 3]: what each blend shape adds to the expression at weight 1."""
    found = np.zeros((len(BLEND_SHAPES), KEYPOINTS, 3), np.float32)
    for name, edits in TABLE.items():
        for edit, slider in edits:
            for keypoint, axis, amount in edit:
                found[CHANNEL[name], keypoint, axis] += slider * amount
    return found.reshape(len(BLEND_SHAPES), -1)


DELTAS: Final = _deltas()
_LIMITS: Final = np.array([LIMITS[name] for name in HEAD_POSE], np.float32)
_REST: Final = np.array([1.0 if name == "headScale" else 0.0 for name in HEAD_POSE], np.float32)
#: Our pitch, yaw, roll in LivePortrait's signs. Its yaw > 0 turns to the picture's left: so says the matrix, where the
#: nose lies before the picture's plane (z < 0), and so does Ditto (antgroup/ditto-talkinghead, `_fix_gaze`), which
#: shares the keypoints and lets the eyes look to the right and up while yaw and pitch grow.
_SIGNS: Final = np.array([1.0, -1.0, 1.0], np.float32)


@dataclass(frozen=True, slots=True)
class Source:
    """What the `source` graph found in a portrait, and where its crop lies.

    canonical, expression, keypoints f32 [21, 3]; pose f32 [3] degrees; translation f32 [3]; scale; shift f32 [2, 2]
    turns a head's shift along the picture's axes, in face heights, into the crop's (see `framing.Framing.shift`).
    """

    canonical: Floats
    expression: Floats
    keypoints: Floats
    pose: Floats
    translation: Floats
    scale: float
    shift: Floats


def limited(motion: Floats) -> Floats:
    """motion [k, 58] -> head pose [k, 6], softly bounded by LIMITS; scale as scale - 1."""
    away = motion[:, len(BLEND_SHAPES) :] - _REST
    return np.asarray(_LIMITS * np.tanh(away / _LIMITS), np.float32)


def controlled(motion: Floats, source: Source, winks: Floats | None = None) -> Floats:
    """Face motion f32 [k, 58] on a portrait -> DRIVEN f32 [k, 21, 3], relative to the portrait's own face.

    winks f32 [k, 63]: what `opening.winks` adds to the expression.
    """
    head = limited(motion)
    added = motion[:, : len(BLEND_SHAPES)] @ DELTAS
    if winks is not None:
        added = added + winks
    translation = np.repeat(source.translation[None], len(motion), 0)
    translation[:, :2] += head[:, 3:5] @ source.shift.T
    return transform(
        source.canonical,
        source.pose + head[:, :3] * _SIGNS,
        source.expression + added.reshape(-1, KEYPOINTS, 3),
        translation,
        np.asarray(source.scale * (1 + head[:, 5]), np.float32),
    )
