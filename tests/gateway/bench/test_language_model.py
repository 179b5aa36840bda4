"""`gateway.bench.language_model`: the scripted endpoint says the same each time. `test_chat.py` hears the rest."""

from __future__ import annotations

import httpx
import pytest

from gateway.bench.language_model import ANSWERS, LanguageModel, canned, language_of, tokens


@pytest.mark.parametrize(
    ("text", "language"), [("What was that?", "en"), ("Wie geht es dir?", "de"), ("", "en"), ("Guten Tag.", "de")]
)
def test_it_answers_in_the_language_of_the_question(text: str, language: str) -> None:
    assert language_of(text) == language
    assert canned(text) == canned(text) and canned(text) in ANSWERS[language]


def test_tokens_are_the_text() -> None:
    text = " One, two.\n\nThree "
    assert "".join(tokens(text)) == text and len(tokens(text)) == 4


def test_it_wants_its_key() -> None:
    with LanguageModel(first_token=0, rate=0, key="right") as model:
        body = {"model": "test", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        codes = [
            httpx.post(
                model.url + "/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"}
            ).status_code
            for key in ("wrong", "right")
        ]
        assert codes == [401, 200] and model.keys == ["wrong", "right"]
        assert httpx.get(model.url + "/models").json()["data"][0]["id"] == "test"
