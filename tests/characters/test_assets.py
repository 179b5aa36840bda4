from __future__ import annotations

import hashlib

import pytest

from characters.assets import Assets


def test_content_is_its_own_name(tmp_path):
    assets = Assets(tmp_path)
    sha256 = assets.put(b"content")
    assert sha256 == hashlib.sha256(b"content").hexdigest() == assets.put(b"content")
    assert assets.get(sha256) == b"content" and list(assets.stored()) == [sha256]
    assets.remove(sha256)
    assets.remove(sha256)
    assert assets.get(sha256) is None and list(assets.stored()) == []


def test_a_file_cut_short_is_written_again(tmp_path):
    assets = Assets(tmp_path)
    sha256 = assets.put(b"content")
    next(tmp_path.glob("??/*")).write_bytes(b"con")
    assets.put(b"content")
    assert assets.get(sha256) == b"content"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_nothing_else_is_a_name(tmp_path, name):
    with pytest.raises(ValueError):
        Assets(tmp_path).get(name)


def test_unfinished_files_are_discarded(tmp_path):
    assets = Assets(tmp_path)
    (tmp_path / ".writing-x").write_bytes(b"half")
    assets.discard_unfinished()
    assert list(tmp_path.iterdir()) == []
