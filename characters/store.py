"""The characters' database: SQLite in WAL mode, with their files beside it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from avatar_runtime.contracts import AvatarError, Code
from peewee import IntegrityError, SqliteDatabase

from characters.assets import Assets
from characters.defaults import DefaultCharacter, default_characters
from characters.fields import CharacterChange, NewCharacter
from characters.languages import known_language
from characters.media_types import audio_type, image_type
from characters.migrations import migrate
from characters.models import AssetRow, CharacterRow, record
from characters.record import Asset, Character

BUSY_TIMEOUT: Final = 10  # s to wait for another writer


class CharacterStore:
    """Characters in ``<data_dir>/characters.db``, files in ``<data_dir>/assets``.

    Every method is blocking and safe in any thread: it opens a connection of its own (0.6 ms), so
    ``asyncio.to_thread`` is the way to call it. A kill at any moment leaves either the old state or the new one.
    Unknown ids raise `unknown_character`.
    """

    def __init__(self, data_dir: Path, defaults: Callable[[], Sequence[DefaultCharacter]] = default_characters) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self._assets = Assets(data_dir / "assets")
        self._database = SqliteDatabase(
            data_dir / "characters.db",
            pragmas={"journal_mode": "wal", "foreign_keys": 1, "synchronous": "full"},
            timeout=BUSY_TIMEOUT,
        )
        with self._database.connection_context():
            migrate(self._database)
        self._create_missing(defaults())
        with self._writing():
            self._activate_one()
        self._sweep()

    def list(self) -> Sequence[Character]:
        """All characters, the oldest first."""
        with self._database.connection_context():
            rows = CharacterRow.select().order_by(CharacterRow.created, CharacterRow.id)
            return [record(row) for row in rows.execute(self._database)]

    def get(self, character_id: str) -> Character:
        """One character by its id."""
        with self._database.connection_context():
            return record(self._row(character_id))

    def active(self) -> Character | None:
        """The character that a new session talks with; None only when there is no character at all."""
        with self._database.connection_context():
            row = CharacterRow.select().where(CharacterRow.active).first(self._database)
            return None if row is None else record(row)

    def create(self, new: NewCharacter, character_id: str | None = None) -> Character:
        """Add a character; `name_taken` or `unknown_language` when it cannot be."""
        now = _now()
        values = {
            "id": character_id or secrets.token_hex(8),
            "name": new.name,
            "display_name": new.display_name or new.name.replace("_", " ").replace("-", " ").title(),
            "description": new.description,
            "personality": new.personality,
            "language": known_language(new.language),
            "voice_engine": new.voice.engine,
            "voice_id": new.voice.id,
            "renderer": new.renderer,
            "active": False,
            "created": now,
            "updated": now,
        }
        with self._writing():
            CharacterRow.insert(values).execute(self._database)
            self._activate_one()
            return record(self._row(values["id"]))

    def update(self, character_id: str, change: CharacterChange) -> Character:
        """Change the fields that `change` sets. A voice's `sample` set to None removes the recording."""
        values: dict[str, Any] = change.model_dump(exclude_none=True, exclude={"voice"})
        if "language" in values:
            values["language"] = known_language(values["language"])
        if change.voice is not None:
            if change.voice.engine is not None:
                values["voice_engine"] = change.voice.engine
            if change.voice.id is not None:
                values["voice_id"] = change.voice.id
            if "sample" in change.voice.model_fields_set and change.voice.sample is None:
                values["voice_sample"] = None
        return self._change(character_id, values)

    def delete(self, character_id: str) -> None:
        """Remove a character, and the files that no other uses."""
        with self._writing():
            before = self._row(character_id)
            CharacterRow.delete().where(CharacterRow.id == character_id).execute(self._database)
            self._activate_one()
            unused = self._release(before)
        self._remove_files(unused)

    def activate(self, character_id: str) -> Character:
        """Make this character the one that new sessions talk with."""
        with self._writing():
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
        return self._asset(character_id, "portrait_id")

    def set_voice_sample(self, character_id: str, recording: bytes) -> Character:
        """Store a recording of the voice; `invalid_audio` when it is of no known kind."""
        media_type = audio_type(recording)
        if media_type is None:
            raise AvatarError(Code.INVALID_AUDIO, "This is not a recording in WAV, MP3, FLAC, Ogg, WebM or MP4.")
        return self._change(character_id, {}, {"voice_sample": (recording, media_type)})

    def voice_sample(self, character_id: str) -> Asset | None:
        """The recording of the voice; None when the character has none."""
        return self._asset(character_id, "voice_sample_id")

    # --- inside -----------------------------------------------------------------------------------------------

    def _change(
        self, character_id: str, values: dict[str, Any], files: Mapping[str, tuple[bytes, str]] | None = None
    ) -> Character:
        with self._writing():
            before = self._row(character_id)
            for column, (data, media_type) in (files or {}).items():
                values[column] = self._keep(data, media_type)
            if values:
                values["updated"] = _now()
                CharacterRow.update(values).where(CharacterRow.id == character_id).execute(self._database)
            unused = self._release(before)
            after = record(self._row(character_id))
        self._remove_files(unused)
        return after

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction that holds the database's write lock from its start."""
        with self._database.connection_context():
            try:
                with self._database.atomic("IMMEDIATE"):
                    yield
            except IntegrityError as error:
                if "character.name" in str(error):
                    raise AvatarError(Code.NAME_TAKEN, "Another character has this name already.") from error
                raise

    def _activate_one(self) -> None:
        """Where no character is active, let it be the oldest."""
        rows = CharacterRow.select(CharacterRow.id).order_by(
            CharacterRow.active.desc(), CharacterRow.created, CharacterRow.id
        )
        first = rows.first(self._database)
        if first is not None:
            CharacterRow.update(active=True).where(CharacterRow.id == first.id).execute(self._database)

    def _row(self, character_id: str) -> CharacterRow:
        row = CharacterRow.select().where(CharacterRow.id == character_id).first(self._database)
        if row is None:
            raise AvatarError(Code.UNKNOWN_CHARACTER, "There is no such character.")
        found: CharacterRow = row
        return found

    def _keep(self, data: bytes, media_type: str) -> str:
        """Write a file, then its row: a kill between the two leaves a file without a row, which `_sweep` removes."""
        sha256 = self._assets.put(data)
        asset = AssetRow.insert(sha256=sha256, media_type=media_type, size=len(data))
        asset.on_conflict_ignore().execute(self._database)
        return sha256

    def _asset(self, character_id: str, column: str) -> Asset | None:
        with self._database.connection_context():
            sha256 = getattr(self._row(character_id), column)
            row = AssetRow.select().where(AssetRow.sha256 == sha256).first(self._database) if sha256 else None
            data = self._assets.get(sha256) if row else None
        return None if data is None else Asset(data, str(row.media_type), sha256)

    def _release(self, before: CharacterRow) -> set[str]:
        """Drop the rows of files that `before` used and nobody uses now; the files go after the commit."""
        candidates = {before.portrait_id, before.voice_sample_id} - {None}
        return {sha256 for sha256 in candidates if self._drop_unused(sha256)}

    def _drop_unused(self, sha256: str) -> bool:
        uses = CharacterRow.select().where((CharacterRow.portrait == sha256) | (CharacterRow.voice_sample == sha256))
        if uses.count(self._database):
            return False
        AssetRow.delete().where(AssetRow.sha256 == sha256).execute(self._database)
        return True

    def _remove_files(self, unused: set[str]) -> None:
        """Delete files, unless somebody has stored the same content again since: under the write lock."""
        if not unused:
            return
        with self._writing():
            for sha256 in unused - self._asset_rows():
                self._assets.remove(sha256)

    def _asset_rows(self) -> set[str]:
        return {row.sha256 for row in AssetRow.select(AssetRow.sha256).execute(self._database)}

    def _sweep(self) -> None:
        """Remove what a kill left behind: rows nobody refers to, files without a row, unfinished files."""
        with self._writing():
            for sha256 in self._asset_rows():
                self._drop_unused(sha256)
        with self._writing():
            rows = self._asset_rows()
            for sha256 in list(self._assets.stored()):
                if sha256 not in rows:
                    self._assets.remove(sha256)
            self._assets.discard_unfinished()

    def _create_missing(self, defaults: Sequence[DefaultCharacter]) -> None:
        """Put back default characters that are gone, and their pictures' files; what was edited stays edited."""
        for default in defaults:
            with self._writing():
                now = _now()
                row = CharacterRow.select().where(CharacterRow.id == default.id).first(self._database)
                if row is None:
                    values = default.values(self._free_name(default.name))
                    portrait = self._keep(default.portrait, image_type(default.portrait) or "image/jpeg")
                    values |= {"portrait": portrait, "active": False, "created": now, "updated": now}
                    CharacterRow.insert(values).execute(self._database)
                elif row.portrait_id == default.portrait_sha256:
                    self._assets.put(default.portrait)

    def _free_name(self, name: str) -> str:
        taken = {row.name for row in CharacterRow.select(CharacterRow.name).execute(self._database)}
        candidates = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
        return next(candidate for candidate in candidates if candidate not in taken)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
