"""A transcript as a file: plain text, subtitles or JSON; and its place."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from avatar_runtime.contracts import AvatarError, Code
from gateway.rest.transcripts import verbose
from gateway.subtitles import segments, srt, vtt
from gateway.transcript import Transcript

FORMATS: Final = ("txt", "srt", "vtt", "json")


def written(transcript: Transcript, duration: float, form: str, path: Path, task: str) -> str:
    """The transcript of `path` in one of FORMATS; JSON is one line."""
    parts = segments(transcript, duration)
    match form:
        case "srt":
            return srt(parts)
        case "vtt":
            return vtt(parts)
        case "json":
            return json.dumps({"file": str(path), **verbose(transcript, duration, task)}, ensure_ascii=False) + "\n"
        case _:
            return "".join(f"{part.text}\n" for part in parts)


def places(files: Sequence[Path], folder: Path, form: str) -> list[Path]:
    """Where each result goes: `talk.txt` for `talk.mp3`, or `talk.mp3.txt` beside one for `talk.mp4`."""
    stems = Counter(path.stem for path in files)
    found = [folder / f"{path.stem if stems[path.stem] == 1 else path.name}.{form}" for path in files]
    for place, count in Counter(found).items():
        if count > 1:
            raise AvatarError(Code.INVALID_REQUEST, f"{count} of the files would be written to {place}.")
    for place in found:
        if any(place.exists() and path.exists() and path.samefile(place) for path in files):
            raise AvatarError(Code.INVALID_REQUEST, f"The result would replace {place}: choose another --out.")
        if place.is_dir():
            raise AvatarError(Code.INVALID_REQUEST, f"{place} is a folder.")
    return found


def check_folder(folder: Path) -> None:
    """`invalid_request` when no result can be put there; makes the folder."""
    if folder.exists() and not folder.is_dir():
        raise AvatarError(Code.INVALID_REQUEST, f"{folder} is not a folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = _hidden(folder / "trial")
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise _unwritable(folder, error) from error


def write_whole(place: Path, text: str) -> None:
    """`text` in a file that is there whole or not at all."""
    path = _hidden(place)
    try:
        path.write_text(text, encoding="utf-8")
        os.replace(path, place)
    except OSError as error:
        raise _unwritable(place, error) from error
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _hidden(place: Path) -> Path:
    return place.with_name(f".{place.name[:60]}.{secrets.token_hex(4)}.part")


def _unwritable(place: Path, error: OSError) -> AvatarError:
    return AvatarError(Code.INVALID_REQUEST, f"{place} cannot be written: {error.strerror}.")
