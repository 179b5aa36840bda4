"""Which languages a character can answer in."""

from __future__ import annotations

from typing import Any

from avatar_runtime.contracts import Role
from characters import Character
from gateway.cloning import cloning_engines


def speakable_languages(roles: dict[str, Any], character: Character) -> set[str]:
    """ISO codes that the character's voice speaks now, by the engines in `roles` (as GET /api/engines tells them)."""
    tts = roles.get(Role.TTS, {})
    engines = {engine["name"]: engine for engine in tts.get("engines", []) if engine["ready"]}
    names = [character.voice.engine or str(tts.get("engine", ""))]
    if character.voice.sample is not None:
        names = cloning_engines(roles, character.voice.engine)[:1] or names
    return {language for name in names if name in engines for language in engines[name]["languages"]}


def answer_language(heard: str, roles: dict[str, Any], character: Character) -> str:
    """The language of an answer to somebody who speaks `heard`: the same, if the character's voice can."""
    wanted = heard.split("-")[0]
    return wanted if wanted and wanted in speakable_languages(roles, character) else character.language
