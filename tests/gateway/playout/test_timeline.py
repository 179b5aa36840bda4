"""The timeline, pacing and catching up: pure, so no test waits."""

from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.contracts import MOTION_SAMPLES
from gateway.playout.catchup import Pace, frames_to_skip
from gateway.playout.pacer import Pacer
from gateway.playout.timeline import MAX_AUDIO_SLOTS, MAX_FRAMES, PACKET_SAMPLES, Timeline


def speech(slots: int, value: int = 1000) -> np.ndarray:
    return np.full(slots * MOTION_SAMPLES, value, np.int16)


def picture(number: int) -> np.ndarray:
    return np.full((768, 512), number, np.uint8)


def play(timeline: Timeline, packets: range) -> list[int]:
    """The loudest sample of each packet."""
    return [int(np.abs(timeline.take_audio(packet)).max()) for packet in packets]


def test_silence_where_nothing_is_said() -> None:
    timeline = Timeline()
    assert play(timeline, range(10)) == [0] * 10
    assert timeline.head == 4
    assert timeline.take_audio(10).shape == (PACKET_SAMPLES,)


def test_speech_begins_after_the_idle_frames_that_are_there() -> None:
    timeline = Timeline()
    play(timeline, range(4))  # slots 0 and 1
    for slot in (2, 3, 4):
        timeline.put(slot, picture(slot))
    assert timeline.append(speech(3)) == 5
    assert play(timeline, range(4, 18)) == [0] * 6 + [1000] * 6 + [0] * 2


def test_speech_that_follows_speech_leaves_no_gap() -> None:
    timeline = Timeline()
    assert timeline.append(speech(2)) == 0
    assert timeline.append(speech(2, 2000)) == 2
    assert play(timeline, range(8)) == [1000] * 4 + [2000] * 4
    assert not timeline.speaking


def test_every_sample_comes_out_once_in_order() -> None:
    timeline = Timeline()
    pcm = np.arange(3 * MOTION_SAMPLES, dtype=np.int16)
    timeline.append(pcm)
    assert np.array_equal(np.concatenate([timeline.take_audio(packet) for packet in range(6)]), pcm)


def test_each_frame_is_shown_with_its_sound() -> None:
    timeline = Timeline()
    timeline.append(speech(3))
    for slot in range(3):
        timeline.put(slot, picture(slot + 1))
    shown = []
    for slot in range(3):
        timeline.take_audio(2 * slot)
        frame = timeline.take_frame(slot)
        assert frame is not None
        shown.append(int(frame[0, 0]))
    assert shown == [1, 2, 3]
    assert (timeline.held, timeline.dropped) == (0, 0)


def test_sound_does_not_wait_for_frames_and_late_ones_are_dropped() -> None:
    timeline = Timeline()
    timeline.append(speech(4))
    timeline.put(0, picture(1))
    timeline.take_audio(0)
    assert timeline.take_frame(0) is not None
    timeline.take_audio(2)
    assert timeline.take_frame(1) is None  # held
    timeline.put(1, picture(2))  # too late
    timeline.put(2, picture(3))
    timeline.put(3, picture(4))
    timeline.take_audio(6)
    frame = timeline.take_frame(3)
    assert frame is not None and frame[0, 0] == 4  # the newest; slot 2 was left out
    assert (timeline.held, timeline.dropped) == (1, 2)


def test_frames_are_bounded() -> None:
    timeline = Timeline()
    for slot in range(MAX_FRAMES + 10):
        timeline.put(slot, picture(0))
    assert timeline.ahead == MAX_FRAMES
    assert timeline.dropped == 10


def test_room_shrinks_with_speech_and_grows_with_playout() -> None:
    timeline = Timeline()
    timeline.append(speech(100))
    assert timeline.room == MAX_AUDIO_SLOTS - 100
    play(timeline, range(100))
    assert timeline.room == MAX_AUDIO_SLOTS - 50


def test_clearing_cuts_speech_within_two_slots_and_without_a_click() -> None:
    timeline = Timeline()
    timeline.append(speech(50))
    timeline.put(1, picture(1))
    timeline.put(2, picture(2))
    timeline.mark(30, "later")
    play(timeline, range(2))
    timeline.clear()
    assert not timeline.speaking or timeline.audio_end == 2
    rest = np.concatenate([timeline.take_audio(packet) for packet in range(2, 20)]).astype(int)
    assert rest[0] == 1000 and not rest[200:].any()
    assert np.abs(np.diff(rest)).max() < 20
    assert timeline.take_frame(2) is not None  # the frames that were there are still shown
    assert list(timeline.passed()) == []


def test_speech_after_clearing_follows_the_frames() -> None:
    timeline = Timeline()
    timeline.append(speech(50))
    for slot in range(1, 6):
        timeline.put(slot, picture(slot))
    play(timeline, range(2))
    timeline.clear()
    assert timeline.append(speech(1)) == 6


def test_marks_come_when_they_are_heard() -> None:
    timeline = Timeline()
    timeline.append(speech(4))
    timeline.mark(0, "first")
    timeline.mark(2, "second")
    assert list(timeline.passed()) == []
    timeline.take_audio(0)
    assert list(timeline.passed()) == ["first"]
    timeline.take_audio(5)
    assert list(timeline.passed()) == ["second"]
    assert list(timeline.passed()) == []


def test_a_jump_of_the_head_forgets_what_it_skipped() -> None:
    timeline = Timeline()
    timeline.append(speech(10))
    timeline.take_audio(12)
    assert len(timeline._audio) == 4


def test_pacing_is_even_and_starts_at_once() -> None:
    pacer = Pacer()
    assert pacer.delay(0.0, 100.0) == 0
    assert pacer.delay(0.02, 100.005) == pytest.approx(0.015)
    assert pacer.delay(0.04, 100.045) == 0  # 5 ms late: no drift, the next one is on time again
    assert pacer.delay(0.06, 100.045) == pytest.approx(0.015)


def test_after_a_standstill_the_master_sets_the_clock_back() -> None:
    pacer = Pacer()
    pacer.delay(0.0, 100.0, master=True)
    assert pacer.delay(0.02, 103.0) == 0  # video alone does not
    assert pacer.delay(0.02, 103.0, master=True) == 0
    assert pacer.delay(0.04, 103.0, master=True) == pytest.approx(0.02)
    assert pacer.delay(0.04, 103.0) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("count", "lead", "pace", "skip"),
    [
        (5, 3, 0.008, 0),  # in good time
        (5, 0, 0.008, 1),
        (5, 0, 0.066, 4),  # 15 fps: one frame that is in time beats five that are not
        (5, -5, 0.008, 5),  # all of them are late
        (5, 50, 0.2, 0),
    ],
)
def test_what_cannot_be_in_time_is_not_drawn(count: int, lead: int, pace: float, skip: int) -> None:
    assert frames_to_skip(count, lead, pace) == skip


def test_pace_ignores_one_slow_batch() -> None:
    pace = Pace()
    for seconds in (0.04, 0.04, 5.0, 0.04):
        pace.took(seconds, 5)
    assert pace.per_frame == pytest.approx(0.008, abs=0.003)
