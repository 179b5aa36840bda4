"""What a language model is told: who it is, how one speaks, and what was said so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from avatar_runtime.contracts import EMOTIONS
from gateway.dialogue.base import Line, Speaker

MAX_TURN: Final = 4_000  # characters of what the person has just said
_ROLES: Final = {"user": "user", "avatar": "assistant"}
_STYLE: Final = """\
You are {name}, a portrait that has come to life. You talk with a person who hears your voice and sees your face.
{personality}
How you speak:
- What you write is spoken aloud at once. Write as one speaks: short sentences, one to three of them unless the person \
wants more. Begin with a short one.
- Plain words only: no Markdown, no headings, no lists, no tables, no code, no emoji, no addresses of web pages, no \
stage directions.
- Where your feeling changes, put one of {marks} before the words. These marks move your face and are not heard.
- The person's words come from a microphone and may be misheard. Ask when they make no sense.
- Stay {name}. Answer in {language}."""


def messages(
    history: Sequence[Line], text: str, character: Speaker, language: str, tokens: int
) -> list[dict[str, str]]:
    """The messages of a chat request: roles alternate after the system's; of `history` the newest `tokens` at most."""
    told = [{"role": "system", "content": system(character, language)}]
    for line in [*_newest(history, tokens), Line("user", text[-MAX_TURN:])]:
        role = _ROLES.get(line.role, "user")
        said = line.text.encode("utf-8", "replace").decode()  # half a character cannot be sent
        if told[-1]["role"] == role:  # many templates refuse two turns of one side
            told[-1]["content"] += "\n" + said
        else:
            told.append({"role": role, "content": said})
    return told


def system(character: Speaker, language: str) -> str:
    """Who speaks, and how."""
    return _STYLE.format(
        name=character.display_name,
        personality=character.personality.strip() + "\n" if character.personality.strip() else "",
        marks=", ".join(f"[{emotion}]" for emotion in EMOTIONS),
        language=language_name(language or character.language),
    )


def language_name(code: str) -> str:
    """`German` for `de`; the code itself where it is not known."""
    from babel import Locale, UnknownLocaleError  # reads its data on import

    try:
        return Locale.parse(code.replace("-", "_")).get_language_name("en") or code
    except (ValueError, UnknownLocaleError):
        return code


def estimate(text: str) -> int:
    """How many tokens `text` has at most, about: a third of a Latin letter, one for a letter of other scripts.

    Tokenizers give 3 to 5 Latin letters a token in the languages they know best, other scripts 1 to 2.
    """
    other = sum(character >= "\u0250" for character in text)
    return other + -(-(len(text) - other) // 3) + 4  # 4: what a template adds around each turn


def _newest(history: Sequence[Line], tokens: int) -> list[Line]:
    """The newest lines that have at most `tokens`; the first is the person's, as templates want it."""
    kept: list[Line] = []
    for line in reversed(history):
        tokens -= estimate(line.text)
        if tokens < 0:
            break
        kept.append(line)
    while kept and kept[-1].role != "user":
        kept.pop()
    return kept[::-1]
