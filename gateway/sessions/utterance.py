"""One utterance of the portrait: from clauses of text to passages for the performer, and how much of it was heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

import numpy as np

from avatar_runtime.contracts import MOTION_SAMPLES, SPEAKING_RATE
from characters import Character
from gateway.sessions.performer import Passage, Performer
from gateway.sessions.voice import Voice

_UNSPACED = ("zh", "ja", "th")  # languages that put no space between sentences


@dataclass(eq=False)
class ClauseHeard:
    """The mark of a clause's first sound."""

    utterance: Utterance
    text: str
    passage: Passage


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
    ms: dict[str, int] = field(default_factory=dict)
    clauses: list[ClauseHeard] = field(default_factory=list)
    written: list[str] = field(default_factory=list)  # the clauses as the dialogue gave them
    silent: bool = False  # the voice has failed: the text is shown as it was written
    separator: str = " "
    begun: bool = False
    timed: bool = False  # whether the page has been told
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        return self.separator.join(self.written if self.silent else [clause.text for clause in self.clauses])

    def begin(self) -> bool:
        """True the first time."""
        first, self.begun = not self.begun, True
        return first

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

    def heard(self, head: int) -> str:
        """The words heard up to the slot `head`: whole clauses, and of the running one a share of its words."""
        parts = []
        for clause in self.clauses:
            slot = clause.passage.slot
            if slot is None or slot > head:
                break
            words = clause.text.split()
            share = min(1.0, (head - slot + 1) / max(1, clause.passage.slots))
            parts.append(clause.text if share >= 1 else " ".join(words[: max(1, round(share * len(words)))]))
        return self.separator.join(part for part in parts if part)


async def speak(
    voice: Voice,
    performer: Performer,
    utterance: Utterance,
    clauses: AsyncIterator[str],
    character: Callable[[], Character],
) -> None:
    """Speak the clauses and hand them to the performer; returns when the last is queued. Raises AvatarError.

    `character` says for each clause who speaks: he may have been given another voice since the last.
    """
    utterance.separator = "" if character().language.split("-")[0] in _UNSPACED else " "
    rest = np.zeros(0, np.float32)  # what does not fill a slot goes before the next chunk
    async for clause in clauses:
        utterance.written.append(clause)
        async with aclosing(voice.say(clause, character())) as chunks:
            async for chunk in chunks:
                audio = np.concatenate([rest, chunk.audio])
                if len(audio) < MOTION_SAMPLES:
                    audio = np.pad(audio, (0, MOTION_SAMPLES - len(audio)))
                whole = len(audio) // MOTION_SAMPLES * MOTION_SAMPLES
                times = chunk.phoneme_times + np.float32(len(rest) / SPEAKING_RATE)
                rest = audio[whole:]
                await _say(performer, utterance, Passage(audio[:whole], chunk.phonemes, times), chunk.text)
    if len(rest):
        await _say(performer, utterance, Passage(np.pad(rest, (0, MOTION_SAMPLES - len(rest)))), "")


async def _say(performer: Performer, utterance: Utterance, passage: Passage, text: str) -> None:
    if text:
        passage.mark = ClauseHeard(utterance, text, passage)
        utterance.clauses.append(passage.mark)
    await performer.say(passage)


def end_of(utterance: Utterance) -> Passage:
    """The passage without sound that marks its end."""
    return Passage(np.zeros(0, np.float32), mark=UtteranceOver(utterance))
