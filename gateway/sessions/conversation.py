"""The conversation: from a turn of the person to an answer that is heard, or interrupted.

An answer is begun as soon as the person pauses (`Draft`) and becomes a fact late: until half a second of it has been
heard the person may simply go on speaking, and it is as if it had never been.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from avatar_runtime.contracts import AvatarError, Code, Role
from characters import Character
from gateway.dialogue import Clause, Dialogue, Line
from gateway.dialogue.apology import apology
from gateway.observability import tracing
from gateway.sessions.answer import Answer
from gateway.sessions.health import Health, Send, crash, notice
from gateway.sessions.performer import Performer
from gateway.sessions.scribe import Expected, letters
from gateway.sessions.speakable import speakable_languages
from gateway.sessions.utterance import ClauseHeard, Utterance, UtteranceOver, end_of, speak
from gateway.sessions.voice import Voice
from gateway.transcript import Heard

MAX_HISTORY: Final = 50  # lines; the oldest go first
TAKE_BACK: Final = 12  # slots of an answer (0.5 s) that may have been heard when the person goes on as if it were not


@dataclass(eq=False)
class Turn:
    """What the person says or writes."""

    id: str
    spoken: bool
    text: str = ""
    language: str = ""  # ISO 639-1, as heard; "" is unknown
    known_at: float | None = None  # when `text` was known (event loop time)
    shown: bool = False  # as a caption
    remembered: bool = False


@dataclass(eq=False)
class Draft:
    """An answer to what has been said so far, in case that was all."""

    to: str  # the letters of what was said: capitals and commas may still change
    language: str
    character: Character
    answer: Answer


class Conversation:
    """What is said, and by whom. One answer at a time: whatever comes new interrupts the running one."""

    def __init__(
        self,
        voice: Voice,
        dialogue: Dialogue,
        performer: Performer,
        health: Health,
        send: Send,
        tasks: Any,
    ) -> None:
        self._voice, self._dialogue, self._performer = voice, dialogue, performer
        self._health, self._send, self._tasks = health, send, tasks
        self.character: Character | None = None
        self.roles: dict[str, Any] = {}  # the engines, as GET /api/engines tells them
        self.language = "auto"  # of the person
        self._spoke = ""  # the language of the person's last turn
        self.mood = ("neutral", 0.0)  # of the face, where an answer says nothing else
        self.history: list[Line] = []
        self.turns = 0
        self.state = "idle"
        self._task: asyncio.Task[None] | None = None  # the answer that is thought of or spoken
        self._turn: Turn | None = None  # the last one
        self._draft: Draft | None = None
        self._utterance: Utterance | None = None
        self._numbers = itertools.count(1)

    def expected(self) -> Expected:
        """What the person may say: in the language they chose; else probably in that of before, or the portrait's."""
        who, chosen = self.character, "" if self.language == "auto" else self.language
        likely = self._spoke or (who.language.split("-")[0] if who is not None else "")
        return Expected(chosen, likely, who.display_name if who is not None else "")

    # --- what the ears report -----------------------------------------------------------------------------
    @property
    def busy(self) -> bool:
        """Whether the portrait thinks or speaks."""
        return self._task is not None and not self._task.done()

    @property
    def revocable(self) -> bool:
        """Whether the answer that is under way is one to speech, and hardly anything of it has been heard."""
        if not self.busy or self._turn is None or not self._turn.spoken:
            return False
        return self._utterance is None or self._utterance.slots_heard(self._performer.heard) <= TAKE_BACK

    def hold(self) -> None:
        """Somebody speaks: be quiet until it is clear what that is."""
        self._performer.pause()
        self._send({"type": "hold", "on": True})

    def release(self) -> None:
        """It was nothing: go on."""
        self._performer.resume()
        self._send({"type": "hold", "on": False})

    def take_turn(self, reopen: bool) -> bool:
        """The person speaks into the answer. True, if `reopen` allows it, when that continues their last turn."""
        if not (reopen and self.revocable):
            self.interrupt()
            return False
        utterance, self._utterance = self._utterance, None
        self._stop()
        if utterance is not None and utterance.begun_at is not None:
            self._caption("avatar", utterance.id, "", True, utterance.language)
        return True

    def turn_started(self, reopened: bool = False) -> None:
        if not reopened or self._turn is None:
            self._turn = Turn(self._next(), spoken=True)
        self._enter("listening")

    def turn_heard(self, heard: Heard) -> None:
        """What is understood so far, certain and probable."""
        if self._turn is not None and heard.whole:
            self._caption_user(self._turn, heard.text, heard.language, tentative=heard.partial)

    def turn_paused(self, heard: Heard) -> None:
        """The person may be done, and this is all they said: an answer is begun."""
        turn = self._turn
        if turn is None:
            return
        turn.text, turn.known_at = heard.whole, self._now()
        self.turn_heard(heard)
        if heard.whole and self.character is not None:
            self._prepare(heard.whole, self._language_for(heard.language))

    def turn_discarded(self) -> None:
        if self._turn is not None and self._turn.shown:
            self._caption_user(self._turn, "", "", final=True)
        self._drop_draft()
        self._rest()

    def turn_ended(self, heard: Awaitable[Heard | None], ended_at: float) -> None:
        """The turn is over; `heard` will be all that was said, or None when that is not to be known."""
        turn = self._turn or Turn(self._next(), spoken=True)
        self._turn = turn
        self._start(lambda: self._hear(turn, heard, ended_at))

    # --- what the page asks -------------------------------------------------------------------------------
    def chat(self, text: str) -> None:
        """The person typed `text`."""
        self.interrupt()
        turn = self._turn = Turn(self._next(), spoken=False, text=text)
        now = self._now()
        self._start(lambda: self._reply(turn, now))

    def say(self, text: str) -> None:
        """The portrait says `text`."""
        self.interrupt()
        self._turn = None
        ident, now = self._next(), self._now()
        self._start(lambda: self._recite(text, ident, now))

    def interrupt(self) -> None:
        """The one function that goes upstream: cancels the work, empties playout, keeps what was heard."""
        utterance, self._utterance = self._utterance, None
        heard = utterance.heard(self._performer.heard) if utterance is not None else ""
        if self.busy and self._turn is not None:
            self._remember_turn(self._turn)
        if utterance is not None and heard:
            self._caption("avatar", utterance.id, heard, True, utterance.language)
            self._remember("avatar", heard)
        self._stop()
        self._rest()

    # --- what playout reports -----------------------------------------------------------------------------
    def passed(self, mark: Any) -> None:
        """A mark of the timeline is being heard."""
        if isinstance(mark, ClauseHeard) and mark.utterance is self._utterance:
            utterance = mark.utterance
            if utterance.begun_at is None:
                utterance.begun_at = self._now()
                self._enter("speaking")
                if utterance.answer.first_clause_at is not None and "transcript" in utterance.ms:
                    utterance.ms["first_token"] = utterance.since(utterance.answer.first_clause_at)
                utterance.ms["first_audio"] = utterance.since(self._now())
                self._tell_timing(utterance)
            if mark.emotion is not None:
                self._tell_emotion(mark.emotion)
            self._caption("avatar", utterance.id, utterance.text_up_to(mark), False, utterance.language)
        elif isinstance(mark, UtteranceOver):
            mark.utterance.over.set()

    def frame_shown(self, slot: int) -> None:
        """A new frame has been shown."""
        if self._utterance is not None:
            self._utterance.shown(slot, self._now())
            self._tell_timing(self._utterance)

    def feel(self, emotion: str, intensity: float) -> None:
        """The face's mood from now on."""
        self.mood = (emotion, intensity)
        self._performer.face.feel(emotion, intensity)
        self.tell_emotion()

    def tell_emotion(self) -> None:
        self._tell_emotion(self.mood)

    # --- inside: from words to an answer ------------------------------------------------------------------
    async def _hear(self, turn: Turn, heard: Awaitable[Heard | None], ended_at: float) -> None:
        self._enter("thinking")
        found = await heard
        text = "" if found is None else found.whole
        if found is None or not text:
            turn.text = ""  # what was guessed was not said
            self.turn_discarded()
            return
        if turn.known_at is None or turn.text != text:
            turn.known_at = self._now()
        turn.text, turn.language = text, found.language
        self._spoke = found.language
        await self._reply(turn, ended_at)

    async def _reply(self, turn: Turn, ended_at: float) -> None:
        who = self.character
        if who is None:
            raise AvatarError(Code.UNKNOWN_CHARACTER, "There is no character to talk with; create one first.")
        self._enter("thinking")
        self.turns += 1
        self._caption_user(turn, turn.text, turn.language, final=True)
        self._prepare(turn.text, self._language_for(turn.language))
        draft, self._draft = self._draft, None
        assert draft is not None
        utterance = Utterance(turn.id + "a", turn.id, ended_at, draft.language, draft.answer)
        if turn.known_at is not None:
            utterance.ms["transcript"] = utterance.since(turn.known_at)
        await self._perform(utterance)
        if utterance.broken is not None:
            if utterance.broken.code is Code.INVALID_TEXT:
                raise utterance.broken
            self._send(notice(utterance.broken))
            if not utterance.written:
                await self._recite(apology(draft.language), turn.id, ended_at, draft.language)
        self._remember_turn(turn)
        self._remember("avatar", utterance.text)

    async def _recite(self, text: str, turn: str, ended_at: float, language: str = "") -> None:
        """Speak `text`, which is nobody's answer."""
        who = self.character
        if who is None:
            raise AvatarError(Code.UNKNOWN_CHARACTER, "There is no character to speak; create one first.")
        self._enter("thinking")
        language = language or who.language
        answer = Answer(_once(text), self._voice, self._speaker(who), language, self._tasks)
        utterance = Utterance(turn + "a", turn, ended_at, language, answer)
        await self._perform(utterance)
        if utterance.broken is not None:
            raise utterance.broken
        if self._turn is None:
            self._remember("avatar", utterance.text)

    async def _perform(self, utterance: Utterance) -> None:
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
        self._tell_timing(utterance, last=True)
        self._utterance = None
        self._relax(utterance)
        if utterance.text:
            self._caption("avatar", utterance.id, utterance.text, True, utterance.language)

    def _prepare(self, text: str, language: str) -> None:
        """See that the draft is one that answers `text`."""
        who = self.character
        assert who is not None
        to = letters(text)
        draft = self._draft
        if draft is not None and (draft.to, draft.language, draft.character) == (to, language, who):
            return
        self._drop_draft()
        clauses = self._dialogue.answer(list(self.history), text, who, language)
        answer = Answer(clauses, self._voice, self._speaker(who), language, self._tasks)
        self._draft = Draft(to, language, who, answer)

    def _speaker(self, who: Character) -> Any:
        """Who speaks each clause: the same character, as it is then."""
        return lambda: self.character if self.character is not None and self.character.id == who.id else who

    def _language_for(self, heard: str) -> str:
        """The language of an answer to somebody who speaks `heard`: the same, if the character's voice can."""
        who = self.character
        assert who is not None
        wanted = heard.split("-")[0]
        return wanted if wanted and wanted in speakable_languages(self.roles, who) else who.language

    # --- inside: one at a time ----------------------------------------------------------------------------
    def _start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._task = self._tasks.create_task(self._guard(work))

    async def _guard(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """An answer that fails is told to the person; it never ends the session."""
        try:
            with tracing.span("turn"):
                await work()
        except AvatarError as error:
            self._send(notice(error))
        except Exception as error:
            self._send(notice(crash(error)))
        finally:  # gRPC may also end a call, and with it this task, as cancelled
            if asyncio.current_task() is self._task:
                if self._turn is not None:
                    self._remember_turn(self._turn)
                if self._utterance is not None:  # it broke off: what is still queued would have no owner
                    self._performer.clear()
                    self._relax(self._utterance)
                self._task = self._utterance = None
                self._performer.resume()
                self._rest()

    def _stop(self) -> None:
        """Nothing is thought of or spoken any more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._drop_draft()
        self._performer.clear()
        self._performer.face.feel(*self.mood)

    def _drop_draft(self) -> None:
        if self._draft is not None:
            self._draft.answer.drop()
            self._draft = None

    # --- inside: what is told and remembered --------------------------------------------------------------
    def _rest(self) -> None:
        if not self.busy:
            self._enter("idle")

    def _enter(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._send({"type": "state", "state": state})

    def _relax(self, utterance: Utterance) -> None:
        """The face goes back to its mood after an answer that had others."""
        self._performer.face.feel(*self.mood)
        if any(clause.emotion is not None for clause in utterance.clauses):
            self._tell_emotion(self.mood)

    def _tell_emotion(self, feeling: tuple[str, float]) -> None:
        self._send({"type": "emotion", "emotion": feeling[0], "intensity": feeling[1]})

    def _tell_timing(self, utterance: Utterance, last: bool = False) -> None:
        """Once: when sound and picture have both begun, or at the end without one of them."""
        if not utterance.timed and ({"first_audio", "first_frame"} <= utterance.ms.keys() or (last and utterance.ms)):
            utterance.timed = True
            self._send({"type": "timing", "turn": utterance.turn, "ms": utterance.ms})

    def _caption_user(self, turn: Turn, text: str, language: str, final: bool = False, tentative: str = "") -> None:
        turn.shown = bool(text or tentative)
        self._caption("user", turn.id + "u", text, final, language, tentative)

    def _caption(self, role: str, ident: str, text: str, final: bool, language: str, tentative: str = "") -> None:
        message = {"type": "caption", "role": role, "id": ident, "text": text, "final": final, "language": language}
        self._send(message | ({"tentative": tentative} if tentative else {}))

    def _remember_turn(self, turn: Turn) -> None:
        if turn.text and not turn.remembered:
            turn.remembered = True
            self._remember("user", turn.text)

    def _remember(self, role: str, text: str) -> None:
        if text:
            self.history = [*self.history[1 - MAX_HISTORY :], Line(role, text)]

    def _next(self) -> str:
        return f"t{next(self._numbers)}"

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def _once(text: str) -> AsyncGenerator[Clause, None]:
    yield Clause(text)
