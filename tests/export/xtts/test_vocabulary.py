"""`export.xtts.vocabulary`: a vocabulary of the published one's form."""

from __future__ import annotations

from pathlib import Path

from avatar_runtime.xtts.text.languages import LANGUAGES
from export.xtts import vocabulary

LINES = ["good morning, good evening", "guten morgen, größe", "ni3hao3", "доброе утро"] * 3


def test_special_tokens_are_where_the_published_vocabulary_has_them() -> None:
    built = vocabulary.build(LINES, 300)
    assert [built.token_to_id(each) for each in ("[STOP]", "[UNK]", "[SPACE]")] == [0, 1, 2]
    assert built.token_to_id("[START]") is not None and built.token_to_id("[zh-cn]") is not None
    assert all(built.token_to_id(f"[{each.token or code}]") is not None for code, each in LANGUAGES.items())


def test_the_same_lines_give_the_same_file(tmp_path: Path) -> None:
    for name in "ab":
        vocabulary.write(tmp_path / name, LINES, 300)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_letters_never_seen_are_unknown_and_pieces_of_words_are_joined() -> None:
    built = vocabulary.build(LINES, 300)
    assert built.encode("[en]good[SPACE]ж").tokens[:3] == ["[en]", "good", "[SPACE]"]
    assert "[UNK]" in built.encode("[en]漢").tokens
