"""`gateway.dialogue.answer`: from what the model writes to what is spoken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_runtime.contracts import EMOTIONS
from gateway.bench.language_model import MARKDOWN, MARKED, tokens
from gateway.dialogue.answer import ENOUGH, Answer
from gateway.dialogue.apology import code_here, cut_short
from gateway.dialogue.base import Clause


def clauses(pieces: list[str], language: str = "en") -> list[Clause]:
    answer = Answer(language)
    found = [clause for piece in pieces for clause in answer.feed(piece)]
    return [*found, *answer.feed("", last=True)]


def test_marks_become_emotions_at_their_word() -> None:
    assert clauses(list(MARKED)) == [
        Clause("I am so glad to see you!", "happy"),
        Clause("Really. But then"),
        Clause("the rain came, and", "sad"),
        Clause("we went home."),
    ]


def test_a_mark_at_the_end_of_a_sentence_is_the_next_ones() -> None:
    assert clauses(["That is great news. [sad]\n\nBut I am tired."])[1] == Clause("But I am tired.", "sad")


def test_without_marks_the_words_decide_and_with_marks_they_do_not() -> None:
    assert [each.emotion for each in clauses(["I am glad to hear it. Unfortunately it rains."])] == ["happy", "sad"]
    assert [each.emotion for each in clauses(["[angry] I am glad to hear it. Unfortunately it rains."])] == [
        "angry",
        None,
    ]


def test_markdown_is_never_heard() -> None:
    said = clauses(tokens(MARKDOWN))
    assert [each.text for each in said] == [
        "The answer.",
        "It is really simple, see the manual:",
        "Open the door.",
        "Run make.",
        code_here("en"),
        "size, price.",
        "big, $5.",
        "More at example.com.",
    ]
    assert said[-1].said == "More at example dot com." and said[0].spoken == ""


def test_code_alone_is_not_silence() -> None:
    assert [each.text for each in clauses(["```\nx = 1\n```\n```\ny = 2\n```"], "de")] == [code_here("de")]


def test_thoughts_are_not_heard_nor_audible() -> None:
    answer = Answer("en")
    assert not list(answer.feed("<think>I wonder. And wonder. And")) and answer.audible == 0
    assert [each.text for each in answer.feed("</think>Hello there, my friend. You")] == ["Hello there, my friend."]
    assert answer.audible == 1


@pytest.mark.parametrize("word", ["word ", "Well, this is so. ", "a", "字", "<b>a</b> ", "[happy] Yes, I am here. "])
def test_an_endless_answer_ends_politely(word: str) -> None:
    answer, said = Answer("en"), []
    for _ in range(100_000):
        said += answer.feed(word)
        if answer.full:
            break
    assert answer.full and said[-1].text == cut_short("en")
    assert len("".join(each.text for each in said)) < ENOUGH + 400
    assert not list(answer.feed("More. And more.", last=True))


@pytest.mark.parametrize("word", ["<think>on and on ", "```\nx = 1\n```\n", "[laughs] ", "😀", "\n", "*** "])
def test_an_endless_answer_without_a_word_ends_too(word: str) -> None:
    answer, fed, said = Answer("en"), 0, []
    while not answer.full and fed < 100_000:
        said += answer.feed(word)
        fed += len(word)
    assert answer.full and fed < 25_000
    assert [each.text for each in said] in ([], [code_here("en"), cut_short("en")])


def test_a_hundred_thousand_letters_at_once() -> None:
    said = clauses(["a" * 100_000])
    assert said[-1].text == cut_short("en") and len(said) < 10


@given(st.lists(st.text(max_size=40), max_size=10), st.sampled_from(["en", "de", "zh", "ar", "xx", ""]))
def test_any_answer_is_spoken_or_nothing_is(pieces: list[str], language: str) -> None:
    for each in clauses(pieces, language):
        assert any(map(str.isalnum, each.text)) and any(map(str.isalnum, each.said))
        assert each.emotion is None or each.emotion in EMOTIONS
        assert 0 <= each.intensity <= 1


@given(st.text(alphabet="[]happysd <>/think`*_#|-\n.,!? ", max_size=80), st.data())
def test_where_the_pieces_are_cut_does_not_matter(written: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=6)))
    pieces = [written[a:b] for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    assert clauses(pieces) == clauses([written])
