"""What the page may say over the data channel, checked. See PROTOCOL.md."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from avatar_runtime.contracts import EMOTIONS, MAX_TEXT_CHARACTERS, AvatarError, Code
from gateway.clock import unix_time

MAX_MESSAGE_BYTES = 64 * 1024
PING = '{"type":"ping"'
MAX_PING = 100  # characters


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Text(_Message):
    type: Literal["text"]
    text: str
    mode: Literal["chat", "say"] = "chat"

    @field_validator("text")
    @classmethod
    def _speakable(cls, text: str) -> str:
        text = text.strip()
        if not text:
            raise AvatarError(Code.INVALID_TEXT, "There is no text; write something first.")
        if len(text) > MAX_TEXT_CHARACTERS:
            raise AvatarError(Code.INVALID_TEXT, f"The text is longer than {MAX_TEXT_CHARACTERS} characters.")
        return text


class Emotion(_Message):
    type: Literal["emotion"]
    emotion: str
    intensity: Annotated[float, Field(ge=0, le=1)] = 1.0

    @field_validator("emotion")
    @classmethod
    def _known(cls, emotion: str) -> str:
        if emotion not in EMOTIONS:
            raise AvatarError(Code.UNKNOWN_EMOTION, f"There is no such emotion; there are {', '.join(EMOTIONS)}.")
        return emotion


class SwitchCharacter(_Message):
    type: Literal["character"]
    id: Annotated[str, Field(max_length=100)]


class Language(_Message):
    type: Literal["language"]
    language: Annotated[str, Field(pattern=r"^(auto|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)$")]


class Microphone(_Message):
    type: Literal["mic"]
    on: bool


class Interrupt(_Message):
    type: Literal["interrupt"]


Message = Text | Emotion | SwitchCharacter | Language | Microphone | Interrupt
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


def parse(raw: object) -> Message:
    """The message in a data channel's frame; AvatarError with one sentence when it is none."""
    if not isinstance(raw, str):
        raise AvatarError(Code.INVALID_REQUEST, "Messages are JSON text.")
    if len(raw) > MAX_MESSAGE_BYTES:
        raise AvatarError(Code.TOO_LARGE, "The message is too large.")
    try:
        return _MESSAGE.validate_python(json.loads(raw))
    except (ValueError, RecursionError) as error:
        where = error.errors()[0]["loc"][1:] if isinstance(error, ValidationError) else ()
        field = f" in its field {where[0]!r}" if where else ""
        raise AvatarError(Code.INVALID_REQUEST, f"The message is not one of the protocol's{field}.") from error


def pong(raw: object) -> dict[str, Any] | None:
    """The answer to a ping (`{"type":"ping","at":…}`), by which the page learns how our clock differs; else None."""
    if not isinstance(raw, str) or len(raw) > MAX_PING or not raw.startswith(PING):
        return None
    try:
        at = json.loads(raw)["at"]
    except (ValueError, KeyError, RecursionError):
        return None
    return {"type": "pong", "at": at, "now": unix_time() * 1000} if isinstance(at, int | float) else None
