# ruff: noqa: RUF001 (IPA and typographic signs are meant)
"""`avatar_runtime.voices.text`: where speech may be cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_runtime.voices.text import Ending, clauses, sentences


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Dr. Smith left at 3.5 p.m. today. He ran!", ["Dr. Smith left at 3.5 p.m. today.", "He ran!"]),
        ("en", 'He said "Stop!" Then he went.', ['He said "Stop!"', "Then he went."]),
        ("en", "Well... maybe. J. K. Rowling knows.", ["Well... maybe.", "J. K. Rowling knows."]),
        ("de", "Am 3. Mai kam Dr. Meier. Er blieb.", ["Am 3. Mai kam Dr. Meier.", "Er blieb."]),
        ("de", "Das ist z. B. gut. Oder?", ["Das ist z. B. gut.", "Oder?"]),
        ("fr", "M. Dupont arrive. Bonjour !", ["M. Dupont arrive.", "Bonjour !"]),
        ("en", "One line\nand another", ["One line", "and another"]),
        ("zh", "你好。你是谁？", ["你好。", "你是谁？"]),
    ],
)
def test_sentences(language: str, text: str, expected: list[str]) -> None:
    assert sentences(text, language) == expected


def test_a_short_sentence_stays_whole() -> None:
    (clause,) = clauses("Yes, I do, my friend.", "en", (30, 60))
    assert clause.text == "Yes, I do, my friend." and clause.ending is Ending.SENTENCE


def test_a_long_sentence_starts_with_a_short_clause_and_ends_at_commas() -> None:
    text = "Hello there, my friend, I have been waiting for you all day, and now that you are here, we can begin."
    found = clauses(text, "en", (20, 40, 80))
    assert found[0].text == "Hello there, my friend," and found[0].ending is Ending.CLAUSE
    assert all(c.text.endswith((",", ".")) for c in found)
    assert found[-1].ending is Ending.SENTENCE


def test_without_a_comma_it_cuts_before_a_conjunction() -> None:
    text = "Ich habe gestern lange darüber nachgedacht und bin zu einem Ergebnis gekommen."
    first, *_ = clauses(text, "de", (40, 80))
    assert first.text == "Ich habe gestern lange darüber nachgedacht" and first.ending is Ending.WORD


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Schön, dass du fragst. Ja, gern.", ["Schön,", "dass du fragst.", "Ja, gern."]),
        ("Ja, daran erinnere ich mich gut.", ["Ja, daran erinnere ich mich gut."]),  # too short to cover the rest
        ("Das ist eine gute Frage.", ["Das ist eine gute Frage."]),
        ("Gewiss, so ist es", ["Gewiss,", "so ist es"]),
        ("Schön, ja.", ["Schön, ja."]),
        ("Schön, dass du nach so langer Zeit noch einmal hergekommen bist.", None),  # the rest would be waited for
    ],
)
def test_a_few_words_before_a_comma_are_said_while_the_rest_is_made(text: str, expected: list[str] | None) -> None:
    found = [clause.text for clause in clauses(text, "de", (44, 70), opening=6)]
    assert found == (expected or [clause.text for clause in clauses(text, "de", (44, 70))])


def test_no_number_is_cut() -> None:
    found = clauses("It costs 1,250.75 dollars and it weighs 3.5 kilos at 10:30 in the morning.", "en", (10, 10))
    assert {"1,250.75", "3.5", "10:30"} <= set(" ".join(c.text for c in found).split())


WORDS = st.lists(st.text("abcdeäöü,.;:-—()'\"!?…13 ", min_size=1, max_size=12), max_size=40).map(" ".join)


@given(WORDS, st.sampled_from(["en", "de", "fr"]), st.tuples(st.integers(5, 60), st.integers(5, 120)))
def test_nothing_is_lost_and_no_word_is_cut(text: str, language: str, limits: tuple[int, int]) -> None:
    found = " ".join(c.text for c in clauses(text, language, limits))
    kept = " ".join(sentences(text, language))
    assert "".join(found.split()) == "".join(kept.split())
    assert sum(map(str.isalnum, found)) == sum(map(str.isalnum, text))


def test_a_clause_that_comes_alone_is_followed_by_the_pause_of_its_last_sign() -> None:
    texts = ("Not at all,", "Not at all.", "Not at all", "Well: ")
    endings = {text: clauses(text, "en", (100,))[-1].ending for text in texts}
    assert endings == {
        "Not at all,": Ending.CLAUSE,
        "Not at all.": Ending.SENTENCE,
        "Not at all": Ending.SENTENCE,
        "Well: ": Ending.CLAUSE,
    }
