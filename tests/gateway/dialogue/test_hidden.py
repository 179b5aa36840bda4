"""`gateway.dialogue.hidden`: what the model writes for itself is not heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialogue.hidden import Hidden


def seen(pieces: list[str]) -> str:
    hidden = Hidden()
    return "".join([*(hidden.feed(piece) for piece in pieces), hidden.feed("", last=True)])


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("<think>Secret. </think>Hello.", "Hello."),
        ("<THINK>\nSecret\n</THINK >\n\nHello.", "\n\nHello."),
        ('<thinking mode="deep">a < b > c</thinking>Hello.', "Hello."),
        ("◁think▷Secret◁/think▷Hello.", "Hello."),
        ("Hello. <think>Secret that never ends", "Hello. "),
        ("secret</think>Hello.", "secretHello."),  # what came before was out already
        ("<script>alert(1)</script><style>a{}</style>Hello.", "Hello."),
        ("Hello.<|im_end|></s><end_of_turn>", "Hello."),
        ("5 < 6 and 7 > 6, I <3 you", "5 < 6 and 7 > 6, I <3 you"),
        ("<b>Hello</b> <i", "<b>Hello</b> <i"),
        ("<reasoning></reasoning><think></think>Hello.", "Hello."),
    ],
)
def test_what_is_heard(written: str, heard: str) -> None:
    assert seen([written]) == heard
    assert seen(list(written)) == heard  # letter by letter


def test_half_a_tag_waits_and_half_a_comparison_does_not() -> None:
    hidden = Hidden()
    assert hidden.feed("Hello <thi") == "Hello "
    assert hidden.feed("nk>secret</th") == ""
    assert hidden.feed("ink> you") == " you"
    assert hidden.feed(" 5 < 6") == " 5 < 6"


@given(st.text(alphabet="<>/think ◁▷|s.\n", max_size=60), st.data())
def test_where_the_pieces_are_cut_does_not_matter(written: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=6)))
    pieces = [written[a:b] for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    assert seen(pieces) == seen([written])
