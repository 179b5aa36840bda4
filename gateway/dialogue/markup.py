# ruff: noqa: RUF001 (typographic signs and other scripts are meant)
"""A clause as a model wrote it, without its markup: what is shown, and what was meant to be looked at is left out."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

_ESCAPES: Final = re.compile(r"\x1b\[[\d;]{0,20}[A-Za-z]")  # a terminal's colours
_FENCE: Final = re.compile(r"`{3,}|~{3,}")
_ESCAPE: Final = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|~>$])")
_IMAGE: Final = re.compile(r"!\[([^\[\]\n]{0,200})\]\([^()\s]{0,400}\)")
_LINK: Final = re.compile(r"\[([^\[\]\n]{0,200})\](?:\([^()\s]{0,400}(?:\s\"[^\"\n]{0,100}\")?\)|\[[^\[\]\n]{0,60}\])")
_MARK: Final = re.compile(r"\[[^\[\]\n]{0,60}\]")
_AUTOLINK: Final = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,400})>", re.IGNORECASE)
_URL: Final = re.compile(
    r"(?:mailto:|\bhttps?://(?:www\.)?|\bwww\.)([^\s<>()\[\]\"“”/?#，。、]{1,200})([^\s<>()\"“”，。、]{0,400})",
    re.IGNORECASE,
)
_TAG: Final = re.compile(r"</?[A-Za-z!][^<>\n]{0,240}>")
_HEADING: Final = re.compile(r"#{1,6}\s+")
_BULLET: Final = re.compile(r"(?:[-*+•·▪◦‣]\s+|>\s?)+(?:\[[ xX]\]\s+)?")
_NUMBERED: Final = re.compile(  # but not `3. Mai`
    r"\(?\d{1,2}[.)]\s+(?!Januar|Februar|März|April|Mai\b|Juni|Juli|August|September|Oktober|November|Dezember)"
)
_RULE: Final = re.compile(r"[-*_=]{3,}$")
_TABLE_RULE: Final = frozenset("|:- \t")
_STRONG: Final = re.compile(r"\*{2,3}|_{2,3}|~~|`")
_EMPHASIS: Final = re.compile(r"(?<![\w*])[*_](?=[^\s*_])|(?<=[^\s*_])[*_](?![\w*])")
_FRACTION: Final = re.compile(r"\\[dt]?frac\s?\{([^{}]{0,80})\}\s?\{([^{}]{0,80})\}")
_ROOT: Final = re.compile(r"\\sqrt\s?\{([^{}]{0,80})\}")
_COMMAND: Final = re.compile(r"\\([A-Za-z]{2,20})\*?")
_SIGNS: Final = {
    "times": "×", "cdot": "×", "div": "÷", "pm": "±", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠",
    "ne": "≠", "approx": "≈", "pi": "π", "infty": "∞", "to": "→", "rightarrow": "→", "alpha": "α", "beta": "β",
    "degree": "°", "text": "", "mathrm": "", "mathbf": "", "left": "", "right": "", "quad": " ", "ldots": "…",
    "dots": "…",
}  # fmt: skip
_POWERS: Final = str.maketrans("0123456789+-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ")
_POWER: Final = re.compile(r"\^(?:\{([0-9n+-]{1,3})\}|([0-9n]))")
_FORMULA: Final = re.compile(r"\$([^\s$\d](?:[^$\n]{0,160}[^\s$])?)\$(?!\d)")
_DISPLAY: Final = re.compile(r"\$\$|\\[()\[\]]")
_ACTIONS: Final = (
    "laughs? laughing smiles? smiling sighs? sighing nods? nodding chuckles? grins? grinning winks? frowns? gasps? "
    "giggles? shrugs? coughs? pauses? lacht lachend lächelt lächelnd seufzt seufzend nickt nickend zwinkert grinst "
    "räuspert rit sourit soupire ríe sonríe suspira ride sorride sospira"
).split()
_ACTION: Final = re.compile(
    rf"[*(](?:\w{{1,12}}\s)?(?:{'|'.join(_ACTIONS)})(?:\s[^*()\n]{{0,60}}|,[^*()\n]{{0,60}})?[*)]", re.IGNORECASE
)
_SPACES: Final = re.compile(r"\s+")
_ENDS: Final = frozenset(".!?…。！？｡؟۔।॥:;,،؛，、；：")
_CJK: Final = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_KEPT_SIGNS: Final = frozenset("+<=>^|~$€£¥₹₺₽₩¢°§©®™×÷±≈≠≤≥√∞−→&@%#/*′″")


class Markup:
    """Knows, from clause to clause, whether we are inside a block of code."""

    def __init__(self) -> None:
        self.code = False  # inside a fence
        self._run: tuple[str, int] = ("", 0)  # the fence that opened it

    def visible(self, text: str) -> tuple[str, bool]:
        """What of `text` stands outside code, and whether a block of code begins in it."""
        kept, at, begins = [], 0, False
        for fence in _FENCE.finditer(text):
            sign, length = fence[0][0], len(fence[0])
            if not self.code:
                kept.append(text[at : fence.start()])
                self.code, self._run, begins = True, (sign, length), True
                at = fence.end()
            elif sign == self._run[0] and length >= self._run[1]:
                self.code, at = False, fence.end()
        if not self.code:
            kept.append(text[at:])
        return " ".join(kept), begins


def plain(text: str, starts_line: bool = False, ends_line: bool = False) -> str:
    """`text` without Markdown, HTML, LaTeX, emoji and control characters, in one line; "" where nothing is left to say.

    A line that ends without a full stop gets one: a heading or an item is a sentence of its own.
    """
    said = _ESCAPES.sub("", text).strip()
    if starts_line:
        said = _line(said)
    said = _latex(said)
    said = _ESCAPE.sub(r"\1", said)
    said = _IMAGE.sub(r"\1", said)
    said = _LINK.sub(r"\1", said)
    said = _AUTOLINK.sub(r"\1", said)
    said = _TAG.sub(" ", said)
    said = html.unescape(said)
    said = _URL.sub(_host, said)
    said = _ACTION.sub(" ", said)
    said = _MARK.sub(" ", said)
    said = _EMPHASIS.sub("", _STRONG.sub("", said))
    said = "".join(map(_kept, unicodedata.normalize("NFC", said)))
    said = _SPACES.sub(" ", said).strip()
    said = re.sub(r"\s(?=[,.;:!?…](?:\s|$))", "", said)
    said = re.sub(r"^[:;,]\s?|\s[—–-]$", "", said)
    if not any(character.isalnum() for character in said):
        return ""
    if ends_line and not any(character in _ENDS for character in said[-2:]):
        said += "。" if _CJK.search(said[-1:]) else "."
    return said


def _line(text: str) -> str:
    """A line without what makes it a heading, an item, a quotation, a rule, or a row of a table."""
    if _RULE.match(text) or _TABLE_RULE >= set(text):
        return ""
    heading = _HEADING.match(text)
    if heading:
        return text[heading.end() :].rstrip("# ")
    bullet = _BULLET.match(text) or _NUMBERED.match(text)
    if bullet:
        text = text[bullet.end() :]
    if text.startswith("|") or text.count("|") > 1:
        cells = [cell.strip() for cell in text.strip("|").split("|")]
        return ", ".join(cell for cell in cells if cell)
    return text


def _latex(text: str) -> str:
    if "$" not in text and "\\" not in text and "^" not in text:
        return text
    text = _FORMULA.sub(r"\1", _DISPLAY.sub("", text))
    text = _FRACTION.sub(r"\1 / \2", text)
    text = _ROOT.sub(r"√\1", text)
    text = _POWER.sub(lambda m: (m[1] or m[2]).translate(_POWERS), text)
    return _COMMAND.sub(lambda m: _SIGNS.get(m[1], f" {m[1]} "), text)


def _host(found: re.Match[str]) -> str:
    """`example.com` for the address of a page there, with the marks that follow it."""
    host, path = found[1], found[2]
    whole = path or host
    marks = whole[len(whole.rstrip(".,;:!?'”*_")) :]
    host = host if path else host[: len(host) - len(marks)]
    return host.rpartition("@")[2].split(":")[0] + marks


def _kept(character: str) -> str:
    """A character that can be shown and read, or a space: no emoji, pictographs, control characters, joiners."""
    if character in _KEPT_SIGNS:
        return character
    category = unicodedata.category(character)
    if category in ("Cf", "Mn", "Me"):
        styled = category == "Me" or 0xFE00 <= ord(character) <= 0xFE0F
        return character if category == "Mn" and not styled else ""
    if character == "\ufffd" or category[0] in "CS" or character in "\\{}[]":
        return " "
    return character
