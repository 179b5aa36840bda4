"""From phonemes with times to the shape of the mouth on the 25 Hz grid, by blending dominance functions.

After M. Cohen and D. Massaro, "Modeling coarticulation in synthetic visual speech" (1993): each sound pulls each
articulator towards its target with a dominance that falls off before and after it, and the mouth is where the
dominances balance. Two changes: dominance has a plateau over the sound and ends after `REACH` seconds, so that a
frame depends on few phonemes (streams may forget the rest); and closures are guaranteed rather than balanced.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_runtime.contracts import MOTION_RATE
from avatar_runtime.motion.visemes import ARTICULATOR_OF, ARTICULATORS, REST, SHAPE, Spelling, Viseme, spell

TICKS: Final = 10_000  # a second in units of 0.1 ms: whole numbers, so that shifted float32 times compare equal
FRAME: Final = 1.0 / MOTION_RATE  # s
REACH: Final = 0.40  # s, beyond this a sound has no say
_AHEAD: Final = np.array([0.050, 0.130, 0.080, 0.055, 0.050, 0.050])  # s, anticipation; rounding spreads far ahead
_BEHIND: Final = np.array([0.045, 0.080, 0.060, 0.045, 0.040, 0.040])  # s, carry-over
_SLACK: Final = 0.04  # dominance of doing nothing: short sounds undershoot a little
_PAUSE_SECONDS: Final = 0.16  # a pause this long returns the mouth to rest; a word boundary of 30 ms hardly does
_DIPHTHONG: Final = (0.58, 0.42)  # the first vowel of a diphthong is the longer one
_STRESSED, _UNSTRESSED = 1.12, 0.94  # of a vowel's opening
_CLOSURE_FALL: Final = 0.066  # s, from sealed lips to none of it
_SPEAKING_GAP: Final = 0.24  # s, a longer hole between phonemes is not covered by them

RawPhoneme = tuple[str, int, int]  # symbol, start, end in ticks since the sequence began


@dataclass(frozen=True)
class Sounds:
    """The sounds of a stretch of speech, as arrays of one row each (times in s since the sequence began)."""

    start: np.ndarray
    end: np.ndarray
    target: np.ndarray  # [k, speech shapes]
    dominance: np.ndarray  # [k, articulators]
    closure: np.ndarray
    labiodental: np.ndarray
    speech: np.ndarray  # 1 for a sound, 0 for a pause
    vowel: np.ndarray
    stress: np.ndarray
    luck: np.ndarray  # 0..1, a number of its own for each sound

    def near(self, first: float, last: float) -> Sounds:
        """Those that have a say between the times `first` and `last`."""
        keep = (self.end > first - REACH - FRAME) & (self.start < last + REACH + FRAME)
        return Sounds(**{name: value[keep] for name, value in vars(self).items()})


def sounds(phonemes: Sequence[RawPhoneme], seed: int) -> Sounds:
    """Spells `phonemes` out: diphthongs and clusters share their time, marks of stress and length find their sound."""
    rows: list[tuple[float, float, Viseme, float]] = []
    stress, last_sound, mark_start = 0.0, -1, None
    for symbol, start, end in phonemes:
        said: Spelling = spell(symbol)
        if said.lengthens_previous and last_sound >= 0:
            rows[last_sound] = (rows[last_sound][0], end / TICKS, *rows[last_sound][2:])
            continue
        if said.pause:
            rows.append((start / TICKS, end / TICKS, REST, 0.0))
            last_sound, mark_start = -1, None
            continue
        total = sum(sound.weight for sound in said.sounds)
        # A voice that times its stress marks (Kokoro) is already in the next sound while they last.
        start = start if mark_start is None else mark_start
        mark_start = None if said.sounds else start
        at = float(start)
        for sound in said.sounds:
            whole = (end - start) * sound.weight / total
            vowel = sound.visemes[0].vowel
            for index, viseme in enumerate(sound.visemes):
                mark = max(sound.stress, stress if vowel else 0.0) if index == 0 else 0.0
                share = whole if len(sound.visemes) == 1 else whole * _DIPHTHONG[index]
                rows.append((at / TICKS, (at + share) / TICKS, viseme, mark))
                at += share
            stress = 0.0 if vowel else stress
            last_sound = len(rows) - 1
        stress = said.pending_stress or stress
    visemes = [row[2] for row in rows]
    start = np.array([row[0] for row in rows])
    end = np.array([row[1] for row in rows])
    length = (end - start) / _PAUSE_SECONDS
    strength = np.array([min(1.0, x) ** 1.5 if v.silence else 1.0 for x, v in zip(length, visemes, strict=True)])
    dominance = np.array([v.dominance for v in visemes]).reshape(-1, len(ARTICULATORS))
    return Sounds(
        start=start,
        end=end,
        target=_targets(visemes, [row[3] for row in rows]),
        dominance=dominance * strength.reshape(-1, 1),
        closure=np.array([v.closure for v in visemes]),
        labiodental=np.array([v.labiodental for v in visemes]),
        speech=np.array([not v.silence for v in visemes], dtype=float),
        vowel=np.array([v.vowel for v in visemes], dtype=float),
        stress=np.array([row[3] for row in rows]),
        luck=np.array([zlib.crc32(f"{seed}:{round(s * TICKS)}".encode()) / 2**32 for s in start]),
    )


def _targets(visemes: list[Viseme], stress: list[float]) -> np.ndarray:
    targets = np.array([v.target for v in visemes]).reshape(-1, len(SHAPE))
    opening = _UNSTRESSED + (_STRESSED - _UNSTRESSED) * np.array(stress)
    targets[:, SHAPE["jawOpen"]] *= np.where([v.vowel for v in visemes], opening, 1.0)
    return targets


@dataclass(frozen=True)
class Mouth:
    """The mouth over n frames: `shapes` [n, speech shapes] 0..1, and per frame [n], 0..1, how far the lips must be
    sealed, how far phonemes are known here (`covered`), whether one is being said (`speaking`), and whether it is a
    `vowel`, which must be heard."""

    shapes: np.ndarray
    sealed: np.ndarray
    covered: np.ndarray
    speaking: np.ndarray
    vowel: np.ndarray


def _outside(time: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How long before `start` and after `end` each time is (s, 0 inside): two arrays [times, spans]."""
    t = time[:, None]
    return np.maximum(start - t, 0.0), np.maximum(t - end, 0.0)


