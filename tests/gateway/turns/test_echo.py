"""The portrait's own voice, come back, is told from a person's: with made voices, filtered as a room does."""

from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.contracts import LISTENING_RATE
from gateway.turns.echo import ALIKE, WINDOW_SECONDS, EchoGate

WINDOW = int(WINDOW_SECONDS * LISTENING_RATE)


def voice(seed: int, seconds: float = 3.0) -> np.ndarray:
    """Something like a voice: pulses at a wandering pitch through wandering resonances, in syllables."""
    random = np.random.default_rng(seed)
    count = int(seconds * LISTENING_RATE)
    time = np.arange(count) / LISTENING_RATE
    pitch = 110 + 60 * random.random() + 20 * np.sin(2 * np.pi * (0.7 + random.random()) * time)
    pitch = pitch * (1 + 0.02 * np.cumsum(random.normal(size=count)) / np.sqrt(count) * 8)  # no voice is a clockwork
    phase = 2 * np.pi * np.cumsum(pitch) / LISTENING_RATE
    formants = 500 + 300 * np.sin(2 * np.pi * (2 + random.random()) * time + random.random() * 6)
    sound = sum(np.sin(n * phase) * np.exp(-(((n * pitch - formants) / 400) ** 2)) for n in range(1, 25))
    sound = sound + 0.05 * random.normal(size=count)
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * (3 + random.random()) * time)
    return (0.2 * sound * syllables / np.abs(sound).max()).astype(np.float32)


def room(sound: np.ndarray, seed: int = 7) -> np.ndarray:
    """A direct path and 150 ms of decaying reflections, as a microphone hears a loudspeaker."""
    random = np.random.default_rng(seed)
    response = np.zeros(int(0.15 * LISTENING_RATE))
    response[0] = 1
    taps = random.integers(40, len(response), 12)
    response[taps] += 0.25 * random.normal(size=12) * np.exp(-taps / (0.05 * LISTENING_RATE))
    return np.convolve(sound, response)[: len(sound)].astype(np.float32)


@pytest.fixture
def gate() -> EchoGate:
    gate = EchoGate()
    sent = voice(1)
    for start in range(0, len(sent), 320):
        gate.sent(sent[start : start + 320])
    return gate


@pytest.mark.parametrize("delay", [0.1, 0.3, 0.8])
def test_its_voice_20_decibels_below_is_recognised(gate: EchoGate, delay: float) -> None:
    end = int((3.0 - delay) * LISTENING_RATE)
    echo = 0.1 * room(voice(1))
    noise = np.random.default_rng(0).normal(0, 0.0005, WINDOW)
    assert gate.likeness((echo[end - WINDOW : end] + noise).astype(np.float32)) > ALIKE


def test_a_person_is_not_recognised(gate: EchoGate) -> None:
    for seed in range(2, 12):
        assert gate.likeness(voice(seed)[8000 : 8000 + WINDOW]) < ALIKE


def test_a_person_over_the_echo_is_a_person(gate: EchoGate) -> None:
    echo = 0.1 * room(voice(1))
    end = int(2.7 * LISTENING_RATE)
    for seed in range(2, 8):
        person = voice(seed)[8000 : 8000 + WINDOW]
        assert gate.likeness(echo[end - WINDOW : end] + person) < ALIKE


def test_nothing_sent_nothing_comes_back() -> None:
    gate = EchoGate()
    assert gate.likeness(voice(1)[:WINDOW]) == 0
    gate.sent(np.zeros(16_000, np.float32))
    assert not gate.hears_itself(voice(1)[:WINDOW])


def test_silence_is_no_echo(gate: EchoGate) -> None:
    assert gate.likeness(np.zeros(WINDOW, np.float32)) == 0
    assert gate.likeness(np.zeros(0, np.float32)) == 0
