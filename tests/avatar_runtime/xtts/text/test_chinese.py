# ruff: noqa: RUF001 (full-width signs are meant)
"""`avatar_runtime.xtts.text.chinese`: numbers, punctuation, pinyin."""

from __future__ import annotations

import pytest

from avatar_runtime.xtts.text import chinese


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        ("0", "零"), ("2", "二"), ("10", "十"), ("12", "十二"), ("20", "二十"), ("105", "一百零五"), ("200", "两百"),
        ("220", "两百二十"), ("2000", "两千"), ("12000", "一万两千"), ("20200", "两万零二百"), ("100000", "十万"),
        ("300000000", "三亿"), ("0.5", "零点五"), ("12.50", "十二点五零"), ("007", "零七"), ("00.5", "零点五"),
    ],
)  # fmt: skip
def test_cardinal(digits: str, said: str) -> None:
    assert chinese.cardinal(digits) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024年12月3日", "二零二四年十二月三日"),
        ("1800年", "一千八百年"),
        ("20元5角", "二十元五角"),
        ("电话13800138000。", "电话一三八零零一三八零零零,"),
        ("010-62345678", "零一零六二三四五六七八"),
        ("1/3和25%", "三分之一和百分之二十五"),
        ("250个", "两百五十个"),
        ("房间2046", "房间二零四六"),
        ("B2C！", "B2C,"),
        ("12345和1个", "一二三四五和一个"),  # coqui puts the second number's words into the first
    ],
)
def test_numbers(text: str, said: str) -> None:
    assert chinese.numbers(text) == said


def test_pinyin() -> None:
    assert chinese.pinyin("你好,ok吗") == "ni3hao3,okma5"
