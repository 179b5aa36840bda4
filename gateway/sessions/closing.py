"""Ending a sequence in Triton without waiting for a server that does not answer."""

from __future__ import annotations

import asyncio
from typing import Any

from avatar_runtime.contracts import AvatarError

CLOSE_TIMEOUT = 1.0  # s; Triton forgets a sequence that nobody ended by itself


async def close_stream(stream: Any) -> None:
    """Close `stream`, which may be None; a server that is gone has ended it already."""
    if stream is None:
        return
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await stream.close()
    except (AvatarError, TimeoutError):
        return
