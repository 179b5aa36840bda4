"""Capture, proved by the round trip: known motion drawn on real portraits, and read back from the drawn frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar_runtime.contracts import BLEND_SHAPES, CHANNEL, AvatarError, Code
from avatar_runtime.face import fields, headpose
from avatar_runtime.face.capture import Capture
from avatar_runtime.face.expression import SHAPES, SIGNATURES, solve
from avatar_runtime.face.landmarks import FaceFinder
from avatar_runtime.face.measures import NAMES
from avatar_runtime.face.meshwarp import Portrait, rest
from avatar_runtime.face.renderer import Renderer
from avatar_runtime.face.sheet import motion_of
from avatar_runtime.face.smooth import OneEuro

PORTRAITS = Path(__file__).parents[3] / "characters" / "defaults" / "portraits"
FRAMES = 25


def turned(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """R_z(roll) R_y(-yaw) R_x(pitch), degrees."""
    p, y, r = np.deg2rad([pitch, -yaw, roll])
    x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    y_ = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return z @ y_ @ x


def head() -> np.ndarray:
    """468 points like a face's: an ellipsoid's front, 200 pixels high."""
    random = np.random.default_rng(3)
    x, y = random.uniform(-70, 70, 468), random.uniform(-100, 100, 468)
    z = -60 * np.sqrt(np.maximum(1 - (x / 90) ** 2 - (y / 120) ** 2, 0))
    points = np.stack([x + 300, y + 250, z], 1)
    points[10], points[152] = (300, 150, 0), (300, 350, 0)
    return points.astype(np.float32)


def test_pose_of_a_turned_mesh_is_exact() -> None:
    points = head()
    axis = headpose.pivot(points)
    moved = 1.1 * (points - axis) @ turned(15, -8, 5).T + axis + [20, -10, 7]
    for found, fit in (
        headpose.between(points, moved.astype(np.float32)),
        (None, headpose.refine(points, moved[:, :2], headpose.Rigid(1, np.eye(3, dtype=np.float32), np.zeros(3)))),
    ):
        found = found or headpose.described(points, fit)
        assert (found.yaw, found.pitch, found.roll) == pytest.approx((15, -8, 5), abs=0.05)
        assert (found.x, found.y, found.scale) == pytest.approx((0.1, -0.05, 1.1), abs=0.002)


def test_measures_add_up_and_weights_are_never_negative() -> None:
    assert solve(np.zeros(len(NAMES), np.float32)).max() == 0
    for name in SHAPES:
        found = solve(0.6 * SIGNATURES[SHAPES.index(name)])
        # A funnel is nearly a pucker with the lower lip down: between such shapes the fit may share.
        assert found[CHANNEL[name]] == pytest.approx(0.6, abs=0.25), name
        found[CHANNEL[name]] = 0
        assert found.max() < 0.2 and found.min() >= 0, name
    noise = np.random.default_rng(0).normal(size=(200, len(NAMES))).astype(np.float32) * 0.05
    for row in noise:
        assert 0 <= solve(row).min() and solve(row).max() <= 1


def test_smoothing_calms_noise_and_follows_a_step() -> None:
    noise = np.random.default_rng(1).normal(size=(200, 1)).astype(np.float32) * 0.02
    calm = OneEuro(25, np.array([3.0]), np.array([2.0]))
    assert np.std([calm(value) for value in noise]) < 0.6 * noise.std()
    step = OneEuro(25, np.array([3.0]), np.array([2.0]))
    step(np.zeros(1, np.float32))
    assert [step(np.ones(1, np.float32)) for _ in range(4)][-1] > 0.9


# --- the round trip --------------------------------------------------------------------------------------------
def wave(hertz: float, phase: float = 0.0) -> np.ndarray:
    """0..1 over FRAMES frames, 0 at the start."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * (hertz * np.arange(FRAMES) / 25 + phase))


#: What moves, how far, and at least how much of it comes back (gain) over the portraits' mean.
TRIPS = {
    "jawOpen": ({"jawOpen": 0.6}, 0.7),
    "smile": ({"mouthSmile": 0.7}, 0.7),
    "frown": ({"mouthFrown": 0.7}, 0.6),
    "pucker": ({"mouthPucker": 0.7}, 0.7),
    "stretch": ({"mouthStretch": 0.7}, 0.5),
    "mouthLeft": ({"mouthLeft": 0.7}, 0.6),
    "lowerDown": ({"mouthLowerDown": 0.7}, 0.6),
    "browDown": ({"browDown": 0.7}, 0.6),
    "browInnerUp": ({"browInnerUp": 0.7}, 0.7),
    "browOuterUp": ({"browOuterUp": 0.7}, 0.6),
    "blink": ({"eyeBlink": 1.0}, 0.5),
    "look": ({"eyeLookInRight": 0.7, "eyeLookOutLeft": 0.7}, 0.4),
    "lookUp": ({"eyeLookUp": 0.7}, 0.4),
    "roll": ({"headRoll": 5.0}, 0.8),
    "yaw": ({"headYaw": 5.0}, 0.3),  # `render_meshwarp` draws less parallax than a real head shows: see below
    "pitch": ({"headPitch": 4.0}, 0.3),
    "moved": ({"headX": 0.05, "headY": -0.04}, 0.8),
    "scale": ({"headScale": 0.05}, 0.8),
}
CROSS_TALK = 0.4  # of a weight: the most that any shape that was not drawn may show, in the portraits' mean
SMILE_MEANS = ("eyeSquint", "cheekSquint")  # `render_meshwarp` narrows the eyes of a smile


