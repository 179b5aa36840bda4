"""The gateway's one door to Triton: each role of the contracts as a method, over asynchronous gRPC."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from tritonclient.grpc import InferInput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from avatar_runtime.contracts import MAX_LATENTS_BYTES, MOTION_SAMPLES, AvatarError, Code, Role

from .catalogue import Catalogue
from .settings import Settings

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

UNARY_TIMEOUT = 60.0  # s: a long recording on a slow machine
STREAM_TIMEOUT = 10.0  # s: a push of a running sequence
MAX_MESSAGE_BYTES = 2**31 - 1  # frames are large; Triton sets no smaller bound


@dataclass(frozen=True)
class Word:
    word: str
    start: float  # s
    end: float  # s


@dataclass(frozen=True)
class Transcript:
    text: str
    language: str
    words: list[Word]


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
    text = error.message() or "" if isinstance(error, InferenceServerException) else str(error)
    parsed = AvatarError.parse(text)
    if parsed is not None:
        return parsed
    status = (error.status() or "") if isinstance(error, InferenceServerException) else ""
    if "DEADLINE" in status:
        return AvatarError(Code.TIMEOUT, f"{model} did not answer in time.")
    if "CANCELLED" in status:
        return AvatarError(Code.CANCELLED, "The request was cancelled.")
    if "INVALID_ARGUMENT" in status and "sequence" not in text and "ready" not in text:
        return AvatarError(Code.INVALID_REQUEST, f"{model} refused the request's form.")
    return AvatarError(Code.ENGINE_UNAVAILABLE, f"{model} is not available at the moment.")


def _tensor(name: str, value: Any) -> InferInput:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        value = np.array([item.encode("utf-8") for item in value], dtype=np.object_)
    tensor = InferInput(name, list(value.shape), np_to_triton_dtype(value.dtype))
    tensor.set_data_from_numpy(np.ascontiguousarray(value))
    return tensor


def _inputs(values: dict[str, Any]) -> list[InferInput]:
    return [_tensor(name, value) for name, value in values.items() if value is not None]


def _texts(found: npt.NDArray[Any] | None) -> list[str]:
    return [] if found is None else [item.decode("utf-8") for item in found.reshape(-1)]


def _floats(found: npt.NDArray[Any] | None, *shape: int) -> Floats:
    return np.zeros([max(side, 0) for side in shape], np.float32) if found is None else found.reshape(shape)


class Inference:
    """Asynchronous calls to every role. One per gateway; every failure is an `AvatarError`."""

    def __init__(self, address: str, settings: Settings) -> None:
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
        self._settings = settings
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
        try:
            return await self._client.infer(model, _inputs(inputs), client_timeout=timeout, **sequence)
        except InferenceServerException as error:
            raise to_avatar_error(error, model) from error

    async def transcribe(
        self, audio: Floats, language: str = "", task: str = "transcribe", prompt: str = ""
    ) -> Transcript:
        """What is said in `audio` (mono, LISTENING_RATE)."""
        result = await self.call(
            self._settings.stt,
            {"AUDIO": audio.astype(np.float32), "LANGUAGE": language, "TASK": task, "PROMPT": prompt},
            timeout=max(UNARY_TIMEOUT, len(audio) / 16_000 * 2),
            sequence_id=_sequence_id(),
            sequence_start=True,
            sequence_end=True,
        )
        words = _texts(result.as_numpy("WORDS"))
        times = _floats(result.as_numpy("WORD_TIMES"), -1, 2)
        return Transcript(
            text=(_texts(result.as_numpy("TEXT")) or [""])[0],
            language=(_texts(result.as_numpy("LANGUAGE")) or [""])[0],
            words=[Word(word, float(start), float(end)) for word, (start, end) in zip(words, times, strict=True)],
        )

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
        inputs = _inputs(
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

        stream = self._client.stream_infer(requests())
        try:
            async for result, error in stream:
                if error is not None:
                    raise to_avatar_error(error, model)
                if result.as_numpy("AUDIO") is not None:
                    yield _speech(result)
        except InferenceServerException as error:
            raise to_avatar_error(error, model) from error
        finally:
            stream.cancel()

    async def landmarks(self, image: bytes) -> Faces:
        """The faces in an encoded picture."""
        result = await self.call(self._settings.landmarks, {"IMAGE": np.frombuffer(image, np.uint8)})
        return Faces(
            _floats(result.as_numpy("LANDMARKS"), -1, 468, 3),
            _floats(result.as_numpy("BOXES"), -1, 4),
            _floats(result.as_numpy("SCORES"), -1),
        )

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
    phonemes = _texts(result.as_numpy("PHONEMES"))
    return Speech(
        audio=result.as_numpy("AUDIO").reshape(-1),
        text=(_texts(result.as_numpy("TEXT")) or [""])[0],
        phonemes=phonemes,
        phoneme_times=_floats(result.as_numpy("PHONEME_TIMES"), len(phonemes), 2),
    )


_sequence_base = secrets.randbits(30) << 32  # several gateways may share one server
_sequence_count = itertools.count(1)


def _sequence_id() -> int:
    return _sequence_base + next(_sequence_count)


class Stream:
    """A Triton sequence: opened by the first push, ended by `close`; a failed one opens anew at the next push."""

    def __init__(self, inference: Inference, model: str, push_seconds: float = STREAM_TIMEOUT) -> None:
        """`push_seconds` is how long a push may take: a conversation cannot wait as long as a film can."""
        self._inference = inference
        self._model = model
        self._push_seconds = push_seconds
        self._sequence = 0  # no sequence runs

    async def _push(self, inputs: dict[str, Any], at_start: Iterable[tuple[str, Any]] = ()) -> Any:
        start = not self._sequence
        if start:
            self._sequence = _sequence_id()
            inputs = {**inputs, **dict(at_start)}
        try:
            return await self._inference.call(
                self._model, inputs, self._push_seconds, sequence_id=self._sequence, sequence_start=start
            )
        except AvatarError:
            self._sequence = 0
            raise

    def _last(self) -> dict[str, Any]:
        """The inputs of the request that ends the sequence."""
        raise NotImplementedError

    async def close(self) -> None:
        """Ends the sequence in the server; a server that is gone has ended it already."""
        if self._sequence:
            sequence, self._sequence = self._sequence, 0
            try:
                await self._inference.call(
                    self._model, self._last(), STREAM_TIMEOUT, sequence_id=sequence, sequence_end=True
                )
            except AvatarError:
                pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class VadStream(Stream):
    async def push(self, audio: Floats) -> Floats:
        """Probabilities of speech for the 512-sample windows that `audio` (LISTENING_RATE) completes."""
        result = await self._push({"AUDIO": audio})
        return _floats(result.as_numpy("SPEECH"), -1)

    def _last(self) -> dict[str, Any]:
        return {"AUDIO": np.zeros(0, np.float32)}


class MotionStream(Stream):
    def __init__(self, inference: Inference, model: str, seed: int, push_seconds: float) -> None:
        super().__init__(inference, model, push_seconds)
        self._seed = seed

    async def push(
        self,
        audio: Floats,
        phonemes: list[str],
        phoneme_times: Floats,
        emotion: str | None = None,
        intensity: float | None = None,
    ) -> Floats:
        """Face motion [n / 960, 58] for `audio` (SPEAKING_RATE, n a multiple of 960)."""
        inputs: dict[str, Any] = {"AUDIO": audio, "EMOTION": emotion}
        if phonemes:
            inputs |= {"PHONEMES": phonemes, "PHONEME_TIMES": phoneme_times}
        if intensity is not None:
            inputs["INTENSITY"] = np.array([intensity], np.float32)
        result = await self._push(inputs, [("SEED", np.array([self._seed], np.int64))])
        return _floats(result.as_numpy("MOTION"), -1, 58)

    def _last(self) -> dict[str, Any]:
        return {"AUDIO": np.zeros(0, np.float32)}


class RenderStream(Stream):
    def __init__(self, inference: Inference, model: str, portrait: bytes, fmt: str, push_seconds: float) -> None:
        super().__init__(inference, model, push_seconds)
        self._portrait = portrait
        self._sha256 = hashlib.sha256(portrait).hexdigest()
        self._format = fmt

    async def push(self, motion: Floats) -> Bytes:
        """Frames uint8 [k, 768, 512] (I420) or [k, 512, 512, 3] (RGB). The picture travels only if the server asks."""
        inputs = {"MOTION": motion}
        start = [("PORTRAIT_SHA256", self._sha256), ("FORMAT", self._format)]
        try:
            result = await self._push(inputs, start)
        except AvatarError as error:
            if error.code is not Code.UNKNOWN_PORTRAIT:
                raise
            result = await self._push(inputs, [*start, ("PORTRAIT", np.frombuffer(self._portrait, np.uint8))])
        frames: Bytes = result.as_numpy("FRAMES")
        return frames

    def _last(self) -> dict[str, Any]:
        return {"MOTION": np.zeros((0, 58), np.float32)}


class CaptureStream(Stream):
    async def push(self, frame: Bytes) -> tuple[Floats, float]:
        """Face motion [58] in a driving video's next frame, RGB uint8 [h, w, 3], and the face's score (0: none)."""
        result = await self._push({"IMAGE": frame})
        return _floats(result.as_numpy("MOTION"), 58), float(result.as_numpy("FACE").reshape(-1)[0])

    def _last(self) -> dict[str, Any]:
        return {"IMAGE": np.zeros((0, 0, 3), np.uint8)}
