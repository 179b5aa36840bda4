"""One face through time: audio and phonemes go in as they come, frames of motion come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from avatar_runtime.contracts import (
    BLEND_SHAPES,
    CHANNEL,
    HEAD_POSE,
    MAX_UTTERANCE_SECONDS,
    MOTION_RATE,
    MOTION_SAMPLES,
    MOTION_SIZE,
    AvatarError,
    Code,
)
from avatar_runtime.motion import signal
from avatar_runtime.motion.accent import accents
from avatar_runtime.motion.coarticulation import FRAME, REACH, TICKS, RawPhoneme, Sounds, blend, sounds
from avatar_runtime.motion.emotion import KEPT_IN_SPEECH, OPENS_LIPS, Mood, check
from avatar_runtime.motion.idle import Idle
from avatar_runtime.motion.visemes import ARTICULATOR_OF, ARTICULATORS, SHAPE, TO_BLEND_SHAPES
from avatar_runtime.motion.voice import Voice

_BLOCK: Final = 250  # frames computed at once, which bounds the memory of a long request
_SAME: Final = TICKS // 2000  # 0.5 ms: a phoneme that starts this close to a known one replaces it
_SHAPES: Final = len(BLEND_SHAPES)
_MAX_STEP: Final = 0.30  # of a mouth's shape in a frame, before closures; late phonemes must not make the mouth jump
#: How quickly the mouth follows sound alone, which only guesses the rounding of the lips.
_FOLLOW: Final = np.where(ARTICULATOR_OF == ARTICULATORS.index("round"), 0.4, 0.7)
_JAW, _CLOSE = CHANNEL["jawOpen"], CHANNEL["mouthClose"]
_BLINK = [CHANNEL["eyeBlinkLeft"], CHANNEL["eyeBlinkRight"]]
_WIDE = [CHANNEL["eyeWideLeft"], CHANNEL["eyeWideRight"]]
_LOUDER: Final = np.isin(ARTICULATOR_OF, [ARTICULATORS.index(a) for a in ("jaw", "round", "spread", "part")])

#: Bounds of the head pose: degrees, face heights, relative size.
POSE_LOW: Final = np.array([-12.0, -12.0, -8.0, -0.04, -0.04, 0.96])
POSE_HIGH: Final = np.array([12.0, 12.0, 8.0, 0.04, 0.04, 1.04])


class FaceMotion:
    """The motion of one sequence. The same `seed` and input give the same frames, in whatever pieces it comes."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = int(seed)
        self._frame = 0
        self._phonemes: list[RawPhoneme] = []
        self._tail = np.zeros(signal.HISTORY, dtype=np.float32)
        self._idle = Idle(self._seed)
        self._mood = Mood()
        self._emotion, self._intensity = "neutral", 1.0
        self._voice = Voice()
        self._mouth = np.zeros(len(SHAPE))

    def push(
        self,
        audio: np.ndarray,
        phonemes: Sequence[str] | None = None,
        times: np.ndarray | None = None,
        emotion: str | None = None,
        intensity: float | None = None,
    ) -> np.ndarray:
        """Motion f32 [n/960, 58] for `audio` [n] (24 kHz, -1..1, n a multiple of 960).

        `phonemes` [m] with `times` [m, 2] (s from the start of this audio, also before and beyond it) replace what
        was known from the first of them on; None keeps what is known, an empty list drops what is still to come.
        Where nothing is known the sound itself moves the mouth. `emotion` and `intensity` hold until changed.
        Raises `AvatarError`: `invalid_audio`, `invalid_request`, `unknown_emotion`. A refused call changes nothing.
        """
        audio = _checked_audio(audio)
        mood = self._emotion if emotion is None else emotion
        strength = self._intensity if intensity is None else float(intensity)
        check(mood, strength)
        if phonemes is None and times is not None:
            raise AvatarError(Code.INVALID_REQUEST, "PHONEME_TIMES came without PHONEMES.")
        given = None if phonemes is None else self._placed(phonemes, times)

        self._emotion, self._intensity = mood, strength
        self._mood.turn(mood, strength, self._frame * FRAME)
        if given is not None:
            self._remember(given)
        known = sounds(self._phonemes, self._seed)
        out = np.empty((len(audio) // MOTION_SAMPLES, MOTION_SIZE), dtype=np.float32)
        for at in range(0, len(out), _BLOCK):
            piece = audio[at * MOTION_SAMPLES : (at + _BLOCK) * MOTION_SAMPLES]
            out[at : at + _BLOCK] = self._block(piece, known)
        self._forget()
        return out

    # --- what is being said ---------------------------------------------------------------------------------

    def _placed(self, phonemes: Sequence[str], times: np.ndarray | None) -> list[RawPhoneme]:
        """The phonemes in ticks since the sequence began, in order."""
        spans = np.zeros((0, 2)) if times is None else np.asarray(times, dtype=np.float64)
        if spans.size != 2 * len(phonemes):
            raise AvatarError(Code.INVALID_REQUEST, "PHONEME_TIMES needs a start and an end for every phoneme.")
        spans = spans.reshape(-1, 2)
        if not np.isfinite(spans).all() or (np.abs(spans) > MAX_UTTERANCE_SECONDS).any():
            raise AvatarError(Code.INVALID_REQUEST, "PHONEME_TIMES has to be seconds near this audio.")
        if (spans[:, 1] < spans[:, 0]).any():
            raise AvatarError(Code.INVALID_REQUEST, "In PHONEME_TIMES a phoneme ends before it starts.")
        ticks = np.rint(spans * TICKS).astype(np.int64) + round(self._frame * FRAME * TICKS)
        order = np.argsort(ticks[:, 0], kind="stable")
        return [(phonemes[i], int(ticks[i, 0]), int(ticks[i, 1])) for i in order]

    def _remember(self, given: list[RawPhoneme]) -> None:
        first = given[0][1] if given else round(self._frame * FRAME * TICKS)
        kept = [(symbol, start, min(end, first)) for symbol, start, end in self._phonemes if start < first - _SAME]
        self._phonemes = kept + given

    def _forget(self) -> None:
        # Twice the reach: marks of stress and length belong to sounds a little further away.
        horizon = round((self._frame * FRAME - 2 * REACH) * TICKS)
        self._phonemes = [p for p in self._phonemes if p[2] > horizon]

    # --- what the face does ---------------------------------------------------------------------------------

    def _block(self, audio: np.ndarray, known: Sounds) -> np.ndarray:
        n = len(audio) // MOTION_SAMPLES
        time = (self._frame + np.arange(n) + 0.5) * FRAME
        joined = np.concatenate([self._tail, audio])
        self._tail = joined[len(joined) - signal.HISTORY :].copy()
        self._frame += n

        said = known.near(time[0], time[-1])
        mouth = blend(time, said)
        sound = signal.analyse(joined)
        heard = self._voice.hear(sound.level, mouth)

        from_phonemes = mouth.shapes * np.where(_LOUDER, heard.gain[:, None], 1.0)
        from_sound = signal.shapes(sound, heard.loudness)
        covered = (mouth.covered * heard.believed)[:, None]
        speech = self._smooth(covered * from_phonemes + (1.0 - covered) * from_sound, covered[:, 0])
        sealed = (mouth.sealed * covered[:, 0])[:, None]

        feeling, feeling_pose = self._mood.channels(time)
        stressed, stressed_pose = accents(time, said)
        shapes = speech @ TO_BLEND_SHAPES
        room = 1.0 - heard.speaking[:, None] * (1.0 - KEPT_IN_SPEECH)
        feeling = feeling * room
        feeling[:, OPENS_LIPS] *= 1.0 - sealed
        # Joined like probabilities: neither can push the sum over 1, and each still adds when the other is there.
        shapes = shapes + feeling - shapes * feeling
        shapes[:, OPENS_LIPS] *= 1.0 - sealed * (np.flatnonzero(OPENS_LIPS) != _JAW)
        shapes[:, _CLOSE] = sealed[:, 0] * shapes[:, _JAW]
        shapes += stressed + self._idle.eyes(time)
        lids = self._idle.blink(time)[:, None]
        shapes[:, _WIDE] *= 1.0 - lids
        shapes[:, _BLINK] += (1.0 - shapes[:, _BLINK]) * lids
        np.clip(shapes, 0.0, 1.0, out=shapes)

        pose = self._idle.pose(time, 1.0 + 0.6 * heard.speaking) + feeling_pose + stressed_pose
        pose[:, HEAD_POSE.index("headPitch")] += heard.nod
        return np.concatenate([shapes, np.clip(pose, POSE_LOW, POSE_HIGH)], axis=1)

    def _smooth(self, target: np.ndarray, covered: np.ndarray) -> np.ndarray:
        """Follows `target` [n, speech shapes]: at once where phonemes are known, which are smooth, softly elsewhere."""
        out = np.empty_like(target)
        now = self._mouth
        for i in range(len(target)):
            follow = _FOLLOW + (1.0 - _FOLLOW) * covered[i]
            now = now + np.clip(follow * (target[i] - now), -_MAX_STEP, _MAX_STEP)
            out[i] = now
        self._mouth = now
        return out


def _checked_audio(audio: np.ndarray) -> np.ndarray:
    audio = np.asarray(audio, dtype=np.float32).reshape(-1)
    if len(audio) % MOTION_SAMPLES:
        raise AvatarError(Code.INVALID_AUDIO, f"The length of AUDIO has to be a multiple of {MOTION_SAMPLES} samples.")
    if len(audio) > MAX_UTTERANCE_SECONDS * MOTION_RATE * MOTION_SAMPLES:
        raise AvatarError(Code.INVALID_AUDIO, f"AUDIO is longer than {MAX_UTTERANCE_SECONDS // 60} minutes.")
    if not np.isfinite(audio).all():
        raise AvatarError(Code.INVALID_AUDIO, "AUDIO has values that are not numbers.")
    return audio
