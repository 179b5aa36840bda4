# ruff: noqa: RUF001 (typographic signs are meant)
"""`gateway.dialogue.markup`: what was meant to be looked at is not shown as words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialogue.markup import Markup, plain


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("**Really** _good_, *isn't* it? ~~No~~ `yes`", "Really good, isn't it? No yes"),
        ("__All__ ***of*** this", "All of this"),
        ("2 * 3 = 6, 2*3, snake_case", "2 * 3 = 6, 2*3, snake_case"),
        ("See [the manual](https://example.com/a?b=c).", "See the manual."),
        ("See [it][1] and ![a cat](cat.png)!", "See it and a cat!"),
        ("Fact.[1] Next [citation needed].", "Fact. Next."),
        ("Go to https://www.example.com/a/b?c=d#e, now.", "Go to example.com, now."),
        ("Go to <https://example.com>.", "Go to example.com."),
        ("Or www.example.org.", "Or example.org."),
        ("https://me:secret@example.com:8080/x", "example.com"),
        (": Hello", "Hello"),
        ("mail a.b@example.com today", "mail a.b@example.com today"),
        ("Hello 😀👍🏽 there 🇩🇪!", "Hello there!"),
        ("5\ufe0f\u20e3 stars", "5 stars"),
        ("<b>Bold</b><br/>and &amp; <i>so</i> on", "Bold and & so on"),
        ("<p>I said &quot;no&quot;.</p>", 'I said "no".'),
        ("*laughs softly* Well, (smiles) yes.", "Well, yes."),
        ("(lächelt) Guten Tag.", "Guten Tag."),
        ("*very* good (nodes and pausing matter)", "very good (nodes and pausing matter)"),
        (r"It is \*not\* \#1", "It is not #1"),
        (r"\(a \times b\) is $x^2 + \frac{1}{2}$", "a × b is x² + 1 / 2"),
        (r"$$\sqrt{2} \approx 1.41$$", "√2 ≈ 1.41"),
        ("It costs $5, or $6 at most.", "It costs $5, or $6 at most."),
        ("Gr\u0075\u0308\u00df\u0065 \u200b\u202eSie", "Grüße Sie"),
        ("a\x00b\x07c \ufffd d", "a b c d"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("नमस्ते, คนไทย", "नमस्ते, คนไทย"),
        ("Well —", "Well"),
        ("…!? 😀", ""),
        ("***", ""),
        ("[laughs]", ""),
        ("", ""),
    ],
)
def test_inside_a_line(written: str, shown: str) -> None:
    assert plain(written) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("## The answer ##", "The answer."),
        ("- one", "one."),
        ("* **Two**: of them!", "Two: of them!"),
        ("1. First, open it", "First, open it."),
        ("(2) Second", "Second."),
        ("3. Mai 1503", "3. Mai 1503."),
        ("- [x] done", "done."),
        ("> quoted", "quoted."),
        ("> > - deep", "deep."),
        ("---", ""),
        ("|---|:--:|", ""),
        ("| size | price |", "size, price."),
        ("a | b | c", "a, b, c."),
        ("- 5 degrees", "5 degrees."),
        ("#tag", "#tag."),
        ("你好", "你好。"),
        ("“Quoted.”", "“Quoted.”"),
    ],
)
def test_a_whole_line(line: str, shown: str) -> None:
    assert plain(line, starts_line=True, ends_line=True) == shown


def test_code_is_seen_over_clauses() -> None:
    markup = Markup()
    assert markup.visible("Run this: ```py") == ("Run this: ", True)
    assert markup.visible("print('a. b')") == ("", False)
    assert markup.visible("~~~") == ("", False)  # another fence does not close it
    assert markup.visible("``` Then go on.") == (" Then go on.", False)
    assert markup.visible("````") == ("", True)
    assert markup.visible("```") == ("", False)  # nor a shorter one
    assert markup.visible("````") == ("", False)
    assert markup.visible("Fine.") == ("Fine.", False)
    assert markup.visible("a ```b``` c") == ("a   c", True)


@pytest.mark.parametrize(
    "part",
    "[ [] [a]( ( * _ ` < <a | |- $ $a \\ & &amp http:// www. # *laughs \\frac{ ^{ \x1b[ a_ ' // -: >~ -~ 1.~".split(),
)
def test_a_hundred_thousand_of_anything_take_no_time(part: str) -> None:
    begun = time.process_time()
    part = part.replace("~", " ")
    plain(part * (100_000 // len(part)), starts_line=True, ends_line=True)
    assert time.process_time() - begun < 3


@given(st.text(max_size=200), st.booleans(), st.booleans())
def test_any_text_is_one_line_of_words_or_nothing(text: str, starts: bool, ends: bool) -> None:
    shown = plain(text, starts, ends)
    assert shown == "" or any(map(str.isalnum, shown))
    assert "\n" not in shown and "[" not in shown and shown == shown.strip()
    assert "```" in text or "~~~" in text or Markup().visible(text) == (text, False)
