"""Kills a gateway in the middle of writes, again and again, and looks what is left.

Run by tests/characters/test_killed_gateway.py.
    python killing.py FOLDER DATABASE ROUNDS [SEED]

Prints one JSON object. A process of its own, without threads when it forks, so that a gateway is there in no time.
"""

from __future__ import annotations

import faulthandler
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import uvicorn

sys.path.insert(0, str(Path(__file__).parent))

from scripted_inference import ScriptedInference, cloning_catalogue

import gateway.app
from characters.database import Database, open_database, writing
from characters.models import AssetRow, CharacterRow
from gateway.media import wav_header
from gateway.settings import Settings

QUIET_WRITES = 4  # at most, before the one that a kill is aimed at
LONGEST = 0.03  # s from that request to the kill, at most
World = dict[str, dict[str, Any]]  # by a character's id: the number in its words, and the SHA-256 of its files


def serve(place: Place, listening: socket.socket) -> None:
    """The gateway, with engines out of a script; never returns."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    roles = cloning_catalogue()
    gateway.app.Inference = lambda *_: ScriptedInference(roles)  # type: ignore[misc,assignment]
    ScriptedInference.close = lambda self: _nothing()  # type: ignore[attr-defined]
    config = uvicorn.Config(
        gateway.app.create_app(Settings(data=place.folder, database=place.database)), log_config=None, access_log=False
    )
    uvicorn.Server(config).run([listening])
    os._exit(0)


async def _nothing() -> None:
    return None


def picture(number: int) -> bytes:
    """A PNG of its own, 100 x 100, of noise: 30 kB."""
    noise = random.Random(number)
    rows = b"".join(b"\0" + noise.randbytes(300) for _ in range(100))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 100, 100, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


@cache
def buzz() -> bytes:
    """Four seconds of a voice-like buzz with pauses, 16 kHz."""
    loud = [9_000 if at // 4_000 % 4 else 20 for at in range(4 * 16_000)]
    return b"".join(struct.pack("<h", int(volume * (at % 100 / 100 - 0.5))) for at, volume in enumerate(loud))


def sound(number: int) -> bytes:
    """A recording of its own."""
    return wav_header(4 * 16_000, 16_000) + number.to_bytes(6, "little") + buzz()[6:]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Place:
    """Where a gateway keeps its characters."""

    folder: Path
    database: str  # the URL of a PostgreSQL database; "" for a file in the folder

    def open(self) -> Database:
        return open_database(self.database or self.folder / "characters.db")


def found(place: Place) -> World:
    """What the database holds, read past the gateway; AssertionError where something is half.

    It is looked at under the writers' lock: a server may still be ending what a dead gateway had asked for.
    """
    database = place.open()
    with writing(database):
        if not place.database:
            assert database.execute_sql("PRAGMA integrity_check").fetchone() == ("ok",)
            assert not database.execute_sql("PRAGMA foreign_key_check").fetchall()
        sizes = {row["sha256"]: row["size"] for row in AssetRow.select().dicts().execute(database)}
        world: World = {}
        active = 0
        for row in CharacterRow.select().dicts().execute(database):
            files = {kind: row[kind] for kind in ("portrait", "voice_sample", "voice_latents")}
            for name in filter(None, files.values()):
                data = (place.folder / "assets" / name[:2] / name).read_bytes()
                assert sha256(data) == name and len(data) == sizes[name], "a half file"
            assert (files["voice_latents"] is None) == (row["voice_latents_engine"] == "")
            active += row["active"]
            if row["name"].startswith("k"):
                number, _, rest = row["description"].partition(" ")
                assert row["personality"] == f"{number} {'p' * 3_000}" and rest == "d" * 400, "a half row"
                world[row["id"]] = {"number": number, **files}
        assert active == 1
        return world


def orphans(place: Place) -> list[str]:
    """Files that no character refers to, and rows of such."""
    database = place.open()
    with writing(database):
        columns = (CharacterRow.portrait, CharacterRow.voice_sample, CharacterRow.voice_latents)
        used = {name for row in CharacterRow.select(*columns).tuples().execute(database) for name in row}
        known = {sha256 for (sha256,) in AssetRow.select(AssetRow.sha256).tuples().execute(database)}
        there = {path.name for path in (place.folder / "assets").rglob("*") if path.is_file()}
        return sorted((there | known) - used)


class Client:
    """Writes over HTTP, and knows what must be there: `before` the running request and `after` it."""

    def __init__(self, port: int, world: World, chance: random.Random) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._chance = chance
        self.before = self.after = world
        self.written = 0

    def write(self) -> None:
        number = self._chance.getrandbits(40)
        ident = self._chance.choice([*self.before]) if self.before else ""
        kinds: list[Callable[[str, int], None]] = [self._create]
        if ident:
            kinds += [self._portrait, self._portrait, self._change, self._activate, self._sample]
            kinds += [self._delete] if len(self.before) > 4 else []
        self._chance.choice(kinds)(ident, number)
        self.before = self.after
        self.written += 1

    def _ask(self, method: str, path: str, body: bytes | dict[str, Any] = b"") -> Any:
        kind = "application/json" if isinstance(body, dict) else "application/octet-stream"
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        self._connection.request(method, f"/api/characters{path}", data, {"Content-Type": kind})
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status < 300, (method, path, answer.status, said)
        return json.loads(said) if said else None

    def _expect(self, ident: str, **values: Any) -> None:
        self.after = {**self.before, ident: {**self.before[ident], **values}}

    def _create(self, _: str, number: int) -> None:
        self.new = str(number)  # its id is not known before the answer
        words = {"description": f"{number} {'d' * 400}", "personality": f"{number} {'p' * 3_000}"}
        made = self._ask("POST", "", {"name": f"k{number}", **words})
        fresh = {"number": str(number), "portrait": None, "voice_sample": None, "voice_latents": None}
        self.after = {**self.before, made["id"]: fresh}
        self.new = ""

    new = ""

    def _change(self, ident: str, number: int) -> None:
        self._expect(ident, number=str(number))
        words = {"description": f"{number} {'d' * 400}", "personality": f"{number} {'p' * 3_000}"}
        self._ask("PATCH", f"/{ident}", words)

    def _portrait(self, ident: str, number: int) -> None:
        data = picture(number)
        self._expect(ident, portrait=sha256(data))
        self._ask("PUT", f"/{ident}/portrait", data)

    def _sample(self, ident: str, number: int) -> None:
        data = sound(number)
        latents = sha256(b"latents of voice_xtts")
        self._expect(ident, voice_sample=sha256(data), voice_latents=latents)
        self._ask("PUT", f"/{ident}/voice-sample", data)

    def _activate(self, ident: str, _: int) -> None:
        self._ask("POST", f"/{ident}/activate")

    def _delete(self, ident: str, _: int) -> None:
        self.after = {key: value for key, value in self.before.items() if key != ident}
        self._ask("DELETE", f"/{ident}")

    def allows(self, world: World) -> bool:
        """Whether it is the old state or the new one, and nothing between."""
        if world in (self.before, self.after):
            return True
        more = [ident for ident in world if ident not in self.before]
        rest = {ident: value for ident, value in world.items() if ident in self.before}
        return bool(self.new) and len(more) == 1 and rest == self.before and world[more[0]]["number"] == self.new


@dataclass
class Round:
    """One life of a gateway."""

    world: World  # what it leaves
    written: int  # requests that were answered
    orphans: int  # files without an owner after its start
    unanswered: bool  # whether the request that was interrupted had been carried out


def round_(place: Place, world: World, chance: random.Random) -> Round:
    """Start it, write, kill it, look."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    child = os.fork()
    if not child:
        try:
            serve(place, listening)
        finally:
            os._exit(1)
    listening.close()
    try:
        client = Client(port, world, chance)
        client._ask("GET", "")  # it has started: the sweep is done
        left = len(orphans(place))
        assert found(place) == world, "the start changed something"
        for _ in range(chance.randrange(QUIET_WRITES + 1)):
            client.write()
        killer = threading.Timer(chance.uniform(0.0, LONGEST), os.kill, (child, signal.SIGKILL))
        killer.start()
        try:
            while True:
                client.write()
        except (ConnectionError, http.client.HTTPException):
            pass
        killer.join()
    except TimeoutError:
        os.kill(child, signal.SIGUSR1)  # where does it hang?
        time.sleep(1)
        raise
    finally:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(child, 0)
    after = found(place)
    assert client.allows(after), f"lost or half: {client.before} {client.after} {after}"
    return Round(after, client.written, left, after != client.before)


def main(place: Place, rounds: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    shutil.rmtree(place.folder, ignore_errors=True)
    world: World = {}
    began = time.monotonic()
    lives: list[Round] = []
    swept = 0
    for _ in range(rounds):
        lives.append(round_(place, world, chance))
        world = lives[-1].world
        swept += bool(orphans(place))
    return {
        "kills": rounds,
        "writes": sum(life.written for life in lives),
        "carried_out_but_not_answered": sum(life.unanswered for life in lives),
        "kills_that_left_a_file_over": swept,
        "orphans_after_the_next_start": sum(life.orphans for life in lives),
        "seed": seed,
        "seconds": round(time.monotonic() - began, 1),
    }


if __name__ == "__main__":
    where, database, number, *more = sys.argv[1:]
    chosen = int(more[0]) if more else random.SystemRandom().getrandbits(32)
    print(json.dumps(main(Place(Path(where), database), int(number), chosen)))
