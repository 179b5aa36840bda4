"""The conversation: from a turn of the person to an answer that is heard, or interrupted.

An answer is begun as soon as the person pauses (`drafts`) and becomes a fact late: until half a second of it has been
heard the person may simply go on speaking, and it is as if it had never been.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any, Final

from avatar_runtime.contracts import AvatarError, Code
from characters import Character
from gateway.dialogue import Clause, Dialogue, Line
from gateway.dialogue.apology import apology
from gateway.observability import tracing
from gateway.sessions.answer import Answer
from gateway.sessions.delivery import Delivery
from gateway.sessions.drafts import Drafts
from gateway.sessions.health import Health, Send, crash, notice
from gateway.sessions.memory import Memory
from gateway.sessions.performer import Performer
from gateway.sessions.scribe import Expected
from gateway.sessions.speakable import answer_language
from gateway.sessions.telling import Telling
from gateway.sessions.turn import Turn
from gateway.sessions.utterance import Utterance
from gateway.sessions.voice import Voice
from gateway.transcript import Heard

TAKE_BACK: Final = 12  # slots of an answer (0.5 s) that may have been heard when the person goes on as if it were not


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
        self._voice, self._dialogue, self._send, self._tasks = voice, dialogue, send, tasks
        self._tell = Telling(send)
        self._delivery = Delivery(performer, health, self._tell)
        self._memory = Memory()
        self._drafts = Drafts(lambda: self._dialogue, voice, tasks)
        self.character: Character | None = None
        self.roles: dict[str, Any] = {}  # the engines, as GET /api/engines tells them
        self.language = "auto"  # of the person
        self._spoke = ""  # the language of the person's last turn
        self.turns = 0
        self._task: asyncio.Task[None] | None = None  # the answer that is thought of or spoken
        self._turn: Turn | None = None  # the last one
        self._numbers = itertools.count(1)

    @property
    def state(self) -> str:
        """What the page was told last."""
        return self._tell.state

    @property
    def history(self) -> list[Line]:
        """What was said and heard."""
        return self._memory.lines

    @history.setter
    def history(self, lines: list[Line]) -> None:
        self._memory.lines = lines

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
        return self._delivery.slots_heard <= TAKE_BACK

    def hold(self) -> None:
        """Somebody speaks: be quiet until it is clear what that is."""
        self._delivery.hold()

    def release(self) -> None:
        """It was nothing: go on."""
        self._delivery.release()

    def take_turn(self, reopen: bool) -> bool:
        """The person speaks into the answer. True, if `reopen` allows it, when that continues their last turn."""
        if not (reopen and self.revocable):
            self.interrupt()
            return False
        utterance = self._stop()
        if utterance is not None and utterance.begun_at is not None:
            self._tell.avatar(utterance, "", True)
        return True

    def turn_started(self, reopened: bool = False) -> None:
        if not reopened or self._turn is None:
            self._turn = Turn(self._next(), spoken=True)
        self._tell.enter("listening")

    def turn_heard(self, heard: Heard) -> None:
        """What is understood so far, certain and probable."""
        if self._turn is not None and heard.whole:
            self._tell.user(self._turn, heard.text, heard.language, tentative=heard.partial)

    def turn_paused(self, heard: Heard) -> None:
        """The person may be done, and this is all they said: an answer is begun."""
        turn = self._turn
        if turn is None:
            return
        turn.text, turn.known_at = heard.whole, self._now()
        self.turn_heard(heard)
        if heard.whole and self.character is not None:
            self._prepare(heard.whole, heard.language)

    def turn_discarded(self) -> None:
        if self._turn is not None and self._turn.shown:
            self._tell.user(self._turn, "", "", final=True)
        self._drafts.drop()
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
        heard = self._delivery.words_heard
        if self.busy and self._turn is not None:
            self._memory.turn(self._turn)
        utterance = self._stop()
        if utterance is not None and heard:
            self._tell.avatar(utterance, heard, True)
            self._memory.answer(heard)
        self._rest()

    def feel(self, emotion: str, intensity: float) -> None:
        """The face's mood from now on."""
        self._delivery.feel(emotion, intensity)

    def tell_emotion(self) -> None:
        self._delivery.tell_emotion()

    # --- what playout reports -----------------------------------------------------------------------------
    def passed(self, mark: Any) -> None:
        """A mark of the timeline is being heard."""
        self._delivery.passed(mark)

    def frame_shown(self, slot: int) -> None:
        """A new frame has been shown."""
        self._delivery.frame_shown(slot)

    # --- inside: from words to an answer ------------------------------------------------------------------
    async def _hear(self, turn: Turn, heard: Awaitable[Heard | None], ended_at: float) -> None:
        self._tell.enter("thinking")
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
        self._tell.enter("thinking")
        self.turns += 1
        self._tell.user(turn, turn.text, turn.language, final=True)
        self._prepare(turn.text, turn.language)
        draft = self._drafts.take()
        assert draft is not None
        utterance = Utterance(turn.id + "a", turn.id, ended_at, draft.language, draft.answer)
        if turn.known_at is not None:
            utterance.ms["transcript"] = utterance.since(turn.known_at)
        await self._delivery.perform(utterance)
        if utterance.broken is not None:
            if utterance.broken.code is Code.INVALID_TEXT:
                raise utterance.broken
            self._send(notice(utterance.broken))
            if not utterance.written:
                await self._recite(apology(draft.language), turn.id, ended_at, draft.language)
        self._memory.turn(turn)
        self._memory.answer(utterance.text)

    async def _recite(self, text: str, turn: str, ended_at: float, language: str = "") -> None:
        """Speak `text`, which is nobody's answer."""
        who = self.character
        if who is None:
            raise AvatarError(Code.UNKNOWN_CHARACTER, "There is no character to speak; create one first.")
        self._tell.enter("thinking")
        language = language or who.language
        answer = Answer(_once(text), self._voice, self._speaker(who), language, self._tasks)
        utterance = Utterance(turn + "a", turn, ended_at, language, answer)
        await self._delivery.perform(utterance)
        if utterance.broken is not None:
            raise utterance.broken
        if self._turn is None:
            self._memory.answer(utterance.text)

    def _prepare(self, text: str, heard: str) -> None:
        """See that there is a draft that answers `text`, which was heard in the language `heard`."""
        who = self.character
        assert who is not None
        language = answer_language(heard, self.roles, who)
        self._drafts.prepare(text, language, who, self._speaker(who), self._memory.lines)

    def _speaker(self, who: Character) -> Any:
        """Who speaks each clause: the same character, as it is then."""
        return lambda: self.character if self.character is not None and self.character.id == who.id else who

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
        finally:
            if asyncio.current_task() is self._task:
                if self._turn is not None:
                    self._memory.turn(self._turn)
                self._task = None
                self._delivery.over()
                self._rest()

    def _stop(self) -> Utterance | None:
        """Nothing is thought of or spoken any more. The utterance that was."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._drafts.drop()
        return self._delivery.stop()

    def _rest(self) -> None:
        if not self.busy:
            self._tell.enter("idle")

    def _next(self) -> str:
        return f"t{next(self._numbers)}"

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def _once(text: str) -> AsyncGenerator[Clause, None]:
    yield Clause(text)
