"""How the skin of a face moved since a video's first frame: dense optical flow on a view that is freed of the pose.

A mesh network follows the head well but shies away from expressions: it shows a third of a raised brow. The skin's own
texture tells all of it. DIS (Kroeger, Timofte, Dai, Van Gool 2016, "Fast Optical Flow using Dense Inverse Search")
compares each frame with the first one, so nothing drifts; what new there is to see (the inside of the mouth, closed
lids) is not followed, and the mesh remains the one to ask about it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.face.geometry import Geometry
from avatar_runtime.face.headpose import STABLE, Rigid, refine
from avatar_runtime.face.landmarks import Floats

VIEW = 256  # pixels, both ways
VIEW_SHARE = 1.35  # its side in face heights
FARTHEST = 0.2  # face heights: what moved farther was not followed but mistaken


class Skin:
    """One face as it was in the first frame. Points are its 468 landmarks, then 2 x 5 of the irises."""

    def __init__(self, frame: NDArray[np.uint8], face: Geometry) -> None:
        """frame: RGB uint8 [h, w, 3]; `face` lies in its pixels."""
        # Picture -> the face's own right and down, which are neither long nor square in the picture of a turned face.
        self._own = np.linalg.inv(np.stack([face.right[:2], face.down[:2]]))
        self._height = face.height
        corners = face.points[[33, 133, 362, 263], 2].reshape(2, 2).mean(1)
        irises = np.concatenate([face.irises, np.repeat(corners[:, None, None], 5, 1)], 2).reshape(10, 3)
        self.points = np.concatenate([face.points, irises]).astype(np.float32)
        scale = VIEW / (VIEW_SHARE * face.height)
        shift = VIEW / 2 - scale * face.centre
        self._places = (self.points[:, :2] * scale + shift).astype(np.float32)
        self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        back = np.array([[1 / scale, 0, -shift[0] / scale], [0, 1 / scale, -shift[1] / scale]], np.float32)
        self._first = _view(frame, back)

    def moved(self, frame: NDArray[np.uint8], head: Rigid, belief: float = 1.0) -> tuple[Floats, Rigid]:
        """Displacements f32 [478, 2] since the first frame, in face heights to the face's own right and down.

        `head` is how the mesh sees the pose; with it comes back the pose that the skin shows, `belief` 0..1 in it.
        """
        stable = list(STABLE)
        matrix = _affine(self._places[stable], self._seen(head)[stable])
        flow = cv2.blur(self._flow.calc(self._first, _view(frame, matrix), None), (3, 3))
        at = self._places[None]
        found = cv2.remap(flow, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
        seen = (self._places + found) @ matrix[:, :2].T + matrix[:, 2]
        head = refine(self.points[stable], seen[stable], head, belief)
        unturned = (seen - self._seen(head)) @ np.linalg.inv(head.scale * head.rotation[:2, :2]).T
        return np.clip(unturned @ self._own / self._height, -FARTHEST, FARTHEST).astype(np.float32), head

    def _seen(self, head: Rigid) -> Floats:
        """Where the points f32 [478, 2] are seen when only the head has moved."""
        return np.asarray((head.scale * self.points @ head.rotation.T + head.shift)[:, :2], np.float32)


def _view(frame: NDArray[np.uint8], matrix: Floats) -> NDArray[np.uint8]:
    """The grey view whose pixel v shows the frame's pixel `matrix` v; strong shrinking averages first."""
    stretch = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if stretch > 1.5:
        frame = np.asarray(cv2.resize(frame, None, fx=1 / stretch, fy=1 / stretch, interpolation=cv2.INTER_AREA))
        matrix = matrix / stretch
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(frame, matrix, (VIEW, VIEW), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY), np.uint8)


def _affine(places: Floats, values: Floats) -> Floats:
    """The affine map f32 [2, 3] of places [n, 2] nearest to `values` [n, 2]."""
    centre, middle = places.mean(0), values.mean(0)
    linear = np.linalg.lstsq(places - centre, values - middle, rcond=None)[0].T
    return np.concatenate([linear, (middle - linear @ centre)[:, None]], 1).astype(np.float32)
