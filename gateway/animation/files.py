"""Opening files that a person names on the command line: every trouble is one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import av.error

from avatar_runtime.contracts import AvatarError, Code

PICTURES = ("image2", "png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "gif_pipe")


def check_readable(path: Path, what: str) -> None:
    """`invalid_request` when there is no such file, or it cannot be read, or it is empty."""
    if not path.exists():
        raise AvatarError(Code.INVALID_REQUEST, f"There is no {what} {path}.")
    if not path.is_file():
        raise AvatarError(Code.INVALID_REQUEST, f"The {what} {path} is not a file.")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise AvatarError(Code.INVALID_REQUEST, f"The {what} {path} cannot be read: {error.strerror}.") from error
    if empty:
        raise AvatarError(Code.INVALID_REQUEST, f"The {what} {path} is empty.")


@contextmanager
def opened(path: Path, what: str, code: Code) -> Iterator[Any]:
    """The container in a file; an error of `code` with one sentence when FFmpeg cannot read it, now or later."""
    check_readable(path, what)
    broken = AvatarError(code, f"The {what} {path} is damaged or of a kind that cannot be read.")
    try:
        # FFmpeg gets the file and no way to any other: a playlist would open what it names, files and addresses.
        with path.open("rb") as file, av.open(file, options={"protocol_whitelist": "none"}) as container:
            if container.format.name in PICTURES:
                raise AvatarError(code, f"{path} is a picture, not a {what}.")
            yield container
    except (av.error.FFmpegError, ValueError, EOFError) as error:
        raise broken from error


def seconds(container: Any, stream: Any) -> float | None:
    """How long the file says that it lasts."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else float(container.duration) / av.time_base
