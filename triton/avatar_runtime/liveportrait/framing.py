"""Pictures around the networks: the crop they see, the view that is shown, and the way back from one to the other.

The crop follows the official `utils.crop` (scale 2.3, raised by 0.125, turned so that the face stands upright). The
view is what `face.geometry.crop` shows for every renderer, so that changing the renderer moves nothing.
Coordinates here are continuous: the centre of pixel i lies at i + 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import FRAME_SIZE
from avatar_runtime.face.geometry import CHIN, FACE_TOP, OVAL, place
from avatar_runtime.face.landmarks import Face
from avatar_runtime.liveportrait.graphs import CROP_SIZE
from avatar_runtime.liveportrait.keypoints import Floats

Bytes = NDArray[np.uint8]

SCALE: Final = 2.3  # crop sides per side of the face's square, `CropConfig.scale`
RAISE: Final = 0.125  # of the crop's side towards the forehead, `CropConfig.vy_ratio`
#: The official crop measures a face on InsightFace's 106 points: the jaw from ear to ear, and the brows above.
BROWS: Final = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 336, 296, 334, 293, 300, 276, 283, 282, 295, 285)
MEASURED: Final = (*OVAL[7:30], *BROWS)
#: What tells up from down: the middle of the eyes (corners and lids) to the middle of the mouth's corners.
EYES: Final = (33, 159, 133, 145, 362, 386, 263, 374)
MOUTH: Final = (61, 291)


@dataclass(frozen=True, slots=True)
class Framing:
    """Affine maps f32 [2, 3] of continuous coordinates, with 512x512 pixels at the far end.

    crop: picture -> crop; view: picture -> view; shift [2, 2]: a head's shift along the picture's axes in face heights
    -> in keypoint units, of which the crop is two wide.
    """

    crop: Floats
    view: Floats
    shift: Floats

    @property
    def back(self) -> Floats:
        """View -> crop, f32 [2, 3]."""
        return _after(self.crop, cv2.invertAffineTransform(self.view).astype(np.float32))


def frame(extent: tuple[int, int], face: Face) -> Framing:
    """How crop and view lie in a picture `extent` (width, height) with this face in it."""
    points = face.landmarks[:, :2].astype(np.float64)
    down = points[list(MOUTH)].mean(0) - points[list(EYES)].mean(0)
    down /= np.linalg.norm(down)
    axes = np.array([[down[1], -down[0]], down])  # rows: the face's right, the face's down
    along = points[list(MEASURED)] @ axes.T
    low, high = along.min(0), along.max(0)
    side = SCALE * float((high - low).max())
    centre = (low + high) / 2 - np.array([0, RAISE * side])
    turn = axes * FRAME_SIZE / side
    crop = np.concatenate([turn, FRAME_SIZE / 2 - centre[:, None] * FRAME_SIZE / side], 1)
    scale, offset = place(extent, face)
    view = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
    height = float(np.linalg.norm(points[CHIN] - points[FACE_TOP]))
    return Framing(crop.astype(np.float32), view.astype(np.float32), (2 * height / side * axes).astype(np.float32))


def _after(second: Floats, first: Floats) -> Floats:
    """The affine map that does `first` and then `second`."""
    return np.asarray(np.vstack([second, [0, 0, 1]]) @ np.vstack([first, [0, 0, 1]]), np.float32)[:2]


def _indices(matrix: Floats) -> Floats:
    """The same map for pixel indices, whose centres lie at whole numbers."""
    half = np.array([0.5, 0.5], np.float32)
    found = matrix.copy()
    found[:, 2] += matrix[:, :2] @ half - half
    return found


def cut(pixels: Bytes, framing: Framing, view: Bytes) -> Bytes:
    """The crop that the networks see: RGB u8 [height, width, 3] -> [256, 256, 3].

    Averages while it shrinks. Beyond the picture's edge lies what the view u8 [512, 512, 3] shows there.
    """
    matrix = framing.crop
    shrink = min(1.0, float(np.hypot(*matrix[0, :2])))
    if shrink < 1:
        small = np.asarray(cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
        steps = np.array([small.shape[1] / pixels.shape[1], small.shape[0] / pixels.shape[0]], np.float32)
        pixels, matrix = small, np.concatenate([matrix[:, :2] / steps, matrix[:, 2:]], 1)
    size = (FRAME_SIZE, FRAME_SIZE)
    there = _indices(matrix)
    crop = cv2.warpAffine(pixels, there, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.full(pixels.shape[:2], 255, np.uint8), there, size)
    if inside.min() < 255:
        edge = cv2.warpAffine(
            view, _indices(framing.back), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        crop = np.where(inside[..., None] < 255, edge, crop)
    half = (CROP_SIZE, CROP_SIZE)
    return np.asarray(cv2.resize(np.asarray(crop, np.uint8), half, interpolation=cv2.INTER_AREA), np.uint8)
