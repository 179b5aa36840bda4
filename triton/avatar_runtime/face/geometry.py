"""A face in its 512x512 frame: the crop of the picture around it, and the axes that displacements are given in."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import FRAME_SIZE
from avatar_runtime.face.landmarks import Face, Floats

CROP_SHARE = 2.2  # side of the crop in heights of the face's box: keeps hair and shoulders
TIGHT_SHARE = 1.6  # the least of it
RAISE = 0.06  # of the crop's side: hair needs more room than shoulders
FACE_TOP, CHIN, CHEEK_RIGHT, CHEEK_LEFT = 10, 152, 234, 454
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Geometry:
    """Landmarks in pixels of the frame, and the face's own axes.

    points f32 [468, 3] (z away from the viewer); irises f32 [2, 5, 2]; right, down, forward: unit vectors f32 [3] of
    the head; height: forehead to chin in pixels; local f32 [468, 3]: the landmarks along those axes in face heights,
    from the middle of the face.
    """

    points: Floats
    irises: Floats
    right: Floats
    down: Floats
    forward: Floats
    height: float
    local: Floats

    @property
    def centre(self) -> Floats:
        return np.asarray(self.points[list(OVAL), :2].mean(0), np.float32)

    def project(self, displacement: Floats) -> Floats:
        """Displacements [..., 3] in face heights along the head's axes -> pixels of the frame [..., 2]."""
        axes = np.stack([self.right[:2], self.down[:2], self.forward[:2]])
        return np.asarray(displacement @ axes * self.height, np.float32)


def measure(points: Floats, irises: Floats) -> Geometry:
    """The axes of the head whose landmarks f32 [468, 3] these are."""
    right = _unit(_unit(points[CHEEK_LEFT] - points[CHEEK_RIGHT]) + _unit(points[263] - points[33]))
    down = points[CHIN] - points[FACE_TOP]
    height = float(np.linalg.norm(down))
    down = _unit(down - right * (down @ right))
    forward = -np.cross(right, down).astype(np.float32)
    local = (points - points[list(OVAL)].mean(0)) @ np.stack([right, down, forward]).T / height
    return Geometry(points, irises, right, down, forward, height, local.astype(np.float32))


def place(extent: tuple[int, int], face: Face) -> tuple[float, Floats]:
    """Where a face lies in its frame: point * scale + shift f32 [2], pixels of a picture `extent` (width, height)."""
    size = np.array(extent, np.float32)
    size_of_face = float(max(face.box[3] - face.box[1], face.width))
    # A picture cut close to the face is shown closer, and a little off the middle, rather than with a wide made-up rim.
    side = float(np.clip(size.min(), TIGHT_SHARE * size_of_face, CROP_SHARE * size_of_face))
    centre = (face.box[:2] + face.box[2:]) / 2 - np.array([0, RAISE * side], np.float32)
    wanted = np.where(size > side, np.clip(centre, side / 2, np.maximum(size - side / 2, side / 2)), size / 2)
    centre = (centre + np.clip(wanted - centre, -0.12 * side, 0.12 * side)).astype(np.float32)
    scale = FRAME_SIZE / side
    return scale, np.asarray(FRAME_SIZE / 2 - centre * scale, np.float32)


def crop(pixels: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.uint8], Geometry]:
    """The frame around a face, RGB uint8 [512, 512, 3], and the face in it.

    Where the picture ends, its edge goes on, blurred.
    """
    scale, shift = place((pixels.shape[1], pixels.shape[0]), face)
    shrunk = min(1.0, scale)
    source = (
        np.asarray(cv2.resize(pixels, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA), np.uint8)
        if shrunk < 1
        else pixels
    )
    # Pixel centres lie at half steps: x' = (x + 0.5) * scale - 0.5.
    rest = scale / shrunk
    matrix = np.array([[rest, 0, shift[0] + rest / 2 - 0.5], [0, rest, shift[1] + rest / 2 - 0.5]], np.float32)
    size = (FRAME_SIZE, FRAME_SIZE)
    flags = cv2.INTER_CUBIC if rest > 1.01 else cv2.INTER_LINEAR
    view = cv2.warpAffine(source, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.full(source.shape[:2], 255, np.uint8), matrix, size, borderMode=cv2.BORDER_CONSTANT)
    if inside.min() < 255:
        away = cv2.distanceTransform((inside < 128).astype(np.uint8), cv2.DIST_L2, 3)[..., None] / 40
        for sigma, full in ((5.0, 0.4), (16.0, 1.2)):
            blurred = cv2.GaussianBlur(view, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE).astype(np.float32)
            amount = np.clip(away / full, 0, 1)
            view = (view * (1 - amount) + blurred * amount).astype(np.uint8)
    points = face.landmarks * scale
    points[:, :2] += shift - 0.5
    return np.asarray(view, np.uint8), measure(points.astype(np.float32), face.irises * scale + shift - 0.5)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
