"""A Whisper by its name on the model hub."""

from __future__ import annotations

import re
from pathlib import Path

FILES = ("config.json", "generation_config.json", "tokenizer.json", "model*.safetensors", "*.safetensors.index.json")


class HubError(Exception):
    """A model that cannot be fetched; one sentence."""


def is_name(text: str) -> bool:
    """Whether this reads as `owner/model`, and not as a path."""
    return bool(re.fullmatch(r"[\w-]+/[\w.-]+", text)) and not Path(text).exists()


def fetched(name: str) -> Path:
    """The folder of the model's files, in the hub's own cache. Raises `HubError`."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES)))
    except Exception as error:  # the client raises errors of its own, of the transport and of the system
        raise HubError(
            f"{name} could not be fetched from the model hub ({type(error).__name__}); give a folder that holds it."
        ) from error
