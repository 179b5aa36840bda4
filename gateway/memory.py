"""Memory that C libraries have freed goes back to the system (glibc; elsewhere nothing happens).

Every thread of a codec or of gRPC gets an arena of glibc's own, which keeps what it once had: a gateway of many short
sessions looks as if it leaked. Two arenas are enough here, and after a session what is free is handed back.
"""

from __future__ import annotations

import ctypes
from typing import Final

ARENAS: Final = 2
_M_ARENA_MAX: Final = -8  # malloc.h


def limit_arenas() -> bool:
    """Before threads are started; whether this system knows what that is."""
    return _call("mallopt", _M_ARENA_MAX, ARENAS)


def hand_back() -> bool:
    """Some milliseconds: not for the event loop."""
    return _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> bool:
    try:
        getattr(ctypes.CDLL(None), name)(*numbers)
    except (AttributeError, OSError):
        return False
    return True
