"""Characters in each kind of database: a file of SQLite, and a real PostgreSQL server of the tests' own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from characters import CharacterStore

sys.path.insert(0, str(Path(__file__).parent))  # postgres_server.py

import postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Postgres]:
    with postgres_server.running() as server:
        yield server


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
