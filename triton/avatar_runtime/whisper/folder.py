"""Which Whisper there is: our own export of a size, or else the hub's 8-bit files of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.whisper.bundle import WhisperBundle
from avatar_runtime.whisper.exported import MANIFEST
from avatar_runtime.whisper.model import WhisperModel
from avatar_runtime.whisper.resident import Resident
from avatar_runtime.whisper.tokens import Vocabulary
from avatar_runtime.whisper.transcribe import Transcriber

SIZE = "base"  # of the files that `antlitz models pull` brings
THREADS = 2
PUBLISHED = {"turbo": "large-v3-turbo"}  # where the hub's name is another


def exported_folder(models: Path, size: str) -> Path:
    """Where `antlitz export whisper` puts a size."""
    return models / f"whisper-{size}-export"


def wanted_size() -> str:
    """The size that ``ANTLITZ_WHISPER`` asks for: base, large-v3, turbo, …; raises `invalid_request`."""
    size = os.environ.get("ANTLITZ_WHISPER", "").strip() or SIZE
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,40}", size):
        raise AvatarError(Code.INVALID_REQUEST, "ANTLITZ_WHISPER must be a size like base, small, turbo or large-v3.")
    return size


def open_resident(models: Path, provider: str, encode: Callable[[Any], Any]) -> Transcriber:
    """The export of the wanted size with its decoder on `provider`'s device; `encode` as in `Resident`."""
    size = wanted_size()
    folder = exported_folder(models, size)
    if not (folder / MANIFEST).exists():
        raise _missing(size, " --precision fp16")
    bundle = WhisperBundle(folder, THREADS, (provider,))
    return Transcriber(Resident(bundle.session, bundle.sizes, provider, encode), Vocabulary(folder))


def open_transcriber(models: Path, size: str = "") -> Transcriber:
    """The Whisper of `size`, or of the wanted one, below `models`; `engine_unavailable` names what brings it."""
    size = size or wanted_size()
    folder = exported_folder(models, size)
    if (folder / MANIFEST).exists():
        return Transcriber(WhisperBundle(folder, THREADS).networks(), Vocabulary(folder))
    folder = models / f"whisper-{size}"
    if (folder / "onnx").is_dir():
        return Transcriber(WhisperModel(folder, THREADS), Vocabulary(folder))
    raise _missing(size)


def _missing(size: str, more: str = "") -> AvatarError:
    return AvatarError(
        Code.ENGINE_UNAVAILABLE,
        f"There is no Whisper {size} that fits: `antlitz models pull` brings base and small for processors, "
        f"`antlitz export whisper --checkpoint openai/whisper-{PUBLISHED.get(size, size)}{more}` any other.",
    )
