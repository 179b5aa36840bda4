"""`avatar_runtime.face.meshwarp` on the four portraits: at rest the picture, lips part, lids cover the eye."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from avatar_runtime.contracts import BLEND_SHAPES, CHANNEL, MAX_PUSH_FRAMES, MOTION_SIZE, AvatarError, Code
from avatar_runtime.face import fields
from avatar_runtime.face.meshwarp import Portrait, checked, i420, rest
from avatar_runtime.face.sheet import motion_of, timed

pytestmark = pytest.mark.models

NAMES = ("mona_lisa", "la_donna_velata", "girl_with_a_pearl_earring", "elizabeth_winthrop_chanler")


def psnr(left: np.ndarray, right: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((left.astype(float) - right) ** 2), 1e-9)))


def any_motion(random: np.random.Generator) -> np.ndarray:
    """Any combination of weights and a head anywhere, extremes included."""
    motion = rest()
    chosen = random.random(len(BLEND_SHAPES)) < random.random()
    motion[: len(BLEND_SHAPES)] = chosen * random.random(len(BLEND_SHAPES))
    motion[len(BLEND_SHAPES) :] += random.normal(0, 1, 6) * (6, 8, 8, 0.06, 0.06, 0.06)
    return motion


def around(portrait: Portrait, points: list[int], reach: float) -> tuple[slice, slice]:
    x, y = portrait.face.points[points, :2].mean(0)
    half = reach * portrait.face.height
    return slice(int(y - half), int(y + half)), slice(int(x - half), int(x + half))


@pytest.mark.parametrize("name", NAMES)
def test_rest_is_the_picture(name: str, portraits: dict[str, Portrait]) -> None:
    portrait = portraits[name]
    assert psnr(portrait.render(rest()), portrait.frame) > 50


@pytest.mark.parametrize("name", NAMES)
def test_nearly_rest_is_nearly_the_picture(name: str, portraits: dict[str, Portrait]) -> None:
    portrait = portraits[name]
    for channel in range(MOTION_SIZE):
        motion = rest()
        motion[channel] += 1e-3
        assert psnr(portrait.render(motion), portrait.frame) > 40, channel


@pytest.mark.parametrize("name", NAMES)
def test_the_mouth_opens_steadily(name: str, portraits: dict[str, Portrait]) -> None:
    """What differs from the closed mouth grows with the jaw, and the hole is darker than the lips."""
    portrait = portraits[name]
    view = around(portrait, [13, 14], 0.14)
    luma = [
        cv2.cvtColor(portrait.render(motion_of({"jawOpen": jaw}))[view], cv2.COLOR_RGB2GRAY)
        for jaw in (0.0, 0.15, 0.3, 0.45, 0.6)
    ]
    dark = np.percentile(luma[0], 25) * 0.6
    areas = [int((picture < dark).sum()) for picture in luma]
    assert all(before <= after for before, after in pairwise(areas)), areas
    assert areas[-1] > areas[0] + 0.0006 * portrait.face.height**2


def test_lips_open_at_rest_close(portraits: dict[str, Portrait]) -> None:
    """Girl with a Pearl Earring on m: the gap and its bright teeth are gone."""
    portrait = portraits["girl_with_a_pearl_earring"]
    upper, lower = portrait.mouth.upper, portrait.mouth.lower
    inner = slice(10, 31)
    gap = (lower - upper)[inner, 1]
    assert gap.max() > 2
    places = np.concatenate([(upper + (lower - upper) * share)[inner] for share in (0.3, 0.5, 0.7)])
    x, y = np.clip(places.T.astype(int), 0, 511)
    shut = portrait.render(motion_of({"mouthPress": 0.3, "mouthRollLower": 0.2, "mouthRollUpper": 0.1}))
    red = [(picture[y, x, 0].astype(float) - picture[y, x, 1]).mean() for picture in (portrait.frame, shut)]
    assert red[1] > red[0] + 3  # lips are redder than teeth and shadow


def test_close_undoes_the_jaw_at_the_lips(portraits: dict[str, Portrait]) -> None:
    portrait = portraits["elizabeth_winthrop_chanler"]
    view = around(portrait, [13, 14], 0.10)
    opened = portrait.render(motion_of({"jawOpen": 0.5}))[view]
    closed = portrait.render(motion_of({"jawOpen": 0.5, "mouthClose": 0.5}))[view]
    assert closed.min(axis=2).astype(int).mean() > opened.min(axis=2).astype(int).mean() + 3


@pytest.mark.parametrize("name", NAMES)
def test_a_blink_covers_the_iris(name: str, portraits: dict[str, Portrait]) -> None:
    """The dark disc gives way to skin, more and more, and nothing else of the face changes."""
    portrait = portraits[name]
    frames = [portrait.render(motion_of({"eyeBlink": blink})).astype(float) for blink in (0, 0.5, 1.0)]
    for iris in portrait.face.irises:
        x, y = iris[0].astype(int)
        radius = max(2, int(0.5 * np.linalg.norm(iris[1:] - iris[0], axis=1).mean()))
        light = [frame[y - radius : y + radius, x - radius : x + radius].mean() for frame in frames]
        assert light[2] > 1.05 * light[0], light
    mouth = around(portrait, [13, 14], 0.15)
    assert np.abs(frames[2][mouth] - frames[0][mouth]).max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_nothing_folds(name: str, portraits: dict[str, Portrait]) -> None:
    """The way back from each pixel keeps its orientation, for any weights and any pose."""
    random = np.random.default_rng(7)
    for _ in range(25):
        upper, _, _ = portraits[name].displacement(any_motion(random))
        source = fields.inverse(upper)[2:-2, 2:-2]
        right = np.diff(source, axis=1)[:-1] / fields.STEP
        down = np.diff(source, axis=0)[:, :-1] / fields.STEP
        assert (right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]).min() > 0.02


@pytest.mark.parametrize("reach", [0.02, 0.5, 4.0, 20.0])
def test_the_way_back_is_exact_however_gentle_the_field(reach: float) -> None:
    """From where a pixel comes, the field leads to it: s + d(s) = p. Steep fields are damped, as a portrait's are."""
    places = fields.PLACES / 512 * 2 * np.pi
    field = reach * np.stack([np.sin(places[..., 1]), np.cos(places[..., 0])], -1).astype(np.float32)
    field *= fields.damping(field)
    source = fields.inverse(field)
    inner = (slice(12, -12), slice(12, -12))
    error = source + fields.sample(field, source) - fields.PLACES
    assert np.abs(error[inner]).max() < 0.06


