"""A portrait that moves: face motion in, frames out, on one CPU core.

Blend shapes move landmarks (`shapes`); from them one displacement field per shape is made once per portrait
(`fields`); a frame is their weighted sum plus the head's pose (`pose`), inverted and applied with one remap. Eyes are
painted before it (`eyes`), the mouth after it (`mouth`).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import BLEND_SHAPES, CHANNEL, MAX_PUSH_FRAMES, MOTION_SIZE, AvatarError, Code
from avatar_runtime.face import fields
from avatar_runtime.face.eyes import Eye, EyeWeights
from avatar_runtime.face.geometry import Geometry, crop
from avatar_runtime.face.landmarks import Face, Floats
from avatar_runtime.face.mouth import Mouth
from avatar_runtime.face.pose import Pose, limited
from avatar_runtime.face.shapes import CORNERS, LOWER_LIP, UPPER_LIP, displacements, mouth_line
from avatar_runtime.face.texture import Texture

WARPED = (*(name for name in BLEND_SHAPES if not name.startswith("eye") and name != "tongueOut"), "lipsSeal")
JAW = [WARPED.index(name) for name in ("jawOpen", "jawLeft", "jawRight", "jawForward")]

ROUND = [WARPED.index(name) for name in ("mouthPucker", "mouthFunnel")]


def checked(motion: NDArray[np.float32]) -> Floats:
    """MOTION f32 [k, 58], finite; blend shapes are brought into 0..1. Raises `invalid_request`."""
    if motion.ndim != 2 or motion.shape[1] != MOTION_SIZE or not 1 <= motion.shape[0] <= MAX_PUSH_FRAMES:
        shape = f"[frames, {MOTION_SIZE}], at most {MAX_PUSH_FRAMES} frames"
        raise AvatarError(Code.INVALID_REQUEST, f"MOTION must have the shape {shape}.")
    if not np.isfinite(motion).all():
        raise AvatarError(Code.INVALID_REQUEST, "MOTION must be finite numbers.")
    motion = np.array(motion, np.float32)
    motion[:, : len(BLEND_SHAPES)] = np.clip(motion[:, : len(BLEND_SHAPES)], 0, 1)
    return motion


def rest() -> Floats:
    """The motion f32 [58] in which the portrait is as it was painted."""
    motion = np.zeros(MOTION_SIZE, np.float32)
    motion[CHANNEL["headScale"]] = 1
    return motion


def weights(motion: Floats) -> Floats:
    """Weights of WARPED for one frame of motion: what lips do together is sorted out here.

    `mouthClose` undoes the jaw's opening at the lips (as ARKit defines it), and what is left of it, like pressed or
    rolled lips, seals lips that are open at rest.
    """
    found = np.zeros(len(WARPED), np.float32)
    for index, name in enumerate(WARPED[:-1]):
        found[index] = motion[CHANNEL[name]]
    jaw, close = motion[CHANNEL["jawOpen"]], motion[CHANNEL["mouthClose"]]
    press = max(motion[CHANNEL["mouthPressLeft"]], motion[CHANNEL["mouthPressRight"]])
    roll = max(motion[CHANNEL["mouthRollLower"]], motion[CHANNEL["mouthRollUpper"]])
    found[WARPED.index("mouthClose")] = min(close, jaw)
    found[-1] = 1 - np.exp(-10 * (max(close - jaw, 0) + close + press + roll)) if close + press + roll > 0 else 0
    return found


class Portrait:
    """One portrait, ready to move."""

    def __init__(self, frame: NDArray[np.uint8], face: Geometry) -> None:
        """frame: RGB uint8 [512, 512, 3] with the face in it (see `geometry.crop`)."""
        self.frame = np.ascontiguousarray(frame)
        self.face = face
        self._eyes = (Eye(self.frame, face, 0), Eye(self.frame, face, 1))
        self._texture = Texture(self.frame)
        self.mouth = Mouth(self.frame, face, self._texture)
        everything = fields.Interpolator(face, [i for i in range(468) if i not in LOWER_LIP])
        self._pose = Pose(face, everything)
        below = mouth_line(face)[1] - 0.01
        lower = [
            i for i in range(468) if i not in UPPER_LIP and (i in LOWER_LIP or i in CORNERS or face.local[i, 1] > below)
        ]
        under = fields.Interpolator(face, lower)
        pairs = [displacements(name, face) for name in WARPED]
        flat = [np.concatenate([face.project(pair[layer]) for pair in pairs], 1) for layer in (0, 1)]
        shape = (fields.NODES, fields.NODES, len(WARPED), 2)
        upper = everything(flat[0]).reshape(shape).transpose(2, 0, 1, 3)
        lower_fields = under(flat[1]).reshape(shape).transpose(2, 0, 1, 3)
        lower_fields = upper + self.mouth.layer_mask * (lower_fields - upper)
        self._upper = np.ascontiguousarray(upper)
        self._lower = np.ascontiguousarray(lower_fields)
        chin = face.points[[17], :2]
        self._jaw = np.stack([fields.sample(self._lower[index], chin)[0] for index in JAW])

    def displacement(self, motion: Floats) -> tuple[Floats, Floats, Floats]:
        """For one frame of motion f32 [58]: fields f32 [130, 130, 2] of the upper layer, the lower, and the pose."""
        shapes = weights(motion)
        pose = self._pose.field(limited(motion))
        upper, lower = (fields.weighted(layer, shapes) + pose for layer in (self._upper, self._lower))
        share = fields.damping(upper, lower[self.mouth.seen])
        return (upper, lower, pose) if share == 1 else (upper * share, lower * share, pose * share)

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], face: Face) -> Portrait:
        """The portrait of a face in a picture, RGB uint8 [height, width, 3]."""
        return cls(*crop(pixels, face))

    def i420(self, motion: Floats) -> NDArray[np.uint8]:
        """Frames of motion f32 [k, 58] -> planar u8 [k, 768, 512]."""
        return np.stack([i420(self.render(row)) for row in motion])

    def rgb(self, motion: Floats) -> NDArray[np.uint8]:
        """Frames of motion f32 [k, 58] -> u8 [k, 512, 512, 3]."""
        return np.stack([self.render(row) for row in motion])

    def render(self, motion: Floats) -> NDArray[np.uint8]:
        """One frame of motion f32 [58] -> RGB uint8 [512, 512, 3]."""
        upper, lower, pose = self.displacement(motion)
        self._paint_eyes(motion)
        out = self._texture.sample(fields.enlarge(2 * fields.inverse(upper)))
        shapes = weights(motion)
        if shapes.any():
            rounded = min(1.0, float(shapes[ROUND].sum()))
            self.mouth.draw(out, upper, lower, pose, shapes[JAW] @ self._jaw, rounded)
        return np.asarray(out, np.uint8)

    def _paint_eyes(self, motion: Floats) -> None:
        """Brings eyelids and gaze as `motion` wants them into the texture."""
        self._texture.restore()
        for eye, side in zip(self._eyes, ("Right", "Left"), strict=True):
            wanted = _eye_weights(motion, side)
            if not wanted.rests:
                self._texture.paint(eye.painted(wanted), eye.rows, eye.columns)


def _eye_weights(motion: Floats, side: str) -> EyeWeights:
    """`side` is the person's; their right eye lies at the picture's left, and `in` is towards the nose."""

    def get(name: str) -> float:
        return float(motion[CHANNEL[name + side]])

    outwards = get("eyeLookOut") - get("eyeLookIn")
    cheek = 0.35 * get("cheekSquint") + 0.22 * get("mouthSmile")
    return EyeWeights(
        blink=get("eyeBlink"),
        squint=min(1.0, get("eyeSquint") + cheek),
        wide=get("eyeWide"),
        look_x=-outwards if side == "Right" else outwards,
        look_y=get("eyeLookDown") - get("eyeLookUp"),
    )


def i420(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB uint8 [512, 512, 3] -> planar I420 uint8 [768, 512], BT.601, limited range."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420), np.uint8)
