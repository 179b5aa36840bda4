"""Each role of the contracts as a method, asked of the tritonservers there are."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import numpy as np

from avatar_runtime.contracts import MAX_LATENTS_BYTES, MOTION_SAMPLES, AvatarError, Code, Role
from gateway.inference.catalogue import Catalogue
from gateway.inference.fleet import Fleet, Place
from gateway.inference.streams import (
    STREAM_TIMEOUT,
    UNARY_TIMEOUT,
    CaptureStream,
    MotionStream,
    RenderStream,
    TranscriptStream,
    VadStream,
    sequence_id,
)
from gateway.observability.metrics import Metrics
from gateway.settings import Settings
from gateway.tensors import Bytes, Floats, floats, inputs_of, texts
from gateway.transcript import Transcript, heard


@dataclass(frozen=True)
class Speech:
    """A chunk of speech: mono audio at SPEAKING_RATE, the clause it says, its phonemes and their times in it (s)."""

    audio: Floats
    text: str
    phonemes: list[str]
    phoneme_times: Floats


@dataclass(frozen=True)
class Faces:
    landmarks: Floats  # [f, 468, 3] pixels
    boxes: Floats  # [f, 4] x0 y0 x1 y1 pixels
    scores: Floats  # [f]


class Inference:
    """Asynchronous calls to every role; every failure is an `AvatarError`. One for a gateway, and one for each session.

    That of the gateway asks whichever server has least to do, and another one where the first is away. That of a
    session stays on one server as long as it lives.
    """

    def __init__(self, addresses: str, settings: Settings, metrics: Metrics | None = None) -> None:
        """`addresses`: HOST:PORT of one tritonserver or, with commas, of several over the same models."""
        self._settings = settings
        self._fleet = Fleet(addresses, settings, metrics or Metrics())
        self._where: Fleet | Place = self._fleet
        self._catalogue = Catalogue(self._fleet, settings)

    async def close(self) -> None:
        await self._fleet.close()

    def session(self) -> Inference:
        """That of a session, which has to `leave` at its end."""
        its = copy.copy(self)
        its._where = Place(self._fleet)
        return its

    def leave(self) -> None:
        """The session is over."""
        if isinstance(self._where, Place):
            self._where.leave()

    async def watch(self) -> None:
        """Look after the servers until cancelled: sessions leave a dead one at once, not after their timeouts."""
        await self._fleet.watch()

    async def ready(self) -> bool:
        """Whether a server answers at all."""
        return await self._fleet.look()

    async def catalogue(self) -> dict[str, Any]:
        """Every role with its engines, as `GET /api/engines` shows them."""
        return await self._catalogue.roles()

    async def call(
        self,
        model: str,
        inputs: dict[str, Any],
        timeout: float = UNARY_TIMEOUT,  # noqa: ASYNC109 - gRPC's own deadline, known to the server
        **sequence: Any,
    ) -> Any:
        """One request to `model` that no other has to follow; inputs that are None are left out."""
        if not model:
            raise AvatarError(Code.ENGINE_UNAVAILABLE, "No engine serves this role.")
        server = self._where.server(model)
        try:
            return await server.call(model, inputs, timeout, **sequence)
        except AvatarError as error:
            another = self._where.server(model)
            if error.code is not Code.ENGINE_UNAVAILABLE or another is server:
                raise
            return await another.call(model, inputs, timeout, **sequence)

    async def transcribe(
        self,
        audio: Floats,
        language: str = "",
        task: str = "transcribe",
        prompt: str = "",
        likely: str = "",
        patience: float = UNARY_TIMEOUT,
    ) -> Transcript:
        """What is said in `audio` (mono, LISTENING_RATE); `patience` is how many seconds it may take at least."""
        result = await self.call(
            self._settings.stt,
            {
                "AUDIO": audio.astype(np.float32),
                "LANGUAGE": language,
                "LIKELY_LANGUAGE": likely,
                "TASK": task,
                "PROMPT": prompt,
            },
            timeout=max(patience, len(audio) / 16_000 * 2),
            sequence_id=sequence_id(),
            sequence_start=True,
            sequence_end=True,
        )
        return heard(result)

    async def clone(self, audio: Floats, engine: str) -> bytes:
        """What the `voice` engine learns of the voice in `audio` (mono, SPEAKING_RATE): latents for its tts twin."""
        result = await self.call(engine, {"AUDIO": audio.astype(np.float32, copy=False)})
        latents: bytes = result.as_numpy("LATENTS").tobytes()
        if not 0 < len(latents) <= MAX_LATENTS_BYTES:
            raise AvatarError(Code.INTERNAL, f"{engine} gave latents of an impossible size.")
        return latents

    async def synthesize(
        self,
        text: str,
        language: str = "",
        voice: str = "",
        engine: str | None = None,
        speed: float = 1.0,
        latents: bytes | None = None,
        seed: int | None = None,
    ) -> AsyncIterator[Speech]:
        """`text` spoken, chunk by chunk. Closing the iterator cancels the request in Triton.

        `latents` are those of a cloned voice, which then speaks; `seed` makes it speak the same way again. Both are
        for engines that clone; `unknown_voice` when the latents are not of this engine's weights.
        """
        model = engine or await self._catalogue.voice_engine(language, voice)
        inputs = inputs_of(
            {
                "TEXT": text,
                "LANGUAGE": language,
                "VOICE": voice,
                "SPEED": np.array([speed], np.float32),
                "LATENTS": None if latents is None else np.frombuffer(latents, np.uint8),
                "SEED": None if seed is None else np.array([seed], np.int64),
            }
        )

        async with aclosing(self._where.server(model).stream(model, inputs, _says_no_more)) as results:
            async for result in results:
                if result.as_numpy("AUDIO") is not None:
                    yield _speech(result)

    async def landmarks(self, image: bytes) -> Faces:
        """The faces in an encoded picture."""
        result = await self.call(self._settings.landmarks, {"IMAGE": np.frombuffer(image, np.uint8)})
        return Faces(
            floats(result.as_numpy("LANDMARKS"), -1, 468, 3),
            floats(result.as_numpy("BOXES"), -1, 4),
            floats(result.as_numpy("SCORES"), -1),
        )

    def listen(
        self, language: str = "", prompt: str = "", likely: str = "", push_seconds: float = STREAM_TIMEOUT
    ) -> TranscriptStream:
        """Speech heard while it is spoken; `prompt` are names and words to expect, `likely` is the language where the
        sound leaves it open."""
        return TranscriptStream(
            self._where.server, self._settings.engine(Role.STT), language, likely, prompt, push_seconds
        )

    def vad(self) -> VadStream:
        return VadStream(self._where.server, self._settings.engine(Role.VAD))

    def motion(self, seed: int = 0, push_seconds: float = STREAM_TIMEOUT) -> MotionStream:
        return MotionStream(self._where.server, self._settings.engine(Role.MOTION), seed, push_seconds)

    def render(
        self, portrait: bytes, engine: str | None = None, fmt: str = "i420", push_seconds: float = STREAM_TIMEOUT
    ) -> RenderStream:
        return RenderStream(
            self._where.server, engine or self._settings.engine(Role.RENDER), portrait, fmt, push_seconds
        )

    def capture(self, push_seconds: float = STREAM_TIMEOUT) -> CaptureStream:
        return CaptureStream(self._where.server, self._settings.engine(Role.CAPTURE), push_seconds)

    async def motion_once(self, emotion: str, intensity: float, frames: int = 25) -> Floats:
        """`frames` of silent face motion under an emotion, [frames, 58]."""
        async with self.motion() as stream:
            silence = np.zeros(frames * MOTION_SAMPLES, np.float32)
            return await stream.push(silence, [], np.zeros((0, 2), np.float32), emotion, intensity)

    async def render_once(self, image: bytes, motion: Floats, fmt: str = "rgb", engine: str | None = None) -> Bytes:
        """The frames of `motion` [k, 58] on the portrait `image`."""
        async with self.render(image, engine, fmt) as stream:
            return await stream.push(motion)


def _says_no_more(result: Any) -> bool:
    audio = result.as_numpy("AUDIO")
    return audio is not None and audio.size == 0


def _speech(result: Any) -> Speech:
    phonemes = texts(result.as_numpy("PHONEMES"))
    return Speech(
        audio=result.as_numpy("AUDIO").reshape(-1),
        text=(texts(result.as_numpy("TEXT")) or [""])[0],
        phonemes=phonemes,
        phoneme_times=floats(result.as_numpy("PHONEME_TIMES"), len(phonemes), 2),
    )
