"""Which engines there are, which are ready, and what each can say: read from Triton and the models' own configs."""

from __future__ import annotations

from typing import Any

from avatar_runtime.contracts import AvatarError, Code, Role
from gateway.inference.fleet import Fleet
from gateway.settings import Settings

Engine = dict[str, Any]


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


class Catalogue:
    """A view of the models of all servers. Configs of ready models are remembered; readiness is asked every time."""

    def __init__(self, fleet: Fleet, settings: Settings) -> None:
        self._fleet = fleet
        self._settings = settings
        self._known: dict[str, Engine] = {}

    async def roles(self) -> dict[str, Any]:
        """``{role: {engine, ready, engines: [{name, ready, licence, languages, voices}]}}``; no Triton, no engines."""
        states = dict.fromkeys(self._known, False) | await self._fleet.states()
        roles = {}
        for role in Role:
            names = sorted(name for name in states if name.startswith(f"{role}_"))
            engines = [await self._engine(name, states[name]) for name in names]
            chosen = self._settings.engine(role)
            roles[role.value] = {"engine": chosen, "ready": states.get(chosen, False), "engines": engines}
        return roles

    async def _engine(self, name: str, ready: bool) -> Engine:
        if ready and name not in self._known:
            try:
                said = await self._fleet.server(name).parameters(name)
                voices = [item.partition(":") for item in _list(said.get("voices", ""))]
                self._known[name] = {
                    "licence": said.get("licence", ""),
                    "languages": _list(said.get("languages", "")),
                    "voices": [{"id": ident, "language": language} for ident, _, language in voices],
                }
            except AvatarError:
                ready = False
        facts = self._known.get(name, {"licence": "", "languages": [], "voices": []})
        return {"name": name, "ready": ready, **facts}

    async def voice_engine(self, language: str, voice: str) -> str:
        """The tts engine for a voice or language: the chosen one if it can, else the first that is able to."""
        chosen = self._settings.tts
        if not language and not voice:
            return chosen
        tts = (await self.roles())[Role.TTS]
        engines = [engine for engine in tts["engines"] if engine["ready"]]
        if not engines:
            raise AvatarError(Code.ENGINE_UNAVAILABLE, "No voice engine is ready at the moment.")
        engines.sort(key=lambda engine: engine["name"] != chosen)
        for engine in engines:
            voices = {item["id"] for item in engine["voices"]}
            if (not voice or voice in voices) and (not language or language in engine["languages"]):
                return str(engine["name"])
        if voice and not any(voice == item["id"] for engine in engines for item in engine["voices"]):
            raise AvatarError(Code.UNKNOWN_VOICE, f"No engine has a voice called {voice[:64]!r}; see /api/engines.")
        raise AvatarError(Code.UNKNOWN_LANGUAGE, f"No voice speaks {language[:32]!r}; see /api/engines.")
