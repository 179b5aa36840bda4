"""The head's movement between two meshes of the same face: a rigid fit of the landmarks that no expression moves.

A mesh has x to the right, y down, z away from the viewer, all in one scale (weak perspective), so the fit is a
similarity: turn, scale and shift in closed form (Umeyama 1991, "Least-squares estimation of transformation
parameters between two point patterns").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatar_runtime.face.geometry import CHIN, OVAL
from avatar_runtime.face.landmarks import Floats

#: Forehead, temples, bridge and tip of the nose, corners of the eyes, cheekbones: bone close under the skin.
STABLE = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 109, 67, 103, 54, 21, 162, 127, 234, 93,
    168, 6, 197, 195, 5, 4, 1, 2, 33, 133, 362, 263, 116, 345,
)  # fmt: skip
AXIS_BEHIND = 0.14  # face heights behind the face's outline: where the head turns, at the chin's level (see `pose`)


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Degrees, face heights and relative size with the signs of contracts.HEAD_POSE."""

    pitch: float
    yaw: float
    roll: float
    x: float
    y: float
    scale: float


@dataclass(frozen=True, slots=True)
class Rigid:
    """points = scale * rotation @ reference + shift; rotation f32 [3, 3], shift f32 [3]."""

    scale: float
    rotation: Floats
    shift: Floats

    def undo(self, points: Floats) -> Floats:
        """Points [n, 3] brought back to where the reference is."""
        return np.asarray((points - self.shift) @ self.rotation / self.scale, np.float32)


def fit(reference: Floats, points: Floats) -> Rigid:
    """The similarity that brings `reference` f32 [n, 3] nearest to `points` f32 [n, 3]."""
    centre, target = reference.mean(0, np.float64), points.mean(0, np.float64)
    a, b = reference - centre, points - target
    u, sizes, v = np.linalg.svd(b.T @ a)
    proper = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(v))])  # never a mirror
    rotation = (u * proper) @ v
    scale = float((sizes * proper).sum() / (a**2).sum())
    return Rigid(scale, rotation.astype(np.float32), (target - scale * rotation @ centre).astype(np.float32))


def refine(reference: Floats, seen: Floats, guess: Rigid, belief: float = 1.0) -> Rigid:
    """The pose under which `reference` f32 [n, 3] is seen at f32 [n, 2] in weak perspective (POS, DeMenthon and Davis
    1995); `belief` 0..1 mixes it with the guess. Depth's shift is the guess's."""
    centre, middle = reference.mean(0, np.float64), seen.mean(0, np.float64)
    linear = np.linalg.lstsq(reference - centre, seen - middle, rcond=None)[0].T  # [2, 3], scaled rows of a rotation
    known = guess.scale * guess.rotation[:2].astype(np.float64)
    u, sizes, v = np.linalg.svd(belief * linear + (1 - belief) * known, full_matrices=False)
    rows, scale = u @ v, float(sizes.mean())
    rotation = np.concatenate([rows, np.cross(rows[0], rows[1])[None]])
    away = scale * rotation @ centre
    shift = np.array([*(middle - away[:2]), guess.shift[2]])
    return Rigid(scale, rotation.astype(np.float32), shift.astype(np.float32))


def angles(rotation: Floats) -> tuple[float, float, float]:
    """Pitch, yaw, roll in degrees of rotation = R_z(roll) R_y(-yaw) R_x(pitch)."""
    pitch = np.arctan2(rotation[2, 1], rotation[2, 2])
    yaw = np.arcsin(np.clip(rotation[2, 0], -1, 1))
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return float(np.rad2deg(pitch)), float(np.rad2deg(yaw)), float(np.rad2deg(roll))


def pivot(landmarks: Floats) -> Floats:
    """Where a head turns, f32 [3]: in the middle, at the chin's level, a little behind the face's outline."""
    outline = landmarks[list(OVAL)]
    height = float(np.linalg.norm(landmarks[CHIN] - landmarks[OVAL[0]]))
    behind = float(np.median(outline[:, 2])) + AXIS_BEHIND * height
    return np.array([outline[:, 0].mean(), landmarks[CHIN, 1], behind], np.float32)


def between(reference: Floats, landmarks: Floats) -> tuple[HeadPose, Rigid]:
    """How the head moved from one mesh f32 [468, 3] to another, and the fit itself."""
    found = fit(reference[list(STABLE)], landmarks[list(STABLE)])
    return described(reference, found), found


def described(reference: Floats, found: Rigid) -> HeadPose:
    """A fit in the contract's terms; `reference` f32 [468, 3] is the mesh at rest."""
    axis = pivot(reference)
    height = float(np.linalg.norm(reference[CHIN] - reference[OVAL[0]]))
    moved = (found.scale * found.rotation @ axis + found.shift - axis) / height
    return HeadPose(*angles(found.rotation), float(moved[0]), float(moved[1]), found.scale)