def _at_least_one_frame(time: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """1 on frames within a span, and always on the one nearest to it, falling to 0 around: [times, spans]."""
    middle = (start + end) / 2
    # The half tick settles which of two equally near frames it is, whatever the rounding.
    nearest = (np.floor((middle + 0.5 / TICKS) / FRAME) + 0.5) * FRAME
    miss = np.maximum(np.maximum(start - nearest, nearest - end), 0.0)
    before, after = _outside(time, start, end)
    return np.clip(1.0 - np.maximum(before + after - miss, 0.0) / _CLOSURE_FALL, 0.0, 1.0)


def blend(time: np.ndarray, said: Sounds) -> Mouth:
    """The mouth at the times `time` [n] (s, the frames' centres) while `said` is spoken."""
    n = len(time)
    if n == 0 or len(said.start) == 0:
        return Mouth(np.zeros((n, len(SHAPE))), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n))
    # The plateau is the sound's middle part: its edges already belong half to its neighbours.
    inset = 0.2 * (said.end - said.start)
    before, after = _outside(time, said.start + inset, said.end - inset)
    distance = (before[:, :, None] / _AHEAD + after[:, :, None] / _BEHIND) ** 1.5
    ends = np.clip(1.0 - ((before + after) / REACH) ** 2, 0.0, None)[:, :, None]
    pull = said.dominance * np.exp(-distance) * ends  # [n, k, articulators]
    share = pull / (pull.sum(axis=1, keepdims=True) + _SLACK)
    shapes = np.einsum("nkc,kc->nc", share[:, :, ARTICULATOR_OF], said.target)

    touches = _touches(time, said, said.labiodental)
    if touches is not None:
        shapes = _settle(shapes, touches, said.target[said.labiodental > 0], ("jaw", "part", "seal"))
    seals = _touches(time, said, said.closure)
    if seals is not None:
        shapes = _settle(shapes, seals, said.target[said.closure > 0], ("jaw", "part", "seal"))
    sealed = np.zeros(n) if seals is None else seals.max(axis=1)

    before, after = _outside(time, said.start, said.end)
    covered = np.clip(1.0 - (before + after - _SPEAKING_GAP / 2) / FRAME, 0.0, 1.0).max(axis=1)
    speaking = (said.speech * np.clip(1.0 - (before + after) / 0.12, 0.0, 1.0)).max(axis=1)
    vowel = (said.vowel * (before + after <= 0)).max(axis=1)
    return Mouth(np.clip(shapes, 0.0, 1.0), sealed, covered, speaking, vowel)


def _touches(time: np.ndarray, said: Sounds, which: np.ndarray) -> np.ndarray | None:
    rows = which > 0
    if not rows.any():
        return None
    # A stop opens with its release: the last fifth of it is no longer closed.
    end = said.end[rows] - 0.2 * (said.end - said.start)[rows]
    return _at_least_one_frame(time, said.start[rows], end)


def _settle(shapes: np.ndarray, hold: np.ndarray, targets: np.ndarray, parts: tuple[str, ...]) -> np.ndarray:
    """Moves the articulators `parts` to the targets as far as `hold` [n, spans] says; the strongest span decides."""
    strongest = hold.argmax(axis=1)
    amount = hold.max(axis=1)[:, None] * np.isin(ARTICULATOR_OF, [ARTICULATORS.index(p) for p in parts])
    return shapes * (1.0 - amount) + targets[strongest] * amount
