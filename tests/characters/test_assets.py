from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from characters import CharacterStore, NewCharacter
from characters.assets import Assets, FolderAssets, open_assets
from characters.failures import StorageAway

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(params=["folder", "s3"])
def reopened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Assets]:
    """Opens the same files again and again."""
    address = "" if request.param == "folder" else request.getfixturevalue("bucket")
    return lambda: open_assets(address, tmp_path)


def test_content_is_its_own_name(reopened):
    assets = reopened()
    sha256 = assets.put(b"content")
    assert sha256 == hashlib.sha256(b"content").hexdigest() == assets.put(b"content")
    assert reopened().get(sha256) == b"content" and list(assets.stored()) == [sha256]
    assets.remove(sha256)
    assets.remove(sha256)
    assert assets.get(sha256) is None and list(assets.stored()) == []


def test_nothing_and_much(reopened):
    assets = reopened()
    contents = [b"", b"x" * (1 << 22), *(number.to_bytes(2, "big") for number in range(1_010))]
    names = {assets.put(content) for content in contents}
    assert set(assets.stored()) == names and len(names) == 1_012, "more than S3 lists at once"
    assert [assets.get(hashlib.sha256(content).hexdigest()) for content in contents[:2]] == contents[:2]


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_nothing_else_is_a_name(reopened, name):
    for use in (reopened().get, reopened().remove):
        with pytest.raises(ValueError, match="not a SHA-256"):
            use(name)


def test_what_others_keep_there_is_none_of_ours(reopened, tmp_path, request):
    assets = reopened()
    if isinstance(assets, FolderAssets):
        (tmp_path / "ab").mkdir()
        (tmp_path / "ab" / "notes.txt").write_bytes(b"")
    else:
        for key in ("faces/notes.txt", "faces/ab/notes.txt", "faces/ab/" + "c" * 64, "other/ab/" + "a" * 64):
            request.getfixturevalue("s3").put_object(Bucket="antlitz", Key=key, Body=b"")
    known = set(assets.stored()) - {"c" * 64}
    assert known == set()


def test_a_file_cut_short_is_written_again(tmp_path):
    assets = FolderAssets(tmp_path)
    sha256 = assets.put(b"content")
    next(tmp_path.glob("??/*")).write_bytes(b"con")
    assets.put(b"content")
    assert assets.get(sha256) == b"content"


def test_unfinished_files_are_discarded(tmp_path):
    assets = FolderAssets(tmp_path)
    (tmp_path / ".writing-x").write_bytes(b"half")
    assets.discard_unfinished()
    assert list(tmp_path.iterdir()) == []


def test_characters_without_a_folder(bucket, database, tmp_path):
    """Rows in the database, files in the bucket: two gateways with nothing in common but these."""
    one, other = (CharacterStore(tmp_path, lambda: [], database, bucket) for _ in range(2))
    ada = one.set_portrait(one.create(NewCharacter(name="ada")).id, PNG + b"1")
    assert other.portrait(ada.id).data == PNG + b"1"
    other.set_portrait(ada.id, PNG + b"2")
    assert one.portrait(ada.id).data == PNG + b"2"
    files = open_assets(bucket, tmp_path)
    orphan = files.put(b"left by a kill")
    again = CharacterStore(tmp_path, lambda: [], database, bucket)
    assert set(files.stored()) == {again.get(ada.id).portrait} and files.get(orphan) is None
    again.delete(ada.id)
    assert not list(files.stored()) and not (tmp_path / "assets").exists()


def test_a_store_that_is_away(monkeypatch, bucket, database, tmp_path):
    store = CharacterStore(tmp_path, lambda: [], database, bucket)
    ada = store.set_portrait(store.create(NewCharacter(name="ada")).id, PNG)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    there, store._library._files = store._library._files, open_assets(bucket, tmp_path)
    for use in (lambda: store.portrait(ada.id), lambda: store.set_portrait(ada.id, PNG + b"new")):
        with pytest.raises(StorageAway):
            use()
    store._library._files = there
    assert store.get(ada.id) == ada and store.portrait(ada.id).data == PNG, "as it was"


def test_a_store_without_its_library_is_one_sentence(tmp_path):
    script = "import sys; sys.modules['boto3'] = None\nfrom characters.s3 import S3Assets\nS3Assets('s3://antlitz')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stderr.strip().endswith("ValueError: ANTLITZ_ASSETS needs boto3: pip install 'antlitz[s3]'.")
