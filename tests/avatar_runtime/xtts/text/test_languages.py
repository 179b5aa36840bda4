# ruff: noqa: RUF001 (other alphabets are meant)
"""`avatar_runtime.xtts.text.languages`: codes as people write them, and whose letters a text has."""

from __future__ import annotations

import pytest

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.xtts.text.languages import LANGUAGES, check_script, resolve


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("zh", "zh"), ("zh-cn", "zh"), ("zh_Hans_CN", "zh"), ("cmn", "zh"), ("pt-BR", "pt"), ("de-DE", "de"),
        ("de_DE.UTF-8", "de"), (" EN ", "en"), ("deu", "de"), ("jp", "ja"), ("ko-KR", "ko"),
    ],
)  # fmt: skip
def test_resolve(written: str, code: str) -> None:
    assert resolve(written) == code


def test_there_are_17_and_each_is_itself() -> None:
    assert len(LANGUAGES) == 17 and all(resolve(code) == code for code in LANGUAGES)


@pytest.mark.parametrize("written", ["", "xx", "klingon", "sv", "\x00", "d" * 10_000])
def test_an_unknown_language_is_named(written: str) -> None:
    with pytest.raises(AvatarError) as caught:
        resolve(written)
    assert caught.value.code is Code.UNKNOWN_LANGUAGE and "zh" in caught.value.message
    assert len(caught.value.message) < 250


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("de", "Das heißt 你好."), ("ja", "パソコンとAI"), ("ja", "ｶﾀｶﾅ"), ("ko", "漢字 한국어"),
        ("hi", "YouTube पर फ़िल्म"),
        ("ru", "OK, Google"), ("ar", "العربية"), ("zh", "A股"), ("en", "42 %"), ("tr", "Ağaç"),
    ],
)  # fmt: skip
def test_its_own_letters_and_latin_ones_are_read(code: str, text: str) -> None:
    check_script(text, code)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("de", "Доброе утро"),
        ("en", "你好，世界"),
        ("ru", "صباح الخير"),
        ("zh", "नमस्ते"),
        ("fr", "おはよう ok"),
        ("hi", "안녕하세요"),
    ],
)
def test_another_alphabet_is_refused_in_one_sentence(code: str, text: str) -> None:
    with pytest.raises(AvatarError) as caught:
        check_script(text, code)
    assert caught.value.code is Code.INVALID_TEXT and LANGUAGES[code].name in caught.value.message
    assert caught.value.message.endswith(".") and caught.value.message.count(".") == 1
