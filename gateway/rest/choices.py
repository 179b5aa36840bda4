"""Engines, voices and languages that requests name, checked against what Triton has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from avatar_runtime.contracts import AvatarError, Code, Role
from characters.languages import known_language

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


def choose_voice(roles: Roles, engine: str, voice: str, language: str) -> tuple[str | None, str]:
    """The engine (None: whichever can) and language for a request that names any of the three.

    Raises `unknown_engine`, `unknown_voice`, `unknown_language`. A language that is left out is the voice's own,
    else the engine's first.
    """
    require_engine(roles, Role.TTS, engine)
    language = known_language(language) if language and language != "auto" else ""
    candidates = [item for item in engines(roles, Role.TTS) if engine in ("", item["name"])]
    described = [item for item in candidates if item["languages"]]  # an engine never seen ready says nothing
    if voice and described:
        described = [item for item in described if any(known["id"] == voice for known in item["voices"])]
        if not described:
            owner = f"{engine} has" if engine else "There is"
            raise AvatarError(Code.UNKNOWN_VOICE, f"{owner} no such voice; see /api/engines.")
    if language and described:
        described = [item for item in described if language in item["languages"]]
        if not described:
            owner = engine or "any engine's voice" if not voice else "this voice"
            raise AvatarError(Code.UNKNOWN_LANGUAGE, f"The language {language} is not one of {owner}.")
    ready = [item for item in described if item["ready"]] or described
    if not language and ready:
        spoken = voice_languages(ready, voice) if voice else ready[0]["languages"]
        language = next((item for item in spoken if item), "")
    return engine or (ready[0]["name"] if ready else None), language
