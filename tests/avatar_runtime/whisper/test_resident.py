"""Whisper's caches on a device, run on the processor's: the same tokens, however many texts are written at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from avatar_runtime.whisper.bundle import WhisperBundle
from avatar_runtime.whisper.decoding import Decoded, DecodingOptions, decode
from avatar_runtime.whisper.features import WINDOW_FRAMES, log_mel
from avatar_runtime.whisper.network import Networks
from avatar_runtime.whisper.resident import Resident
from avatar_runtime.whisper.tokens import Vocabulary

HERE = "CPUExecutionProvider"


@pytest.fixture(scope="module")
def bundle(whisper_twin: Path) -> WhisperBundle:
    return WhisperBundle(whisper_twin, threads=1)


@pytest.fixture(scope="module")
def plain(bundle: WhisperBundle) -> Networks:
    return bundle.networks()


@pytest.fixture(scope="module")
def resident(bundle: WhisperBundle) -> Resident:
    return Resident(bundle.session, bundle.sizes, HERE, rows=3)


def mel(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 0.1, 5 * 16_000).astype(np.float32)
    return log_mel(noise, WINDOW_FRAMES, 80)


def heard(networks: Networks | Resident, vocabulary: Vocabulary, seed: int) -> Decoded:
    options = DecodingOptions(language="de", said=tuple(range(40, 40 + seed)))
    return decode(networks, vocabulary, networks.understand(mel(seed)), 2.0 + seed, options, (0.0,))


def test_many_at_once_say_what_each_says_alone(plain: Networks, resident: Resident, whisper_twin: Path) -> None:
    vocabulary = Vocabulary(whisper_twin)
    wanted = [heard(plain, vocabulary, seed) for seed in range(6)]
    with ThreadPoolExecutor(6) as pool:  # more than there are rows
        found = list(pool.map(lambda seed: heard(resident, vocabulary, seed), range(6)))
    for one, other in zip(found, wanted, strict=True):
        assert one.tokens == other.tokens and one.tokens
        assert one.mean_log_probability == pytest.approx(other.mean_log_probability, abs=1e-4)
        np.testing.assert_allclose(np.concatenate(one.attention, 1), np.concatenate(other.attention, 1), atol=1e-4)


def test_texts_share_a_step(resident: Resident) -> None:
    texts = [resident.begin(resident.understand(mel(seed))) for seed in range(3)]
    for text in texts:
        resident.feed(text, [257, 258])
    runs, step = [], resident._step
    begun, gate = threading.Event(), threading.Event()

    def slow(group: list) -> list:
        begun.set()
        gate.wait(10)
        runs.append(len(group))
        return step(group)

    resident._step = slow  # type: ignore[method-assign]
    try:
        with ThreadPoolExecutor(3) as pool:
            fed = [pool.submit(resident.feed, texts[0], [65])]
            assert begun.wait(10)  # the first is taken, the others wait behind it
            fed += [pool.submit(resident.feed, text, [65]) for text in texts[1:]]
            while resident._waiting.qsize() < 2:
                pass
            gate.set()
            assert all(each.result(30).shape[0] == 1 for each in fed)
    finally:
        del resident._step  # type: ignore[attr-defined]
    assert sorted(runs) == [1, 2]
    assert [text.length for text in texts] == [3, 3, 3]


def test_a_row_is_free_when_nobody_holds_it(resident: Resident) -> None:
    for seed in range(8):
        resident.begin(resident.understand(mel(seed)))
    assert resident._free.qsize() == 3


def test_a_step_that_fails_is_told_and_the_next_works(resident: Resident) -> None:
    text = resident.begin(resident.understand(mel(0)))
    with pytest.raises(Exception, match="indices element out of data bounds"):
        resident.feed(text, [10**9])
    assert resident.feed(text, [257]).shape[0] == 1


def test_an_encoder_elsewhere_is_asked(bundle: WhisperBundle, plain: Networks) -> None:
    asked: list[tuple[int, ...]] = []

    def encode(spectrogram: np.ndarray) -> np.ndarray:
        asked.append(spectrogram.shape)
        return plain.states(spectrogram)

    served = Resident(bundle.session, bundle.sizes, HERE, encode, rows=1)
    served.begin(served.understand(mel(1)))
    assert asked == [(1, 80, WINDOW_FRAMES)]
