"""Files of every kind as an ear hears them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sounds import RATE, pcm, tone, write, write_wav

from avatar_runtime.contracts import AvatarError
from gateway.animation.sound import length
from gateway.transcription.recording import BLOCK, blocks


def heard(path: Path) -> np.ndarray:
    parts = list(blocks(path))
    assert all(len(part) == BLOCK for part in parts[:-1]) and all(part.dtype == np.float32 for part in parts)
    return np.concatenate([np.zeros(0, np.float32), *parts])


def like(found: np.ndarray, expected: np.ndarray) -> float:
    count = min(len(found), len(expected))
    return float(np.corrcoef(found[:count], expected[:count])[0, 1])


def test_a_long_recording_comes_in_blocks(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 3 * BLOCK + 100).astype(np.float32)
    found = heard(write_wav(tmp_path / "a.wav", samples))
    assert len(found) == len(samples) and like(found, samples) > 0.9999


@pytest.mark.parametrize(
    ("samples", "rate", "channels"),
    [
        (tone(2) * 127 + 128, RATE, 1),  # 8 bit
        (tone(2, rate=192_000), 192_000, 1),
        (np.repeat(tone(2), 8), RATE, 8),
        (np.repeat(tone(2), 3), RATE, 3),
        (tone(2) + 0.6, RATE, 1),  # a constant offset
    ],
    ids=["8 bit", "192 kHz", "8 channels", "3 channels", "offset"],
)
def test_odd_kinds(tmp_path: Path, samples: np.ndarray, rate: int, channels: int) -> None:
    samples = samples.astype("u1") if samples.max() > 2 else pcm(samples)
    found = heard(write_wav(tmp_path / "a.wav", samples, rate, channels))
    assert len(found) == pytest.approx(2 * RATE, abs=40)
    assert like(found, tone(2)) > 0.99 and abs(found.mean()) < 1e-3


def test_one_sample(tmp_path: Path) -> None:
    assert heard(write_wav(tmp_path / "one.wav", pcm(np.ones(1) * 0.5))).size == 1


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_video_whose_sound_begins_later(tmp_path: Path, ending: str) -> None:
    sound = tone(2, rate=48_000)
    found = heard(write(tmp_path / f"film.{ending}", sound, "aac", video=6, delay=3.5))
    loud = np.flatnonzero(np.abs(found) > 0.1) / RATE
    assert loud[0] == pytest.approx(3.5, abs=0.06) and loud[-1] == pytest.approx(5.5, abs=0.06)


def test_missing_packets_are_silence(tmp_path: Path) -> None:
    """A recorder that pauses leaves a hole; what follows keeps its time."""
    import av

    whole = write(tmp_path / "whole.mkv", tone(10, rate=48_000), "libopus")
    holed = tmp_path / "holed.mkv"
    with av.open(str(whole)) as source, av.open(str(holed), "w") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None and not 2 <= float(packet.dts * packet.time_base) < 7:
                packet.stream = stream
                target.mux(packet)
    found = heard(holed)
    assert len(found) / RATE == pytest.approx(10, abs=0.1)
    assert np.abs(found[int(2.2 * RATE) : int(6.8 * RATE)]).max() < 0.01
    assert np.abs(found[int(7.2 * RATE) : int(9.8 * RATE)]).max() > 0.2


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("nan", "holds values that are not numbers"),
        ("inf", "holds values that are not numbers"),
        ("16 channels", "has 16 channels; at most 8"),
        ("2 kHz", "no sound has 2000 Hz"),
        ("encrypted", "damaged or of a kind that cannot be read"),
        ("truncated", "damaged or of a kind that cannot be read"),
        ("text", "damaged or of a kind that cannot be read"),
        ("playlist", "damaged or of a kind that cannot be read"),
        ("header", "is empty"),
        ("nothing", "is empty"),
    ],
)
def test_refused_in_one_sentence(tmp_path: Path, kind: str, sentence: str) -> None:
    path = tmp_path / ("a.mp4" if kind in ("encrypted", "truncated") else "a.wav")
    wrong = tone(2).copy()
    wrong[5000] = np.inf if kind == "inf" else np.nan
    match kind:
        case "nan" | "inf":
            write_wav(path, wrong)
        case "16 channels":
            write_wav(path, np.repeat(pcm(tone(1)), 16), channels=16)
        case "2 kHz":
            write_wav(path, pcm(tone(1)), rate=2000)
        case "encrypted":
            keys = {"encryption_key": "00" * 15 + "11", "encryption_kid": "22" * 16}
            write(path, tone(3, rate=48_000), "aac", encryption_scheme="cenc-aes-ctr", **keys)
        case "truncated":
            write(path, tone(3, rate=48_000), "aac")
            path.write_bytes(path.read_bytes()[:-2000])
        case "text":
            path.write_text("words " * 500)
        case "playlist":
            write_wav(tmp_path / "other.wav", pcm(tone(1)))
            path.write_text(f"#EXTM3U\n#EXTINF:10,\n{tmp_path}/other.wav\n#EXT-X-ENDLIST\n")
        case "header":
            write_wav(path, pcm(np.zeros(0)))
        case _:
            path.touch()
    with pytest.raises(AvatarError, match=sentence) as caught:
        length(path)
        list(blocks(path))
    assert "\n" not in caught.value.message and str(path) in caught.value.message


def test_a_cut_off_recording_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ogg", tone(4, rate=48_000), "libopus")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 1 < len(heard(path)) / RATE < 3
