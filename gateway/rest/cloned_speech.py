"""Speaking once with a voice that is kept nowhere: not stored, not logged, not written to a temporary file."""

from __future__ import annotations

import asyncio
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from avatar_runtime.contracts import MAX_TEXT_CHARACTERS, Code, Role
from characters.languages import known_language
from gateway.cloning import cloning_engines, reference
from gateway.media import FORMATS
from gateway.rest.body import read_form
from gateway.rest.choices import engines
from gateway.rest.guess import guess_language
from gateway.rest.operation import Answer, Form, Operation
from gateway.rest.speech import speakable, spoken
from gateway.rest.state import state
from gateway.rest.voice_samples import MAX_SAMPLE_BYTES


class CloneForm(BaseModel):
    """What to say, and how; the voice is in the file `sample`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    text: str = Field(description=f"1 to {MAX_TEXT_CHARACTERS} characters.")
    language: str = Field("", max_length=16, description="ISO 639-1; empty or auto: guessed from the text.")
    speed: float = Field(1.0, ge=0.5, le=2.0, allow_inf_nan=False, description="1 is the voice's own pace.")
    format: Literal["wav", "mp3", "opus", "aac", "flac", "pcm"] = "wav"


async def synthesize_with_voice_clone(request: Request) -> Response:
    upload = await read_form(request, MAX_SAMPLE_BYTES, "sample")
    wanted = CloneForm.model_validate(upload.fields)
    text = speakable(wanted.text)
    language = wanted.language.strip().lower()
    language = known_language(language) if language not in ("", "auto") else ""
    audio = await asyncio.to_thread(reference, upload.file)
    if not language:
        roles = await state(request).inference.catalogue()
        able = cloning_engines(roles)
        language = guess_language(
            text,
            [item for engine in engines(roles, Role.TTS) if engine["name"] in able for item in engine["languages"]],
        )
    clone = await state(request).clones.learn(audio, language=language)
    speech = state(request).inference.synthesize(
        text, language, engine=clone.engine, speed=wanted.speed, latents=clone.latents
    )
    return await spoken(speech, wanted.format, stream=True)


OPERATIONS = (
    Operation(
        "POST",
        "/api/synthesize-with-voice-clone",
        synthesize_with_voice_clone,
        "Speak a text with the voice of a recording, which is not kept",
        "speech",
        Answer("The sound, sent as it is made", None, tuple(item.media_type for item in FORMATS.values())),
        Form(CloneForm, "sample"),
        (
            Code.INVALID_REQUEST,
            Code.TOO_LARGE,
            Code.INVALID_TEXT,
            Code.INVALID_AUDIO,
            Code.UNKNOWN_LANGUAGE,
            Code.ENGINE_UNAVAILABLE,
            Code.TIMEOUT,
        ),
    ),
)
