"""`avatar_runtime.face.landmarks` on paintings: large, small, turned, several and no faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from avatar_runtime.face.landmarks import FaceFinder

pytestmark = pytest.mark.models

#: Where the face is, judged by eye: centre x, y and width, in pixels.
BY_EYE = {
    "mona_lisa": (372, 340, 205),
    "la_donna_velata": (262, 310, 190),
    "girl_with_a_pearl_earring": (505, 580, 315),
    "elizabeth_winthrop_chanler": (281, 188, 106),
}


@pytest.mark.parametrize("name", BY_EYE)
def test_finds_the_face_of_each_portrait(name: str, finder: FaceFinder, pictures: dict[str, np.ndarray]) -> None:
    (face,) = finder.find(pictures[name])
    x, y, width = BY_EYE[name]
    assert face.landmarks.shape == (468, 3) and face.score > 0.9
    assert face.width == pytest.approx(width, rel=0.15)
    assert np.hypot(*((face.box[:2] + face.box[2:]) / 2 - (x, y))) < 0.12 * width
    eyes, mouth, chin = face.landmarks[[33, 263], 1].mean(), face.landmarks[13, 1], face.landmarks[152, 1]
    assert eyes < mouth < chin
    for centre, corners in zip(face.irises[:, 0], ((33, 133), (362, 263)), strict=True):
        assert face.landmarks[corners[0], 0] < centre[0] < face.landmarks[corners[1], 0]


def test_no_face(finder: FaceFinder) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 400, 3), np.uint8)
    assert finder.find(noise) == []
    assert finder.find(np.full((50, 700, 3), 128, np.uint8)) == []
    assert finder.find(np.zeros((1, 1, 3), np.uint8)) == []


def test_small_and_several(finder: FaceFinder, pictures: dict[str, np.ndarray]) -> None:
    wall = np.full((900, 1400, 3), (120, 110, 90), np.uint8)
    for name, x, y, scale in (("mona_lisa", 60, 150, 0.45), ("la_donna_velata", 900, 300, 0.40)):
        small = cv2.resize(pictures[name], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        wall[y : y + small.shape[0], x : x + small.shape[1]] = small
    faces = finder.find(wall)
    assert len(faces) == 2
    assert faces[0].width == pytest.approx(0.45 * 204, rel=0.15)
    assert faces[1].width == pytest.approx(0.40 * 187, rel=0.15)


@pytest.mark.parametrize("angle", [-25, 25])
def test_a_tilted_head(angle: float, finder: FaceFinder, pictures: dict[str, np.ndarray]) -> None:
    picture = pictures["mona_lisa"]
    matrix = cv2.getRotationMatrix2D((372, 340), angle, 1.0)
    upright = finder.find(picture)[0].landmarks[:, :2]
    turned = finder.find(cv2.warpAffine(picture, matrix, picture.shape[1::-1]))[0].landmarks[:, :2]
    expected = upright @ matrix[:, :2].T + matrix[:, 2]
    assert np.hypot(*(turned - expected).T).mean() < 0.03 * 204
