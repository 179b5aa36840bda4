"""The contracts between gateway and engines: every tensor name, rate, size and error code, and nothing else.

A *role* is a contract; an *engine* is a Triton model folder ``<role>_<name>`` that fulfils it. All models have
``max_batch_size: 0`` semantics on the wire: shapes below are complete. Text tensors are BYTES, UTF-8, shape [1]
unless said otherwise. Optional inputs may be left out.

``vad``, a sequence
    in: AUDIO f32 [n] 16 kHz, any n.
    out: SPEECH f32 [k], the probability of speech for each completed window of 512 samples.

``stt``, a sequence (one request may be start and end at once)
    in: AUDIO f32 [n] 16 kHz; optional LANGUAGE ("" or "auto" detects), TASK ("transcribe" or "translate"), PROMPT
    (names and words to expect), LIKELY_LANGUAGE (taken where the
    sound leaves the language open), which hold until changed; PARTIALS bool [1] at the start: hear while it is spoken;
    FLUSH bool [1]: hear all that has come now, as if the end were here, and stay open.
    out: TEXT, PARTIAL, LANGUAGE (ISO 639-1, given or detected), WORDS [w], WORD_TIMES f32 [w, 2] in s from the start
    of the stream. TEXT is what is certain: each TEXT of a sequence begins with the one before. PARTIAL is what probably
    follows it, and may change; WORDS are those of both. After FLUSH both together are all that was said so far; with
    the end flag TEXT is, and PARTIAL is empty. Without PARTIALS nothing is heard before FLUSH or the end.

``tts``, decoupled
    in: TEXT, LANGUAGE; optional VOICE ("" is the engine's first voice of the language), SPEED f32 [1] (0.5..2),
    LATENTS u8 [m] of a cloned voice, which then speaks instead (engines that clone), SEED i64 [1].
    out, for each chunk: AUDIO f32 [n] 24 kHz, TEXT (the clause), PHONEMES [m] (IPA), PHONEME_TIMES f32 [m, 2] in s
    from the chunk's start; at last one whose AUDIO is empty (n = 0): the stream itself may end a moment later.

``voice``
    in: AUDIO f32 [n] 24 kHz, mono, 3 to 30 s of one person speaking.
    out: LATENTS u8 [m], a few hundred kilobytes that only the tts engine of the same name understands, and only with
    the same weights: ``voice_xtts`` makes them for ``tts_xtts``.

``landmarks``
    in: IMAGE u8 [n], an encoded picture.
    out: LANDMARKS f32 [f, 468, 3] pixels (z in the same scale), BOXES f32 [f, 4] x0 y0 x1 y1 pixels, SCORES f32 [f];
    f = 0 means "no face" and is no error.

``motion``, a sequence
    in: AUDIO f32 [n] 24 kHz, n a multiple of 960; optional PHONEMES [m] and PHONEME_TIMES f32 [m, 2] in s from the
    start of this AUDIO, which may lie before and beyond it (co-articulation looks ahead); EMOTION, INTENSITY f32 [1],
    which hold until changed; SEED i64 [1] at the start.
    out: MOTION f32 [n / 960, 58].

``render``, a sequence
    in: MOTION f32 [k, 58], k from 1 to MAX_PUSH_FRAMES; at the start PORTRAIT_SHA256 (hex) of a picture the server
    has seen, or PORTRAIT u8 [n] (encoded); FORMAT optional, "i420" or "rgb".
    out: FRAMES u8 [k, 768, 512], planar I420 (BT.601, limited range), or [k, 512, 512, 3] RGB.

``capture``, a sequence
    in: IMAGE u8 [h, w, 3], RGB: one frame of a driving video, MOTION_RATE of them a second, all of one size.
    out: MOTION f32 [1, 58], relative to the sequence's first frame with a face, whose head pose and relaxed brows and
    lips count as rest (lips' gap and eyes' opening find their own rest); FACE f32 [1], the face's score, 0 where none
    was seen: MOTION then holds the last one, rest before the first.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

# --- audio -------------------------------------------------------------------------------------------------
LISTENING_RATE: Final = 16_000  # Hz, what vad and stt hear
SPEAKING_RATE: Final = 24_000  # Hz, what tts says and motion hears
VAD_WINDOW: Final = 512  # samples at LISTENING_RATE: 32 ms
MAX_UTTERANCE_SECONDS: Final = 30 * 60  # a longer recording is refused in one request
REFERENCE_SECONDS: Final = (3.0, 30.0)  # s of speech that a voice is cloned from
MAX_REFERENCE_SECONDS: Final = 60.0  # of the whole recording, with the silence around the speech
MAX_LATENTS_BYTES: Final = 4 * 2**20  # XTTS: 32 x 1024 and 512 float32 are 130 kB

# --- face motion -------------------------------------------------------------------------------------------
MOTION_RATE: Final = 25  # Hz
MOTION_SAMPLES: Final = SPEAKING_RATE // MOTION_RATE  # 960 audio samples make one frame of motion
MAX_PUSH_FRAMES: Final = 10 * MOTION_RATE  # in one request: nobody else is drawn for meanwhile

#: ARKit's 52 blend shapes in Apple's alphabetical order with the tongue last, each 0..1. `Left` is the person's left.
BLEND_SHAPES: Final = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight",
    "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip

#: Head pose after the blend shapes. Degrees: pitch > 0 nods down, yaw > 0 turns to the person's left (the picture's
#: right), roll > 0 tilts the head to the person's left shoulder (clockwise for the viewer). Translation in face
#: heights: x > 0 to the picture's right, y > 0 down. Scale is relative: 1 is the portrait's own size.
HEAD_POSE: Final = ("headPitch", "headYaw", "headRoll", "headX", "headY", "headScale")
MOTION_CHANNELS: Final = BLEND_SHAPES + HEAD_POSE
MOTION_SIZE: Final = len(MOTION_CHANNELS)  # 58
CHANNEL: Final = {name: index for index, name in enumerate(MOTION_CHANNELS)}

EMOTIONS: Final = ("neutral", "happy", "sad", "surprised", "angry", "disgusted", "fearful")

# --- pictures ----------------------------------------------------------------------------------------------
FRAME_SIZE: Final = 512  # pixels, both ways
I420_ROWS: Final = FRAME_SIZE * 3 // 2  # 768: luma, then the two chroma planes at half size, row after row
LANDMARK_COUNT: Final = 468  # MediaPipe's canonical face mesh
MAX_IMAGE_BYTES: Final = 20 * 2**20
MAX_IMAGE_PIXELS: Final = 40_000_000
MIN_FACE_PIXELS: Final = 64  # a face narrower than this has too little to show

# --- text --------------------------------------------------------------------------------------------------
MAX_TEXT_CHARACTERS: Final = 5_000


class Role(StrEnum):
    """What a model can be; the first part of its folder's name."""

    VAD = "vad"
    STT = "stt"
    TTS = "tts"
    VOICE = "voice"
    LANDMARKS = "landmarks"
    MOTION = "motion"
    RENDER = "render"
    CAPTURE = "capture"


