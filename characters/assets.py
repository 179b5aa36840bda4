"""Files named by their content, written wholly or not at all: in a folder here, or in an S3-compatible store."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

NAME: Final = re.compile(r"[0-9a-f]{64}")
_TEMPORARY: Final = ".writing-"


class Assets(Protocol):
    """Files addressed by SHA-256 (hex). Which of them are still needed is the store's knowledge."""

    def put(self, data: bytes) -> str:
        """Store `data` durably and return its SHA-256."""
        ...

    def get(self, sha256: str) -> bytes | None:
        """The file's bytes; None when it is gone. ValueError when it is no SHA-256."""
        ...

    def remove(self, sha256: str) -> None:
        """Delete a file, if it is there."""
        ...

    def stored(self) -> Iterator[str]:
        """The SHA-256 of every file."""
        ...

    def discard_unfinished(self) -> None:
        """Delete what a killed process was writing."""
        ...


def open_assets(address: str, folder: Path) -> Assets:
    """The files at ``s3://BUCKET/PREFIX``; where there is no address, those in `folder`."""
    if not address:
        return FolderAssets(folder)
    from characters.s3 import S3Assets  # boto3 is large, and most have no use for it

    return S3Assets(address)


def checked(sha256: str) -> str:
    """`sha256`; ValueError when it is none, and might lead somewhere."""
    if not NAME.fullmatch(sha256):
        raise ValueError("not a SHA-256")
    return sha256


class FolderAssets:
    """`Assets` in a folder of this machine, or one that machines share: ``<folder>/ab/ab12…``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, data: bytes) -> str:
        """Store `data` durably and return its SHA-256 (hex). What is there already is not written again."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        if path.is_file() and path.stat().st_size == len(data):
            return sha256
        path.parent.mkdir(exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
        return sha256

    def get(self, sha256: str) -> bytes | None:
        """The file's bytes; None when it is gone."""
        try:
            return self._path(sha256).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, sha256: str) -> None:
        """Delete a file, if it is there."""
        self._path(sha256).unlink(missing_ok=True)

    def stored(self) -> Iterator[str]:
        """The SHA-256 of every file."""
        for path in self._folder.glob("??/*"):
            if NAME.fullmatch(path.name):
                yield path.name

    def discard_unfinished(self) -> None:
        """Delete what a killed process was writing."""
        for path in self._folder.glob(f"{_TEMPORARY}*"):
            path.unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        return self._folder / checked(sha256)[:2] / sha256


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
