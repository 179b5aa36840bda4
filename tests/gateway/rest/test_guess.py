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


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Доброе утро, как дела?", "ru"),
        ("صباح الخير، كيف حالك؟", "ar"),
        ("早上好。你今天怎么样", "zh"),
        ("おはようございます。今日は天気がいいですね。", "ja"),
        ("좋은 아침입니다, 잘 지내세요?", "ko"),
        ("सुप्रभात, आप कैसे हैं?", "hi"),
        ("He wrote Москва on the card and that was all he said.", "en"),
    ],
)
def test_letters_of_its_own_tell_a_language(text, language):
    everything = [*ALL, "ru", "ar", "zh", "ja", "ko", "hi"]
    assert guess_language(text, everything) == language
    assert guess_language(text, everything[::-1]) == language
    assert guess_language(text, ALL) in ALL


def test_where_nothing_is_said_the_first_one_counts():
    assert guess_language("Xylophon 7", ["de", "en"]) == "de"
    assert guess_language("", ["xx", "en"]) == "xx"
    assert guess_language("the the the", ["de", "it"]) == "de"
    assert guess_language("the", []) == ""
