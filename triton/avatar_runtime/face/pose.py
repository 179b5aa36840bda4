"""Small head movements as displacement fields: parallax by depth, falling off into hair and background."""

from __future__ import annotations

import cv2
import numpy as np

from avatar_runtime.contracts import CHANNEL, FRAME_SIZE, HEAD_POSE
from avatar_runtime.face.fields import PLACES, Interpolator, weighted
from avatar_runtime.face.geometry import OVAL, Geometry
from avatar_runtime.face.landmarks import Floats

#: Where each channel ends: degrees, degrees, degrees, face heights, face heights, relative.
LIMITS = {"headPitch": 6.0, "headYaw": 8.0, "headRoll": 8.0, "headX": 0.08, "headY": 0.08, "headScale": 0.08}
SKULL = 0.14  # face heights: how far the face's outline lies before the axis the head turns on


def limited(motion: Floats) -> Floats:
    """The six pose channels [6], softly bounded by LIMITS (half of one passes almost unchanged); scale as scale - 1."""
    found = np.empty(6, np.float32)
    for index, name in enumerate(HEAD_POSE):
        value = float(motion[CHANNEL[name]]) - (1.0 if name == "headScale" else 0.0)
        found[index] = LIMITS[name] * np.tanh(value / LIMITS[name])
    return found


class Pose:
    """The pose fields of one portrait."""

    def __init__(self, face: Geometry, interpolate: Interpolator) -> None:
        height, centre = face.height, face.centre
        pivot = np.array([centre[0], face.points[152, 1]], np.float32)
        away = (PLACES - centre) / height
        down = np.where(away[..., 1] > 0, away[..., 1] / 0.60, (away[..., 1] + 0.05) / 0.72)
        apart = np.sqrt((away[..., 0] / 0.60) ** 2 + down**2)
        head = _fall((apart - 0.95) / 0.80)
        line = np.minimum(PLACES, FRAME_SIZE - 1 - PLACES).min(-1)
        edge = _fall(1 - line / 64)  # nothing moves at the frame's border
        self._head = head * edge
        depth = self._depth(face, interpolate)
        x, y = (PLACES - pivot).transpose(2, 0, 1)
        zero, weight = np.zeros_like(x), self._head
        degree = np.pi / 180
        self._linear = np.stack(
            [
                _pair(zero, depth * weight * height * degree),  # pitch
                _pair(depth * weight * height * degree, zero),  # yaw
                _pair(zero, zero),  # roll is not linear: see `field`
                _pair(weight * height, zero),
                _pair(zero, weight * height),
                _pair(x * weight, y * weight),
            ]
        ).astype(np.float32)
        self._turn = _pair(-y * weight, x * weight).astype(np.float32)
        self._shrink = _pair(x * weight, y * weight).astype(np.float32)

    def _depth(self, face: Geometry, interpolate: Interpolator) -> Floats:
        """Face heights before the axis of the head: smooth, SKULL at the outline and in the hair."""
        behind = float(np.median(face.points[list(OVAL), 2]))
        depth = np.clip((behind - face.points[:, 2:]) / face.height, -0.05, 0.6).astype(np.float32)
        grid = cv2.GaussianBlur(interpolate(depth)[..., 0], (0, 0), max(0.035 * face.height / 4, 1.0))
        return np.asarray(SKULL + grid, np.float32)

    def field(self, pose: Floats) -> Floats:
        """The displacement f32 [130, 130, 2] of limited pose values [6]."""
        angle = np.deg2rad(float(pose[2]))
        found = weighted(self._linear, pose)
        if angle:
            found = found + np.float32(np.sin(angle)) * self._turn + np.float32(np.cos(angle) - 1) * self._shrink
        return np.asarray(found, np.float32)


def _pair(x: Floats, y: Floats) -> Floats:
    return np.stack([x, y], -1)


def _fall(value: Floats) -> Floats:
    """1 below 0, 0 above 1, smooth between."""
    clipped = np.clip(value, 0, 1)
    return np.asarray(1 - clipped * clipped * clipped * (10 - 15 * clipped + 6 * clipped * clipped), np.float32)