class Code(StrEnum):
    """Every way a request can fail. The gateway maps each to one HTTP status in one place."""

    INVALID_TEXT = "invalid_text"  # empty, too long, nothing to speak
    INVALID_AUDIO = "invalid_audio"  # not audio, empty, too long, not finite
    INVALID_IMAGE = "invalid_image"  # not a picture, truncated, too large, animated
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    UNKNOWN_LANGUAGE = "unknown_language"
    UNKNOWN_VOICE = "unknown_voice"
    UNKNOWN_EMOTION = "unknown_emotion"
    UNKNOWN_PORTRAIT = "unknown_portrait"  # PORTRAIT_SHA256 is not in the server's cache: send PORTRAIT
    UNKNOWN_ENGINE = "unknown_engine"
    UNKNOWN_CHARACTER = "unknown_character"
    NAME_TAKEN = "name_taken"
    INVALID_REQUEST = "invalid_request"  # anything else that the caller can change
    TOO_LARGE = "too_large"  # a body over its limit
    TOO_MANY_SESSIONS = "too_many_sessions"
    ENGINE_UNAVAILABLE = "engine_unavailable"  # missing, not ready, or Triton is gone
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    INTERNAL = "internal"  # a crash; the message carries a short id, the log the traceback


RETRYABLE: Final = frozenset({Code.ENGINE_UNAVAILABLE, Code.TIMEOUT, Code.TOO_MANY_SESSIONS, Code.UNKNOWN_PORTRAIT})


class AvatarError(Exception):
    """A failure with a code and one sentence for the person. On the wire (TritonError) it reads ``code: sentence``."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def retryable(self) -> bool:
        return self.code in RETRYABLE

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @classmethod
    def parse(cls, wire: str) -> AvatarError | None:
        """The error that a TritonError's text carries (other text may stand before it), or None."""
        for code in Code:
            marker = f"{code}: "
            at = wire.find(marker)
            if at == 0 or (at > 0 and not wire[at - 1].isalnum() and wire[at - 1] != "_"):
                return cls(code, wire[at + len(marker) :].strip())
        return None
