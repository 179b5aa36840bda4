"""In which order a tritonserver that died gets its models back."""

from __future__ import annotations

import os
import time

from triton_launch.server import WORK_SECONDS, Server, Stub, order

MODELS = [
    "capture_mediapipe", "motion_speech", "render_liveportrait", "render_meshwarp", "stt_whisper", "tts_hibari",
    "tts_kokoro", "tts_xtts", "vad_silero",
]  # fmt: skip


def test_what_is_heard_and_seen_comes_first_and_a_small_one_before_all() -> None:
    urgent, rest = order(MODELS, {"render_liveportrait", "tts_xtts"}, set())
    assert urgent == ["motion_speech", "tts_kokoro", "render_meshwarp", "tts_hibari", "vad_silero"]
    assert rest == ["stt_whisper", "capture_mediapipe", "render_liveportrait", "tts_xtts"]


def test_a_voice_that_nobody_used_waits_for_the_one_that_speaks() -> None:
    urgent, rest = order(MODELS, {"tts_xtts"}, {"tts_hibari", "vad_silero", "render_meshwarp"})
    assert urgent == ["motion_speech", "render_meshwarp", "tts_hibari", "vad_silero"]
    assert rest[0] == "stt_whisper" and set(rest[1:-1]) == {"capture_mediapipe", "render_liveportrait", "tts_kokoro"}
    both, _ = order(MODELS, set(), {"tts_hibari", "tts_kokoro"})
    assert both.index("tts_kokoro") < both.index("tts_hibari") and "tts_xtts" not in both


def test_what_did_not_load_before_keeps_nobody_waiting() -> None:
    urgent, rest = order(MODELS, set(MODELS), {"tts_kokoro"})
    assert not urgent and rest[0] == "stt_whisper"


def test_a_process_that_worked_between_two_looks_is_noticed() -> None:
    one = Server.__new__(Server)
    one._stubs = [Stub("tts_kokoro", os.getpid(), -1), Stub("tts_hibari", os.getppid(), -1), Stub("gone", 2**22, -1)]
    one._work_done, one._worked = {}, {}
    one._look_at_work()
    assert not one._worked, "what was done before the first look counts for nothing"
    began = time.process_time()
    while time.process_time() - began < WORK_SECONDS + 0.03:  # the kernel counts in ticks of 10 ms
        pass
    one._look_at_work()
    assert "tts_kokoro" in one._worked and "gone" not in one._worked
