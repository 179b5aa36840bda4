"""Results and their places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_runtime.contracts import AvatarError
from gateway.transcript import Transcript, Word
from gateway.transcription.results import check_folder, places, write_whole, written

SAID = Transcript("Grüß Gott. <Ja>", "de", [Word("Grüß", 1, 1.2), Word("Gott.", 1.2, 1.5), Word("<Ja>", 3721, 3721.5)])
NOTHING = Transcript("", "", [])


def test_every_form() -> None:
    assert written(SAID, 4000, "txt", Path("a.mp3"), "transcribe") == "Grüß Gott.\n<Ja>\n"
    assert "\n\n2\n01:02:01,000 --> 01:02:01,500\n<Ja>\n" in written(SAID, 4000, "srt", Path("a.mp3"), "transcribe")
    assert "01:02:01.000 --> 01:02:01.500\n&lt;Ja&gt;\n" in written(SAID, 4000, "vtt", Path("a.mp3"), "transcribe")
    line = written(SAID, 4000, "json", Path("a.mp3"), "translate")
    found = json.loads(line)
    assert line.count("\n") == 1 and "Grüß" in line
    assert (found["file"], found["language"], found["task"], found["duration"]) == ("a.mp3", "de", "translate", 4000)
    assert found["words"][2] == {"word": "<Ja>", "start": 3721, "end": 3721.5} and len(found["segments"]) == 2


def test_nothing_is_valid_in_every_form() -> None:
    assert written(NOTHING, 3, "txt", Path("a"), "transcribe") == written(NOTHING, 3, "srt", Path("a"), "transcribe")
    assert written(NOTHING, 3, "vtt", Path("a"), "transcribe").startswith("WEBVTT")
    assert json.loads(written(NOTHING, 3, "json", Path("a"), "transcribe"))["words"] == []


def test_places(tmp_path: Path) -> None:
    def names(*files: str) -> list[str]:
        return [place.name for place in places([Path(file) for file in files], tmp_path, "srt")]

    assert names("x/talk.mp3", "b.flac") == ["talk.srt", "b.srt"]
    assert names("x/talk.mp3", "x/talk.mp4") == ["talk.mp3.srt", "talk.mp4.srt"]
    with pytest.raises(AvatarError, match="2 of the files would be written to"):
        names("x/talk.mp3", "y/talk.mp3")
    (tmp_path / "odd.srt").touch()
    with pytest.raises(AvatarError, match="would replace"):
        names(str(tmp_path / "odd.srt"))
    (tmp_path / "sub.srt").mkdir()
    with pytest.raises(AvatarError, match="is a folder"):
        names("sub.mp3")


def test_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "a.txt"
    write_whole(place, "one\n")
    write_whole(place, "two\n")
    assert place.read_text() == "two\n"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(AvatarError, match=r"a\.txt cannot be written: No space left"):
        write_whole(place, "three\n")
    assert place.read_text() == "two\n" and [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_the_folder_is_made(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    assert not list((tmp_path / "a" / "b").iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(AvatarError, match="is not a folder"):
        check_folder(tmp_path / "file")
    with pytest.raises(AvatarError, match="cannot be written"):
        check_folder(Path("/proc/results"))
