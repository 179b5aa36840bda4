"""Which files there are and who uses them: the asset rows, with the files they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from characters.assets import Assets
from characters.database import Database, writing
from characters.models import AssetRow, CharacterRow
from characters.record import Asset


class Library:
    """Files counted by the characters that refer to them. `keep`, `get` and `release` need an open connection."""

    def __init__(self, database: Database, files: Assets) -> None:
        self._database, self._files = database, files

    def keep(self, data: bytes, media_type: str) -> str:
        """Write a file, then its row: a kill between the two leaves a file without a row, which `sweep` removes."""
        sha256 = self._files.put(data)
        row = AssetRow.insert(sha256=sha256, media_type=media_type, size=len(data))
        row.on_conflict_ignore().execute(self._database)
        return sha256

    def get(self, sha256: str | None) -> Asset | None:
        """A file with its media type; None when it is not there."""
        row = AssetRow.select().where(AssetRow.sha256 == sha256).first(self._database)
        data = None if row is None else self._files.get(row.sha256)
        return None if row is None or data is None else Asset(data, row.media_type, row.sha256)

    def release(self, candidates: Iterable[str | None]) -> set[str]:
        """Drop the rows of those that nobody uses, and return them: `remove` deletes their files after the commit."""
        return {sha256 for sha256 in candidates if sha256 is not None and self._drop_unused(sha256)}

    def remove(self, unused: set[str]) -> None:
        """Delete files, unless somebody has stored the same content again since."""
        if unused:
            with writing(self._database):
                for sha256 in unused - self._rows():
                    self._files.remove(sha256)

    def sweep(self) -> None:
        """Remove what a kill left behind: rows nobody refers to, files without a row, unfinished files."""
        with writing(self._database):
            self.release(self._rows())
        with writing(self._database):
            self._files.discard_unfinished()
        self.remove(set(self._files.stored()))

    def _drop_unused(self, sha256: str) -> bool:
        columns = (CharacterRow.portrait, CharacterRow.voice_sample, CharacterRow.voice_latents)
        uses = CharacterRow.select().where(reduce(or_, (column == sha256 for column in columns)))
        if uses.count(self._database):
            return False
        AssetRow.delete().where(AssetRow.sha256 == sha256).execute(self._database)
        return True

    def _rows(self) -> set[str]:
        return {row.sha256 for row in AssetRow.select(AssetRow.sha256).execute(self._database)}
