"""What a character's fields may hold, for whoever creates or changes one."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

MAX_NAME: Final = 64  # characters
MAX_DISPLAY_NAME: Final = 100
MAX_DESCRIPTION: Final = 1_000
MAX_PERSONALITY: Final = 8_000

NAME_PATTERN: Final = r"^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$"


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        raise ValueError("must be one line without control characters")
    return text


def _readable(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" and character not in "\n\r\t" for character in text):
        raise ValueError("must not contain control characters")
    return text


Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME, pattern=NAME_PATTERN)]
DisplayName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_DISPLAY_NAME), AfterValidator(_one_line)
]
Description = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION), AfterValidator(_readable)]
Personality = Annotated[str, StringConstraints(max_length=MAX_PERSONALITY), AfterValidator(_readable)]
LanguageCode = Annotated[str, StringConstraints(min_length=2, max_length=16), AfterValidator(_one_line)]
EngineName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z0-9_]*$")]
VoiceId = Annotated[str, StringConstraints(max_length=128), AfterValidator(_one_line)]


class _Fields(BaseModel):
    # A refusal names the field, never what was in it: the text may be a person's.
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class NewVoice(_Fields):
    """Which engine speaks, and with which of its voices."""

    engine: EngineName = Field("", description="A tts engine; empty: the one that the server prefers.")
    id: VoiceId = Field("", description="A voice of that engine; empty: its first one of the language.")
    sample: None = Field(None, description="A recording is uploaded to /voice-sample, not given here.")


class NewCharacter(_Fields):
    """What is needed to create a character: a name."""

    name: Name = Field(description="Unique: small letters, digits, - and _.")
    display_name: DisplayName | None = Field(None, description="What the page shows; made of the name when left out.")
    description: Description = ""
    personality: Personality = Field("", description="How the character speaks, for the dialogue.")
    language: LanguageCode = Field("en", description="The language it speaks, ISO 639-1.")
    voice: NewVoice = Field(default_factory=lambda: NewVoice.model_validate({}))
    renderer: EngineName = Field("", description="A render engine; empty: the one that the server prefers.")


class VoiceChange(_Fields):
    """A voice's fields to change; what is left out stays."""

    engine: EngineName | None = None
    id: VoiceId | None = None
    sample: str | None = Field(None, description="null removes the recording; its present address keeps it.")


class CharacterChange(_Fields):
    """A character's fields to change; what is left out stays."""

    name: Name | None = None
    display_name: DisplayName | None = None
    description: Description | None = None
    personality: Personality | None = None
    language: LanguageCode | None = None
    voice: VoiceChange | None = None
    renderer: EngineName | None = None
