"""Faces in a picture: MediaPipe's BlazeFace, face mesh (468 points) and iris networks, run by LiteRT.

The ways from picture to network and back follow MediaPipe's graphs `face_detection_short_range`,
`face_landmark_front_cpu` and `iris_landmark_left_and_right_cpu` (Apache-2.0). BlazeFace sees 128x128 pixels and
only faces that fill a good part of them, so it looks at the whole picture and then at tiles of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from avatar_runtime.contracts import LANDMARK_COUNT

Floats = NDArray[np.float32]

FILES = ("face_detection_short_range.tflite", "face_landmark.tflite", "iris_landmark.tflite")

DETECTOR_SIZE, MESH_SIZE, IRIS_SIZE = 128, 192, 64  # pixels, both ways
DETECTION_SCORE = 0.5  # MediaPipe's min_score_thresh
PRESENCE_SCORE = 0.5  # the mesh network's own opinion of whether this is a face
LOOK_AT = 1280  # pixels: larger pictures are looked for faces at this size
TILE_SHARES = (1.0, 0.6, 0.36, 0.2)  # of the picture's short side
SMALLEST_TILE = 72  # pixels
#: The first 16 points of the iris network's eye contour as face mesh indices: eye at the picture's left, then right.
EYE_CONTOURS = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398),
)


@dataclass(frozen=True, slots=True)
class Face:
    """One face, in pixels of its picture.

    landmarks f32 [468, 3]; box f32 [4] x0 y0 x1 y1; score 0..1; irises f32 [2, 5, 2]: centre and four points of the
    rim, the eye at the picture's left first.
    """

    landmarks: Floats
    box: Floats
    score: float
    irises: Floats

    @property
    def width(self) -> float:
        return float(self.box[2] - self.box[0])


class _Network:
    def __init__(self, path: Path) -> None:
        self._interpreter = Interpreter(str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def __call__(self, pixels: Floats) -> list[Floats]:
        """pixels f32 [height, width, 3] in the network's own range -> its outputs, batch axis removed."""
        self._interpreter.set_tensor(self._input, np.ascontiguousarray(pixels[None], np.float32))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


def _anchors() -> Floats:
    """The 896 anchor centres of BlazeFace short range, 0..1: 16x16 cells with 2, 8x8 cells with 6."""
    grids = []
    for cells, repeat in ((16, 2), (8, 6)):
        y, x = np.mgrid[:cells, :cells]
        grids.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2), repeat, 0) / cells + 0.5 / cells)
    return np.concatenate(grids).astype(np.float32)


def _tiles(width: int, height: int) -> Iterator[tuple[float, float, float]]:
    """Squares (x, y, side) to look at: the whole picture, then overlapping tiles of falling size."""
    longest, shortest = max(width, height), min(width, height)
    yield (width - longest) / 2, (height - longest) / 2, longest
    for share in TILE_SHARES:
        side = shortest * share
        if side < SMALLEST_TILE or (share == 1.0 and longest < 1.1 * shortest):
            continue
        across = [int(np.ceil((extent - side) / (side * 0.5) - 1e-6)) + 1 for extent in (width, height)]
        for y in np.linspace(0, height - side, across[1]):
            for x in np.linspace(0, width - side, across[0]):
                yield float(x), float(y), side


def _suppress(found: Floats) -> Floats:
    """found f32 [n, 17]: score, box, 6 points. Keeps the best of all that overlap, tiles' halves of faces included."""
    kept: list[Floats] = []
    for row in found[np.argsort(-found[:, 0])]:
        for other in kept:
            width = min(row[3], other[3]) - max(row[1], other[1])
            height = min(row[4], other[4]) - max(row[2], other[2])
            smaller = min((row[3] - row[1]) * (row[4] - row[2]), (other[3] - other[1]) * (other[4] - other[2]))
            if width > 0 and height > 0 and width * height > 0.3 * smaller:
                break
        else:
            kept.append(row)
    return np.array(kept, np.float32).reshape(-1, 17)


def _square(centre: Floats, side: float, angle: float, size: int) -> Floats:
    """The affine map f32 [2, 3] from a picture to a `size` pixels wide view of a rotated square of it."""
    scale = size / side
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    rotation = np.array([[cos, sin], [-sin, cos]], np.float32)
    shift = np.array([size / 2, size / 2], np.float32) - rotation @ centre
    return np.concatenate([rotation, shift[:, None]], 1)


def _back(points: Floats, matrix: Floats) -> Floats:
    """Points [n, 3] of a view -> of the picture; z keeps the picture's scale."""
    scale = float(np.hypot(matrix[0, 0], matrix[0, 1]))
    inverse = cv2.invertAffineTransform(matrix).astype(np.float32)
    return np.concatenate([points[:, :2] @ inverse[:, :2].T + inverse[:, 2], points[:, 2:] / scale], 1)


