"""Which session the code that runs now works for."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

#: The id of the session; "" outside of one. Tasks inherit it from who starts them.
session_id: Final[ContextVar[str]] = ContextVar("session_id", default="")
