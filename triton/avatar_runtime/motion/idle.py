"""What a face does when nothing happens: it blinks, breathes, looks about a little and is never quite still.

Everything is a function of the seed and the absolute frame number, so it goes on through speech without a seam and
comes out the same however the stream is cut.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from avatar_runtime.contracts import BLEND_SHAPES, CHANNEL, HEAD_POSE, MOTION_RATE

FADE_IN: Final = 1.6  # s: a sequence begins in the portrait's own pose
_RNG_BLINK, _RNG_GAZE, _RNG_SWAY = 1, 2, 3

# Blinks. Spontaneous rate 10-20 a minute with skewed intervals, the lid closes in about 75 ms and opens in twice
# that (Bentivoglio et al. 1997; Trutoiu et al., "Modeling and animating eye blinks", 2011).
INTERVAL: Final = (2.0, 7.0)  # s
_INTERVAL_MEDIAN, _INTERVAL_SIGMA = 3.7, 0.42
_CLOSING: Final = (0.060, 0.085)  # s
_SHUT: Final = (0.010, 0.030)
_OPENING: Final = (0.090, 0.135)
_DOUBLE: Final = 0.12  # of all blinks have a second one right after

# Sway: amplitudes of sines around these frequencies, roughly 1/f like quiet standing.
_SWAY_HZ: Final = np.array([0.043, 0.097, 0.171, 0.293, 0.457])
_SWAY_SIZE: Final = np.array([1.0, 0.75, 0.45, 0.22, 0.10])
_SWAY: Final = {"headPitch": 0.9, "headYaw": 1.5, "headRoll": 0.75, "headX": 0.0035, "headY": 0.0022}
_BREATH_HZ: Final = 0.24
_BREATH: Final = {"headPitch": -0.30, "headY": -0.0035, "headScale": 0.0025}


@dataclass(frozen=True)
class _Blink:
    """`peak` is when the lid is shut first (s, a frame's centre, so that the frames show it shut)."""

    peak: float
    closing: float
    shut: float
    opening: float
    depth: float


def _ease(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


@dataclass
class Idle:
    """The idle movement of one face."""

    seed: int
    _blinks: list[_Blink] = field(default_factory=list)
    _gazes: list[tuple[float, float, float, float]] = field(default_factory=list)  # start s, duration s, x, y

    def __post_init__(self) -> None:
        self._blink_rng = np.random.default_rng([self.seed & (2**63 - 1), _RNG_BLINK])
        self._gaze_rng = np.random.default_rng([self.seed & (2**63 - 1), _RNG_GAZE])
        rng = np.random.default_rng([self.seed & (2**63 - 1), _RNG_SWAY])
        shape = (len(_SWAY), len(_SWAY_HZ))
        self._phase = rng.uniform(0, 2 * np.pi, shape)
        self._hz = _SWAY_HZ * rng.uniform(0.88, 1.12, shape)
        self._breath = rng.uniform(0, 2 * np.pi, 2)
        self._next_blink = float(rng.uniform(1.0, 3.0))
        self._next_gaze = float(rng.uniform(1.5, 3.0))

    def _spread(self, low_high: tuple[float, float]) -> float:
        return float(self._blink_rng.uniform(*low_high))

    def _add_blinks(self, until: float) -> None:
        while self._next_blink < until:
            peak = (np.floor(self._next_blink * MOTION_RATE) + 0.5) / MOTION_RATE
            one = _Blink(peak, self._spread(_CLOSING), self._spread(_SHUT), self._spread(_OPENING), 1.0)
            self._blinks.append(one)
            if self._blink_rng.random() < _DOUBLE:
                self._blinks.append(_Blink(peak + 8 / MOTION_RATE, one.closing, one.shut, one.opening, 0.85))
            wait = _INTERVAL_MEDIAN * np.exp(_INTERVAL_SIGMA * self._blink_rng.standard_normal())
            self._next_blink = peak + float(np.clip(wait, *INTERVAL))

    def _add_gazes(self, until: float) -> None:
        while self._next_gaze < until:
            rng = self._gaze_rng
            away = rng.random() < 0.4  # mostly it looks at the person
            size = rng.uniform(0.10, 0.24) if away else rng.uniform(0.0, 0.035)
            angle = rng.uniform(0, 2 * np.pi)
            x, y = size * np.cos(angle), 0.5 * size * np.sin(angle)
            self._gazes.append((self._next_gaze, float(rng.uniform(0.045, 0.075)), float(x), float(y)))
            stay = 0.9 * np.exp(0.5 * rng.standard_normal()) if away else 2.0 * np.exp(0.5 * rng.standard_normal())
            self._next_gaze += float(np.clip(stay, 0.35, 6.0))

    def blink(self, time: np.ndarray) -> np.ndarray:
        """How far the lids are closed [n], 0..1, at the times `time` [n] (s, rising from call to call)."""
        if len(time) == 0:
            return np.zeros(0)
        self._add_blinks(time[-1] + 1.0)
        self._blinks = [b for b in self._blinks if b.peak > time[0] - 1.0]
        closed = np.zeros(len(time))
        for b in self._blinks:
            down = 1.0 - _ease((b.peak - time) / b.closing)
            up = 1.0 - _ease((time - b.peak - b.shut) / b.opening)
            closed = np.maximum(closed, b.depth * np.minimum(down, up))
        return closed

    def gaze(self, time: np.ndarray) -> np.ndarray:
        """Where the eyes look [n, 2], x > 0 to the person's left, y > 0 up, in units of the eyeLook shapes."""
        out = np.zeros((len(time), 2))
        if len(time) == 0:
            return out
        self._add_gazes(time[-1] + 1.0)
        while len(self._gazes) > 2 and self._gazes[1][0] < time[0] - 1.0:
            self._gazes.pop(0)
        for start, ease, x, y in self._gazes:
            moved = _ease((time - start) / ease)[:, None]
            out = out * (1.0 - moved) + np.array([x, y]) * moved
        return out

    def pose(self, time: np.ndarray, lively: np.ndarray) -> np.ndarray:
        """Head pose [n, 6] around (0, 0, 0, 0, 0, 1); `lively` [n] scales the sway (speaking moves the head more)."""
        out = np.zeros((len(time), len(HEAD_POSE)))
        waves = np.sin(2 * np.pi * self._hz[None] * time[:, None, None] + self._phase[None]) @ _SWAY_SIZE
        fade = _ease(time / FADE_IN)
        for row, (name, size) in enumerate(_SWAY.items()):
            out[:, HEAD_POSE.index(name)] = size * waves[:, row] * lively * fade
        wander = 0.7 * np.sin(2 * np.pi * 0.031 * time + self._breath[1])
        turn = 2 * np.pi * _BREATH_HZ * time + self._breath[0] + wander
        # In is quicker than out, with a rest before the next breath.
        breath = np.sin(turn + 0.35 * np.sin(turn))
        for name, size in _BREATH.items():
            out[:, HEAD_POSE.index(name)] += size * breath * fade
        out[:, HEAD_POSE.index("headScale")] += 1.0
        return out

    def eyes(self, time: np.ndarray) -> np.ndarray:
        """Gaze as blend shapes [n, 52]."""
        out = np.zeros((len(time), len(BLEND_SHAPES)))
        x, y = self.gaze(time).T
        for names, value in (
            (("eyeLookOutLeft", "eyeLookInRight"), x),
            (("eyeLookInLeft", "eyeLookOutRight"), -x),
            (("eyeLookUpLeft", "eyeLookUpRight"), y),
            (("eyeLookDownLeft", "eyeLookDownRight"), -y),
        ):
            for name in names:
                out[:, CHANNEL[name]] = np.maximum(value, 0.0)
        return out
