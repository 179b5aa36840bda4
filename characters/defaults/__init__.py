"""The characters that every installation has: one TOML file each, their portraits beside them."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from characters.fields import NewCharacter

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class DefaultCharacter:
    """A character to create when no row has its `id`; `portrait` is the encoded picture."""

    id: str
    fields: NewCharacter
    portrait: bytes

    @cached_property
    def portrait_sha256(self) -> str:
        return hashlib.sha256(self.portrait).hexdigest()


def default_characters(folder: Path = FOLDER) -> list[DefaultCharacter]:
    """Read every default character, in the order of the files' names."""
    return [_read(path) for path in sorted(folder.glob("*.toml"))]


def _read(path: Path) -> DefaultCharacter:
    content = tomllib.loads(path.read_text("utf-8"))
    portrait = path.parent / "portraits" / content.pop("portrait")
    return DefaultCharacter(content.pop("id"), NewCharacter.model_validate(content), portrait.read_bytes())
