"""Characters in each kind of database: a file of SQLite, and a real PostgreSQL server of the tests' own."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from characters import CharacterStore

_schemas = itertools.count()


class Postgres:
    """A server in a folder of its own, on a Unix socket there. As root it runs as the user `postgres`."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="antlitz-postgres-"))
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "--auth=trust", "--username=antlitz", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "--pgdata", str(self.folder / "data"), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        # A pipe would stay open in the server: it is for files.
        with (self.folder / "programs.log").open("ab") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd=self.folder, timeout=120)

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}'"
        self._run("pg_ctl", "start", "--wait", f"--log={self.folder / 'log'}", f"--options={options}")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "--wait", f"--mode={mode}")

    def url(self, schema: str) -> str:
        """An address whose tables are in a schema of their own."""
        return f"postgresql:///postgres?host={self.folder}&user=antlitz&options=-csearch_path%3D{schema}"

    def fresh(self) -> str:
        """The address of an empty schema."""
        import psycopg

        schema = f"test_{next(_schemas)}"
        with psycopg.connect(self.url(schema), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")  # type: ignore[arg-type]  # made of a number
        return self.url(schema)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    pytest.importorskip("psycopg", reason="pip install -e '.[postgres]'")
    found = shutil.which("pg_ctl")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        pytest.skip("PostgreSQL is missing: apt-get install postgresql")
    server = Postgres(folders[-1])
    yield server
    server.stop()
    shutil.rmtree(server.folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """What `CharacterStore` is told: "" for a file in its folder, or the address of an empty database."""
    return "" if request.param == "sqlite" else request.getfixturevalue("postgres").fresh()


Opened = Callable[[Path], CharacterStore]


@pytest.fixture
def open_store(database: str) -> Opened:
    """Opens a store without default characters, again and again in the same database."""
    return lambda folder: CharacterStore(folder, lambda: [], database)


@pytest.fixture
def store(open_store: Opened, tmp_path: Path) -> CharacterStore:
    return open_store(tmp_path)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of moto's S3, over real HTTP."""
    server = pytest.importorskip("moto.server", reason="pip install -e '.[test]'")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """boto3's client of that S3, as the environment tells it."""
    for name, value in {
        "AWS_ENDPOINT_URL_S3": s3_server,
        "AWS_ACCESS_KEY_ID": "antlitz",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    import boto3

    return boto3.client("s3")


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    """The address of an empty bucket's folder."""
    s3.create_bucket(Bucket="antlitz", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield "s3://antlitz/faces"
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="antlitz"):
        for item in page.get("Contents", []):
            s3.delete_object(Bucket="antlitz", Key=item["Key"])
    s3.delete_bucket(Bucket="antlitz")
