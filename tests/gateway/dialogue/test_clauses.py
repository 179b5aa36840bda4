# ruff: noqa: RUF001 (typographic signs and other scripts are meant)
"""`gateway.dialogue.clauses`: an answer is cut while it comes."""

from __future__ import annotations

import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialogue.clauses import FIRST_LIMIT, LIMIT, Clauses, weight_of


def cut(pieces: list[str], language: str = "en") -> list[str]:
    clauses, found = Clauses(language), []
    for index, piece in enumerate([*pieces, ""]):
        for clause in clauses.feed(piece, last=index == len(pieces)):
            found.append(clause.text.strip())
            clauses.spoken()
    return found


@pytest.mark.parametrize(
    ("language", "clauses"),
    [
        ("en", ["Well, that is a good one,", "I think. And then?"]),
        ("en", ["Hi! How are you today?", "Fine."]),
        ("en", ["I saw Dr. Smith in the U.S. Army at 3.14 p.m. today.", "Nice."]),
        ("en", ["He waited … and waited.", "Then he left...", "And came back."]),
        ("en", ["Well, this is it —", "the one that I meant.", "Yes."]),
        ("en", ["See https://example.com/a,b.c?d=e!f for that,", "please. Thanks a lot."]),
        ("de", ["Am 3. Mai, z. B. um 7.30 Uhr,", "kam Prof. Klein bzw. sein Sohn.", "Gut so."]),
        ("de", ["Das ist gut.", "Und das hier ist noch viel besser.", "Ja."]),
        ("zh", ["你好。我很高兴见到你，", "今天天气很好。", "我们走吧！"]),
        ("ja", ["「はい。」そうです、", "本当にそうです。", "次に行きましょう。"]),
        ("hi", ["नमस्ते मेरे प्यारे दोस्त।", "आप कैसे हैं आज?", "मैं ठीक हूँ।"]),
        ("ar", ["مرحبا يا صديقي العزيز،", "كيف حالك؟ أنا بخير."]),
    ],
)
def test_cuts(language: str, clauses: list[str]) -> None:
    written = ("" if language in ("zh", "ja") else " ").join(clauses)
    assert cut([written], language) == clauses
    assert cut(list(written), language) == clauses  # letter by letter
    assert cut(re.findall(r"\s*\S+", written), language) == clauses


def test_each_line_is_a_clause() -> None:
    assert cut(["# Title\n- one\n- two\n"]) == ["# Title", "- one", "- two"]


def test_the_first_clause_does_not_wait_for_the_sentence() -> None:
    clauses = Clauses("en")
    assert not list(clauses.feed("When I was young,"))  # the next letter tells: 1,000 has a comma too
    assert [each.text for each in clauses.feed(" we")] == ["When I was young,"]
    clauses.spoken()
    assert not list(clauses.feed(" walked all day, even in the rain, and"))
    assert [each.text.strip() for each in clauses.feed(" sang. Then")] == [
        "we walked all day, even in the rain, and sang."
    ]


def test_what_is_dropped_leaves_the_next_clause_the_first() -> None:
    clauses = Clauses("en")
    assert [each.text for each in clauses.feed("---\n")] == ["---"]
    assert [each.text for each in clauses.feed("When I was young, we")] == ["When I was young,"]


def test_a_mark_begins_a_clause_and_may_come_in_pieces() -> None:
    written = "[happy] Hello there, my friend. [sad] Oh no. So [laughs] what"
    expected = ["[happy] Hello there, my friend.", "[sad] Oh no. So", "[laughs] what"]
    assert cut([written]) == cut(list(written)) == expected


def test_links_stay_whole() -> None:
    written = "Look at [this, that. And more](https://example.com/a_b) now, please."
    assert cut([written])[0].startswith("Look at [this, that. And more](https")
    written = f"See [{'very, ' * 20}long](https://example.com/{'x' * 200}) there. Bye now, friend."
    assert cut([written])[0].endswith(")")


def test_lines_are_told() -> None:
    clauses = Clauses("en")
    found = list(clauses.feed("\n\n# A heading\nSome more words, and more of them. The end", last=True))
    assert [(each.text.strip(), each.starts_line, each.ends_line) for each in found] == [
        ("# A heading", True, True),
        ("Some more words,", True, False),
        ("and more of them.", False, False),
        ("The end", False, False),
    ]


def test_a_model_that_never_stops_is_cut_between_words() -> None:
    found = cut(["word "] * 1000)
    assert len(found[0]) <= FIRST_LIMIT and all(len(each) <= LIMIT for each in found)
    assert all(re.fullmatch(r"(word ?)+", each) for each in found)


@pytest.mark.parametrize("letter", ["a", "字", "[", "[a]", ".", "(", "\u0301", " ", "\n", "a, ", "`", "[a](b", "…"])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_hundred_thousand_of_anything_take_no_time_and_no_room(letter: str, one_by_one: bool) -> None:
    text = letter * (100_000 // len(letter))
    clauses, begun = Clauses("en"), time.process_time()
    pieces = [text[at : at + 7] for at in range(0, len(text), 7)] if one_by_one else [text]
    for piece in pieces:
        for each in clauses.feed(piece):
            clauses.spoken()
            assert len(each.text) <= 1_000
        assert len(clauses._rest) <= 1_000
    assert time.process_time() - begun < 20  # quadratic would be minutes


@given(st.text(alphabet="ab .,!?\n[](){}*`「」。、字1-—…", max_size=120), st.data())
def test_nothing_is_lost_and_where_the_pieces_are_cut_does_not_matter(written: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=6)))
    pieces = [written[a:b] for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    assert "".join("".join(cut(pieces)).split()) == "".join(written.split())
    assert cut(pieces) == cut([written])


@given(st.lists(st.text(max_size=30), max_size=12))
def test_any_text_is_cut(pieces: list[str]) -> None:
    for each in cut(pieces):
        assert weight_of(each) <= 3 * 1_000


def test_garbage_is_cut() -> None:
    noise = random.Random(1)
    text = "".join(chr(noise.randrange(32, 0x3100)) for _ in range(50_000))
    assert sum(map(len, cut([text]))) <= len(text)
