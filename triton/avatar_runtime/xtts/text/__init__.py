"""Text for XTTS-v2: reading it aloud in 17 languages, cutting it, and its token ids."""

from avatar_runtime.xtts.text.frontend import MAX_TEXT_TOKENS, Frontend

__all__ = ["MAX_TEXT_TOKENS", "Frontend"]
