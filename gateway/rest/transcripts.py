"""Speech to text: our own route, and OpenAI's."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from avatar_runtime.contracts import LISTENING_RATE, AvatarError, Code, Role
from characters.languages import known_language
from gateway.media import MAX_AUDIO_BYTES, decode
from gateway.rest.body import read_form
from gateway.rest.choices import engines
from gateway.rest.operation import Answer, Form, Operation
from gateway.rest.shapes import TranscriptView
from gateway.rest.state import state
from gateway.subtitles import segments, srt, vtt
from gateway.transcript import Transcript

MAX_PROMPT: Final = 2_000  # characters
OPENAI_MODELS: Final = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")


class TranscribeForm(BaseModel):
    """How to listen."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    language: str = Field("", max_length=16, description="ISO 639-1; empty or auto: found out.")
    task: Literal["transcribe", "translate"] = Field("transcribe", description="translate: into English.")


class OpenAiTranscriptionForm(BaseModel):
    """https://platform.openai.com/docs/api-reference/audio/createTranscription; other fields are ignored."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    model: str = Field("whisper-1", max_length=128)
    language: str = Field("", max_length=16)
    prompt: str = Field("", max_length=MAX_PROMPT)
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = "json"
    stream: Literal["false", "False", "0", ""] = Field("false", description="Transcripts are sent whole.")


class OpenAiTranscript(BaseModel):
    """`verbose_json` has all fields, `json` only the text."""

    text: str
    task: str = "transcribe"
    language: str = ""
    duration: float = 0.0
    segments: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []


async def transcribe(request: Request) -> Response:
    upload = await read_form(request, MAX_AUDIO_BYTES)
    wanted = TranscribeForm.model_validate(upload.fields)
    transcript, duration = await _heard(request, upload.file, wanted.language, wanted.task)
    return JSONResponse(
        {
            "text": transcript.text,
            "language": transcript.language,
            "words": _words(transcript),
            "duration": round(duration, 3),
        }
    )


async def openai_transcription(request: Request) -> Response:
    upload = await read_form(request, MAX_AUDIO_BYTES)
    wanted = OpenAiTranscriptionForm.model_validate(upload.fields)
    _require_model(await state(request).inference.catalogue(), wanted.model)
    transcript, duration = await _heard(request, upload.file, wanted.language, "transcribe", wanted.prompt)
    match wanted.response_format:
        case "text":
            return PlainTextResponse(transcript.text + "\n")
        case "srt":
            return Response(srt(segments(transcript, duration)), media_type="application/x-subrip")
        case "vtt":
            return Response(vtt(segments(transcript, duration)), media_type="text/vtt")
        case "verbose_json":
            return JSONResponse(verbose(transcript, duration))
        case _:
            return JSONResponse({"text": transcript.text})


async def _heard(
    request: Request, recording: bytes, language: str, task: str, prompt: str = ""
) -> tuple[Transcript, float]:
    """The transcript, and the recording's length in seconds."""
    if language.strip().lower() in ("", "auto"):
        language = ""
    else:
        language = known_language(language)
    if "\0" in prompt:
        raise AvatarError(Code.INVALID_REQUEST, "The prompt holds control characters.")
    audio = await asyncio.to_thread(decode, recording)
    transcript = await state(request).inference.transcribe(audio, language, task, prompt)
    return transcript, audio.size / LISTENING_RATE


def _require_model(roles: dict[str, Any], model: str) -> None:
    names = [engine["name"] for engine in engines(roles, Role.STT)]
    if names and model not in OPENAI_MODELS and model not in names and f"stt_{model}" not in names:
        known = ", ".join([*names, *OPENAI_MODELS])
        raise AvatarError(Code.UNKNOWN_ENGINE, f"There is no such model; there is {known}.")


def _words(transcript: Transcript) -> list[dict[str, Any]]:
    return [{"word": word.word, "start": round(word.start, 3), "end": round(word.end, 3)} for word in transcript.words]


def verbose(transcript: Transcript, duration: float, task: str = "transcribe") -> dict[str, Any]:
    """All that is known, in the fields of OpenAI's `verbose_json`."""
    return {
        "task": task,
        "language": transcript.language,
        "duration": round(duration, 3),
        "text": transcript.text,
        "segments": [
            {"id": number, "start": round(part.start, 3), "end": round(part.end, 3), "text": part.text}
            for number, part in enumerate(segments(transcript, duration))
        ],
        "words": _words(transcript),
    }


_ERRORS = (
    Code.INVALID_REQUEST,
    Code.TOO_LARGE,
    Code.INVALID_AUDIO,
    Code.UNKNOWN_LANGUAGE,
    Code.ENGINE_UNAVAILABLE,
    Code.TIMEOUT,
)

OPERATIONS = (
    Operation(
        "POST",
        "/api/transcribe",
        transcribe,
        "Write down what is said in a recording",
        "speech",
        Answer("The transcript", TranscriptView),
        Form(TranscribeForm),
        _ERRORS,
    ),
    Operation(
        "POST",
        "/v1/audio/transcriptions",
        openai_transcription,
        "Write down a recording, as OpenAI's clients ask for it",
        "openai",
        Answer("The transcript", OpenAiTranscript, ("text/plain", "application/x-subrip", "text/vtt")),
        Form(OpenAiTranscriptionForm),
        (*_ERRORS, Code.UNKNOWN_ENGINE),
    ),
)
