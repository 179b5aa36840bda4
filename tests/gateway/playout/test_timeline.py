"""The timeline, pacing and catching up: pure, so no test waits."""

from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.contracts import MOTION_SAMPLES
from gateway.playout.catchup import Pace, frames_to_skip
from gateway.playout.pacer import Pacer
from gateway.playout.timeline import LIPS_AFTER, MAX_AUDIO_SLOTS, MAX_FRAMES, PACKET_SAMPLES, SAID_AGAIN, Timeline


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


def test_idle_frames_made_ahead_give_way_to_speech() -> None:
    timeline = Timeline()
    play(timeline, range(4))  # slots 0 and 1
    for slot in (2, 3, 4):
        timeline.put(slot, picture(slot))
    assert timeline.append(speech(3)) == 2
    timeline.put(2, picture(9))
    shown = timeline.take_frame(2)
    assert shown is not None and shown[0, 0] == 9
    assert play(timeline, range(4, 12)) == [1000] * 6 + [0] * 2


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


def test_speech_after_clearing_takes_the_place_of_frames_made_ahead() -> None:
    timeline = Timeline()
    timeline.append(speech(50))
    for slot in range(1, 6):
        timeline.put(slot, picture(slot))
    play(timeline, range(2))
    timeline.clear()
    assert timeline.append(speech(1)) == 2


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
    assert len(timeline._audio) == 4 + SAID_AGAIN


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


def test_speech_that_was_stopped_goes_on_a_little_before_where_it_was() -> None:
    timeline = Timeline()
    timeline.append(np.repeat(np.arange(1, 9, dtype=np.int16) * 1000, MOTION_SAMPLES))
    timeline.mark(0, "one")
    timeline.mark(6, "seven")
    play(timeline, range(11))
    assert list(timeline.passed()) == ["one"]
    timeline.pause()
    assert timeline.paused and timeline.heard == 5 - SAID_AGAIN - 1
    after = [timeline.take_audio(packet) for packet in range(11, 17)]
    assert 0 < np.abs(after[0][:10]).max() <= 6000 and not after[0][200:].any()  # faded, within the packet
    assert not np.concatenate(after[1:]).any() and not list(timeline.passed())
    start, moved = timeline.resume()
    assert (start, start + moved) == (5 - SAID_AGAIN, 9)
    assert play(timeline, range(18, 32)) == [value * 1000 for value in (3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 0, 0)]
    assert list(timeline.passed()) == ["seven"]


def test_what_was_stopped_can_be_given_up() -> None:
    timeline = Timeline()
    timeline.append(speech(4))
    timeline.mark(3, "end")
    play(timeline, range(2))
    timeline.pause()
    timeline.clear()
    assert not timeline.paused and timeline.resume()[1] == 0
    assert play(timeline, range(4, 10)) == [0] * 6 and not list(timeline.passed())


def test_frames_for_speech_that_was_stopped_are_dropped_but_for_the_next_few() -> None:
    timeline = Timeline()
    timeline.append(speech(8))
    for slot in range(8):
        timeline.put(slot, picture(slot))
    play(timeline, range(2))
    timeline.pause()
    assert timeline.frame_end == 1 + LIPS_AFTER
    found = timeline.take_frame(7)
    assert found is not None and found[0, 0] == LIPS_AFTER
    timeline.pause()  # once more changes nothing
    assert timeline.resume()[0] == 0
