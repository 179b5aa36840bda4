"""Voices: text to speech with the times of its phonemes. Nothing here knows of Triton."""

from avatar_runtime.voices.engine import Chunk, Engine

__all__ = ["Chunk", "Engine"]
