from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest

from gateway.observability import logs
from gateway.observability.context import session_id

log = logging.getLogger("gateway.of.a.test")
WORDS = "zanzibar xylophone"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging is of the whole process: it is put back."""
    root = logging.getLogger()
    names = (*logs.OURS, *logs._QUIET)
    before = root.handlers[:], root.level, {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:], level, levels = before
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)


def fail() -> None:
    raise ValueError(WORDS)


def failed() -> None:
    try:
        fail()
    except ValueError:
        log.exception("it failed")


def test_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    token = session_id.set("abc")
    log.info("one %s", "line\nof text")
    session_id.reset(token)
    log.debug("nothing")
    log.warning("ä")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first == {
        "time": first["time"], "level": "info", "logger": "gateway.of.a.test", "message": "one line\nof text",
        "session": "abc",
    }  # fmt: skip
    assert first["time"].endswith("+00:00")
    assert second["message"] == "ä" and "session" not in second


def test_a_line_of_text(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", "text")
    token = session_id.set("abc")
    log.debug("said")
    session_id.reset(token)
    log.debug("said")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("DEBUG gateway.of.a.test [abc] said")
    assert second.endswith("DEBUG gateway.of.a.test said")


@pytest.mark.parametrize("form", logs.FORMATS)
def test_an_exceptions_words_are_not_logged(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", form)
    failed()
    said = capsys.readouterr().err
    assert "it failed" in said and "ValueError" in said and "in fail" in said and "test_logs.py" in said
    assert WORDS not in said


@pytest.mark.parametrize("library", ["websockets.server", "peewee", "python_multipart", "openai", "httpx", "aiortc"])
def test_libraries_are_not_heard_at_debug(library: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They would write what goes through them: frames, values, bodies."""
    logs.configure("debug", "text")
    logging.getLogger(library).debug(WORDS)
    logging.getLogger(library).info(WORDS)
    assert capsys.readouterr().err == ""
    logging.getLogger(library).warning("a warning")
    assert "a warning" in capsys.readouterr().err


async def test_tasks_belong_to_the_session_that_started_them(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")

    async def work() -> None:
        log.info("works")

    async def session(name: str) -> None:
        session_id.set(name)
        await asyncio.create_task(work())

    await asyncio.gather(asyncio.create_task(session("one")), asyncio.create_task(session("two")))
    await work()
    endings = [line.split("test")[-1] for line in capsys.readouterr().err.splitlines()]
    assert endings == [" [one] works", " [two] works", " works"]
