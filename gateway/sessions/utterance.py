"""One utterance of the portrait: from an answer's pieces to passages for the performer, and what was heard of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from avatar_runtime.contracts import MOTION_SAMPLES, SPEAKING_RATE, AvatarError
from gateway.dialogue import Clause
from gateway.inference import Speech
from gateway.sessions.answer import Answer, Broken, Mute
from gateway.sessions.performer import Passage, Performer

_UNSPACED: Final = ("zh", "ja", "th")  # languages that put no space between sentences


@dataclass(eq=False)
class ClauseHeard:
    """The mark of a clause's first sound."""

    utterance: Utterance
    text: str
    passage: Passage
    slots: int = 0  # of all its sound so far
    emotion: tuple[str, float] | None = None  # of the face from here on


@dataclass(eq=False)
class UtteranceOver:
    """The mark after the last sound."""

    utterance: Utterance


@dataclass(eq=False)
class Utterance:
    """`ended_at` is when the person's speech had ended (event loop time); `ms` counts from there."""

    id: str
    turn: str
    ended_at: float
    language: str
    answer: Answer
    ms: dict[str, int] = field(default_factory=dict)
    clauses: list[ClauseHeard] = field(default_factory=list)
    written: list[str] = field(default_factory=list)  # the clauses as the dialogue gave them
    mute: AvatarError | None = None  # the voice has failed: the text is shown as it was written
    broken: AvatarError | None = None  # the dialogue has failed: this was not all
    begun_at: float | None = None  # when its first sound was heard (event loop time)
    timed: bool = False  # whether the page has been told
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def separator(self) -> str:
        return "" if self.language.split("-")[0] in _UNSPACED else " "

    @property
    def text(self) -> str:
        return self.separator.join(self.written if self.mute else [clause.text for clause in self.clauses])

    def since(self, now: float) -> int:
        """Milliseconds from the end of the person's speech."""
        return round((now - self.ended_at) * 1000)

    def shown(self, slot: int, now: float) -> None:
        """A frame for this slot has been shown; the first one of this utterance is noted."""
        first = self.clauses[0].passage.slot if self.clauses else None
        if first is not None and slot >= first and "first_frame" not in self.ms:
            self.ms["first_frame"] = self.since(now)

    def text_up_to(self, mark: ClauseHeard) -> str:
        return self.separator.join(clause.text for clause in self.clauses[: self.clauses.index(mark) + 1])

    def slots_heard(self, slot: int) -> int:
        """How many slots of it have been heard up to and with `slot`."""
        first = self.clauses[0].passage.slot if self.clauses else None
        return 0 if first is None else max(0, slot - first + 1)

    def heard(self, slot: int) -> str:
        """The words heard up to and with `slot`: whole clauses, and of the running one a share of its words."""
        parts = []
        for clause in self.clauses:
            begin = clause.passage.slot
            if begin is None or begin > slot:
                break
            words = clause.text.split()
            share = min(1.0, (slot - begin + 1) / max(1, clause.slots))
            parts.append(clause.text if share >= 1 else " ".join(words[: max(1, round(share * len(words)))]))
        return self.separator.join(part for part in parts if part)


async def speak(performer: Performer, utterance: Utterance) -> None:
    """Hand its answer to the performer, piece by piece; returns when the last is queued."""
    rest = np.zeros(0, np.float32)  # what does not fill a slot goes before the next chunk
    clause = Clause("")
    shown = True  # whether the text of `clause` has been given to a mark
    async for item in utterance.answer.items():
        match item:
            case Clause():
                clause, shown = item, False
                utterance.written.append(item.text)
            case Mute(error):
                utterance.mute = error
            case Broken(error):
                utterance.broken = error
            case Speech() as chunk:
                audio = np.concatenate([rest, chunk.audio])
                if len(audio) < MOTION_SAMPLES:
                    audio = np.pad(audio, (0, MOTION_SAMPLES - len(audio)))
                whole = len(audio) // MOTION_SAMPLES * MOTION_SAMPLES
                passage = Passage(
                    audio[:whole], chunk.phonemes, chunk.phoneme_times + np.float32(len(rest) / SPEAKING_RATE)
                )
                rest = audio[whole:]
                # What is read differently is shown whole, for the engine's pieces are those of what it reads.
                text = chunk.text if not clause.spoken else "" if shown else clause.text
                if not shown and clause.emotion is not None:
                    passage.feeling = (clause.emotion, clause.intensity)
                shown = True
                await _say(performer, utterance, passage, text)
    if len(rest):
        await _say(performer, utterance, Passage(np.pad(rest, (0, MOTION_SAMPLES - len(rest)))), "")


async def _say(performer: Performer, utterance: Utterance, passage: Passage, text: str) -> None:
    if text:
        passage.mark = ClauseHeard(utterance, text, passage, emotion=passage.feeling)
        utterance.clauses.append(passage.mark)
    if utterance.clauses:
        utterance.clauses[-1].slots += passage.slots
    await performer.say(passage)


def end_of(utterance: Utterance) -> Passage:
    """The passage without sound that marks its end."""
    return Passage(np.zeros(0, np.float32), mark=UtteranceOver(utterance))
