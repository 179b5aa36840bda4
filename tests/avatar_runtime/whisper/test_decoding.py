from __future__ import annotations

import pytest

from avatar_runtime.whisper.decoding import COMPRESSION_RATIO, Decoded, compression_ratio, is_loop


@pytest.mark.parametrize(
    ("tokens", "looped"),
    [
        ([], False),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], False),
        ([7] * 5, False),  # no, no, no, no, no
        ([7] * 12, True),
        ([1, 2, 3] * 3, False),
        ([9, 8] + [1, 2, 3] * 4, True),
        ([1, 2, 3] * 4 + [9], False),
    ],
)
def test_loops(tokens: list[int], looped: bool) -> None:
    assert is_loop(tokens) is looped


def test_compression_ratio() -> None:
    assert compression_ratio("") == 0
    assert compression_ratio("He was not an ill-disposed young man.") < COMPRESSION_RATIO
    assert compression_ratio("Thank you. " * 30) > COMPRESSION_RATIO


def decoded(log_probability: float, no_speech: float = 0.0, ratio: float = 1.0, looped: bool = False) -> Decoded:
    return Decoded([1], "en", 1.0, log_probability, no_speech, ratio, looped, [])


def test_what_is_trusted() -> None:
    assert decoded(-0.2).trusted
    assert not decoded(-1.1).trusted
    assert not decoded(-0.2, ratio=2.5).trusted
    assert decoded(-0.2, ratio=2.5).kept
    assert not decoded(-0.2, looped=True).trusted
    assert decoded(-1.1, no_speech=0.7).silent
    assert not decoded(-0.2, no_speech=0.7).silent
