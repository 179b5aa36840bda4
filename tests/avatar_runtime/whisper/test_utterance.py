from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.contracts import LISTENING_RATE, MAX_UTTERANCE_SECONDS, AvatarError, Code
from avatar_runtime.whisper.decoding import DecodingOptions
from avatar_runtime.whisper.transcribe import Transcript
from avatar_runtime.whisper.utterance import Utterance


class Heard:
    """The part of a transcriber that a stream which is not heard while it is spoken asks for."""

    def __init__(self) -> None:
        self.audio = np.zeros(0, np.float32)

    def options(self, language: str = "", task: str = "", prompt: str = "") -> DecodingOptions:
        return DecodingOptions(language or None)

    def transcribe(self, audio: np.ndarray, options: DecodingOptions, cancelled: object) -> Transcript:
        self.audio = audio
        return Transcript("Hello", options.language or "en")


def test_joins_what_arrives_and_hears_it_at_the_end() -> None:
    utterance, ears = Utterance(), Heard()
    for part in ([0.1, 0.2], [], [0.3]):
        utterance.add(np.array(part, np.float32), ears)  # type: ignore[arg-type]
        assert utterance.heard(ears, False, False).text == ""  # type: ignore[arg-type]
    assert len(ears.audio) == 0
    assert utterance.heard(ears, False, True) == Transcript("Hello", "en")  # type: ignore[arg-type]
    np.testing.assert_array_equal(ears.audio, np.array([0.1, 0.2, 0.3], np.float32))


def test_a_flush_makes_nothing_certain() -> None:
    utterance, ears = Utterance(), Heard()
    utterance.add(np.ones(10, np.float32), ears)  # type: ignore[arg-type]
    assert utterance.heard(ears, True, False) == Transcript("", "en", [], "Hello")  # type: ignore[arg-type]
    utterance.add(np.ones(10, np.float32), ears)  # type: ignore[arg-type]
    utterance.heard(ears, False, True)  # type: ignore[arg-type]
    assert len(ears.audio) == 20


@pytest.mark.parametrize("broken", [np.array([np.nan]), np.array([np.inf]), np.array([1, 2], np.int16)])
def test_broken_audio_is_refused(broken: np.ndarray) -> None:
    with pytest.raises(AvatarError) as error:
        Utterance().add(broken, Heard())  # type: ignore[arg-type]
    assert error.value.code is Code.INVALID_AUDIO


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(AvatarError, match="empty") as error:
        Utterance().heard(Heard(), False, True)  # type: ignore[arg-type]
    assert error.value.code is Code.INVALID_AUDIO


def test_a_stream_is_bounded() -> None:
    utterance, ears = Utterance(), Heard()
    minute = np.zeros(60 * LISTENING_RATE, np.float32)
    for _ in range(MAX_UTTERANCE_SECONDS // 60):
        utterance.add(minute, ears)  # type: ignore[arg-type]
    with pytest.raises(AvatarError, match="30 minutes"):
        utterance.add(minute[:1], ears)  # type: ignore[arg-type]
