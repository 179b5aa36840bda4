"""A disk that is full: the write fails, what was there stays, and when there is room again all goes on.

RLIMIT_FSIZE makes the kernel refuse to let a file grow, in the middle of a write as a full disk does; where a small
file system of its own can be mounted (as root), a disk is really full.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from characters import CharacterStore, NewCharacter

PNG = b"\x89PNG\r\n\x1a\n"

#: Fills, writes until it fails, makes room, writes again. Says what failed and what is there.
FULL = """
import json, resource, signal, sys
from pathlib import Path
from characters import CharacterChange, CharacterStore, NewCharacter

where, folder = sys.argv[1:]
folder = Path(folder)
PNG = b"\\x89PNG\\r\\n\\x1a\\n"
store = CharacterStore(folder, lambda: [])
ada = store.set_portrait(store.create(NewCharacter(name="ada", description="old")).id, PNG + b"old")
before = store.get(ada.id)
ballast = folder / "ballast"
if where == "limit":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    largest = max(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
else:
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                pass
failures = []
for name, write in {
    "portrait": lambda: store.set_portrait(ada.id, PNG + bytes(1 << 20)),
    "change": lambda: [store.update(ada.id, CharacterChange(description=str(n) + "x" * 400)) for n in range(400)],
    "create": lambda: [store.create(NewCharacter(name=f"n{n}", personality="p" * 3000)) for n in range(400)],
}.items():
    try:
        write()
    except Exception as error:
        failures.append([name, type(error).__name__])
full = {"same": store.get(ada.id).portrait == before.portrait, "portrait": store.portrait(ada.id).data == PNG + b"old"}
if where == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
ballast.unlink(missing_ok=True)
store.set_portrait(ada.id, PNG + b"new")
store.create(NewCharacter(name="bob"))
print(json.dumps({"failures": failures, **full}))
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    return folder


def fill(where: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, where, str(folder)], capture_output=True, text=True, cwd=folder.parent, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["same"] and told["portrait"], told
    failed = dict(told["failures"])
    assert {"portrait", "create"} <= failed.keys(), told
    assert set(failed.values()) == {"StorageFailed"}, told

    after = CharacterStore(folder, lambda: [])
    ada = next(one for one in after.list() if one.name == "ada")
    assert after.portrait(ada.id).data == PNG + b"new"
    assert any(one.name == "bob" for one in after.list())
    assert after.create(NewCharacter(name="eve")).name == "eve"
    stored = [path.name for path in (folder / "assets").rglob("*") if path.is_file()]
    assert stored == [ada.portrait], "nothing half is left"


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    fill("limit", tmp_path / "data")


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    try:
        fill("disk", small_disk)
    finally:
        subprocess.run(["umount", "--lazy", str(small_disk)], check=False)
