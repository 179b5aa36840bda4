"""Requests as a conversation makes them, in perf_analyzer's JSON: real speech, a real portrait, real motion.

A *stream* is a list of requests; where the engine keeps a sequence, a stream is one sequence.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from avatar_runtime.contracts import (
    CHANNEL,
    LISTENING_RATE,
    MOTION_RATE,
    MOTION_SIZE,
    SPEAKING_RATE,
    Role,
)

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Request = dict[str, Any]

SENTENCE: Final = "The weather is lovely today, and the children are playing in the garden."
#: The engine of the yardstick, and how much of the speech one of its requests has.
YARDSTICK: Final = "vad_silero"
VAD_SECONDS: Final = 1.0
MOTION_SECONDS: Final = 0.4  # what the gateway sends ahead while a voice speaks
RENDER_FRAMES: Final = 5  # of 25 a second
RENDER_REQUESTS: Final = 10
CAPTURE_FRAMES: Final = 5
CAPTURE_SIZE: Final = (360, 640)  # rows, columns: a small driving video

#: What one request of a role is, for the table.
WHAT: Final = {
    Role.VAD: f"{VAD_SECONDS:g} s of sound",
    Role.STT: "a sentence of 4 s",
    Role.TTS: "a sentence, to its first sound",
    Role.VOICE: "a recording of 8 s",
    Role.LANDMARKS: "a portrait",
    Role.MOTION: f"{MOTION_SECONDS:g} s of sound",
    Role.RENDER: f"{RENDER_FRAMES} frames",
    Role.CAPTURE: "a frame",
}
SEQUENCES: Final = frozenset({Role.VAD, Role.STT, Role.MOTION, Role.RENDER, Role.CAPTURE})


@dataclass(frozen=True)
class Material:
    """What the requests are made of: speech at SPEAKING_RATE and LISTENING_RATE, an encoded portrait, an RGB frame."""

    spoken: Floats
    heard: Floats
    portrait: bytes
    frame: Bytes


def tensor(array: npt.NDArray[Any]) -> dict[str, Any]:
    return {"content": {"b64": base64.b64encode(array.tobytes()).decode()}, "shape": list(array.shape)}


def text(words: str) -> dict[str, Any]:
    return {"content": [words], "shape": [1]}


def streams(role: Role, material: Material) -> list[list[Request]]:
    """The streams for an engine of `role`."""
    portrait = tensor(np.frombuffer(material.portrait, np.uint8))
    match role:
        case Role.VAD:
            return [[{"AUDIO": tensor(piece)} for piece in pieces(material.heard, VAD_SECONDS, LISTENING_RATE)]]
        case Role.STT:
            return [[{"AUDIO": tensor(material.heard), "LANGUAGE": text("en")}]]
        case Role.TTS:
            return [[{"TEXT": text(SENTENCE), "LANGUAGE": text("en")}]]
        case Role.VOICE:
            return [[{"AUDIO": tensor(np.concatenate([material.spoken, material.spoken]))}]]
        case Role.LANDMARKS:
            return [[{"IMAGE": portrait}]]
        case Role.MOTION:
            return [[{"AUDIO": tensor(piece)} for piece in pieces(material.spoken, MOTION_SECONDS, SPEAKING_RATE)]]
        case Role.RENDER:
            first, *rest = ({"MOTION": tensor(motion)} for motion in np.split(talking(), RENDER_REQUESTS))
            return [[{**first, "PORTRAIT": portrait}, *rest]]
        case Role.CAPTURE:
            return [[{"IMAGE": tensor(material.frame)}] * CAPTURE_FRAMES]


def pieces(audio: Floats, seconds: float, rate: int) -> list[Floats]:
    """`audio` in equal pieces; what is left at its end is left out."""
    size = int(seconds * rate)
    return [audio[start : start + size] for start in range(0, len(audio) - size + 1, size)]


def talking() -> Floats:
    """Face motion [n, 58] of a mouth that opens and a head that turns, so that no two frames are alike."""
    count = RENDER_FRAMES * RENDER_REQUESTS
    seconds = np.arange(count) / MOTION_RATE
    motion = np.zeros((count, MOTION_SIZE), np.float32)
    motion[:, CHANNEL["jawOpen"]] = 0.3 - 0.3 * np.cos(2 * np.pi * 4.3 * seconds)
    motion[:, CHANNEL["headYaw"]] = 5 * np.sin(2 * np.pi * 0.37 * seconds)
    motion[:, CHANNEL["headScale"]] = 1
    return motion


def document(found: list[list[Request]], role: Role) -> dict[str, Any]:
    """perf_analyzer's input file: of an engine without sequences it wants the requests alone."""
    return {"data": found if role in SEQUENCES else [request for stream in found for request in stream]}
