"""The face of a session: its motion and render sequences in Triton, reopened when they are lost."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import FRAME_SIZE, I420_ROWS, AvatarError, Code, Role
from gateway.sessions.backoff import Backoff
from gateway.sessions.closing import close_stream
from gateway.sessions.health import Health

PUSH_TIMEOUT = 10.0  # s. A frame takes milliseconds; the first one of a new portrait may take a second

#: About the portrait itself: trying again would not help.
_LASTING = {
    Code.NO_FACE,
    Code.SEVERAL_FACES,
    Code.FACE_TOO_SMALL,
    Code.INVALID_IMAGE,
    Code.UNKNOWN_ENGINE,
    Code.TOO_LARGE,
}


class Face:
    """Audio in, frames out. One caller at a time."""

    def __init__(self, inference: Any, health: Health, seed: int = 0, renderer: str = "") -> None:
        """`renderer` is the one of characters that name none."""
        self._inference, self._health, self._seed, self._renderer = inference, health, seed, renderer
        self._motion: Any = None
        self._render: Any = None
        self._shown: tuple[bytes, str | None] | None = None  # what the render sequence was opened for
        self._wanted: tuple[bytes, str | None] | None = None
        self._on_screen: bytes | None = None  # the portrait of the last frames
        self._emotion: tuple[str, float] = ("neutral", 0.0)
        self._told: tuple[str, float] | None = None  # the emotion that the motion sequence knows
        self._backoff = Backoff()
        self._hopeless = False

    def show(self, portrait: bytes | None, engine: str | None) -> None:
        """Use this portrait (an encoded picture) and renderer from the next frame on; None: no moving picture."""
        self._wanted = None if portrait is None else (portrait, engine)
        self._hopeless = False
        self._backoff.worked()
        if portrait is None:
            self._health.moving(False)

    def feel(self, emotion: str, intensity: float) -> None:
        self._emotion = (emotion, intensity)

    def available(self, now: float) -> bool:
        return self._wanted is not None and not self._hopeless and self._backoff.ready(now)

    @property
    def fresh(self) -> bool:
        """Whether the next frames are the first of this portrait and renderer, which take longer."""
        return self._render is None or self._wanted != self._shown

    async def move(
        self,
        audio: NDArray[np.float32],
        phonemes: list[str],
        times: NDArray[np.float32],
        skip: int = 0,
    ) -> NDArray[np.uint8]:
        """Frames [k - skip, 768, 512] for k * 960 samples of audio; the first `skip` are moved but not drawn.

        Phoneme times are seconds [m, 2] from the audio's start. Raises AvatarError after having told the person.
        """
        role = Role.MOTION
        try:
            async with asyncio.timeout(PUSH_TIMEOUT):
                if self._motion is None:
                    self._motion, self._told = self._inference.motion(seed=self._seed), None
                feel = self._emotion
                change = {} if feel == self._told else {"emotion": feel[0], "intensity": feel[1]}
                motion = await self._motion.push(audio, phonemes, times, **change)
                self._told = feel
                role = Role.RENDER
                frames = await self._draw(motion[skip:])
        except (AvatarError, TimeoutError) as failure:
            late = AvatarError(Code.TIMEOUT, "The face took too long.")
            error = failure if isinstance(failure, AvatarError) else late
            self._hopeless = error.code in _LASTING and self._shown == self._wanted  # else it was about the one before
            # A sequence that the server has forgotten is opened again without a word.
            if error.code is not Code.INVALID_REQUEST or self._backoff.failures:
                self._health.failed(role, error, self._engine() if role is Role.RENDER else "")
                self._health.moving(self._wanted is not None and self._on_screen in (None, self._wanted[0]))
            self._backoff.failed(asyncio.get_running_loop().time())
            await self.close()
            raise error from failure
        self._backoff.worked()
        for known in (Role.MOTION, Role.RENDER):
            self._health.works(known)
        return frames

    def _engine(self) -> str:
        """The renderer in use."""
        used = self._shown or self._wanted
        return (used and used[1]) or self._renderer

    async def _draw(self, motion: NDArray[np.float32]) -> NDArray[np.uint8]:
        if self._wanted != self._shown and self._render is not None:
            await close_stream(self._render)
            self._render = None
        if self._wanted is None or not len(motion):
            return np.empty((0, I420_ROWS, FRAME_SIZE), np.uint8)
        if self._render is None:
            self._shown = self._wanted
            self._render = self._inference.render(self._shown[0], engine=self._shown[1])
        frames: NDArray[np.uint8] = await self._render.push(motion)
        self._on_screen = self._shown[0] if self._shown is not None else None
        if self._wanted is not None:  # else it was taken away while this was drawn
            self._health.moving(True)
        return frames

    async def close(self) -> None:
        """End both sequences; a server that is gone does not matter any more."""
        streams, self._motion, self._render, self._shown = (self._motion, self._render), None, None, None
        for stream in streams:
            await close_stream(stream)
