"""The gateway's one door to Triton: each role of the contracts as a method, over asynchronous gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from grpc.aio import AioRpcError  # type: ignore[import-untyped]  # it carries no types
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from avatar_runtime.contracts import MAX_LATENTS_BYTES, MOTION_SAMPLES, AvatarError, Code, Role

from .catalogue import Catalogue
from .observability import calls
from .observability.metrics import Metrics
from .settings import Settings
from .streams import (
    STREAM_TIMEOUT,
    UNARY_TIMEOUT,
    CaptureStream,
    MotionStream,
    RenderStream,
    TranscriptStream,
    VadStream,
    sequence_id,
)
from .tensors import Bytes, Floats, floats, inputs_of, texts
from .transcript import Transcript, heard

MAX_MESSAGE_BYTES = 2**31 - 1  # frames are large; Triton sets no smaller bound


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


def to_avatar_error(error: Exception, model: str) -> AvatarError:
    """What a Triton or gRPC failure means to the person."""
    match error:
        case InferenceServerException():
            text, status = error.message() or "", error.status() or ""
        case AioRpcError():  # of a stream, which the client does not convert
            text, status = error.details() or "", str(error.code())
        case _:
            text, status = str(error), ""
    parsed = AvatarError.parse(text)
    if parsed is not None:
        return parsed
    if "DEADLINE" in status:
        return AvatarError(Code.TIMEOUT, f"{model} did not answer in time.")
    if "CANCELLED" in status:
        return AvatarError(Code.CANCELLED, "The request was cancelled.")
    if "INVALID_ARGUMENT" in status and "sequence" not in text and "ready" not in text:
        return AvatarError(Code.INVALID_REQUEST, f"{model} refused the request's form.")
    return AvatarError(Code.ENGINE_UNAVAILABLE, f"{model} is not available at the moment.")


class Inference:
    """Asynchronous calls to every role. One per gateway; every failure is an `AvatarError`."""

    def __init__(self, address: str, settings: Settings, metrics: Metrics | None = None) -> None:
        self._client = InferenceServerClient(
            address,
            channel_args=[
                ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                # A server that was restarted is found again within a second, not after a two-minute back-off.
                ("grpc.initial_reconnect_backoff_ms", 200),
                ("grpc.max_reconnect_backoff_ms", 1000),
            ],
        )
        self._client.register_plugin(calls.TraceContext())
        self._settings, self._metrics = settings, metrics or Metrics()
        self._catalogue = Catalogue(self._client, settings)

    async def close(self) -> None:
        await self._client.close()

    async def ready(self) -> bool:
        """Whether Triton answers at all."""
        try:
            return bool(await self._client.is_server_ready(client_timeout=2.0))
        except InferenceServerException:
            return False

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
        """One request to `model`; inputs that are None are left out."""
        if not model:
            raise AvatarError(Code.ENGINE_UNAVAILABLE, "No engine serves this role.")
        with calls.watched(self._metrics, model):
            try:
                return await self._client.infer(model, inputs_of(inputs), client_timeout=timeout, **sequence)
            except InferenceServerException as error:
                raise to_avatar_error(error, model) from error

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

        async def requests() -> AsyncIterator[dict[str, Any]]:
            yield {"model_name": model, "inputs": inputs}
            # Triton ends the stream after the last chunk, for no more requests can come. The asynchronous client
            # has no way to ask for the empty final response that would otherwise mark the end.

        call = calls.Streamed(self._metrics, model)
        with call.sending():
            stream = self._client.stream_infer(requests())
        try:
            async for result, error in stream:
                if error is not None:
                    raise call.failed(to_avatar_error(error, model))
                if result.as_numpy("AUDIO") is not None:
                    call.answered()
                    yield _speech(result)
        except (InferenceServerException, AioRpcError) as error:
            raise call.failed(to_avatar_error(error, model)) from error
        finally:
            call.end()
            stream.cancel()

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
        return TranscriptStream(self, self._settings.engine(Role.STT), language, likely, prompt, push_seconds)

    def vad(self) -> VadStream:
        return VadStream(self, self._settings.engine(Role.VAD))

    def motion(self, seed: int = 0, push_seconds: float = STREAM_TIMEOUT) -> MotionStream:
        return MotionStream(self, self._settings.engine(Role.MOTION), seed, push_seconds)

    def render(
        self, portrait: bytes, engine: str | None = None, fmt: str = "i420", push_seconds: float = STREAM_TIMEOUT
    ) -> RenderStream:
        return RenderStream(self, engine or self._settings.engine(Role.RENDER), portrait, fmt, push_seconds)

    def capture(self, push_seconds: float = STREAM_TIMEOUT) -> CaptureStream:
        return CaptureStream(self, self._settings.engine(Role.CAPTURE), push_seconds)

    async def motion_once(self, emotion: str, intensity: float, frames: int = 25) -> Floats:
        """`frames` of silent face motion under an emotion, [frames, 58]."""
        async with self.motion() as stream:
            silence = np.zeros(frames * MOTION_SAMPLES, np.float32)
            return await stream.push(silence, [], np.zeros((0, 2), np.float32), emotion, intensity)

    async def render_once(self, image: bytes, motion: Floats, fmt: str = "rgb", engine: str | None = None) -> Bytes:
        """The frames of `motion` [k, 58] on the portrait `image`."""
        async with self.render(image, engine, fmt) as stream:
            return await stream.push(motion)


def _speech(result: Any) -> Speech:
    phonemes = texts(result.as_numpy("PHONEMES"))
    return Speech(
        audio=result.as_numpy("AUDIO").reshape(-1),
        text=(texts(result.as_numpy("TEXT")) or [""])[0],
        phonemes=phonemes,
        phoneme_times=floats(result.as_numpy("PHONEME_TIMES"), len(phonemes), 2),
    )
