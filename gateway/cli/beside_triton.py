"""What every command does that works beside a tritonserver: have one, be ended, say in one sentence why not."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from rich.console import Console

from avatar_runtime.contracts import AvatarError, Code
from gateway.cli.models import pull
from gateway.cli.up import triton
from gateway.inference import Inference
from gateway.settings import Settings
from triton_launch.command import ServerError
from triton_launch.fetch import FetchError
from triton_launch.manifest import choose

Work = Callable[[Inference, Settings], Coroutine[Any, Any, int]]


def beside_triton(given: str | None, console: Console, check: Callable[[], None], work: Work) -> int:
    """The exit status of `work`, done beside the tritonserver at `given` (HOST:PORT) or one started for it.

    `check` raises AvatarError about what can be seen to be wrong before a server has started.
    """
    settings = Settings.from_environment()
    if given:
        settings = dataclasses.replace(settings, triton=given)
    try:
        check()
        if not settings.triton:
            pull(choose([]), settings.models, console)
        with triton(settings, console) as address:
            return asyncio.run(_work(work, dataclasses.replace(settings, triton=address)))
    except AvatarError as error:
        sys.stderr.write(f"antlitz: {error.message}\n")
        return 1
    except (FetchError, ServerError) as error:
        sys.stderr.write(f"antlitz: {error}\n")
        return 1
    except asyncio.CancelledError:
        return 130


async def _work(work: Work, settings: Settings) -> int:
    """SIGTERM ends it like Ctrl-C."""
    task = asyncio.current_task()
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: task and task.cancel())
    inference = Inference(settings.triton, settings)
    try:
        if not await inference.ready():
            address = settings.triton.rpartition("@")[2]
            raise AvatarError(Code.ENGINE_UNAVAILABLE, f"No tritonserver answers at {address}.")
        return await work(inference, settings)
    finally:
        await inference.close()
