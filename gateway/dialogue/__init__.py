"""Dialogue: what the portrait answers."""

from gateway.dialogue.base import Dialogue, Line, Speaker
from gateway.dialogue.echo import Echo

__all__ = ["Dialogue", "Echo", "Line", "Speaker"]
