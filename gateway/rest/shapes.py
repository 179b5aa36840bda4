"""What answers look like in JSON."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from characters import Character


class ErrorDetail(BaseModel):
    """Why a request failed: a code for programs, one sentence for people."""

    code: str
    message: str
    retryable: bool


class ErrorAnswer(BaseModel):
    error: ErrorDetail


class VoiceView(BaseModel):
    engine: str
    id: str
    sample: str | None


class CharacterView(BaseModel):
    id: str
    name: str
    display_name: str
    description: str
    personality: str
    language: str
    voice: VoiceView
    renderer: str
    portrait: str | None
    active: bool
    created: str
    updated: str


class CharacterList(BaseModel):
    characters: list[CharacterView]


class EngineVoice(BaseModel):
    id: str
    language: str


class Engine(BaseModel):
    name: str
    ready: bool
    licence: str
    languages: list[str]
    voices: list[EngineVoice]


class RoleEngines(BaseModel):
    engine: str
    ready: bool
    engines: list[Engine]


class Engines(BaseModel):
    roles: dict[str, RoleEngines]


class Health(BaseModel):
    status: str


class Readiness(BaseModel):
    """`missing` names the roles without a ready engine."""

    ready: bool
    missing: list[str]


class WordView(BaseModel):
    """A word, with seconds from the start of the recording."""

    word: str
    start: float
    end: float


class TranscriptView(BaseModel):
    """What was said; `duration` is the recording's, in seconds."""

    text: str
    language: str
    words: list[WordView]
    duration: float


class OpenApi(BaseModel):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]


def sample_address(character: Character) -> str | None:
    """Where a character's voice sample is, or None."""
    return None if character.voice.sample is None else f"/api/characters/{character.id}/voice-sample"


def character_view(character: Character) -> dict[str, Any]:
    """A character as JSON, the same in REST and on the data channel."""
    portrait = character.portrait and f"/api/characters/{character.id}/portrait?v={character.portrait[:16]}"
    return {
        "id": character.id,
        "name": character.name,
        "display_name": character.display_name,
        "description": character.description,
        "personality": character.personality,
        "language": character.language,
        "voice": {
            "engine": character.voice.engine,
            "id": character.voice.id,
            "sample": sample_address(character),
        },
        "renderer": character.renderer,
        "portrait": portrait,
        "active": character.active,
        "created": character.created,
        "updated": character.updated,
    }
