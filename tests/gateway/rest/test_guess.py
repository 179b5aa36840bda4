from __future__ import annotations

import pytest

from gateway.rest.guess import guess_language

ALL = ["en", "de", "es", "fr", "it", "pt"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello, how are you today?", "en"),
        ("Guten Tag, wie geht es Ihnen?", "de"),
        ("Hola, ¿qué tal? Estoy muy bien.", "es"),
        ("Bonjour, je suis très content de vous voir.", "fr"),
        ("Ciao, come stai? Non c'è male.", "it"),
        ("Olá, você está muito bem?", "pt"),
        ("It\u2019s fine.", "en"),
    ],
)
def test_a_sentence_is_enough(text, language):
    assert guess_language(text, ALL) == language
    assert guess_language(text, ALL[::-1]) == language


def test_where_nothing_is_said_the_first_one_counts():
    assert guess_language("Xylophon 7", ["de", "en"]) == "de"
    assert guess_language("", ["xx", "en"]) == "xx"
    assert guess_language("the the the", ["de", "it"]) == "de"
    assert guess_language("the", []) == ""
