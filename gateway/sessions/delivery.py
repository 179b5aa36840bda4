"""An answer on its way: handed to the performer, heard by the person, told to the page while it is heard."""

from __future__ import annotations

import asyncio
from typing import Any

from avatar_runtime.contracts import Role
from gateway.sessions.health import Health
from gateway.sessions.performer import Performer
from gateway.sessions.telling import Telling
from gateway.sessions.utterance import ClauseHeard, Utterance, UtteranceOver, end_of, speak


class Delivery:
    """One utterance at a time."""

    def __init__(self, performer: Performer, health: Health, tell: Telling) -> None:
        self._performer, self._health, self._tell = performer, health, tell
        self._utterance: Utterance | None = None
        self._mood = ("neutral", 0.0)  # of the face, where an utterance says nothing else

    async def perform(self, utterance: Utterance) -> None:
        """Speak an answer to its end."""
        self._utterance = utterance
        try:
            await speak(self._performer, utterance)
        finally:
            utterance.answer.drop()
        if utterance.mute is not None:
            self._health.failed(Role.TTS, utterance.mute)
        elif utterance.clauses:
            self._health.works(Role.TTS)
        if utterance.clauses:
            await self._performer.say(end_of(utterance))
            await utterance.over.wait()
        self._tell.timing(utterance, last=True)
        self._utterance = None
        self._relax(utterance)
        if utterance.text:
            self._tell.avatar(utterance, utterance.text, True)

    @property
    def slots_heard(self) -> int:
        """Of the running utterance, slots of the timeline."""
        return 0 if self._utterance is None else self._utterance.slots_heard(self._performer.heard)

    @property
    def words_heard(self) -> str:
        """Of the running utterance."""
        return "" if self._utterance is None else self._utterance.heard(self._performer.heard)

    def hold(self) -> None:
        """Be quiet until it is clear whether to go on."""
        self._performer.pause()
        self._tell.hold(True)

    def release(self) -> None:
        """Go on."""
        self._performer.resume()
        self._tell.hold(False)

    def stop(self) -> Utterance | None:
        """Nothing is spoken any more. The utterance that was."""
        utterance, self._utterance = self._utterance, None
        self._performer.clear()
        self._performer.face.feel(*self._mood)
        return utterance

    def over(self) -> None:
        """Whoever spoke has ended. Did they break off, what is still queued would have no owner."""
        utterance, self._utterance = self._utterance, None
        if utterance is not None:
            self._performer.clear()
            self._relax(utterance)
        self._performer.resume()

    # --- what playout reports -----------------------------------------------------------------------------
    def passed(self, mark: Any) -> None:
        """A mark of the timeline is being heard."""
        if isinstance(mark, ClauseHeard) and mark.utterance is self._utterance:
            if mark.utterance.begun_at is None:
                self._begins(mark.utterance)
            if mark.emotion is not None:
                self._tell.emotion(mark.emotion)
            self._tell.avatar(mark.utterance, mark.utterance.text_up_to(mark), False)
        elif isinstance(mark, UtteranceOver):
            mark.utterance.over.set()

    def frame_shown(self, slot: int) -> None:
        """A new frame has been shown."""
        if self._utterance is not None:
            self._utterance.shown(slot, _now())
            self._tell.timing(self._utterance)

    def _begins(self, utterance: Utterance) -> None:
        utterance.begun_at = _now()
        self._tell.enter("speaking")
        if utterance.answer.first_clause_at is not None and "transcript" in utterance.ms:
            utterance.ms["first_token"] = utterance.since(utterance.answer.first_clause_at)
        utterance.ms["first_audio"] = utterance.since(utterance.begun_at)
        self._tell.timing(utterance)

    # --- the face -----------------------------------------------------------------------------------------
    def feel(self, emotion: str, intensity: float) -> None:
        """The face's mood from now on."""
        self._mood = (emotion, intensity)
        self._performer.face.feel(emotion, intensity)
        self.tell_emotion()

    def tell_emotion(self) -> None:
        self._tell.emotion(self._mood)

    def _relax(self, utterance: Utterance) -> None:
        """The face goes back to its mood after an utterance that had others."""
        self._performer.face.feel(*self._mood)
        if any(clause.emotion is not None for clause in utterance.clauses):
            self.tell_emotion()


def _now() -> float:
    return asyncio.get_running_loop().time()
