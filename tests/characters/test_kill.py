"""A kill at any moment leaves the old state or the new one, and the next start cleans up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from characters import CharacterStore, NewCharacter
from characters.failures import StorageFailed

PNG = b"\x89PNG\r\n\x1a\n"

#: Runs in a process of its own and kills it in the middle of `set_portrait`.
KILLED = """
import os, signal, sys
from pathlib import Path
from characters import CharacterStore, assets, library
from characters.models import AssetRow

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

where, folder, ident = sys.argv[1:]
store = CharacterStore(Path(folder), lambda: [])
match where:
    case "while writing":
        os.fsync = die
    case "before the rename":
        os.replace = die
    case "before the row":
        AssetRow.insert = die
    case "before the commit":
        library.Library.release = die
    case "before the old file goes":
        library.Library.remove = die
store.set_portrait(ident, b"\\x89PNG\\r\\n\\x1a\\n" + b"new")
"""


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "assets").rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("where", "changed"),
    [
        ("while writing", False),
        ("before the rename", False),
        ("before the row", False),
        ("before the commit", False),
        ("before the old file goes", True),
    ],
)
def test_killed_while_a_portrait_is_stored(tmp_path, where, changed):
    store = CharacterStore(tmp_path, lambda: [])
    ada = store.set_portrait(store.create(NewCharacter(name="ada")).id, PNG)
    command = [sys.executable, "-c", KILLED, where, str(tmp_path), ada.id]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, check=False)
    assert done.returncode == -9, done.stderr
    assert len(files(tmp_path)) >= (1 if where == "while writing" else 2)

    after = CharacterStore(tmp_path, lambda: [])
    assert after.portrait(ada.id).data == (PNG + b"new" if changed else PNG)
    assert after.get(ada.id) == ada or changed
    assert files(tmp_path) == [after.get(ada.id).portrait]


def test_a_failure_in_between_changes_nothing(tmp_path, monkeypatch):
    store = CharacterStore(tmp_path, lambda: [])
    ada = store.create(NewCharacter(name="ada"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageFailed, match="may be full"):
        store.set_portrait(ada.id, PNG)
    monkeypatch.undo()
    assert store.get(ada.id) == ada and files(tmp_path) == []
    assert store.set_portrait(ada.id, PNG).portrait is not None
