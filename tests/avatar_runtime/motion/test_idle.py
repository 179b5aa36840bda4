import numpy as np

from avatar_runtime.contracts import HEAD_POSE, MOTION_RATE
from avatar_runtime.motion.idle import Idle

TEN_MINUTES = (np.arange(600 * MOTION_RATE) + 0.5) / MOTION_RATE


def runs(closed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last frame of each stretch in which the lids move."""
    edges = np.diff(np.concatenate([[0], (closed > 0.02).astype(int), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def test_ten_minutes_of_blinks_look_human() -> None:
    closed = Idle(5).blink(TEN_MINUTES)
    first, last = runs(closed)
    starts = first / MOTION_RATE
    intervals = np.diff(starts)
    apart = intervals[intervals > 1.0]  # between blinks, a double one counted once
    assert 3.2 < apart.mean() < 4.8 and apart.min() > 1.6 and apart.max() < 7.2
    assert apart.std() > 0.8
    assert 0.03 < (intervals < 1.0).mean() < 0.25
    length = (last - first) / MOTION_RATE
    assert 0.12 <= length.min() and length.max() <= 0.28 and 0.15 <= length.mean() <= 0.25
    for a, b in zip(first, last, strict=True):
        peak = closed[a:b].argmax()
        assert closed[a:b].max() >= 0.84
        assert peak <= b - a - 1 - peak  # closes no slower than it opens


def test_first_blink_comes_soon_but_not_at_once() -> None:
    for seed in range(20):
        first, _ = runs(Idle(seed).blink(TEN_MINUTES[:200]))
        assert 0.8 < first[0] / MOTION_RATE < 3.2


def test_breathing_rate_is_human() -> None:
    still = Idle(2).pose(TEN_MINUTES, np.zeros(len(TEN_MINUTES)))[:, HEAD_POSE.index("headScale")] - 1.0
    crossings = np.sum((still[:-1] < 0) & (still[1:] >= 0))
    assert 0.2 <= crossings / 600 <= 0.3


def test_the_head_is_never_still_and_never_jumps() -> None:
    pose = Idle(3).pose(TEN_MINUTES, np.ones(len(TEN_MINUTES)))
    for name, low, high, step in (
        ("headPitch", 0.3, 3.0, 0.2), ("headYaw", 0.5, 4.5, 0.2), ("headRoll", 0.2, 2.5, 0.15),
        ("headX", 0.001, 0.012, 0.001), ("headY", 0.001, 0.012, 0.001), ("headScale", 0.001, 0.006, 0.001),
    ):  # fmt: skip
        curve = pose[:, HEAD_POSE.index(name)]
        assert low < np.ptp(curve) / 2 < high, name
        assert np.abs(np.diff(curve)).max() < step, name


def test_a_sequence_starts_in_the_portraits_pose() -> None:
    idle = Idle(4)
    first = idle.pose(TEN_MINUTES[:1], np.ones(1))[0]
    np.testing.assert_allclose(first, [0, 0, 0, 0, 0, 1], atol=0.01)
    assert not idle.eyes(TEN_MINUTES[:1]).any() and not idle.blink(TEN_MINUTES[:1]).any()


def test_eyes_mostly_rest_on_the_person() -> None:
    gaze = Idle(6).gaze(TEN_MINUTES)
    size = np.hypot(*gaze.T)
    assert size.max() < 0.3
    assert 0.5 < (size < 0.05).mean() < 0.95
    assert (size > 0.09).mean() > 0.05


def test_pieces_equal_the_whole() -> None:
    whole, pieces = Idle(7), Idle(7)
    cut = np.split(TEN_MINUTES[:3000], np.arange(5, 3000, 5))
    np.testing.assert_allclose(np.concatenate([pieces.blink(t) for t in cut]), whole.blink(TEN_MINUTES[:3000]))
    np.testing.assert_allclose(np.concatenate([pieces.gaze(t) for t in cut]), whole.gaze(TEN_MINUTES[:3000]))


def test_another_seed_is_another_face() -> None:
    assert not np.array_equal(Idle(1).blink(TEN_MINUTES), Idle(2).blink(TEN_MINUTES))