@pytest.mark.parametrize("name", NAMES)
def test_no_holes_and_no_jumps(name: str, portraits: dict[str, Portrait]) -> None:
    """Frames of neighbouring motions are neighbours, the border is never black, and rendering keeps no state."""
    portrait = portraits[name]
    random = np.random.default_rng(11)
    border = np.ones((512, 512), bool)
    border[4:-4, 4:-4] = False
    for _ in range(8):
        start, end = any_motion(random), any_motion(random)
        start, near = checked(np.stack([start, start + 0.01 * (end - start)]))
        first, second = portrait.render(start), portrait.render(near)
        assert np.abs(first.astype(int) - second).mean() < 2.5
        assert np.abs(first[border].astype(int) - portrait.frame[border]).mean() < 6
        np.testing.assert_array_equal(first, portrait.render(start))


def test_sharpness_and_colour_are_kept(portraits: dict[str, Portrait]) -> None:
    for portrait in portraits.values():
        moved = portrait.render(motion_of({"headYaw": 3, "headPitch": -2, "mouthSmile": 0.3, "jawOpen": 0.2}))
        assert np.abs(moved.reshape(-1, 3).mean(0) - portrait.frame.reshape(-1, 3).mean(0)).max() < 3
        sharp = [cv2.Laplacian(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), cv2.CV_32F).std() for f in (portrait.frame, moved)]
        assert sharp[1] > 0.6 * sharp[0]


def test_the_head_turns_the_way_it_is_told(portraits: dict[str, Portrait]) -> None:
    """Yaw > 0 moves the nose to the picture's right, pitch > 0 down, roll > 0 the forehead to the right."""
    for portrait in portraits.values():
        nose, forehead = portrait.face.points[[1], :2], portrait.face.points[[10], :2]
        assert fields.sample(portrait.displacement(motion_of({"headYaw": 5}))[0], nose)[0, 0] > 2
        assert fields.sample(portrait.displacement(motion_of({"headPitch": 5}))[0], nose)[0, 1] > 2
        assert fields.sample(portrait.displacement(motion_of({"headRoll": 5}))[0], forehead)[0, 0] > 2


def test_left_is_the_persons_left(portraits: dict[str, Portrait]) -> None:
    portrait = portraits["elizabeth_winthrop_chanler"]
    change = np.abs(portrait.render(motion_of({"eyeBlinkLeft": 1})).astype(int) - portrait.frame).sum((0, 2))
    assert np.average(np.arange(512), weights=change) > portrait.face.centre[0]
    change = np.abs(portrait.render(motion_of({"mouthSmileLeft": 1})).astype(int) - portrait.frame).sum((0, 2))
    assert np.average(np.arange(512), weights=change) > portrait.face.centre[0]


def test_i420(portraits: dict[str, Portrait]) -> None:
    planes = i420(np.full((512, 512, 3), 255, np.uint8))
    assert planes.shape == (768, 512) and planes.dtype == np.uint8
    assert planes[0, 0] == 235 and planes[600, 0] == 128  # limited range


def test_motion_is_checked() -> None:
    shapes = ((0, 58), (2, 57), (58,), (MAX_PUSH_FRAMES + 1, 58))
    for bad in (*map(np.zeros, shapes), np.full((1, 58), np.nan), np.full((1, 58), np.inf)):
        with pytest.raises(AvatarError) as caught:
            checked(bad.astype(np.float32))
        assert caught.value.code == Code.INVALID_REQUEST
    assert len(checked(np.zeros((MAX_PUSH_FRAMES, 58), np.float32))) == MAX_PUSH_FRAMES
    wild = checked(np.full((1, MOTION_SIZE), 9, np.float32))
    assert wild[0, CHANNEL["jawOpen"]] == 1


def test_timed_returns_a_figure_per_frame(portraits: dict[str, Portrait]) -> None:
    assert len(timed(portraits["mona_lisa"], 3)) == 3
