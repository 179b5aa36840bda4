"""A vocabulary of the published one's form, for a small twin of the network: BPE with one token for each language.

XTTS-v2's own `vocab.json` has 6,681 entries; what the code relies on is alike in both: the names of the special tokens,
`[SPACE]` for a space, no normalizer, words and punctuation apart (`Whitespace`), `[UNK]` for letters never seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers

from avatar_runtime.xtts.text.languages import LANGUAGES

STOP, UNKNOWN, SPACE, START = "[STOP]", "[UNK]", "[SPACE]", "[START]"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'-()"  # always known


def build(lines: Iterable[str], size: int = 2048) -> Tokenizer:
    """BPE of at most `size` entries, trained on `lines` as the network reads them (`Frontend.normalise`).

    The same lines give the same vocabulary. [STOP], [UNK], [SPACE] have the ids 0, 1, 2, as in the published one.
    """
    special = [STOP, UNKNOWN, SPACE, START, *(f"[{each.token or code}]" for code, each in LANGUAGES.items())]
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=[AddedToken(each, special=True, normalized=False) for each in special],
        initial_alphabet=list(_ALPHABET),
        show_progress=False,
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def write(path: Path, lines: Iterable[str], size: int = 2048) -> Tokenizer:
    """`build`, saved as the checkpoint's `vocab.json` is."""
    tokenizer = build(lines, size)
    tokenizer.save(str(path), pretty=False)
    return tokenizer
