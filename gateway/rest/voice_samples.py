"""The recording of a character's voice. What can be cloned from it is learned when it is uploaded."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from avatar_runtime.contracts import AvatarError, Code
from characters.media_types import AUDIO_TYPES
from gateway.cloning import Clone, reference
from gateway.media import Floats
from gateway.rest.body import read_file
from gateway.rest.characters import GONE, KEPT, ONE, VIEW, changed, character_of, file_answer, id_of
from gateway.rest.operation import Answer, File, Operation
from gateway.rest.state import state

MAX_SAMPLE_BYTES: Final = 20 * 2**20  # a minute in stereo at 48 kHz and 24 bits is 17 MB

#: The engine's troubles: the recording is kept, and cloned when it works again.
_LATER: Final = frozenset({Code.ENGINE_UNAVAILABLE, Code.TIMEOUT, Code.CANCELLED, Code.INTERNAL})


async def put_voice_sample(request: Request) -> Response:
    character = await character_of(request)  # before a long upload
    recording = await read_file(request, MAX_SAMPLE_BYTES)
    audio = await asyncio.to_thread(reference, recording)
    clone = await _learned(request, audio, character.voice.engine)
    store = state(request).store
    if clone is None:
        saved = await asyncio.to_thread(store.set_voice_sample, character.id, recording)
    else:
        saved = await asyncio.to_thread(store.set_voice_sample, character.id, recording, clone.latents, clone.engine)
    state(request).clones.reconsider()
    return await changed(request, saved)


async def get_voice_sample(request: Request) -> Response:
    asset = await asyncio.to_thread(state(request).store.voice_sample, id_of(request))
    return file_answer(request, asset, "voice sample")


async def delete_voice_sample(request: Request) -> Response:
    return await changed(request, await asyncio.to_thread(state(request).store.remove_voice_sample, id_of(request)))


async def _learned(request: Request, audio: Floats, engine: str) -> Clone | None:
    try:
        return await state(request).clones.learn(audio, engine)
    except AvatarError as error:
        if error.code in _LATER:
            return None
        raise


_ADDRESS: Final = f"{ONE}/voice-sample"

OPERATIONS = (
    Operation(
        "PUT",
        _ADDRESS,
        put_voice_sample,
        "Give it a recording of its voice: 3 to 30 s of one person speaking",
        "characters",
        VIEW,
        File(AUDIO_TYPES),
        (*GONE, Code.INVALID_REQUEST, Code.TOO_LARGE, Code.INVALID_AUDIO),
    ),
    Operation(
        "GET",
        _ADDRESS,
        get_voice_sample,
        "The recording of its voice",
        "characters",
        Answer("The recording", None, AUDIO_TYPES),
        None,
        GONE,
        KEPT,
    ),
    Operation(
        "DELETE",
        _ADDRESS,
        delete_voice_sample,
        "Let it speak with a built-in voice again",
        "characters",
        VIEW,
        None,
        GONE,
    ),
)
