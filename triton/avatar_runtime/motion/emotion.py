"""Seven emotions as curves of blend shapes and head pose.

The action units follow Ekman and Friesen's EMFACS prototypes (FACS Investigator's Guide, 2002), mapped to ARKit's
shapes; sizes are those of a portrait that shows its feeling plainly without grimacing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar_runtime.contracts import BLEND_SHAPES, CHANNEL, EMOTIONS, MOTION_CHANNELS, AvatarError, Code

BLEND_SECONDS: Final = 0.30  # from one emotion to the next

#: A name without a side means both sides; head pose as an offset.
EXPRESSIONS: Final[dict[str, dict[str, float]]] = {
    "neutral": {},
    "happy": {  # AU 6 cheek raiser, 12 lip corner puller
        "cheekSquint": 0.70, "mouthSmile": 0.85, "mouthDimple": 0.15, "eyeSquint": 0.42, "browOuterUp": 0.14,
        "headPitch": -1.0, "headRoll": 1.5,
    },
    "sad": {  # AU 1 inner brow raiser, 4 brow lowerer, 15 lip corner depressor, 17 chin raiser
        "browInnerUp": 1.0, "browDown": 0.15, "mouthFrown": 0.90, "mouthShrugLower": 0.40, "eyeBlink": 0.24,
        "eyeLookDown": 0.26, "eyeSquint": 0.08, "headPitch": 4.0, "headRoll": -2.0,
    },
    "surprised": {  # AU 1, 2 brows up, 5 upper lid raiser, 26 jaw drop
        "browInnerUp": 0.95, "browOuterUp": 1.0, "eyeWide": 0.90, "jawOpen": 0.30, "mouthFunnel": 0.18,
        "headPitch": -2.0, "headScale": 0.006,
    },
    "angry": {  # AU 4 brow lowerer, 5 upper lid raiser, 7 lid tightener, 23 lip tightener, 24 lip pressor
        "browDown": 1.0, "eyeSquint": 0.55, "eyeWide": 0.30, "noseSneer": 0.40, "mouthPress": 0.65,
        "mouthRollLower": 0.20, "mouthRollUpper": 0.22, "mouthFrown": 0.45, "jawForward": 0.25, "headPitch": 3.0,
        "headScale": 0.010,
    },
    "disgusted": {  # AU 9 nose wrinkler, 10 upper lip raiser, 15 lip corner depressor, 17 chin raiser
        "noseSneer": 1.0, "mouthUpperUp": 0.55, "browDown": 0.60, "eyeSquint": 0.60, "cheekSquint": 0.45,
        "mouthFrown": 0.60, "mouthShrugLower": 0.45, "headPitch": -1.5, "headYaw": 3.0,
    },
    "fearful": {  # AU 1, 2, 4 brows up and together, 5 upper lid raiser, 20 lip stretcher, 26 jaw drop
        "browInnerUp": 1.0, "browOuterUp": 0.35, "browDown": 0.20, "eyeWide": 0.95, "mouthStretch": 0.80,
        "mouthLowerDown": 0.20, "mouthFrown": 0.25, "jawOpen": 0.14, "headPitch": -2.0, "headScale": -0.010,
    },
}  # fmt: skip

#: Shapes that part the lips: none of an emotion's share of these is left while the lips must be shut.
OPENS_LIPS: Final = np.array(
    [n.startswith(("jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthFunnel")) for n in BLEND_SHAPES]
)
#: Shapes of the mouth, which speech needs: an emotion gives some of them up while the face speaks.
OF_MOUTH: Final = np.array([n.startswith(("jaw", "mouth")) for n in BLEND_SHAPES])
_CORNERS: Final = np.array([n.startswith(("mouthSmile", "mouthFrown", "mouthDimple")) for n in BLEND_SHAPES])
#: How much of each shape stays while speaking: the corners of the mouth carry the feeling and hinder speech little.
KEPT_IN_SPEECH: Final = np.where(OF_MOUTH, np.where(_CORNERS, 0.65, 0.30), 1.0)


def _table() -> np.ndarray:
    table = np.zeros((len(EMOTIONS), len(MOTION_CHANNELS)))
    for row, emotion in enumerate(EMOTIONS):
        for name, value in EXPRESSIONS[emotion].items():
            for side in ("", "Left", "Right"):
                if name + side in CHANNEL:
                    table[row, CHANNEL[name + side]] = value
    return table


TABLE: Final = _table()  # [7, 58]
_SHAPES: Final = len(BLEND_SHAPES)


class Mood:
    """The emotion of one face: what it shows now and where it is going."""

    def __init__(self) -> None:
        self._from = np.zeros(len(EMOTIONS))
        self._to = np.zeros(len(EMOTIONS))
        self._since = 0.0

    def turn(self, emotion: str, intensity: float, now: float) -> None:
        """Heads for `emotion` at `intensity` 0..1 from the time `now` (s) on; `unknown_emotion`, `invalid_request`."""
        target = check(emotion, intensity)
        if not np.array_equal(target, self._to):
            self._from = self._weights(np.array([now]))[0]
            self._to, self._since = target, now

    def _weights(self, time: np.ndarray) -> np.ndarray:
        x = np.clip((time - self._since) / BLEND_SECONDS, 0.0, 1.0)[:, None]
        return self._from + (self._to - self._from) * (x * x * (3.0 - 2.0 * x))

    def channels(self, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """At the times [n]: blend shapes [n, 52] 0..1 and the offset of the head pose [n, 6]."""
        out = self._weights(time) @ TABLE
        return out[:, :_SHAPES], out[:, _SHAPES:]


def check(emotion: str, intensity: float) -> np.ndarray:
    """The weight of each emotion [7] for a request's `emotion` and `intensity`."""
    if emotion not in EMOTIONS:
        raise AvatarError(Code.UNKNOWN_EMOTION, f"This emotion is unknown; choose one of {', '.join(EMOTIONS)}.")
    if not np.isfinite(intensity) or not 0.0 <= intensity <= 1.0:
        raise AvatarError(Code.INVALID_REQUEST, "The intensity of an emotion has to be between 0 and 1.")
    weights = np.zeros(len(EMOTIONS))
    weights[EMOTIONS.index(emotion)] = intensity
    return weights
