"""Videos at any rate become 25 pictures a second; sound comes in pieces and in time; what is wrong is one sentence."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from recordings import write_sound, write_video

from avatar_runtime.contracts import MOTION_SAMPLES, AvatarError
from gateway.animation import sound, video
from gateway.media import wav_header


def grey(level: float, height: int = 64, width: int = 96) -> np.ndarray:
    return np.full((height, width, 3), round(level), np.uint8)


@pytest.mark.parametrize("fps", [Fraction(10), Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(60)])
def test_any_rate_becomes_25_a_second(tmp_path: Path, fps: Fraction) -> None:
    count = int(2 * fps)
    path = write_video(tmp_path / "v.mp4", [grey(20 + 200 * n / count) for n in range(count)], fps)
    found = list(video.frames(path))
    assert abs(len(found) - count / float(fps) * 25) <= 1
    assert video.facts(path).frames == pytest.approx(len(found), abs=1)
    for slot, picture in enumerate(found):  # the picture that a player would show at that moment
        shown = int(slot / 25 * float(fps) + 0.02)
        assert picture.mean() == pytest.approx(20 + 200 * shown / count, abs=6), slot


def test_large_pictures_are_made_smaller(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", [grey(90, 1080, 1920)] * 2, Fraction(25))
    assert {picture.shape for picture in video.frames(path)} == {(540, 960, 3)}


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg"])
def test_sound_in_slots(tmp_path: Path, name: str) -> None:
    rate = 48_000 if name.endswith("ogg") else 44_100
    path = write_sound(tmp_path / name, 1.03, rate)
    slots = list(sound.speech(path))
    assert all(len(slot) == MOTION_SAMPLES for slot in slots) and len(slots) in (26, 27, 28)
    assert np.abs(slots[10]).max() == pytest.approx(0.3, abs=0.03)
    assert sound.length(path) == pytest.approx(1.03, abs=0.06)
    whole = np.concatenate(list(sound.pieces(path, 48_000, 2)))
    assert whole.shape[1] == 2 and len(whole) == pytest.approx(1.03 * 48_000, abs=3000)


def test_sound_that_begins_late_has_silence_before_it(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", [grey(50)] * 50, Fraction(25), sound=True, delay=0.3)
    start = video.facts(path).start
    whole = np.concatenate(list(sound.pieces(path, 48_000, 1, start)))[:, 0]
    loud = np.flatnonzero(np.abs(whole) > 0.3)
    assert loud[0] / 48_000 == pytest.approx(0.5, abs=0.03)


def test_a_long_recording_is_never_whole_in_memory(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "long.flac", 15 * 60, 8_000)  # 86 MB of samples at SPEAKING_RATE
    tracemalloc.start()
    assert sum(1 for _ in sound.speech(path)) == pytest.approx(15 * 60 * 25, abs=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6


def test_what_is_wrong_with_a_file_is_one_sentence(tmp_path: Path) -> None:
    text, empty, tone = tmp_path / "t.mp4", tmp_path / "e.mp4", write_sound(tmp_path / "a.wav", 0.5)
    text.write_text("no film at all, only words\n" * 50)
    empty.write_bytes(b"")
    silent = write_video(tmp_path / "s.mp4", [grey(9)] * 3, Fraction(25))
    zero = tmp_path / "zero.wav"
    zero.write_bytes(wav_header(0))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(silent.read_bytes()[:400])
    picture = Path(__file__).parents[3] / "characters" / "defaults" / "portraits" / "mona_lisa.jpg"
    cases = [
        (video.facts, tmp_path / "none.mp4", "There is no video"),
        (video.facts, tmp_path, "is not a file"),
        (video.facts, empty, "is empty"),
        (video.facts, text, "cannot be read"),
        (video.facts, cut, "cannot be read"),
        (video.facts, tone, "has no pictures"),
        (video.facts, picture, "is a picture"),
        (sound.length, silent, "has no sound"),
        (sound.length, text, "cannot be read"),
        (sound.length, empty, "is empty"),
        (sound.length, zero, "is empty"),
    ]
    for look, path, words in cases:
        with pytest.raises(AvatarError, match=words) as caught:
            look(path)
        assert caught.value.message.endswith(".") and "\n" not in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.4,\nother.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile other.ts\n",
    ],
    ids=["m3u8", "ffconcat"],
)
@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4", "list.txt"])
def test_a_playlist_opens_no_other_file(tmp_path: Path, name: str, text: str) -> None:
    other = write_video(tmp_path / "other.ts", [grey(80)] * 10, Fraction(25))
    assert video.facts(other).frames
    (tmp_path / name).write_text(text, "utf-8")
    for read in (video.facts, sound.length, sound.has_sound):
        with pytest.raises(AvatarError, match="damaged or of a kind that cannot be read"):
            read(tmp_path / name)
