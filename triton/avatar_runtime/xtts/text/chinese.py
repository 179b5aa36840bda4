# ruff: noqa: RUF001 (full-width signs are meant)
"""Chinese: numbers as they are said, punctuation as XTTS knows it (commas only), pinyin with tone numbers.

What counts as a date, a sum, a telephone number follows coqui-tts 0.28's `zh_num2words.py`, so that the pinyin is the
same. It replaces the first *equal digits* of the text, which may belong to another number; here the match itself is.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from functools import lru_cache
from typing import Final

_DIGITS: Final = "零一二三四五六七八九"
#: Powers of ten that have a sign of their own, the greatest first; each above 10^8 is 10 000 times the one before.
_UNITS: Final = (*((8 + 4 * i, sign) for i, sign in reversed([*enumerate("亿兆京垓秭穰沟涧正载")])),
                 (4, "万"), (3, "千"), (2, "百"), (1, "十"))  # fmt: skip

_MONEY_UNIT: Final = "(?:千万|百万|[亿万千百元块角毛分])"
#: Measure words, before which a number is a quantity and not a row of digits.
_MEASURES: Final = (
    "匹张座回场尾条个首阙阵网炮顶丘棵只支袭辆挑担颗壳窠曲墙群腔砣客贯扎捆刀令打手罗坡山岭江溪钟队单双对出口头脚板跳枝件贴针线管名位身堂课本页家户层丝毫厘"
    "分钱两斤铢石钧锱忽寸尺丈里寻常铺程撮勺合升斗盘碗碟叠桶笼盆盒杯斛锅簋篮罐瓶壶卮盏箩箱煲啖袋钵年月日季刻时周天秒旬纪岁世更夜春夏秋冬代伏辈丸泡粒幢堆根"
    "道面片块"
)
_DATE: Final = re.compile(r"(?<!\d)(?=\d)(?:((?:[089]\d|(?:19|20)\d\d))年)?(?:(\d{1,2})月(?:(\d{1,2})([日号]))?)?")
_MONEY: Final = re.compile(rf"(?<!\d)\d+(?:\.\d+)?[多余几]?{_MONEY_UNIT}(?:\d{_MONEY_UNIT}?)?")
_MOBILE: Final = re.compile(r"(?<!\d)(?:\+?86 ?)?1(?:[38]\d|5[0-35-9]|7[678]|9[89])\d{8}(?!\d)")
_LANDLINE: Final = re.compile(r"(?<!\d)(?:0(?:10|2[1-3]|[3-9]\d\d)-?)?[1-9]\d{6,7}(?!\d)")
_FRACTION: Final = re.compile(r"(\d+)/(\d+)")
_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?)[%％]")
_QUANTITY: Final = re.compile(rf"(\d+(?:\.\d+)?)(?=[多余几]?(?:[{_MEASURES}]|[千毫微]克|[千分厘毫微]米))")
_ROW: Final = re.compile(r"\d{4,32}")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_TWO_BETWEEN_LETTERS: Final = re.compile(r"(?<=[a-zA-Z])二(?=[a-zA-Z])")

#: Everything that becomes a comma: ASCII punctuation and what stands for it in Chinese print.
_PUNCTUATION: Final = string.punctuation + "".join(
    chr(code)
    for first, last in (
        (0xFF01, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF40), (0xFF5B, 0xFF64),  # full- and half-width forms
        (0x3001, 0x3003), (0x3008, 0x3011), (0x3014, 0x301F), (0x3030, 0x3030), (0x303E, 0x303F),  # CJK
        (0x2013, 0x2014), (0x2018, 0x2019), (0x201B, 0x201F), (0x2026, 0x2027), (0xFE4F, 0xFE4F), (0xB7, 0xB7),
    )
    for code in range(first, last + 1)
)  # fmt: skip
_COMMAS: Final = str.maketrans(_PUNCTUATION, "," * len(_PUNCTUATION))

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def cardinal(number: str) -> str:
    """`number`, digits with at most one point, as a quantity: 220 is 二百二十, 2000 is 两千, 12 is 十二."""
    whole, _, fraction = number.partition(".")
    signs = _signs(whole) if len(whole) > 1 else [_DIGITS[int(whole)]]
    powers = {sign: power for power, sign in _UNITS}
    for at, sign in enumerate(signs):
        before = signs[at - 1] if at else ""
        after = signs[at + 1] if at + 1 < len(signs) else ""
        if sign == "二" and powers.get(after, 1) != 1 and (not before or powers.get(before, 1) != 1):
            signs[at] = "两"
    said = "".join(signs)
    if fraction:
        said = f"{said or '零'}点{row(fraction)}"
    return said[1:] if said.startswith("一十") else said


def row(digits: str) -> str:
    """Digit by digit."""
    return "".join(_DIGITS[int(digit)] for digit in digits)


def numbers(text: str) -> str:
    """`text` with its numbers in Chinese signs."""
    for pattern, said in _RULES:
        text = pattern.sub(said, text)
    return _TWO_BETWEEN_LETTERS.sub("2", text).translate(_COMMAS)


def pinyin(text: str) -> str:
    """Syllables with tone numbers (5 is the neutral tone), unseparated: 你好 is ni3hao3."""
    return "".join(syllables[0] for syllables in _pinyin()(text))


@lru_cache(maxsize=1)
def _pinyin() -> Callable[[str], list[list[str]]]:
    from functools import partial

    from pypinyin import Style, pinyin  # 0.3 s and 40 MB, only for those who speak Chinese

    return partial(pinyin, style=Style.TONE3, heteronym=False, neutral_tone_with_five=True)


def _signs(digits: str) -> list[str]:
    """Signs of a whole number; zeros before a digit are one 零, zeros at the end are not said."""
    bare = digits.lstrip("0")
    if not bare:
        return []
    if len(bare) == 1:
        return ["零"] * (len(digits) > 1) + [_DIGITS[int(bare)]]
    power, unit = next(each for each in _UNITS if each[0] < len(bare))
    return [*_signs(digits[:-power]), unit, *_signs(bare[-power:])]


def _date(m: re.Match[str]) -> str:
    year = f"{row(m[1])}年" if m[1] else ""
    month = f"{cardinal(m[2])}月" if m[2] else ""
    day = f"{cardinal(m[3])}{m[4]}" if m[3] else ""
    return year + month + day


_RULES: Final[tuple[Rule, ...]] = (
    (_DATE, _date),
    (_MONEY, lambda m: _NUMBER.sub(lambda n: cardinal(n[0]), m[0])),
    (_MOBILE, lambda m: row(re.sub(r"\D", "", m[0]))),
    (_LANDLINE, lambda m: row(m[0].replace("-", ""))),
    (_FRACTION, lambda m: f"{cardinal(m[2])}分之{cardinal(m[1])}"),
    (_PERCENT, lambda m: f"百分之{cardinal(m[1])}"),
    (_QUANTITY, lambda m: cardinal(m[1])),
    (_ROW, lambda m: row(m[0])),
    (_NUMBER, lambda m: cardinal(m[0])),
)
