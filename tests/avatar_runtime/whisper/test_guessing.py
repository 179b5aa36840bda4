"""Tokens that were guessed are read at once; what is heard does not depend on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from hibari import Hibari

from avatar_runtime.contracts import LISTENING_RATE
from avatar_runtime.whisper.decoding import Decoded, DecodingOptions, decode
from avatar_runtime.whisper.features import FRAMES_PER_POSITION, log_mel
from avatar_runtime.whisper.folder import open_transcriber
from avatar_runtime.whisper.transcribe import Transcriber

pytestmark = pytest.mark.models

SECONDS = 3.0


class Counting:
    """The networks, and how many tokens each step read."""

    def __init__(self, networks: Any) -> None:
        self._networks, self.steps = networks, []

    def feed(self, text: Any, tokens: list[int]) -> Any:
        self.steps.append(len(tokens))
        return self._networks.feed(text, tokens)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._networks, name)


@pytest.fixture(scope="module")
def transcriber(models: Path) -> Transcriber:
    return open_transcriber(models)


@pytest.fixture(scope="module")
def memory(transcriber: Transcriber) -> Any:
    voice = np.asarray(Hibari()("We walked along the river until the sun went down.", seed=0), np.float32).reshape(-1)
    audio = soxr.resample(voice, 24_000, LISTENING_RATE).astype(np.float32)
    positions = transcriber.context(SECONDS + 2)
    return transcriber.networks.understand(log_mel(audio, positions * FRAMES_PER_POSITION, transcriber.networks.bands))


def heard(transcriber: Transcriber, memory: Any, **options: Any) -> tuple[Decoded, list[int]]:
    networks = Counting(transcriber.networks)
    steered = DecodingOptions("en", **options)
    return decode(networks, transcriber.vocabulary, memory, SECONDS, steered, (0.0,)), networks.steps


@pytest.mark.parametrize(
    ("share", "tail"),
    [(1.0, ()), (0.5, ()), (0.5, (400, 500)), (0.0, (400, 500, 600)), (1.0, (400, 500)), (0.9, (11,))],
)
@pytest.mark.parametrize("certain", [0, 3])
def test_what_is_heard_is_the_same(
    share: float, tail: tuple[int, ...], certain: int, transcriber: Transcriber, memory: Any
) -> None:
    plain, _ = heard(transcriber, memory)
    said, rest = tuple(plain.tokens[:certain]), plain.tokens[certain:]
    guess = (*rest[: int(share * len(rest))], *tail)
    found, _ = heard(transcriber, memory, said=said, guess=guess)
    assert found.tokens == plain.tokens
    alone, _ = heard(transcriber, memory, said=said)
    assert len(found.attention) == len(alone.attention)
    for one, other in zip(found.attention, alone.attention, strict=True):
        assert one.shape == other.shape
        # Of 2, which is somewhere else. 8 bits round by what is read together: up to 0.33 was seen.
        assert np.abs(one - other).sum(axis=-1).mean() < 0.6
    assert found.mean_log_probability == pytest.approx(alone.mean_log_probability, abs=0.05)


def test_a_right_guess_saves_steps(transcriber: Transcriber, memory: Any) -> None:
    plain, slow = heard(transcriber, memory)
    _, fast = heard(transcriber, memory, guess=tuple(plain.tokens))
    assert len(fast) == 2 and len(slow) > 10
