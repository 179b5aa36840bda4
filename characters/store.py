"""The characters: rows in a database, with their files beside it."""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from avatar_runtime.contracts import MAX_LATENTS_BYTES, AvatarError, Code
from characters.assets import open_assets
from characters.database import open_database, reading, writing
from characters.defaults import DefaultCharacter, default_characters
from characters.fields import CharacterChange, NewCharacter
from characters.languages import known_language
from characters.library import Library
from characters.media_types import LATENTS_TYPE, audio_type, image_type
from characters.migrations import migrate
from characters.models import CharacterRow, record
from characters.record import Asset, Character, Glance

_NO_SAMPLE: Final[dict[str, Any]] = {"voice_sample": None, "voice_latents": None, "voice_latents_engine": ""}


class CharacterStore:
    """Characters in ``<data_dir>/characters.db`` or in PostgreSQL, their files in ``<data_dir>/assets`` or in S3.

    Every method is blocking and safe in any thread: it opens a connection of its own (0.6 ms), so
    ``asyncio.to_thread`` is the way to call it. A kill at any moment leaves either the old state or the new one.
    Unknown ids raise `unknown_character`.
    """

    def __init__(
        self,
        data_dir: Path,
        defaults: Callable[[], Sequence[DefaultCharacter]] = default_characters,
        database: str = "",
        assets: str = "",
    ) -> None:
        """`database` is the URL of a PostgreSQL database, `assets` the address of an S3 store; "" keeps them here.

        Gateways that share the database share the files, too: by that store, or with one `data_dir`.
        """
        data_dir.mkdir(parents=True, exist_ok=True)
        self._database = open_database(database or data_dir / "characters.db")
        self._library = Library(self._database, open_assets(assets, data_dir / "assets"))
        with reading(self._database):
            migrate(self._database)
        self.close: Callable[[], object] = weakref.finalize(self, self._database.hold_open())
        for default in defaults():
            self._create_missing(default)
        self._library.sweep()

    def list(self) -> Sequence[Character]:
        """All characters, the oldest first."""
        with reading(self._database):
            rows = CharacterRow.select().order_by(CharacterRow.created, CharacterRow.id)
            return [record(row) for row in rows.execute(self._database)]

    def get(self, character_id: str) -> Character:
        """One character by its id."""
        with reading(self._database):
            return record(self._row(character_id))

    def active(self) -> Character | None:
        """The character that a new session talks with; None only when there is no character at all."""
        with reading(self._database):
            row = CharacterRow.select().where(CharacterRow.active).first(self._database)
            return None if row is None else record(row)

    def glance(self) -> Glance:
        """What other gateways' changes show in; cheap enough for every few seconds."""
        with reading(self._database):
            rows = CharacterRow.select(CharacterRow.id, CharacterRow.updated, CharacterRow.active)
            found = list(rows.execute(self._database))
        return Glance({row.id: row.updated for row in found}, next((row.id for row in found if row.active), None))

    def create(self, new: NewCharacter) -> Character:
        """Add a character; `name_taken` or `unknown_language` when it cannot be."""
        values = _columns(new)
        with writing(self._database):
            return self._insert(secrets.token_hex(8), values)

    def update(self, character_id: str, change: CharacterChange) -> Character:
        """Change the fields that `change` sets. A voice's `sample` set to None removes the recording."""
        values: dict[str, Any] = change.model_dump(exclude_none=True, exclude={"voice"})
        if "language" in values:
            values["language"] = known_language(values["language"])
        if change.voice is not None:
            chosen = change.voice.model_dump(exclude_none=True, include={"engine", "id"})
            values |= {f"voice_{field}": value for field, value in chosen.items()}
            if "sample" in change.voice.model_fields_set and change.voice.sample is None:
                values |= _NO_SAMPLE
        return self._change(character_id, values)

    def delete(self, character_id: str) -> None:
        """Remove a character, and the files that no other uses. Another becomes active if this one was."""
        with writing(self._database):
            before = self._row(character_id)
            CharacterRow.delete().where(CharacterRow.id == character_id).execute(self._database)
            self._activate_one()
            unused = self._library.release(_files(before))
        self._library.remove(unused)

    def activate(self, character_id: str) -> Character:
        """Make this character the one that new sessions talk with."""
        with writing(self._database):
            self._row(character_id)
            CharacterRow.update(active=False).where(CharacterRow.active).execute(self._database)
            CharacterRow.update(active=True).where(CharacterRow.id == character_id).execute(self._database)
            return record(self._row(character_id))

    def set_portrait(self, character_id: str, image: bytes) -> Character:
        """Store `image` (JPEG, PNG or WebP) as the portrait; `invalid_image` when it is something else."""
        media_type = image_type(image)
        if media_type is None:
            raise AvatarError(Code.INVALID_IMAGE, "This is not a picture in JPEG, PNG or WebP.")
        return self._change(character_id, {}, {"portrait": (image, media_type)})

    def portrait(self, character_id: str) -> Asset | None:
        """The portrait's bytes, media type and SHA-256; None when the character has none."""
        with reading(self._database):
            return self._library.get(self._row(character_id).portrait_id)

    def set_voice_sample(
        self, character_id: str, recording: bytes, latents: bytes | None = None, engine: str = ""
    ) -> Character:
        """Store a recording of the voice; `invalid_audio` when it is of no known kind.

        `latents` are what was learned from it for the tts engine `engine`; those of the sample before are dropped.
        """
        media_type = audio_type(recording)
        if media_type is None:
            raise AvatarError(Code.INVALID_AUDIO, "This is not a recording in WAV, MP3, FLAC, Ogg, WebM or MP4.")
        files = {"voice_sample": (recording, media_type)}
        if latents is None:
            return self._change(character_id, {"voice_latents": None, "voice_latents_engine": ""}, files)
        files["voice_latents"] = (_bounded(latents), LATENTS_TYPE)
        return self._change(character_id, {"voice_latents_engine": engine}, files)

    def remove_voice_sample(self, character_id: str) -> Character:
        """Forget the recording of the voice, and what was learned from it."""
        return self._change(character_id, dict(_NO_SAMPLE))

    def set_voice_latents(self, character_id: str, sample: str, latents: bytes, engine: str) -> Character | None:
        """Store what was learned from the recording `sample` (SHA-256); None when that is no longer the character's.

        Nobody has edited the character, so it stays as old as it was.
        """
        with writing(self._database):
            before = self._row(character_id)
            if before.voice_sample_id != sample:
                return None
            values = {
                "voice_latents": self._library.keep(_bounded(latents), LATENTS_TYPE),
                "voice_latents_engine": engine,
            }
            CharacterRow.update(values).where(CharacterRow.id == character_id).execute(self._database)
            unused = self._library.release({before.voice_latents_id})
            after = record(self._row(character_id))
        self._library.remove(unused)
        return after

    def voice_latents(self, character_id: str) -> tuple[str, bytes] | None:
        """The tts engine that the latents belong to, and the latents; None when the character has none."""
        with reading(self._database):
            row = self._row(character_id)
            found = self._library.get(row.voice_latents_id)
            return None if found is None else (row.voice_latents_engine, found.data)

    def voice_sample(self, character_id: str) -> Asset | None:
        """The recording of the voice; None when the character has none."""
        with reading(self._database):
            return self._library.get(self._row(character_id).voice_sample_id)

    # --- inside, all within one transaction -------------------------------------------------------------------

    def _change(
        self, character_id: str, values: dict[str, Any], files: Mapping[str, tuple[bytes, str]] | None = None
    ) -> Character:
        """Set columns: plain `values`, and `files` as (bytes, media type), each stored as an asset."""
        with writing(self._database):
            before = self._row(character_id)
            for column, (data, media_type) in (files or {}).items():
                values[column] = self._library.keep(data, media_type)
            if values:
                values["updated"] = _now()
                CharacterRow.update(values).where(CharacterRow.id == character_id).execute(self._database)
            unused = self._library.release(_files(before))
            after = record(self._row(character_id))
        self._library.remove(unused)
        return after

    def _insert(self, character_id: str, values: dict[str, Any]) -> Character:
        now = _now()
        row = {"id": character_id, "active": False, "created": now, "updated": now, **values}
        CharacterRow.insert(row).execute(self._database)
        self._activate_one()
        return record(self._row(character_id))

    def _activate_one(self) -> None:
        """Where no character is active, let it be the oldest."""
        order = (CharacterRow.active.desc(), CharacterRow.created, CharacterRow.id)
        first = CharacterRow.select().order_by(*order).first(self._database)
        if first is not None and not first.active:
            CharacterRow.update(active=True).where(CharacterRow.id == first.id).execute(self._database)

    def _row(self, character_id: str) -> Any:
        # No id holds a NUL, which PostgreSQL would not take.
        known = "\0" not in character_id
        row = CharacterRow.select().where(CharacterRow.id == character_id).first(self._database) if known else None
        if row is None:
            raise AvatarError(Code.UNKNOWN_CHARACTER, "There is no such character.")
        return row

    def _create_missing(self, default: DefaultCharacter) -> None:
        """Put back a default character that is gone, or its picture's file; what was edited stays edited."""
        media_type = image_type(default.portrait) or "image/jpeg"
        with writing(self._database):
            row: Any = CharacterRow.select().where(CharacterRow.id == default.id).first(self._database)
            if row is not None and row.portrait_id != default.portrait_sha256:
                return
            portrait = self._library.keep(default.portrait, media_type)
            if row is None:
                values = _columns(default.fields) | {"portrait": portrait}
                self._insert(default.id, values | {"name": self._free_name(default.fields.name)})

    def _free_name(self, name: str) -> str:
        taken = {row.name for row in CharacterRow.select(CharacterRow.name).execute(self._database)}
        candidates = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
        return next(candidate for candidate in candidates if candidate not in taken)


def _columns(new: NewCharacter) -> dict[str, Any]:
    return {
        "name": new.name,
        "display_name": new.display_name or new.name.replace("_", " ").replace("-", " ").title(),
        "description": new.description,
        "personality": new.personality,
        "language": known_language(new.language),
        "voice_engine": new.voice.engine,
        "voice_id": new.voice.id,
        "renderer": new.renderer,
    }


def _files(row: Any) -> set[str | None]:
    """The assets that a row refers to."""
    return {row.portrait_id, row.voice_sample_id, row.voice_latents_id}


def _bounded(latents: bytes) -> bytes:
    if not 0 < len(latents) <= MAX_LATENTS_BYTES:
        raise ValueError(f"latents of {len(latents)} bytes")
    return latents


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
