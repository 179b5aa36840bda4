"""`avatar_runtime.xtts.text.steps`: the order of reading. Its effect on real lines is proved by the corpus."""

from __future__ import annotations

import sys

import pytest

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.xtts.text import steps, tables
from avatar_runtime.xtts.text.languages import LANGUAGES


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("en", '"Mr. A" paid  $5.50 & left', "mister a paid five dollars, fifty cents and left"),
        ("en", "1,250.5", "one thousand, two hundred and fifty point five"),
        ("de", "1.250,5", "eintausendzweihundertfünfzig Komma fünf"),
        ("en", "$1.2.3", "dollar one point two.three"),
        ("ru", "Г-н Иванов", "господин иванов"),
        ("tr", "İÖÜ", "iöü"),
        ("ko", "한국어", "hangug-eo"),
        ("zh", "你好", "ni3hao3"),
    ],
)
def test_read(language: str, text: str, said: str) -> None:
    assert steps.read(text, language) == said


def test_every_language_but_japanese_has_its_tables() -> None:
    assert tables.SYMBOLS.keys() == LANGUAGES.keys() - {"ja"}
    assert tables.ORDINAL_ENDINGS.keys() == LANGUAGES.keys() - {"ja", "zh"}
    assert all(len(months) == 12 for months in tables.MONTHS.values())


def test_japanese_without_its_dictionary_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    steps._cutlet.cache_clear()
    monkeypatch.setitem(sys.modules, "cutlet", None)
    with pytest.raises(AvatarError) as caught:
        steps.read("はい", "ja")
    assert caught.value.code is Code.UNKNOWN_LANGUAGE and "antlitz[ja]" in caught.value.message


@pytest.mark.parametrize("text", ["゙っゝ", "゛っ゚", "ゔっゞ"])
def test_signs_that_belong_to_no_kana_are_refused(text: str) -> None:
    pytest.importorskip("cutlet", reason="pip install 'antlitz[ja]'")
    with pytest.raises(AvatarError, match="cannot be read as Japanese") as caught:
        steps.read(f"はい{text}", "ja")
    assert caught.value.code is Code.INVALID_TEXT
    assert steps.read("いすゞとこゝろ", "ja") == "isuzu to kokoro"
