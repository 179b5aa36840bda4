"""A file heard from beginning to end: bounded memory, one language, times on the file's clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from avatar_runtime.contracts import LISTENING_RATE, VAD_WINDOW, AvatarError, Code
from gateway.inference import Inference
from gateway.inference.streams import VadStream
from gateway.subtitles import joined
from gateway.transcript import Transcript, Word
from gateway.transcription.cutting import Cutter, Floats, Piece
from gateway.transcription.recording import blocks
from gateway.transcription.settling import settle

PATIENCE: Final = 600.0  # s for a piece: a slow machine that hears it again and again, but not one that hangs
AHEAD: Final = 2  # pieces under way, so that the server never waits for us

Progress = Callable[[float], None]  # seconds of the recording that are done


@dataclass
class Listening:
    """What was heard so far."""

    language: str  # "" until it is known
    words: list[Word] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    duration: float = 0.0  # s that were decoded

    def add(self, piece: Piece, heard: Transcript) -> None:
        if heard.text:
            self.language = self.language or heard.language
            self.texts.append(heard.text)
            words = settle(heard.words, piece.speech)
            self.words += [replace(word, start=word.start + piece.start, end=word.end + piece.start) for word in words]

    def transcript(self) -> Transcript:
        return Transcript(joined(self.texts), self.language, self.words)


async def transcribe(
    inference: Inference, path: Path, language: str, task: str, progress: Progress
) -> tuple[Transcript, float]:
    """What is said in a file, and how many seconds it lasts. The first piece with words decides an open `language`."""
    so_far = Listening(language)
    under_way: deque[tuple[Piece, asyncio.Task[Transcript]]] = deque()

    async def hear(most: int) -> None:
        while len(under_way) > most:
            piece, heard = under_way[0]
            so_far.add(piece, await heard)
            under_way.popleft()
            progress(min(piece.end, so_far.duration))  # the last window is filled up

    try:
        async with aclosing(_pieces(inference, path, so_far)) as pieces:
            async for piece in pieces:
                if isinstance(piece, float):
                    if not under_way:
                        progress(piece)
                    continue
                await hear(AHEAD - 1 if so_far.language else 0)
                asking = inference.transcribe(piece.audio, so_far.language, task, patience=PATIENCE)
                under_way.append((piece, asyncio.create_task(asking)))
        await hear(0)
    finally:
        for _, heard in under_way:
            heard.cancel()
        await asyncio.gather(*(heard for _, heard in under_way), return_exceptions=True)
    progress(so_far.duration)
    return so_far.transcript(), so_far.duration


async def _pieces(inference: Inference, path: Path, so_far: Listening) -> AsyncGenerator[Piece | float, None]:
    """The pieces with speech in them, and after every block how many seconds do not wait to be cut."""
    cutter, sound, length = Cutter(), blocks(path), 0
    with contextlib.closing(sound):
        async with inference.vad() as vad:
            while (block := await _next(sound)) is not None:
                length += len(block)
                so_far.duration = length / LISTENING_RATE
                padded = np.pad(block, (0, -len(block) % VAD_WINDOW))
                for piece in cutter.feed(padded, await _speech(vad, padded)):
                    yield piece
                yield cutter.begins
            for piece in cutter.finish():
                yield piece
    if not length:
        raise AvatarError(Code.INVALID_AUDIO, f"The recording {path} is empty.")


async def _next(sound: Generator[Floats, None, None]) -> Floats | None:
    """The next block, decoded in a thread; who cancels this waits for the thread, for the file is closed then."""
    decoding = asyncio.ensure_future(asyncio.to_thread(next, sound, None))
    try:
        return await asyncio.shield(decoding)
    except asyncio.CancelledError:
        await asyncio.gather(decoding, return_exceptions=True)
        raise


async def _speech(vad: VadStream, audio: Floats) -> Floats:
    """Probability of speech in each window; a sequence that was idle for too long, while we waited, begins anew."""
    try:
        return await vad.push(audio)
    except AvatarError as error:
        if not error.retryable:
            raise
        return await vad.push(audio)
