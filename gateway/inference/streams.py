"""Streams of the roles that are sequences in Triton: one correlation id from the first push to the last."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from avatar_runtime.contracts import AvatarError, Code
from gateway.inference.failures import away
from gateway.inference.server import Tritonserver
from gateway.tensors import Bytes, Floats, floats
from gateway.transcript import Heard, heard

Choose = Callable[[str], Tritonserver]  # a server for a model

STREAM_TIMEOUT = 10.0  # s: a push of a running sequence
UNARY_TIMEOUT = 60.0  # s: a long recording on a slow machine


_sequence_base = secrets.randbits(30) << 32  # several gateways may share one server
_sequence_count = itertools.count(1)


def sequence_id() -> int:
    return _sequence_base + next(_sequence_count)


class Stream:
    """A Triton sequence: opened by the first push, ended by `close`; a failed one opens anew at the next push.

    The server that has its memory gets every push of it. When that is gone the sequence has failed.
    """

    def __init__(self, choose: Choose, model: str, push_seconds: float = STREAM_TIMEOUT) -> None:
        """`push_seconds` is how long a push may take: a conversation cannot wait as long as a film can."""
        self._choose = choose
        self._model = model
        self._push_seconds = push_seconds
        self._sequence = 0  # no sequence runs
        self._server: Tritonserver | None = None  # of the sequence

    def _open(self) -> tuple[Tritonserver, bool]:
        """The server of the sequence, and whether it begins now."""
        if self._sequence and self._server is not None:
            if not self._server.alive:
                self._sequence = 0
                raise away(self._model)
            return self._server, False
        if not self._model:
            raise AvatarError(Code.ENGINE_UNAVAILABLE, "No engine serves this role.")
        self._server, self._sequence = self._choose(self._model), sequence_id()
        return self._server, True

    async def _push(self, inputs: dict[str, Any], at_start: Iterable[tuple[str, Any]] = ()) -> Any:
        server, start = self._open()
        if start:
            inputs = {**inputs, **dict(at_start)}
        try:
            return await server.call(
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
        sequence, self._sequence = self._sequence, 0
        if sequence and self._server is not None and self._server.alive:
            try:
                await self._server.call(
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
        return floats(result.as_numpy("SPEECH"), -1)

    def _last(self) -> dict[str, Any]:
        return {"AUDIO": np.zeros(0, np.float32)}


class TranscriptStream(Stream):
    """Speech heard while it is spoken."""

    def __init__(
        self, choose: Choose, model: str, language: str, likely: str, prompt: str, push_seconds: float
    ) -> None:
        super().__init__(choose, model, push_seconds)
        self._settings = {"LANGUAGE": language, "LIKELY_LANGUAGE": likely, "PROMPT": prompt}

    async def push(self, audio: Floats, flush: bool = False) -> Heard:
        """What is heard once `audio` (LISTENING_RATE, any length) has come; with `flush` all that was said."""
        inputs: dict[str, Any] = {"AUDIO": audio.astype(np.float32, copy=False)}
        if flush:
            inputs["FLUSH"] = np.array([True])
        start = [*self._settings.items(), ("PARTIALS", np.array([True]))]
        return heard(await self._push(inputs, start))

    async def finish(self, audio: Floats) -> Heard:
        """The last of the sound, and all that was said; the stream is over."""
        server, start = self._open()
        sequence, self._sequence = self._sequence, 0
        inputs = {"AUDIO": audio.astype(np.float32, copy=False), **self._settings}
        found = await server.call(
            self._model, inputs, UNARY_TIMEOUT, sequence_id=sequence, sequence_start=start, sequence_end=True
        )
        return heard(found)

    def _last(self) -> dict[str, Any]:
        return {"AUDIO": np.zeros(0, np.float32)}


class MotionStream(Stream):
    def __init__(self, choose: Choose, model: str, seed: int, push_seconds: float) -> None:
        super().__init__(choose, model, push_seconds)
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
        return floats(result.as_numpy("MOTION"), -1, 58)

    def _last(self) -> dict[str, Any]:
        return {"AUDIO": np.zeros(0, np.float32)}


class RenderStream(Stream):
    def __init__(self, choose: Choose, model: str, portrait: bytes, fmt: str, push_seconds: float) -> None:
        super().__init__(choose, model, push_seconds)
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
        return floats(result.as_numpy("MOTION"), 58), float(result.as_numpy("FACE").reshape(-1)[0])

    def _last(self) -> dict[str, Any]:
        return {"IMAGE": np.zeros((0, 0, 3), np.uint8)}
