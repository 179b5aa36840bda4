"""`gateway.dialogue.emotions`: marks become faces, and words do where there are no marks."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_runtime.contracts import EMOTIONS
from gateway.dialogue.emotions import Feeling, guess, of_mark, read


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_every_emotion_of_the_contract_has_its_mark(emotion: str) -> None:
    assert of_mark(emotion) == of_mark(f" {emotion.upper()} ") == Feeling(emotion, 0.7)


@pytest.mark.parametrize(
    ("mark", "feeling"),
    [
        ("Traurig", Feeling("sad", 0.7)),
        ("heureuse", Feeling("happy", 0.7)),
        ("开心", Feeling("happy", 0.7)),
        ("very angry", Feeling("angry", 1.0)),
        ("etwas ängstlich", Feeling("fearful", 0.4)),
        ("happy: 0.4", Feeling("happy", 0.4)),
        ("emotion=sad, 80%", Feeling("sad", 0.8)),
        ("joy 9", Feeling("happy", 1.0)),
        ("laughs", None),
        ("citation needed", None),
        ("very", None),
        ("not happy", None),
        ("1", None),
        ("", None),
    ],
)
def test_what_a_mark_may_say(mark: str, feeling: Feeling | None) -> None:
    assert of_mark(mark) == feeling


def test_marks_are_read_off_the_beginning() -> None:
    assert read(" [happy] [laughs] Hello [sad]") == (Feeling("happy", 0.7), " Hello [sad]")
    assert read("[waves]Hello") == (None, "Hello")
    assert read("[sad](https://example.com) Hello") == (None, "[sad](https://example.com) Hello")
    assert read("(sad) Oh no") == read("*sad* Oh no") == read("**(sad)**: Oh no") == (Feeling("sad", 0.7), " Oh no")
    assert read("(very) good") == (None, "(very) good") and read("*really* good") == (None, "*really* good")
    assert read("[sad] [angry] no") == (Feeling("angry", 0.7), " no")


@pytest.mark.parametrize(
    ("language", "text", "emotion"),
    [
        ("en", "I am so glad to see you!", "happy"),
        ("en", "Unfortunately that is not possible.", "sad"),
        ("en", "Wow, that is incredible!", "surprised"),
        ("en", "What?!", "surprised"),
        ("en", "Beware, there is danger.", "fearful"),
        ("en", "Yuck, how disgusting.", "disgusted"),
        ("en", "I hate this, it makes me furious.", "angry"),
        ("en", "I am not happy.", None),
        ("en", "The museum opens at nine.", None),
        ("en", "A fungus is no fun guy.", None),
        ("de", "Ich freue mich sehr!", "happy"),
        ("de", "Das tut mir leid.", "sad"),
        ("de", "Das Museum öffnet um neun.", None),
        ("de", "Ich bin nicht traurig.", None),
        ("de", "Mein Freund kauft Weine und Lachs ohne Schaden.", None),
        ("en", "The mission was greeted.", None),
        ("de-AT", "Vorsicht, das ist gefährlich!", "fearful"),
        ("fr", "Je suis ravi de vous voir.", "happy"),
        ("fr", "Malheureusement non.", "sad"),
        ("es", "Lo siento mucho.", "sad"),
        ("es", "Me alegro de verte.", "happy"),
        ("it", "Mi dispiace.", "sad"),
        ("it", "Che meraviglia!", "happy"),
        ("pt", "Infelizmente não.", "sad"),
        ("en", "The museum opens at nine 😀", "happy"),
        ("zh", "好的😢", "sad"),
        ("zh", "我很高兴", None),  # no rule: the face stays as it is
    ],
)
def test_the_rule(language: str, text: str, emotion: str | None) -> None:
    felt = guess(text, language)
    assert (felt.emotion if felt else None) == emotion


def test_an_exclamation_is_stronger() -> None:
    calm, loud = guess("I am glad.", "en"), guess("I am glad!", "en")
    assert calm and loud and calm.intensity < loud.intensity <= 1


@given(st.text(max_size=80), st.sampled_from(["en", "de", "fr", "es", "it", "pt", "xx", ""]))
def test_any_text_is_read(text: str, language: str) -> None:
    for felt in (of_mark(text), read(f"[{text}] a")[0], guess(text, language)):
        assert felt is None or (felt.emotion in EMOTIONS and 0 <= felt.intensity <= 1)


@pytest.mark.parametrize("part", ["[", "[a] ", "glad ", "0", " ", "not "])
def test_a_hundred_thousand_of_anything_take_no_time(part: str) -> None:
    text, begun = part * (100_000 // len(part)), time.process_time()
    read(text), of_mark(text), guess(text, "en")
    assert time.process_time() - begun < 3
