"""Dialogue: what the portrait answers."""

from __future__ import annotations

from gateway.dialogue.apology import apology
from gateway.dialogue.base import Clause, Dialogue, Line, Speaker
from gateway.dialogue.echo import Echo
from gateway.settings import Settings

__all__ = ["Clause", "Dialogue", "Echo", "Line", "Speaker", "apology", "open_dialogue"]


def open_dialogue(settings: Settings) -> Dialogue:
    """What answers under these settings: a language model where one is named, else the echo."""
    if not settings.llm_url:
        return Echo()
    from gateway.dialogue.chat import Chat  # its client library takes half a second to import

    return Chat(settings.llm_url, settings.llm_model, settings.llm_key, settings.llm_timeout, settings.llm_history)
