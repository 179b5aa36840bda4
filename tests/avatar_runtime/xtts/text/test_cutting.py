# ruff: noqa: RUF001 (other alphabets are meant)
"""`avatar_runtime.xtts.text.cutting`: pieces within each language's limit, nothing lost, no word cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_runtime.xtts.text.cutting import pieces, weight
from avatar_runtime.xtts.text.languages import LANGUAGES


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "This is the first one.|And here comes another!"),
        ("zh", "今天天气非常好，我们去公园。|你想一起去公园玩吗？"),
        ("ja", "「今日は元気ですか。」|と彼は言った。"),
        ("ar", "هل تحب القهوة أم الشاي؟|نعم أحب القهوة كثيرا."),
        ("hi", "यह किताब बहुत अच्छी है।|वह कल आएगा, है ना?"),
        ("ru", "Он живёт на ул. Ленина.|Где это?"),
        ("pl", "To jest prof. Nowak z Krakowa.|Mieszka tu od dawna."),
        ("de", "Wir kamen am 3. Mai nach Hause.|Es war schön und warm."),
        ("cs", "Je mi 12.|Byl 5. den."),
    ],
)
def test_sentences(language: str, text: str) -> None:
    joined = text.replace("|", "" if language in ("ar", "ja", "zh") else " ")
    assert pieces(joined, language, limit=60) == text.split("|")


@pytest.mark.parametrize(
    ("language", "text"), [("en", "Yes. I would really like to see that."), ("zh", "好。我们去公园。")]
)
def test_a_very_short_sentence_is_said_with_the_next(language: str, text: str) -> None:
    assert pieces(text, language) == [text]


def test_a_long_sentence_is_cut_after_commas() -> None:
    text = "Als er nach Hause kam, war niemand da, und weil es schon spät war, " * 8 + "ging er schlafen."
    found = pieces(text, "de")
    assert len(found) > 1 and all(piece.endswith((",", ".")) for piece in found)


def test_without_spaces_a_figure_stays_whole() -> None:
    found = pieces("我" * 81 + "1234" + "们" * 60, "zh")
    assert any("1234" in piece for piece in found) and all(weight(piece, "zh") <= 82 for piece in found)


def test_only_a_word_that_alone_is_too_long_is_cut() -> None:
    found = pieces("oh " + "a" * 5000 + " no", "en")
    assert "".join("".join(found).split()) == "oh" + "a" * 5000 + "no"
    assert all(weight(piece, "en") <= 250 for piece in found)


def test_figures_count_as_the_words_they_become() -> None:
    assert len(pieces(" ".join(["12345678"] * 20), "de")) > 4


def test_a_letter_keeps_its_marks() -> None:
    assert all(piece[0] == "क" for piece in pieces("कि" * 200, "hi"))


WORD = st.text("abcdeäöüжчक你好あ,;:-()'\"…13", min_size=1, max_size=20)
TEXTS = st.lists(st.tuples(WORD, st.sampled_from([" ", ", ", ". ", "! ", "。", "؟ ", "। ", "\n"])), max_size=60).map(
    lambda parts: "".join(word + gap for word, gap in parts)
)


@given(TEXTS, st.sampled_from(sorted(LANGUAGES)), st.integers(30, 120))
def test_nothing_is_lost_the_order_stays_and_every_piece_fits(text: str, language: str, limit: int) -> None:
    found = pieces(text, language, limit)
    assert [c for c in "".join(found) if c.isalnum()] == [c for c in text if c.isalnum()]
    assert all(weight(piece, language) <= limit for piece in found)
    assert all(any(c.isalnum() for c in piece) for piece in found)


@given(st.lists(st.text("abcdefgäß", min_size=1, max_size=30), min_size=1, max_size=80), st.integers(30, 120))
def test_no_word_is_cut(words: list[str], limit: int) -> None:
    assert " ".join(pieces(" ".join(words), "de", limit)).split() == words
