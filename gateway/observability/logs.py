"""Log lines: of our own code, with the session they belong to, and never with a value out of an exception.

An exception's text may hold what a person said or typed. So a line has the exception's type and where it happened,
whoever logs it. Libraries are heard from WARNING on, whatever the level: websockets writes every frame at DEBUG,
peewee every value.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

from gateway.observability.context import session_id

OURS: Final = ("gateway", "characters", "triton_launch")
FORMATS: Final = ("text", "json")
_LINE: Final = "%(asctime)s %(levelname)s %(name)s%(session)s %(message)s"
_QUIET: Final = ("aioice", "aiortc", "httpx", "httpx2", "libav")  # chatty even at INFO

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(level: str, form: str) -> None:
    """Set up logging for the process: our loggers at `level`, all to standard error in the format `form`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter(_LINE))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class TextFormatter(logging.Formatter):
    """One line, with the session in brackets."""

    def format(self, record: logging.LogRecord) -> str:
        session = session_id.get()
        record.session = f" [{session}]" if session else ""
        return super().format(record)

    def formatException(self, ei: ExceptionInfo) -> str:
        return _where(ei)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, and where there is one: session, exception."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if session := session_id.get():
            line["session"] = session
        if record.exc_info:
            line["exception"] = _where(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _where(info: ExceptionInfo) -> str:
    kind, _, trace = info
    return "".join(traceback.format_tb(trace)) + (kind.__name__ if kind is not None else "")
