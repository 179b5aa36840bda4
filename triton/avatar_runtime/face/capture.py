"""The `capture` role: a driving video's frames in, face motion out.

The mesh gives the head's pose and the lips' gap, the skin's own movement (`skin`) everything finer; measures of both
become blend shapes (`expression`, `gaze`). All is relative to the first frame that shows a face.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import (
    BLEND_SHAPES,
    CHANNEL,
    HEAD_POSE,
    MAX_IMAGE_PIXELS,
    MOTION_RATE,
    MOTION_SIZE,
    AvatarError,
    Code,
)
from avatar_runtime.face import gaze, headpose
from avatar_runtime.face.expression import solve
from avatar_runtime.face.geometry import Geometry, measure
from avatar_runtime.face.landmarks import Face, FaceFinder, Floats
from avatar_runtime.face.measures import NAMES, measured
from avatar_runtime.face.meshwarp import rest
from avatar_runtime.face.skin import Skin
from avatar_runtime.face.smooth import OneEuro

SMALLEST = 32  # pixels: a picture narrower than this shows no face
LOOK_AGAIN = 3  # frames between two searches of the whole picture for a lost face
SETTLE = 3  # the mesh of the first frame, looked at again from its own square
TURN_TRUSTED, TURN_LOST = 12.0, 28.0  # degrees: the skin's movement is believed up to the first, not after the second
DEPTH_DOUBT = 0.045  # face heights: how well depth is known. Turning by an angle moves the skin by its sine times this
MESH_SHYNESS = 2.0  # how much more the skin moves than the mesh says

#: One Euro filters: cutoff in Hz at rest, beta in Hz per unit a second.
_POSE_CUTOFF, _POSE_BETA = (1.5, 1.5, 1.5, 1.5, 1.5, 1.5), (0.1, 0.1, 0.1, 15.0, 15.0, 15.0)
_SHAPE_CUTOFF, _SHAPE_BETA = 3.0, 2.0
_LID_CUTOFF, _LID_BETA = 6.0, 4.0

_GAP = NAMES.index("gap")
_JAW = [NAMES.index(name) for name in ("chinDown", "lowerLipDownRight", "lowerLipDownLeft")]


@dataclass(slots=True)
class _First:
    """What everything is relative to."""

    face: Face
    geometry: Geometry
    skin: Skin
    eyes: tuple[gaze.EyeRest, gaze.EyeRest]
    jaw: Floats  # measures, of which the jaw's follow to where the lips are shut


class Capture:
    """One sequence: a face followed from frame to frame."""

    def __init__(self, finder: FaceFinder) -> None:
        cv2.setNumThreads(1)
        self._finder = finder
        self._size: tuple[int, ...] = ()
        self._face: Face | None = None
        self._first: _First | None = None
        self._lost = 0  # frames since the face was seen
        self._motion = rest()
        self._smooth = _filter()

    def push(self, frame: NDArray[np.uint8]) -> tuple[Floats, float]:
        """RGB uint8 [h, w, 3] -> motion f32 [58] and the face's score, 0 without one. Raises `invalid_image`."""
        self._check(frame)
        frame = np.ascontiguousarray(frame)
        face = self._follow(frame)
        if face is None:
            return self._motion.copy(), 0.0
        if self._first is None:
            self._first = self._begin(frame, face)
        self._motion = self._smooth(self.raw(frame, face))
        self._motion[: len(BLEND_SHAPES)] = np.clip(self._motion[: len(BLEND_SHAPES)], 0, 1)
        return self._motion.copy(), face.score

    def hold(self) -> Floats:
        """The motion f32 [58] of the last frame."""
        return self._motion.copy()

    def _check(self, frame: NDArray[np.uint8]) -> None:
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or not frame.size:
            raise AvatarError(Code.INVALID_IMAGE, "IMAGE must be RGB bytes of the shape [height, width, 3].")
        if frame.shape[0] * frame.shape[1] > MAX_IMAGE_PIXELS:
            raise AvatarError(
                Code.INVALID_IMAGE, f"A frame may have at most {MAX_IMAGE_PIXELS // 10**6} megapixels; send it smaller."
            )
        if self._size and frame.shape != self._size:
            raise AvatarError(Code.INVALID_IMAGE, "All frames of a sequence must have one size.")
        self._size = frame.shape

    def _follow(self, frame: NDArray[np.uint8]) -> Face | None:
        """The face where it just was, or else anywhere."""
        if min(frame.shape[:2]) < SMALLEST:
            return None
        face = self._finder.track(frame, self._face) if self._face is not None else None
        if face is None:
            if self._lost % LOOK_AGAIN == 0:
                face = next(iter(self._finder.find(frame)), None)
            self._lost = 0 if face is not None else self._lost + 1
        self._face = face
        return face

    def _begin(self, frame: NDArray[np.uint8], face: Face) -> _First:
        for _ in range(SETTLE):
            face = self._finder.track(frame, face) or face
        self._face = face
        geometry = measure(face.landmarks, face.irises)
        return _First(
            face, geometry, Skin(frame, geometry), gaze.rest(face, geometry.height), np.zeros(len(NAMES), np.float32)
        )

    def raw(self, frame: NDArray[np.uint8], face: Face) -> Floats:
        """The motion f32 [58] of a frame, not smoothed."""
        pose, found, moved = self.measures(frame, face)
        motion = solve(found) + gaze.eyes(face, self._known.eyes, moved, _doubt(pose))
        motion[-len(HEAD_POSE) :] = (pose.pitch, pose.yaw, pose.roll, pose.x, pose.y, pose.scale)
        return motion

    @property
    def _known(self) -> _First:
        assert self._first is not None
        return self._first

    def measures(self, frame: NDArray[np.uint8], face: Face) -> tuple[headpose.HeadPose, Floats, Floats]:
        """Head pose, measures f32 [m] relative to rest, and the skin's movement f32 [478, 2]."""
        first = self._known
        pose, head = headpose.between(first.face.landmarks, face.landmarks)
        geometry = first.geometry
        axes = np.stack([geometry.right, geometry.down, geometry.forward])
        mesh = (head.undo(face.landmarks) - first.face.landmarks) @ axes.T / geometry.height
        turn = max(abs(pose.pitch), abs(pose.yaw))
        trust = float(np.clip((TURN_LOST - turn) / (TURN_LOST - TURN_TRUSTED), 0, 1))
        moved = np.zeros((478, 2), np.float32)
        if trust > 0:
            moved, head = first.skin.moved(frame, head, trust)
            pose = headpose.described(first.face.landmarks, head)
        skin = np.concatenate([moved[:468], np.zeros((468, 1), np.float32)], 1)
        by_mesh = measured(mesh.astype(np.float32))
        found = trust * measured(skin) + (1 - trust) * MESH_SHYNESS * by_mesh
        found[_GAP] = by_mesh[_GAP]
        # Lips that shut further than in the first frame were not at rest there.
        if found[_GAP] < first.jaw[_GAP]:
            first.jaw[[_GAP, *_JAW]] += gaze.FOLLOW * (found - first.jaw)[[_GAP, *_JAW]]
        found = found - first.jaw
        found = np.sign(found) * np.maximum(np.abs(found) - _doubt(pose), 0)
        return pose, found.astype(np.float32), moved * trust


def _doubt(pose: headpose.HeadPose) -> float:
    """Face heights by which a turned head's skin may seem to have moved of itself."""
    return float(DEPTH_DOUBT * np.sin(np.deg2rad(max(abs(pose.pitch), abs(pose.yaw)))))


def _filter() -> OneEuro:
    cutoff = np.full(MOTION_SIZE, _SHAPE_CUTOFF, np.float32)
    beta = np.full(MOTION_SIZE, _SHAPE_BETA, np.float32)
    lids = [index for name, index in CHANNEL.items() if name.startswith(("eyeBlink", "eyeWide", "eyeSquint"))]
    cutoff[lids], beta[lids] = _LID_CUTOFF, _LID_BETA
    cutoff[-6:], beta[-6:] = _POSE_CUTOFF, _POSE_BETA
    return OneEuro(MOTION_RATE, cutoff, beta)
