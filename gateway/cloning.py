"""Cloned voices: which engines make and speak them, and the latents that are stored with a character."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from avatar_runtime.contracts import (
    MAX_REFERENCE_SECONDS,
    REFERENCE_SECONDS,
    SPEAKING_RATE,
    AvatarError,
    Code,
    Role,
)
from characters import Asset, Character
from gateway.media import Floats, decode

log = logging.getLogger(__name__)

SILENCE: Final = 0.001  # a recording that never gets louder has nobody in it: -60 dB
RENEWAL_SECONDS: Final = 20.0  # that a clause waits for latents made anew; then the built-in voice speaks

#: Failures that say nothing about the recording: another attempt may succeed.
_PASSING: Final = frozenset({Code.ENGINE_UNAVAILABLE, Code.TIMEOUT, Code.CANCELLED})

_NOT_UNDERSTOOD: Final = AvatarError(Code.UNKNOWN_VOICE, "The voice engine does not understand what was learned of it.")


@dataclass(frozen=True)
class Clone:
    """A cloned voice: the tts engine that can speak with it, and what that engine needs to know of it."""

    engine: str
    latents: bytes


def twin(engine: str, role: Role) -> str:
    """The engine of the same name in another role: voice_xtts clones for tts_xtts."""
    return f"{role}_{engine.partition('_')[2]}"


def cloning_engines(roles: dict[str, Any], preferred: str = "", language: str = "") -> list[str]:
    """The tts engines that can speak with a cloned voice now, `preferred` first; with `language`, those that know it.

    What makes the latents may be away at the moment; `can_learn` says whether it is there.
    """
    makers = {engine["name"] for engine in _engines(roles, Role.VOICE)}
    able = [
        engine["name"]
        for engine in _engines(roles, Role.TTS)
        if engine["ready"]
        and twin(engine["name"], Role.VOICE) in makers
        and (not language or language in engine["languages"])
    ]
    chosen = twin(str(roles.get(Role.VOICE, {}).get("engine", "")), Role.TTS)
    return sorted(able, key=lambda name: (name != preferred, name != chosen))


def can_learn(roles: dict[str, Any], engine: str) -> bool:
    """Whether latents for this tts engine can be made now."""
    maker = twin(engine, Role.VOICE)
    return any(item["name"] == maker and item["ready"] for item in _engines(roles, Role.VOICE))


def _engines(roles: dict[str, Any], role: Role) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = roles.get(role, {}).get("engines", [])
    return found


def reference(recording: bytes) -> Floats:
    """An encoded recording as the `voice` role wants it, mono at SPEAKING_RATE.

    Blocking. Refuses (`invalid_audio`) what needs no network to be refused; the engine looks closer.
    """
    shortest, _ = REFERENCE_SECONDS
    audio = decode(recording, MAX_REFERENCE_SECONDS, SPEAKING_RATE)
    if audio.size < shortest * SPEAKING_RATE:
        raise AvatarError(
            Code.INVALID_AUDIO, "The recording is too short: record one person speaking for 10 to 20 seconds."
        )
    if np.abs(audio).max() < SILENCE:
        raise AvatarError(
            Code.INVALID_AUDIO, "The recording is silent: see that the microphone is switched on, and record again."
        )
    return audio


class Store(Protocol):
    """What is needed of `characters.CharacterStore`; every method blocks."""

    def get(self, character_id: str) -> Character: ...

    def voice_sample(self, character_id: str) -> Asset | None: ...

    def voice_latents(self, character_id: str) -> tuple[str, bytes] | None: ...

    def set_voice_latents(self, character_id: str, sample: str, latents: bytes, engine: str) -> Character | None: ...


class Clones:
    """The characters' cloned voices: read where they are stored, made where they are missing or of other weights."""

    def __init__(self, inference: Any, store: Store) -> None:
        self._inference, self._store = inference, store
        self._making: dict[tuple[str, str], asyncio.Task[Clone | None]] = {}  # by character and tts engine
        self._preparing: set[asyncio.Task[Clone | None]] = set()
        #: character -> SHA-256 of a sample that no voice can be made of, and why
        self._hopeless: dict[str, tuple[str, AvatarError]] = {}
        self._renewed: dict[str, bytes] = {}  # character -> latents made anew

    async def close(self) -> None:
        """Ends what is still being made."""
        tasks = [*self._making.values(), *self._preparing]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def learn(self, audio: Floats, preferred: str = "", language: str = "") -> Clone:
        """The voice in `audio` (mono, SPEAKING_RATE), stored nowhere.

        `engine_unavailable` when nothing clones, `unknown_language` when nothing that clones speaks `language`.
        """
        roles = await self._inference.catalogue()
        able = [engine for engine in cloning_engines(roles, preferred) if can_learn(roles, engine)]
        if not able:
            raise AvatarError(Code.ENGINE_UNAVAILABLE, "No engine that clones a voice is ready at the moment.")
        fitting = [engine for engine in cloning_engines(roles, preferred, language) if engine in able]
        if not fitting:
            raise AvatarError(Code.UNKNOWN_LANGUAGE, f"No cloned voice speaks {language}; see /api/engines.")
        return await self._learn(audio, fitting[0])

    async def of(self, character: Character) -> Clone | None:
        """The voice that `character` has of its sample; None: let the built-in one speak.

        Where latents are missing and can be made, they are made meanwhile.
        """
        engines = await self._engines_for(character)
        if not engines:
            return None
        found = await self._stored(character)
        if found is not None and found[0] in engines and not self._is_hopeless(character):
            return Clone(*found)
        self._make(character, engines[0])
        return None

    def prepare(self, character: Character) -> None:
        """Begin to make what `character` lacks."""
        if character.voice.sample is not None:
            task = asyncio.create_task(self.of(character))
            self._preparing.add(task)
            task.add_done_callback(self._preparing.discard)

    def reconsider(self) -> None:
        """Something has changed, an engine or a recording: what has failed for good is tried once more."""
        self._hopeless.clear()
        self._renewed.clear()

    async def renew(self, character: Character, refused: Clone) -> Clone | None:
        """Latents of a sample made anew, once: an engine has refused those that are stored. None when it did before."""
        sample = character.voice.sample
        if sample is None:
            return None
        stored = await self._stored(character)
        if stored is not None and stored != (refused.engine, refused.latents):
            return Clone(*stored) if stored[0] == refused.engine else None  # somebody else was faster
        if self._renewed.get(character.id) == refused.latents:
            self._hopeless[character.id] = (sample, _NOT_UNDERSTOOD)
            return None
        log.info("the voice of a character was made with other weights of %s; it is made anew", refused.engine)
        making = self._make(character, refused.engine)
        if making is None:
            return None
        try:
            async with asyncio.timeout(RENEWAL_SECONDS):
                made = await asyncio.shield(making)
        except TimeoutError:
            return None
        if made is not None:
            self._renewed[character.id] = made.latents
        return made

    async def _stored(self, character: Character) -> tuple[str, bytes] | None:
        try:
            return await asyncio.to_thread(self._store.voice_latents, character.id)
        except AvatarError:  # it was deleted while somebody talks with it
            return None

    async def _engines_for(self, character: Character) -> list[str]:
        if character.voice.sample is None:
            return []
        try:
            roles = await self._inference.catalogue()
        except AvatarError:
            return []
        preferred = character.voice.latents_engine or character.voice.engine
        return cloning_engines(roles, preferred, character.language)

    def trouble(self, character: Character) -> AvatarError | None:
        """Why the sample of `character` stays without a voice; None where there is hope."""
        sample, error = self._hopeless.get(character.id, ("", None))
        return error if sample == character.voice.sample else None

    def _is_hopeless(self, character: Character) -> bool:
        return self.trouble(character) is not None

    def _make(self, character: Character, engine: str) -> asyncio.Task[Clone | None] | None:
        if self._is_hopeless(character):
            return None
        key = (character.id, engine)
        if key not in self._making:
            task = self._making[key] = asyncio.create_task(self._make_and_store(character, engine))
            task.add_done_callback(lambda _: self._making.pop(key, None))
        return self._making[key]

    async def _make_and_store(self, character: Character, engine: str) -> Clone | None:
        try:
            if not can_learn(await self._inference.catalogue(), engine):
                return None
            sample = await asyncio.to_thread(self._store.voice_sample, character.id)
            if sample is None:
                return None
            clone = await self._learn(await asyncio.to_thread(reference, sample.data), engine)
            latents = (character.id, sample.sha256, clone.latents, engine)
            if await asyncio.to_thread(self._store.set_voice_latents, *latents) is None:
                return None  # of a sample that was replaced meanwhile: nobody shall hear that voice any more
        except AvatarError as error:
            log.info("the voice of a character could not be cloned: %s", error.code)
            if error.code not in _PASSING and character.voice.sample is not None:
                self._hopeless[character.id] = (character.voice.sample, error)
            return None
        except Exception as error:
            log.error("a voice could not be cloned: %s", type(error).__name__)  # no values: they may be words
            return None
        return clone

    async def _learn(self, audio: Floats, engine: str) -> Clone:
        return Clone(engine, await self._inference.clone(audio, twin(engine, Role.VOICE)))