class FaceFinder:
    """Finds every face of a picture with its landmarks."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds FILES."""
        self._detector, self._mesh, self._iris = (_Network(folder / name) for name in FILES)
        self._anchors = _anchors()

    def find(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """RGB uint8 [height, width, 3] -> its faces, the largest first."""
        faces = []
        for row in self._detect(pixels):
            points = row[5:].reshape(6, 2)
            eyes = points[1] - points[0]
            side = 1.5 * max(row[3] - row[1], row[4] - row[2])
            centre = np.array([row[1] + row[3], row[2] + row[4]], np.float32) / 2
            landmarks, score = self._landmarks(pixels, centre, float(side), float(np.arctan2(eyes[1], eyes[0])))
            if score < PRESENCE_SCORE:
                continue
            # Once more on the square that the mesh itself suggests, as MediaPipe does from one video frame to the next.
            landmarks, score = self._landmarks(pixels, *_square_of(landmarks))
            if score >= PRESENCE_SCORE:
                faces.append(self._face(pixels, landmarks, score))
        faces.sort(key=lambda face: -face.width)
        return _without_doubles(faces)

    def track(self, pixels: NDArray[np.uint8], before: Face) -> Face | None:
        """The face that was `before` in the video's last frame, or None when it is gone. Looks nowhere else."""
        landmarks, score = self._landmarks(pixels, *_square_of(before.landmarks))
        return self._face(pixels, landmarks, score) if score >= PRESENCE_SCORE else None

    def _detect(self, pixels: NDArray[np.uint8]) -> Floats:
        shrink = min(1.0, LOOK_AT / max(pixels.shape[:2]))
        if shrink * min(pixels.shape[:2]) < LOOK_AT / DETECTOR_SIZE:  # to the network a line thinner than a pixel
            return np.zeros((0, 17), np.float32)
        view = cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else pixels
        found = []
        for x, y, side in _tiles(view.shape[1], view.shape[0]):
            matrix = _square(np.array([x + side / 2, y + side / 2], np.float32), side, 0.0, DETECTOR_SIZE)
            regressors, scores = self._detector(_view(view, matrix, DETECTOR_SIZE) / 127.5 - 1)
            score = 1 / (1 + np.exp(-np.clip(scores[:, 0], -50, 50)))
            good = score > DETECTION_SCORE
            if not good.any():
                continue
            boxes = regressors[good] / DETECTOR_SIZE
            centre = boxes[:, :2] + self._anchors[good]
            half = boxes[:, 2:4] / 2
            points = boxes[:, 4:].reshape(-1, 6, 2) + self._anchors[good][:, None]
            corners = np.stack([centre - half, centre + half, *points.transpose(1, 0, 2)], 1)  # [n, 8, 2]
            placed = (corners * side + np.array([x, y])) / shrink
            found.append(np.concatenate([score[good][:, None], placed.reshape(-1, 16)], 1))
        return _suppress(np.concatenate(found)) if found else np.zeros((0, 17), np.float32)

    def _landmarks(self, pixels: NDArray[np.uint8], centre: Floats, side: float, angle: float) -> tuple[Floats, float]:
        matrix = _square(centre, side, angle, MESH_SIZE)
        mesh, presence = self._mesh(_view(pixels, matrix, MESH_SIZE) / 255)
        score = 1 / (1 + np.exp(-float(presence.reshape(-1)[0])))
        return _back(mesh.reshape(LANDMARK_COUNT, 3), matrix), float(score)

    def _face(self, pixels: NDArray[np.uint8], landmarks: Floats, score: float) -> Face:
        landmarks = landmarks.copy()
        irises = []
        for eye, contour in enumerate(EYE_CONTOURS):
            outer, inner = landmarks[contour[0], :2], landmarks[contour[8], :2]
            along = (inner - outer) if eye == 0 else (outer - inner)
            side = 2.3 * float(np.hypot(*along))
            matrix = _square((outer + inner) / 2, side, float(np.arctan2(along[1], along[0])), IRIS_SIZE)
            if eye:  # the network knows one eye; the other is shown to it mirrored
                matrix = np.array([[-1, 0, IRIS_SIZE], [0, 1, 0]], np.float32) @ np.vstack([matrix, [0, 0, 1]])
            contours, iris = self._iris(_view(pixels, matrix, IRIS_SIZE) / 255)
            refined = _back(contours.reshape(71, 3)[:16], matrix)
            landmarks[list(contour), :2] = refined[:, :2]
            irises.append(_back(iris.reshape(5, 3), matrix)[:, :2])
        box = np.concatenate([landmarks[:, :2].min(0), landmarks[:, :2].max(0)])
        return Face(landmarks.astype(np.float32), box.astype(np.float32), score, np.array(irises, np.float32))


def _view(pixels: NDArray[np.uint8], matrix: Floats, size: int) -> Floats:
    """A `size` pixels wide view, f32 0..255; strong shrinking averages first, so that nothing aliases."""
    scale = float(np.hypot(matrix[0, 0], matrix[0, 1]))
    if scale < 0.5:
        shrink = 2 * scale
        pixels = np.asarray(cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = matrix.copy()
        matrix[:, :2] /= shrink
    return cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR).astype(np.float32)


def _square_of(landmarks: Floats) -> tuple[Floats, float, float]:
    """Centre, side and angle of the square around a mesh, 1.5 times its size, rotated with its eyes."""
    eyes = landmarks[263, :2] - landmarks[33, :2]
    angle = float(np.arctan2(eyes[1], eyes[0]))
    cos, sin = np.cos(angle), np.sin(angle)
    turned = landmarks[:, :2] @ np.array([[cos, -sin], [sin, cos]], np.float32)
    low, high = turned.min(0), turned.max(0)
    centre = np.array([[cos, -sin], [sin, cos]], np.float32) @ ((low + high) / 2)
    return centre.astype(np.float32), 1.5 * float((high - low).max()), angle


def _without_doubles(faces: list[Face]) -> list[Face]:
    """Two detections of one face end in the same mesh; the first of them stays."""
    kept: list[Face] = []
    for face in faces:
        centre = (face.box[:2] + face.box[2:]) / 2
        if all(np.hypot(*(centre - (o.box[:2] + o.box[2:]) / 2)) > 0.4 * o.width for o in kept):
            kept.append(face)
    return kept
