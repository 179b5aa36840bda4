"""From a drive to a film: motion is made while the last frames are drawn, and frames are written while others are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from avatar_runtime.contracts import AvatarError, Code, Role
from gateway.animation.drives import Drive
from gateway.animation.film import Film
from gateway.inference import Inference

PUSH_SECONDS: Final = 600.0  # a renderer on a CPU may take ten seconds a frame, and minutes for the first
PUSH_GOAL: Final = 1.0  # s that a push of frames should take: so many are asked for at once
MOST: Final = 25  # frames a push

KINDS: Final = {
    Role.RENDER: "renderer",
    Role.CAPTURE: "capture engine",
    Role.MOTION: "motion engine",
    Role.STT: "speech recogniser",
    Role.VAD: "voice activity detector",
}

Progress = Callable[[int, int | None], None]


async def require(inference: Inference, role: Role, name: str) -> None:
    """An error with one sentence unless `name` is an engine of `role` and ready."""
    engines = (await inference.catalogue()).get(role, {}).get("engines", [])
    what = KINDS.get(role, str(role))
    ready = ", ".join(engine["name"] for engine in engines if engine["ready"]) or "none"
    if name not in {engine["name"] for engine in engines}:
        raise AvatarError(Code.UNKNOWN_ENGINE, f"There is no {what} {name!r}; ready: {ready}.")
    if not any(engine["name"] == name and engine["ready"] for engine in engines):
        why = "its files are missing, or it could not be loaded (tritonserver's log says why)"
        raise AvatarError(Code.ENGINE_UNAVAILABLE, f"The {what} {name} is not ready: {why}. Ready: {ready}.")


async def animate(
    inference: Inference, portrait: bytes, drive: Drive, out: Path, renderer: str | None, progress: Progress
) -> int:
    """Writes the film and returns how many frames it has. Whatever is raised, `out` is whole or untouched."""
    async with aclosing(_Closing(drive)), inference.render(portrait, renderer, push_seconds=PUSH_SECONDS) as render:
        with Film(out, drive.sound(), drive.rate, drive.channels) as film:
            return await _draw(drive, render, film, progress)


async def _draw(drive: Drive, render: Any, film: Film, progress: Progress) -> int:
    clock = asyncio.get_running_loop().time
    done, count = 0, 1
    writing: asyncio.Task[None] | None = None
    coming = asyncio.create_task(drive.motion(count))
    try:
        while len(motion := await coming):
            coming = asyncio.create_task(drive.motion(count))
            for piece in [motion[at : at + count] for at in range(0, len(motion), count)]:
                began = clock()
                frames = await render.push(piece)
                count = min(max(int(PUSH_GOAL * len(piece) / max(clock() - began, 1e-3)), 1), MOST, 2 * count)
                if writing is not None:
                    await writing
                writing = asyncio.create_task(asyncio.to_thread(film.write, frames))
                done += len(frames)
                progress(done, drive.frames)
        if writing is not None:
            await writing
    finally:
        coming.cancel()
        await asyncio.gather(coming, *([writing] if writing is not None else []), return_exceptions=True)
    return done


class _Closing:
    """`close` as `aclosing` wants it."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive

    async def aclose(self) -> None:
        await self._drive.close()
