"""The conversation: from a turn of the person to an answer that is heard, or interrupted."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing
from typing import Any

from avatar_runtime.contracts import AvatarError, Code, Role
from characters import Character
from gateway.dialogue import Clause, Dialogue, Line
from gateway.sessions.health import Health, Send, crash, notice
from gateway.sessions.performer import Performer
from gateway.sessions.utterance import ClauseHeard, Utterance, UtteranceOver, end_of, speak
from gateway.sessions.voice import Voice

MAX_HISTORY = 50  # lines; the oldest go first


class Conversation:
    """What is said, and by whom. One answer at a time: whatever comes new interrupts the running one."""

    def __init__(
        self,
        inference: Any,
        voice: Voice,
        dialogue: Dialogue,
        performer: Performer,
        health: Health,
        send: Send,
        tasks: Any,
    ) -> None:
        self._inference, self._dialogue, self._performer = inference, dialogue, performer
        self._voice = voice
        self._health, self._send, self._tasks = health, send, tasks
        self.character: Character | None = None
        self.language = "auto"  # of the person
        self.history: list[Line] = []
        self.turns = 0
        self.state = "idle"
        self._answer: asyncio.Task[None] | None = None
        self._draft: asyncio.Task[Any] | None = None
        self._utterance: Utterance | None = None
        self._numbers = itertools.count(1)

    # --- what the ears report -----------------------------------------------------------------------------
    @property
    def busy(self) -> bool:
        """Whether the portrait thinks or speaks."""
        return self._answer is not None and not self._answer.done()

    def turn_started(self) -> None:
        self._enter("listening")

    def turn_paused(self, audio: Any) -> None:
        """Begin to transcribe: if the person does not go on, the text is there when the turn ends."""
        self._drop_draft()
        self._draft = self._tasks.create_task(self._transcribe(audio))

    def turn_resumed(self) -> None:
        self._drop_draft()

    def turn_discarded(self) -> None:
        self._drop_draft()
        self._rest()

    def turn_ended(self, audio: Any, ended_at: float) -> None:
        draft, self._draft = self._draft, None
        self._start(self._hear(draft or self._tasks.create_task(self._transcribe(audio)), ended_at))

    # --- what the page asks -------------------------------------------------------------------------------
    def chat(self, text: str) -> None:
        """The person typed `text`."""
        self._start(self._reply(text, self._now()))

    def say(self, text: str) -> None:
        """The portrait says `text`."""
        self._start(self._speak_clauses(_once(text), f"t{next(self._numbers)}", self._now()))

    def interrupt(self) -> None:
        """The one function that goes upstream: cancels the work, empties playout, keeps what was heard."""
        if self._answer is not None:
            self._answer.cancel()
            self._answer = None
        utterance, self._utterance = self._utterance, None
        heard = utterance.heard(self._performer.head) if utterance is not None else ""
        self._performer.clear()
        if utterance is not None and heard:
            self._caption("avatar", utterance.id, heard, True, self._language())
            self._remember("avatar", heard)
        self._rest()

    # --- what playout reports -----------------------------------------------------------------------------
    def passed(self, mark: Any) -> None:
        """A mark of the timeline is being heard."""
        if isinstance(mark, ClauseHeard) and mark.utterance is self._utterance:
            utterance = mark.utterance
            if utterance.begin():
                self._enter("speaking")
                utterance.ms["first_audio"] = utterance.since(self._now())
                self._tell_timing(utterance)
            self._caption("avatar", utterance.id, utterance.text_up_to(mark), False, self._language())
        elif isinstance(mark, UtteranceOver):
            mark.utterance.over.set()

    def frame_shown(self, slot: int) -> None:
        """A new frame has been shown."""
        if self._utterance is not None:
            self._utterance.shown(slot, self._now())
            self._tell_timing(self._utterance)

    # --- inside -------------------------------------------------------------------------------------------
    async def _hear(self, transcript: asyncio.Task[Any], ended_at: float) -> None:
        self._enter("thinking")
        try:
            found = await transcript
        finally:
            transcript.cancel()
        if found is None or not found.text.strip():
            return
        await self._reply(found.text.strip(), ended_at, found.language, self._now())

    async def _reply(self, text: str, ended_at: float, language: str = "", transcribed: float | None = None) -> None:
        if self.character is None:
            raise AvatarError(Code.UNKNOWN_CHARACTER, "There is no character to talk with; create one first.")
        self._enter("thinking")
        turn = f"t{next(self._numbers)}"
        self.turns += 1
        self._caption("user", turn + "u", text, True, language)
        before = list(self.history)
        self._remember("user", text)
        clauses = _texts(self._dialogue.answer(before, text, self.character, self._language()))
        ms = {} if transcribed is None else {"transcript": _ms(transcribed - ended_at)}
        await self._speak_clauses(clauses, turn, ended_at, ms)

    async def _speak_clauses(
        self, clauses: AsyncIterator[str], turn: str, ended_at: float, ms: dict[str, int] | None = None
    ) -> None:
        who = self.character
        if who is None:
            raise AvatarError(Code.UNKNOWN_CHARACTER, "There is no character to speak; create one first.")
        self._enter("thinking")
        utterance = self._utterance = Utterance(turn + "a", turn, ended_at, dict(ms or {}))
        try:
            await speak(self._voice, self._performer, utterance, clauses, lambda: self.character or who)
            self._health.works(Role.TTS)
        except AvatarError as error:
            if error.code in (Code.INVALID_TEXT, Code.CANCELLED):
                raise
            self._health.failed(Role.TTS, error)
            utterance.silent = True
            async for clause in clauses:
                utterance.written.append(clause)
        if utterance.clauses:
            await self._performer.say(end_of(utterance))
            await utterance.over.wait()
        self._tell_timing(utterance, last=True)
        self._utterance = None
        self._caption("avatar", utterance.id, utterance.text, True, self._language())
        self._remember("avatar", utterance.text)

    async def _transcribe(self, audio: Any) -> Any:
        """A transcript, or None when there is no engine for it (the person has been told)."""
        language = "" if self.language == "auto" else self.language
        try:
            # A name is heard where it is expected.
            prompt = self.character.display_name if self.character is not None else ""
            found = await self._inference.transcribe(audio, language=language, prompt=prompt)
        except AvatarError as error:
            self._health.failed(Role.STT, error)
            return None
        except Exception as error:
            self._health.failed(Role.STT, crash(error))
            return None
        self._health.works(Role.STT)
        return found

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        if self.busy or self._utterance is not None:
            self.interrupt()
        self._answer = self._tasks.create_task(self._guard(work))

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        """An answer that fails is told to the person; it never ends the session."""
        try:
            await work
        except AvatarError as error:
            self._send(notice(error))
        except Exception as error:
            self._send(notice(crash(error)))
        finally:  # gRPC may also end a call, and with it this task, as cancelled
            if asyncio.current_task() is self._answer:
                if self._utterance is not None:  # it broke off: what is still queued would have no owner
                    self._performer.clear()
                self._answer = self._utterance = None
                self._rest()

    def _drop_draft(self) -> None:
        if self._draft is not None:
            self._draft.cancel()
            self._draft = None

    def _rest(self) -> None:
        if not self.busy:
            self._enter("idle")

    def _enter(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._send({"type": "state", "state": state})

    def _tell_timing(self, utterance: Utterance, last: bool = False) -> None:
        """Once: when sound and picture have both begun, or at the end without one of them."""
        if not utterance.timed and ({"first_audio", "first_frame"} <= utterance.ms.keys() or (last and utterance.ms)):
            utterance.timed = True
            self._send({"type": "timing", "turn": utterance.turn, "ms": utterance.ms})

    def _caption(self, role: str, ident: str, text: str, final: bool, language: str) -> None:
        self._send(
            {"type": "caption", "role": role, "id": ident, "text": text, "final": final, "language": language}
        )

    def _remember(self, role: str, text: str) -> None:
        if text:
            self.history = [*self.history[1 - MAX_HISTORY :], Line(role, text)]

    def _language(self) -> str:
        return self.character.language if self.character is not None else ""

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def _once(text: str) -> AsyncIterator[str]:
    yield text


async def _texts(clauses: AsyncGenerator[Clause, None]) -> AsyncIterator[str]:
    async with aclosing(clauses):
        async for clause in clauses:
            yield clause.said


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


