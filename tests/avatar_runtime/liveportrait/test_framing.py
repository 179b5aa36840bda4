"""`framing` and `pasting`: what the networks see, and the way back into the view without a trace."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_runtime.face import geometry
from avatar_runtime.face.landmarks import Face
from avatar_runtime.liveportrait.framing import EYES, MOUTH, Framing, cut, frame
from avatar_runtime.liveportrait.pasting import BORDER, Paste, mask, planes

NAMES = ("mona_lisa", "la_donna_velata", "girl_with_a_pearl_earring", "elizabeth_winthrop_chanler")
TURNED = ("mona_lisa_turned", "la_donna_velata_turned")


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def framed(pixels: np.ndarray, face: Face) -> tuple[Framing, np.ndarray]:
    return frame((pixels.shape[1], pixels.shape[0]), face), geometry.crop(pixels, face)[0]


def weights(framing: Framing) -> np.ndarray:
    """The mask on the luma plane of the view."""
    rows, columns = np.mgrid[:512, :512] + 0.5
    back = framing.back
    return mask(*(back[axis, 0] * columns + back[axis, 1] * rows + back[axis, 2] for axis in (0, 1)))


@pytest.mark.models
@pytest.mark.parametrize("name", [*NAMES, *TURNED])
def test_crop_and_back(pictures: dict[str, np.ndarray], faces: dict[str, Face], name: str) -> None:
    """A network that answers with the crop itself, enlarged: nothing lost but what 256 pixels cannot hold."""
    framing, view = framed(pictures[name], faces[name])
    crop = cut(pictures[name], framing, view)
    assert crop.shape == (256, 256, 3) and crop.dtype == np.uint8
    answer = cv2.cvtColor(cv2.resize(crop, (512, 512), interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2YUV_I420)
    paste = Paste(view, framing)
    found, shown = planes(paste(np.asarray(answer, np.uint8)[None])[0]), planes(paste.view)
    weight = weights(framing)
    inside = weight == 1
    assert inside.mean() > 0.3
    assert (found[0][weight == 0] == shown[0][weight == 0]).all()
    # No worse than the view itself at half its size, and where it was: a shift of half a pixel would cost 5 dB.
    halved = cv2.resize(shown[0], (256, 256), interpolation=cv2.INTER_AREA)
    bound = psnr(cv2.resize(halved, (512, 512), interpolation=cv2.INTER_CUBIC)[inside], shown[0][inside])
    assert psnr(found[0][inside], shown[0][inside]) > max(34, bound - 0.5)
    assert psnr(found[1], shown[1]) > 50 and psnr(found[2], shown[2]) > 50


@pytest.mark.models
@pytest.mark.parametrize("name", [*NAMES, *TURNED])
def test_the_face_stands_upright_in_the_middle(
    pictures: dict[str, np.ndarray], faces: dict[str, Face], name: str
) -> None:
    framing, _ = framed(pictures[name], faces[name])
    points = faces[name].landmarks[:, :2] @ framing.crop[:, :2].T + framing.crop[:, 2]
    eyes, mouth = points[list(EYES)].mean(0), points[list(MOUTH)].mean(0)
    assert mouth[0] == pytest.approx(eyes[0], abs=1) and mouth[1] > eyes[1] + 50
    assert points.min() > 60 and points.max() < 470
    # A shift along the picture's x, in face heights, as the crop sees it.
    step = np.array([0.1, 0], np.float32)
    height = np.linalg.norm(faces[name].landmarks[152, :2] - faces[name].landmarks[10, :2])
    assert framing.shift @ step == pytest.approx(framing.crop[:, :2] @ step * height / 256, abs=1e-4)


@pytest.mark.models
def test_a_turned_head_makes_the_same_crop(pictures: dict[str, np.ndarray], faces: dict[str, Face]) -> None:
    crops = [cut(pictures[n], *framed(pictures[n], faces[n])) for n in ("mona_lisa", "mona_lisa_turned")]
    middle = [cv2.GaussianBlur(crop, (0, 0), 3)[64:192, 64:192] for crop in crops]
    assert psnr(*middle) > 20


@pytest.mark.models
def test_a_crop_beyond_the_picture_shows_what_the_view_shows(
    pictures: dict[str, np.ndarray], faces: dict[str, Face]
) -> None:
    x0, y0, x1, y1 = (int(value) for value in faces["mona_lisa"].box)
    tight = np.ascontiguousarray(pictures["mona_lisa"][y0 - 10 : y1 + 10, x0 - 10 : x1 + 10])
    offset = np.array([x0 - 10, y0 - 10], np.float32)
    before = faces["mona_lisa"]
    landmarks = before.landmarks.copy()
    landmarks[:, :2] -= offset
    face = Face(landmarks, before.box - np.tile(offset, 2), before.score, before.irises - offset)
    framing, view = framed(tight, face)
    crop = cut(tight, framing, view)
    assert crop.reshape(-1, 3).max(1).min() > 0, "no black border"


def test_the_mask_ends_within_the_crop_and_is_smooth() -> None:
    rows, columns = np.mgrid[-20:532, -20:532].astype(np.float32) + 0.5
    found = mask(columns, rows)
    outside = (columns < BORDER) | (rows < BORDER) | (columns > 512 - BORDER) | (rows > 512 - BORDER)
    assert (found[outside] == 0).all() and found[276, 276] == 1
    assert found.min() >= 0 and found.max() <= 1
    assert np.abs(np.diff(found, axis=0)).max() < 0.05
    assert found == pytest.approx(found.T) and found == pytest.approx(found[::-1, ::-1])
    assert found[20 + 8, 20 + 8] == 0, "corners are round"


@given(st.floats(-60, 60), st.floats(0.3, 3), st.floats(-300, 800), st.floats(-300, 800))
@settings(max_examples=25, deadline=None)
def test_wherever_the_crop_lies_bytes_outside_it_stay(angle: float, scale: float, x: float, y: float) -> None:
    """Crops half or wholly beyond the view included."""
    turn = cv2.getRotationMatrix2D((x, y), angle, scale).astype(np.float32)
    framing = Framing(turn, np.array([[1, 0, 0], [0, 1, 0]], np.float32), np.eye(2, dtype=np.float32))
    view = np.random.default_rng(5).integers(0, 255, (512, 512, 3), np.uint8)
    paste = Paste(view, framing)
    crop = np.full((1, 768, 512), 200, np.uint8)
    found = paste(crop)[0]
    weight = weights(framing)
    assert (found[:512][weight == 0] == paste.view[:512][weight == 0]).all()
    assert (found[:512][weight == 1] == 200).all()
