"""A character as the rest of the program sees it: plain values, detached from the database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks. An empty `engine` or `id` leaves the choice to the server; `sample` is an asset's SHA-256.

    `latents` (an asset's SHA-256) are what the tts engine `latents_engine` needs to speak as the sample does.
    """

    engine: str
    id: str
    sample: str | None
    latents: str | None = None
    latents_engine: str = ""


@dataclass(frozen=True, slots=True)
class Character:
    """One character. `portrait` is an asset's SHA-256 (hex); times are UTC, ISO 8601 with a Z."""

    id: str
    name: str
    display_name: str
    description: str
    personality: str
    language: str
    voice: Voice
    renderer: str
    portrait: str | None
    active: bool
    created: str
    updated: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A stored file: its bytes, its sniffed media type, its SHA-256."""

    data: bytes
    media_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Glance:
    """What shows that somebody has changed something: when each character (by id) was edited last, which is active."""

    edited: dict[str, str]
    active: str | None
