"""Text to speech: our own route, and OpenAI's."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from avatar_runtime.contracts import MAX_TEXT_CHARACTERS, AvatarError, Code, Role
from gateway.inference import Speech
from gateway.media import FORMATS, Encoder, encode
from gateway.rest.body import read_json
from gateway.rest.choices import choose_voice, engines, voice_languages
from gateway.rest.operation import Answer, Json, Operation
from gateway.rest.state import state

Speed = Field(1.0, ge=0.5, le=2.0, allow_inf_nan=False, description="1 is the voice's own pace.")

CLAUSE_TIMEOUT = 60.0  # s for one clause: a slow voice on a busy machine, but not one that hangs

#: Voices and models that OpenAI's clients send when nobody chose: they stand for our default.
OPENAI_VOICES: Final = frozenset(
    "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse default".split()
)
OPENAI_MODELS: Final = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")


class SynthesizeRequest(BaseModel):
    """What to say, and how."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    text: str = Field(description=f"1 to {MAX_TEXT_CHARACTERS} characters.")
    language: str = Field("", max_length=16, description="ISO 639-1; empty: the voice's own.")
    voice: str = Field("", max_length=128, description="A voice id of /api/engines; empty: the language's first.")
    engine: str | None = Field(None, max_length=64, description="A tts engine; left out: one that can.")
    speed: float = Speed
    stream: bool = Field(False, description="Send the sound as it is made; the WAV header then has no length.")


class OpenAiSpeechRequest(BaseModel):
    """https://platform.openai.com/docs/api-reference/audio/createSpeech; other fields are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)

    model: str = Field("tts-1", max_length=128)
    input: str
    voice: str = Field("alloy", max_length=128)
    language: str = Field("", max_length=16, description="Our addition; left out, it is guessed from voice and input.")
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: float = Speed
    stream_format: Literal["audio"] = "audio"


def speakable(text: str) -> str:
    """`text` without outer space; `invalid_text` when it is empty, too long, or has nothing to speak in it."""
    text = text.strip()
    if not text:
        raise AvatarError(Code.INVALID_TEXT, "There is no text to speak.")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise AvatarError(Code.INVALID_TEXT, f"The text is longer than {MAX_TEXT_CHARACTERS} characters.")
    if any(unicodedata.category(character) in ("Cc", "Cs") and not character.isspace() for character in text):
        raise AvatarError(Code.INVALID_TEXT, "The text holds control characters.")
    if not any(character.isalnum() for character in text):
        raise AvatarError(Code.INVALID_TEXT, "The text holds nothing that can be spoken.")
    return text


async def synthesize(request: Request) -> Response:
    wanted = await read_json(request, SynthesizeRequest)
    text = speakable(wanted.text)
    roles = await state(request).inference.catalogue()
    engine, language = choose_voice(roles, wanted.engine or "", wanted.voice, wanted.language, text)
    speech = state(request).inference.synthesize(text, language, wanted.voice, engine, wanted.speed)
    return await spoken(speech, "wav", wanted.stream)


async def openai_speech(request: Request) -> Response:
    wanted = await read_json(request, OpenAiSpeechRequest)
    text = speakable(wanted.input)
    roles = await state(request).inference.catalogue()
    engine = _openai_engine(roles, wanted.model)
    voice = wanted.voice
    if voice in OPENAI_VOICES and not voice_languages(engines(roles, Role.TTS), voice):
        voice = ""
    chosen, language = choose_voice(roles, engine, voice, wanted.language, text)
    speech = state(request).inference.synthesize(text, language, voice, chosen, wanted.speed)
    return await spoken(speech, wanted.response_format, stream=True)


def _openai_engine(roles: dict[str, Any], model: str) -> str:
    names = [engine["name"] for engine in engines(roles, Role.TTS)]
    for name in (model, f"tts_{model}"):
        if name in names:
            return name
    if model in OPENAI_MODELS or not names:
        return ""
    known = ", ".join([*names, *OPENAI_MODELS])
    raise AvatarError(Code.UNKNOWN_ENGINE, f"There is no such model; there is {known}.")


async def spoken(speech: AsyncIterator[Speech], kind: str, stream: bool) -> Response:
    """The answer, begun only when the first clause is there: what fails before still gets its status."""
    media_type = FORMATS[kind].media_type
    chunks = _in_time(speech)
    try:
        first = await anext(chunks)
    except StopAsyncIteration as error:
        raise AvatarError(Code.INVALID_TEXT, "The text holds nothing that can be spoken.") from error
    if stream:
        return StreamingResponse(_encoded(first, chunks, kind), media_type=media_type)
    async with aclosing(chunks):
        audio = np.concatenate([first.audio, *[chunk.audio async for chunk in chunks]])
    return Response(await asyncio.to_thread(encode, audio, kind), media_type=media_type)


async def _in_time(speech: AsyncIterator[Speech]) -> AsyncGenerator[Speech, None]:
    """The chunks; `timeout` when one does not come. However it ends, the request in Triton ends with it."""
    try:
        while True:
            try:
                async with asyncio.timeout(CLAUSE_TIMEOUT):
                    chunk = await anext(speech)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise AvatarError(Code.TIMEOUT, "The voice did not answer in time.") from error
            yield chunk
    finally:
        if isinstance(speech, AsyncGenerator):
            await speech.aclose()


async def _encoded(first: Speech, rest: AsyncGenerator[Speech, None], kind: str) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        encoder = Encoder(kind)
        yield await asyncio.to_thread(encoder.feed, first.audio)
        async for chunk in rest:
            yield await asyncio.to_thread(encoder.feed, chunk.audio)
        yield await asyncio.to_thread(encoder.finish)


_CHOICES = (Code.UNKNOWN_ENGINE, Code.UNKNOWN_VOICE, Code.UNKNOWN_LANGUAGE)
_ERRORS = (Code.INVALID_REQUEST, Code.TOO_LARGE, Code.INVALID_TEXT, *_CHOICES, Code.ENGINE_UNAVAILABLE, Code.TIMEOUT)

OPERATIONS = (
    Operation(
        "POST",
        "/api/synthesize",
        synthesize,
        "Speak a text",
        "speech",
        Answer("The sound, 16-bit mono at 24 kHz", None, ("audio/wav",)),
        Json(SynthesizeRequest),
        _ERRORS,
    ),
    Operation(
        "POST",
        "/v1/audio/speech",
        openai_speech,
        "Speak a text, as OpenAI's clients ask for it",
        "openai",
        Answer("The sound", None, tuple(item.media_type for item in FORMATS.values())),
        Json(OpenAiSpeechRequest),
        _ERRORS,
    ),
)
