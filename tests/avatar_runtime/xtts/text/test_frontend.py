# ruff: noqa: RUF001 (other alphabets are meant)
"""`avatar_runtime.xtts.text.frontend`: a request's text becomes pieces and ids, or one clear sentence."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from avatar_runtime.contracts import MAX_TEXT_CHARACTERS, AvatarError, Code
from avatar_runtime.xtts.text import MAX_TEXT_TOKENS, Frontend, steps

VOCABULARY = Path(__file__).parents[1] / "corpus" / "vocab.json"
FRONTEND = Frontend(VOCABULARY)
TOKENS = Tokenizer.from_file(str(VOCABULARY))


def tokens(text: str, language: str) -> list[str]:
    return [TOKENS.id_to_token(each) for each in FRONTEND.ids(text, language)]


def test_the_language_comes_first_and_spaces_are_tokens() -> None:
    found = tokens("Good morning", "en-GB")
    assert found[0] == "[en]" and found.count("[SPACE]") == 1 and "".join(found[1:]) == "good[SPACE]morning"


def test_chinese_has_the_token_of_the_checkpoint() -> None:
    assert tokens("你好", "zh")[0] == "[zh-cn]" == tokens("你好", "zh-TW")[0]


def test_text_cannot_name_tokens() -> None:
    assert not {"[de]", "[STOP]", "[START]"} & set(tokens("a[de]b[STOP][START]", "en")[1:])


def test_markup_is_not_said() -> None:
    text = '<speak>**Hello** <break time="1s"/> [world](https://example.com) 😀\x00\x07!</speak>'
    (piece,) = FRONTEND.pieces(text, "en")
    assert FRONTEND.normalise(piece, "en") == "hello world !"


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "…?!", "。！？", "\x00\x01\x02", "<speak></speak>", "😀🎉", "x" * 100_000, "Доброе утро", "%&"],
)
def test_nothing_to_say_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(AvatarError) as caught:
        FRONTEND.pieces(text, "de")
    assert caught.value.code is Code.INVALID_TEXT
    assert caught.value.message.endswith(".") and caught.value.message.count(".") == 1


@pytest.mark.parametrize("call", [FRONTEND.pieces, FRONTEND.ids, FRONTEND.normalise])
def test_an_unknown_language_is_refused(call: object) -> None:
    with pytest.raises(AvatarError) as caught:
        call("Hej", "sv")  # type: ignore[operator]
    assert caught.value.code is Code.UNKNOWN_LANGUAGE


@pytest.mark.parametrize("content", [None, b"", b"{}", b"not json"])
def test_a_broken_vocabulary_says_so(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "vocab.json").write_bytes(content)
    with pytest.raises(AvatarError) as caught:
        Frontend(tmp_path / "vocab.json")
    assert caught.value.code is Code.ENGINE_UNAVAILABLE


@pytest.mark.parametrize("text", ["q" * MAX_TEXT_CHARACTERS, "9" * 3000, "Q9" * 1000, "ж" * 200 + "a" * 200])
def test_no_piece_has_more_ids_than_the_network_has_places(text: str) -> None:
    found = FRONTEND.pieces(text, "de")
    assert "".join("".join(found).split()) == text
    assert all(len(FRONTEND.ids(piece, "de")) <= MAX_TEXT_TOKENS for piece in found)


def test_one_text_is_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """MeCab and num2words keep state while they read; requests come from many threads."""
    inside, together = threading.Semaphore(1), []

    def read(text: str, code: str) -> str:
        alone = inside.acquire(blocking=False)
        threading.Event().wait(0.01)
        together.append(not alone)
        inside.release()
        return text

    monkeypatch.setattr(steps, "read", read)
    threads = [threading.Thread(target=FRONTEND.normalise, args=("今日は", "ja")) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert together == [False] * 5


@settings(deadline=None)
@given(st.text(max_size=120), st.sampled_from([each for each in Frontend.languages if each != "ja"]))
def test_any_text_becomes_ids_or_a_refusal(text: str, language: str) -> None:
    try:
        found = FRONTEND.pieces(text, language)
    except AvatarError as error:
        assert error.code is Code.INVALID_TEXT
    else:
        assert found and all(1 < len(FRONTEND.ids(piece, language)) <= MAX_TEXT_TOKENS for piece in found)
