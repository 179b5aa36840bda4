"""Unix time that nobody sets: read from the wall once, when the process starts, and even from then on.

What measures time by the wall breaks when that clock is set: a session's figures, and in aiortc and aioice the jitter,
retransmission and the binding of a relay's channels. Only what has to agree with others' clocks asks the wall itself:
cookies, keys for the relay, certificates, and when a character was edited.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

import aioice.turn
import aiortc.clock
import aiortc.rtcrtpreceiver
import aiortc.rtcrtpsender
import aiortc.rtcsctptransport

_STARTED: Final = time.time() - time.monotonic()

#: Modules of aiortc 1.16 and aioice 0.10 that take the difference of two readings of `time.time`.
MEASURING: Final[tuple[Any, ...]] = (
    aioice.turn,
    aiortc.rtcrtpreceiver,
    aiortc.rtcrtpsender,
    aiortc.rtcsctptransport,
)


def unix_time() -> float:
    """Seconds since 1970."""
    return _STARTED + time.monotonic()


def steady_media() -> None:
    """Let aiortc and aioice measure with `unix_time`; they have no setting for it."""
    for module in MEASURING:
        module.time = SimpleNamespace(**{**vars(time), "time": unix_time})
    aiortc.clock.current_datetime = lambda: datetime.fromtimestamp(unix_time(), UTC)
