"""What only a server does: it is away, it comes back, several gateways write to it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from characters import CharacterChange, CharacterStore, NewCharacter
from characters.failures import StorageAway

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def address(postgres) -> str:
    return postgres.fresh()


def test_a_server_that_is_away_is_said_and_found_again(postgres, address, tmp_path):
    store = CharacterStore(tmp_path, lambda: [], address)
    ada = store.create(NewCharacter(name="ada"))
    postgres.stop()
    try:
        for use in (
            store.list,
            lambda: store.get(ada.id),
            lambda: store.create(NewCharacter(name="bob")),
            lambda: store.update(ada.id, CharacterChange(description="x")),
        ):
            with pytest.raises(StorageAway, match="does not answer"):
                use()
        with pytest.raises(StorageAway):
            CharacterStore(tmp_path, lambda: [], address)
    finally:
        postgres.start()
    assert store.list() == [ada], "as it was, without being opened anew"
    assert store.create(NewCharacter(name="bob")).name == "bob"


def test_nobody_is_there(tmp_path):
    pytest.importorskip("psycopg")
    with pytest.raises(StorageAway):
        CharacterStore(tmp_path, lambda: [], f"postgresql:///x?host={tmp_path}")


def test_two_gateways_see_what_the_other_wrote(address, tmp_path):
    one, other = (CharacterStore(tmp_path, lambda: [], address) for _ in range(2))
    ada = one.set_portrait(one.create(NewCharacter(name="ada")).id, PNG + b"1")
    assert other.get(ada.id) == ada and other.portrait(ada.id).data == PNG + b"1"
    other.set_portrait(ada.id, PNG + b"2")
    assert one.portrait(ada.id).data == PNG + b"2"
    other.delete(ada.id)
    assert one.list() == [] and not [path for path in (tmp_path / "assets").rglob("*") if path.is_file()]


def test_a_gateway_that_starts_takes_no_file_from_one_that_writes(address, tmp_path):
    """What one has stored, but not yet said in the database, is no orphan to the other."""
    store = CharacterStore(tmp_path, lambda: [], address)
    ada = store.create(NewCharacter(name="ada"))
    faults: list[BaseException] = []
    done = threading.Event()

    def start_again_and_again() -> None:
        try:
            while not done.is_set():
                CharacterStore(tmp_path, lambda: [], address)
        except BaseException as error:
            faults.append(error)

    starting = threading.Thread(target=start_again_and_again)
    starting.start()
    try:
        for number in range(60):
            picture = PNG + number.to_bytes(4, "big") * 5_000
            store.set_portrait(ada.id, picture)
            assert store.portrait(ada.id).data == picture
    finally:
        done.set()
        starting.join()
    assert faults == []


def test_gateways_that_start_at_once_make_one_set_of_defaults(address, tmp_path: Path):
    found: list[int] = []

    def start() -> None:
        found.append(len(CharacterStore(tmp_path, database=address).list()))

    starting = [threading.Thread(target=start) for _ in range(4)]
    for each in starting:
        each.start()
    for each in starting:
        each.join()
    assert found == [3] * 4
