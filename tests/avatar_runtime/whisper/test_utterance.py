from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.contracts import LISTENING_RATE, MAX_UTTERANCE_SECONDS, AvatarError, Code
from avatar_runtime.whisper.utterance import Utterance


def test_joins_what_arrives() -> None:
    utterance = Utterance()
    utterance.add(np.array([0.1, 0.2], np.float32))
    utterance.add(np.zeros(0, np.float32))
    utterance.add(np.array([0.3], np.float32))
    np.testing.assert_array_equal(utterance.audio(), np.array([0.1, 0.2, 0.3], np.float32))


@pytest.mark.parametrize("broken", [np.array([np.nan]), np.array([np.inf]), np.array([1, 2], np.int16)])
def test_broken_audio_is_refused(broken: np.ndarray) -> None:
    with pytest.raises(AvatarError) as error:
        Utterance().add(broken)
    assert error.value.code is Code.INVALID_AUDIO


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(AvatarError, match="empty") as error:
        Utterance().audio()
    assert error.value.code is Code.INVALID_AUDIO


def test_a_stream_is_bounded() -> None:
    utterance = Utterance()
    minute = np.zeros(60 * LISTENING_RATE, np.float32)
    for _ in range(MAX_UTTERANCE_SECONDS // 60):
        utterance.add(minute)
    with pytest.raises(AvatarError, match="30 minutes"):
        utterance.add(minute[:1])
