"""A real PostgreSQL server of the tests' own, for all tests that want one."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

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


@contextmanager
def running() -> Iterator[Postgres]:
    """A server; the test is skipped where there is none to be had."""
    pytest.importorskip("psycopg", reason="pip install -e '.[postgres]'")
    found = shutil.which("pg_ctl")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        pytest.skip("PostgreSQL is missing: apt-get install postgresql")
    server = Postgres(folders[-1])
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder)