@pytest.fixture(scope="module")
def portraits(models: Path) -> list[Portrait]:
    renderer = Renderer(models / "mediapipe", Portrait.of)
    return [renderer.portrait(picture=path.read_bytes()) for path in sorted(PORTRAITS.glob("*.jpg"))]


@pytest.fixture(scope="module")
def finder(models: Path) -> FaceFinder:
    return FaceFinder(models / "mediapipe")


@pytest.mark.models
@pytest.mark.parametrize("name", TRIPS)
def test_motion_comes_back(name: str, portraits: list[Portrait], finder: FaceFinder) -> None:
    shapes, least = TRIPS[name]
    share = wave(1.0)
    full = motion_of(shapes) - rest()
    driven = np.flatnonzero(full)
    gains, others = [], []
    for portrait in portraits:
        capture = Capture(finder)
        seen = []
        for amount in share:
            motion, score = capture.push(portrait.render((rest() + amount * full).astype(np.float32)))
            assert score > 0.5
            seen.append(motion - rest())
        found = np.array(seen)
        for channel in driven:
            assert np.sign(full[channel]) * np.corrcoef(found[:, channel], share)[0, 1] > 0.85, (name, channel)
        gains.append(((found[:, driven].T @ share) / (share @ share) / full[driven]).mean())
        others.append(np.delete(found, driven, 1)[:, : len(BLEND_SHAPES) - len(driven)].max(0))
    assert least < np.mean(gains) < 1.4, gains
    names = [shape for index, shape in enumerate(CHANNEL) if index not in driven]
    crossing = dict(zip(names, np.mean(others, 0), strict=False))
    allowed = [shape for shape in crossing if name == "smile" and shape.startswith(SMILE_MEANS)]
    worst = max((shape for shape in crossing if shape not in allowed), key=lambda shape: crossing[shape])
    assert crossing[worst] < CROSS_TALK, (worst, crossing[worst])


@pytest.mark.models
@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(10, 0, 0), (-10, 0, 0), (0, 8, 0), (0, -8, 0), (6, 4, 8)])
def test_a_head_turned_in_space(
    yaw: float, pitch: float, roll: float, portraits: list[Portrait], finder: FaceFinder
) -> None:
    """The portrait's mesh is turned in three dimensions and drawn: what a camera would see of a rigid head."""
    errors, shapes = [], []
    for portrait in portraits:
        face = portrait.face
        if abs(face.right[2]) > 0.35:
            continue  # a driving video begins with a face that looks about ahead, not over its shoulder
        axis = headpose.pivot(face.points)
        goal = (face.points - axis) @ turned(yaw, pitch, roll).T + axis
        field = fields.Interpolator(face, list(range(468)))((goal - face.points)[:, :2].astype(np.float32))
        sources = fields.enlarge(fields.inverse(field))
        drawn = cv2.remap(portrait.frame, sources, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        capture = Capture(finder)
        capture.push(portrait.frame)
        for _ in range(25):
            motion, _ = capture.push(np.asarray(drawn, np.uint8))
        pose = motion[[CHANNEL["headYaw"], CHANNEL["headPitch"], CHANNEL["headRoll"]]]
        errors.append(pose - [yaw, pitch, roll])
        shapes.append(motion[: len(BLEND_SHAPES)])
    assert errors and np.abs(np.mean(errors, 0)).max() < 4, np.mean(errors, 0)
    assert np.mean(shapes, 0).max() < 0.45


@pytest.mark.models
def test_a_lost_face_holds_and_is_found_again(portraits: list[Portrait], finder: FaceFinder) -> None:
    capture = Capture(finder)
    empty = np.full((512, 512, 3), 90, np.uint8)
    motion, score = capture.push(empty)
    assert score == 0 and (motion == rest()).all()
    for _ in range(4):
        capture.push(portraits[0].render(rest()))
    for _ in range(20):
        before, score = capture.push(portraits[0].render(motion_of({"jawOpen": 0.5})))
    assert score > 0.5 and before[CHANNEL["jawOpen"]] > 0.3
    held, score = capture.push(empty)
    assert score == 0 and (held == before).all() and (capture.hold() == before).all()
    for _ in range(8):
        again, score = capture.push(portraits[0].render(motion_of({"jawOpen": 0.5})))
    assert score > 0.5 and again[CHANNEL["jawOpen"]] > 0.3


@pytest.mark.models
def test_frames_that_make_no_sense(finder: FaceFinder) -> None:
    capture = Capture(finder)
    for shape in ((0, 0, 3), (8, 8), (8, 8, 4)):
        with pytest.raises(AvatarError) as caught:
            capture.push(np.zeros(shape, np.uint8))
        assert caught.value.code is Code.INVALID_IMAGE
    for shape in ((40, 40_000, 3), (40_000, 40, 3), (33, 1_200_000, 3)):  # seen whole, it is thinner than a pixel
        assert Capture(finder).push(np.zeros(shape, np.uint8))[1] == 0
    assert capture.push(np.zeros((1, 1, 3), np.uint8))[1] == 0
    with pytest.raises(AvatarError, match="one size"):
        capture.push(np.zeros((2, 2, 3), np.uint8))
