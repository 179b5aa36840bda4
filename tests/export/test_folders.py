"""`export.folders`: a folder is the old one or the new one, whatever happens on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from export.folders import replacing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "bundle"
    found.mkdir()
    (found / "old").touch()
    return found


def names(path: Path) -> list[str]:
    return [each.name for each in path.iterdir()]


def test_the_new_one_takes_the_place_of_the_old(folder: Path) -> None:
    with replacing(folder) as fresh:
        (fresh / "new").touch()
        assert names(folder) == ["old"]
    assert names(folder) == ["new"] and names(folder.parent) == ["bundle"]


def test_the_old_one_stays_when_filling_fails(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt), replacing(folder) as fresh:
        (fresh / "new").touch()
        raise KeyboardInterrupt
    assert names(folder) == ["old"] and names(folder.parent) == ["bundle"]


def test_the_old_one_comes_back_when_the_new_one_cannot_take_its_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if Path(target) == folder and (self / "new").exists():
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OSError, match="No space"), replacing(folder) as fresh:
        (fresh / "new").touch()
    assert names(folder) == ["old"] and names(folder.parent) == ["bundle"]
