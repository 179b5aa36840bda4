"""Sessions: one person at one page, from signalling to the last packet."""

from gateway.sessions.registry import Sessions

__all__ = ["Sessions"]
