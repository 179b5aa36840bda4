"""A face that is given another portrait while the one before is still being drawn."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from scripted import Scripted

from avatar_runtime.contracts import MOTION_SAMPLES, AvatarError, Code
from gateway.sessions.face import Face
from gateway.sessions.health import Health

FRAME = (np.zeros(MOTION_SAMPLES, np.float32), [], np.zeros((0, 2), np.float32))


class Renderer(Scripted):
    """Draws when `answer` is set: a frame, or that error."""

    answer: asyncio.Future[AvatarError | None]
    asked: asyncio.Event

    def render(self, portrait: bytes, engine: str | None = None) -> Any:
        self.answer = asyncio.get_running_loop().create_future()
        return self

    async def push(self, motion: Any) -> Any:
        self.asked.set()
        error = await self.answer
        if error is not None:
            raise error
        return np.zeros((len(motion), 768, 512), np.uint8)


async def drawing(face: Face, renderer: Renderer, portrait: bytes, engine: str | None) -> asyncio.Task[Any]:
    """A frame of `portrait` that the renderer has not answered yet."""
    face.show(portrait, engine)
    renderer.asked = asyncio.Event()
    task = asyncio.create_task(face.move(*FRAME))
    await renderer.asked.wait()
    return task


async def test_the_last_frame_of_a_portrait_that_was_taken_away_does_not_bring_it_back() -> None:
    sent: list[dict[str, Any]] = []
    renderer = Renderer()
    face = Face(renderer, Health(sent.append))
    task = await drawing(face, renderer, b"ada", None)
    face.show(None, None)
    renderer.answer.set_result(None)
    await task
    assert sent == [{"type": "picture", "moving": False}]


async def test_a_portrait_without_a_face_says_nothing_about_the_next_one() -> None:
    sent: list[dict[str, Any]] = []
    renderer = Renderer()
    face = Face(renderer, Health(sent.append))
    task = await drawing(face, renderer, b"wall", "render_other")
    face.show(b"ada", None)
    renderer.answer.set_result(AvatarError(Code.NO_FACE, "There is no face in this picture."))
    with pytest.raises(AvatarError, match="no_face"):
        await task
    assert face.available(asyncio.get_running_loop().time() + 60)
    task = await drawing(face, renderer, b"wall", "render_other")
    renderer.answer.set_result(AvatarError(Code.NO_FACE, "There is no face in this picture."))
    with pytest.raises(AvatarError, match="no_face"):
        await task
    assert not face.available(asyncio.get_running_loop().time() + 60)


async def test_the_renderer_that_failed_is_named_not_the_next_one() -> None:
    sent: list[dict[str, Any]] = []
    renderer = Renderer()
    face = Face(renderer, Health(sent.append), renderer="render_usual")
    task = await drawing(face, renderer, b"ada", "render_other")
    face.show(b"ada", None)
    renderer.answer.set_result(AvatarError(Code.ENGINE_UNAVAILABLE, "Gone."))
    with pytest.raises(AvatarError, match="engine_unavailable"):
        await task
    assert "render_other is not available" in sent[0]["message"]
