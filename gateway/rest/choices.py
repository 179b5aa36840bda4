"""Engines, voices and languages that requests name, checked against what Triton has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from avatar_runtime.contracts import AvatarError, Code, Role
from characters.languages import known_language
from gateway.rest.guess import guess_language

Roles = dict[str, Any]  # as Inference.catalogue gives them


def engines(roles: Roles, role: Role) -> list[dict[str, Any]]:
    """The engines of a role, the chosen one first; [] when Triton is gone."""
    found = roles.get(role, {})
    return sorted(found.get("engines", []), key=lambda engine: engine["name"] != found.get("engine"))


def require_engine(roles: Roles, role: Role, name: str) -> None:
    """`unknown_engine` when `name` is no engine of `role`; nothing is known while Triton is gone."""
    names = [engine["name"] for engine in engines(roles, role)]
    if name and names and name not in names:
        raise AvatarError(Code.UNKNOWN_ENGINE, f"There is no such {role} engine; there is {', '.join(names)}.")


def voice_languages(candidates: Iterable[dict[str, Any]], voice: str) -> list[str]:
    """The languages of a voice over the engines that have it."""
    return [item["language"] for engine in candidates for item in engine["voices"] if item["id"] == voice]


def choose_voice(roles: Roles, engine: str, voice: str, language: str, text: str = "") -> tuple[str | None, str]:
    """The engine (None: whichever can) and language for a request that names any of the three.

    Raises `unknown_engine`, `unknown_voice`, `unknown_language`. A language that is left out is one of the voice's,
    or of any engine's, that `text` seems to be in, else the first.
    """
    require_engine(roles, Role.TTS, engine)
    language = known_language(language) if language and language != "auto" else ""
    able = [item for item in engines(roles, Role.TTS) if engine in ("", item["name"])]
    able = [item for item in able if item["languages"]]  # an engine never seen ready says nothing
    if not able:
        return engine or None, language
    if voice:
        able = [item for item in able if voice_languages([item], voice)]
        if not able:
            subject = f"{engine} has" if engine else "There is"
            raise AvatarError(Code.UNKNOWN_VOICE, f"{subject} no such voice; see /api/engines.")
    able = [item for item in able if item["ready"]] or able
    if not language:
        own = [item for item in voice_languages(able, voice) if item] if voice else []  # some voices speak any
        language = guess_language(text, own or [item for found in able for item in found["languages"]])
    able = [item for item in able if not language or language in item["languages"]]
    if not able:
        message = f"Nothing chosen here speaks the language {language}; see /api/engines."
        raise AvatarError(Code.UNKNOWN_LANGUAGE, message)
    return able[0]["name"], language
