"""`gateway.dialogue.prompt`: what the model is told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_runtime.contracts import EMOTIONS
from gateway.dialogue import Line
from gateway.dialogue.prompt import estimate, language_name, messages, system

ADA = SimpleNamespace(display_name="Ada", personality="You count {everything}.", language="en")


def test_the_personality_is_the_systems_word() -> None:
    told = system(ADA, "de")
    assert "You count {everything}." in told and "Ada" in told and "Answer in German." in told
    assert all(f"[{emotion}]" in told for emotion in EMOTIONS)
    assert "Answer in English." in system(ADA, "")  # the character's own


@pytest.mark.parametrize(("code", "name"), [("de", "German"), ("pt-BR", "Portuguese"), ("zh", "Chinese"), ("q?", "q?")])
def test_languages_have_names(code: str, name: str) -> None:
    assert language_name(code) == name


def test_roles_alternate_and_begin_with_the_person() -> None:
    history = [Line("avatar", "Welcome."), Line("user", "Hi."), Line("user", "Hello?"), Line("avatar", "Yes.")]
    assert [(each["role"], each["content"]) for each in messages(history, "Who?", ADA, "en", 2_000)[1:]] == [
        ("user", "Hi.\nHello?"),
        ("assistant", "Yes."),
        ("user", "Who?"),
    ]


def test_the_oldest_is_forgotten_first() -> None:
    history = [Line("user" if turn % 2 == 0 else "avatar", f"{turn} " + "word " * 50) for turn in range(100)]
    told = messages(history, "Now?", ADA, "en", 500)
    spent = sum(estimate(each["content"]) for each in told[1:-1])
    assert 300 < spent <= 500
    assert told[-2]["content"].startswith("99 ") and told[1]["role"] == "user"
    assert messages(history, "Now?", ADA, "en", 0)[1:] == [{"role": "user", "content": "Now?"}]


def test_other_scripts_cost_more() -> None:
    assert estimate("字" * 300) >= 300 > estimate("a" * 300) >= 100


def test_a_long_turn_keeps_its_end_and_half_a_character_is_none() -> None:
    assert messages([], "Hi \ud83d", ADA, "en", 0)[-1]["content"] == "Hi ?"
    said = messages([], "a" * 10_000 + " the end", ADA, "en", 2_000)[-1]["content"]
    assert said.endswith("the end") and len(said) == 4_000


@given(st.lists(st.tuples(st.sampled_from(["user", "avatar"]), st.text(max_size=40))), st.text(), st.integers(0, 300))
def test_any_history_makes_a_request(lines: list[tuple[str, str]], text: str, tokens: int) -> None:
    told = messages([Line(*line) for line in lines], text, ADA, "en", tokens)
    roles = [each["role"] for each in told]
    assert roles == ["system", *(["user", "assistant"] * len(roles))[: len(roles) - 1]] and roles[-1] == "user"
    for each in told:
        each["content"].encode()  # no half characters
