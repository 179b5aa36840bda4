"""Whisper's vocabulary: text, and the special tokens that steer the decoder."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer

from avatar_runtime.contracts import AvatarError, Code

TASKS = ("transcribe", "translate")


class Vocabulary:
    """The tokenizer of one Whisper, from ``tokenizer.json`` and ``generation_config.json``."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        generation = json.loads((folder / "generation_config.json").read_text())
        #: ISO 639-1 (in three cases 639-3) -> token
        self.languages: dict[str, int] = {
            token.strip("<|>"): ident for token, ident in generation["lang_to_id"].items()
        }
        self._language_of = {ident: language for language, ident in self.languages.items()}
        self.start: int = generation["decoder_start_token_id"]
        self.end: int = generation["eos_token_id"]
        self.no_timestamps: int = generation["no_timestamps_token_id"]
        # Their names vary between exports, their places do not: … previous, no speech, no timestamps, 0.00 s …
        self.no_speech = self.no_timestamps - 1
        self.previous = self.no_timestamps - 2
        self.first_timestamp = self.no_timestamps + 1
        self.tasks: dict[str, int] = {task: generation["task_to_id"][task] for task in TASKS}
        #: Never sampled: symbols of sounds and speakers, every special token.
        self.suppressed: list[int] = generation["suppress_tokens"]
        #: Not sampled first: a blank, the end.
        self.suppressed_first: list[int] = generation["begin_suppress_tokens"]

    def language(self, name: str) -> str | None:
        """The language called `name` ("de", "de-DE", "DE"), None for "" and "auto"; raises `unknown_language`."""
        code = name.strip().lower().replace("_", "-").split("-")[0]
        if code in ("", "auto"):
            return None
        if code not in self.languages:
            raise AvatarError(
                Code.UNKNOWN_LANGUAGE, f'The language "{name[:20]}" is not known here: use a code like "en", or "auto".'
            )
        return code

    def language_of(self, token: int) -> str:
        return self._language_of[token]

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids  # type: ignore[no-any-return]

    def decode(self, tokens: list[int]) -> str:
        return self._tokenizer.decode([token for token in tokens if token < self.end])  # type: ignore[no-any-return]

    def words(self, tokens: list[int], language: str) -> tuple[list[str], list[list[int]]]:
        """The words of `tokens` with the tokens of each; in scripts without spaces a word is a character or so."""
        pieces, groups = self._characters(tokens)
        if language in ("zh", "ja", "th", "lo", "my", "yue"):
            return pieces, groups
        words: list[str] = []
        joined: list[list[int]] = []
        for piece, group in zip(pieces, groups, strict=True):
            punctuation = not any(character.isalnum() for character in piece)
            if not words or (piece.startswith(" ") and not punctuation):
                words.append(piece)
                joined.append(list(group))
            else:
                words[-1] += piece
                joined[-1].extend(group)
        return words, joined

    def _characters(self, tokens: list[int]) -> tuple[list[str], list[list[int]]]:
        """The smallest runs of tokens that are whole UTF-8 characters."""
        pieces: list[str] = []
        groups: list[list[int]] = []
        pending: list[int] = []
        for token in tokens:
            pending.append(token)
            text = self.decode(pending)
            if "\ufffd" not in text:
                pieces.append(text)
                groups.append(pending)
                pending = []
        return pieces, groups
