"""Text as a person would read it aloud, cut where a speaker breathes."""

from __future__ import annotations

import re
import unicodedata

from avatar_runtime.contracts import MAX_TEXT_CHARACTERS, AvatarError, Code

LONGEST_CLAUSE = 180  # characters: more and the first sound of a chunk comes late
SHORTEST_CLAUSE = 12  # characters: less sounds chopped
FIRST_WORDS = 5  # words of a first chunk, so that sound starts soon

_URL = re.compile(r"\b(?:https?://|www\.)(\S+?)(?=[.,;:!?)]*(?:\s|$))")
_MARKDOWN = re.compile(r"(```.*?```)|`([^`]*)`|(\*\*|__|~~)|^\s{0,3}#{1,6}\s+|^\s*[-*+]\s+", re.S | re.M)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_PICTURES = re.compile("[\u2190-\u2bff\ufe00-\ufe0f\u200d\U0001f000-\U0001faff\U000e0000-\U000e007f]")
_SPACE = re.compile(r"\s+")
_SENTENCE = re.compile(r"(?<=[.!?…。！？])[\"”’»)\]]*\s+|(?<=[。！？])")
_CLAUSE = re.compile(r"(?<=[,;:—–，；：、])\s*(?<!\d[,.:])(?=\D)\s*")

#: Abbreviations whose full stop ends no sentence, and how they are read.
ABBREVIATIONS = {
    "de": {
        "z.B.": "zum Beispiel", "z. B.": "zum Beispiel", "d.h.": "das heißt", "d. h.": "das heißt", "usw.": "und so weiter",
        "bzw.": "beziehungsweise", "Dr.": "Doktor", "Prof.": "Professor", "Nr.": "Nummer", "ca.": "zirka", "Str.": "Straße",
        "Hr.": "Herr", "Fr.": "Frau", "u.a.": "unter anderem", "evtl.": "eventuell", "ggf.": "gegebenenfalls", "km": "Kilometer",
    },
    "en": {
        "Mr.": "Mister", "Mrs.": "Missis", "Ms.": "Miss", "Dr.": "Doctor", "Prof.": "Professor", "e.g.": "for example",
        "i.e.": "that is", "etc.": "et cetera", "vs.": "versus", "St.": "Saint",
    },
    "fr": {"M.": "Monsieur", "Mme": "Madame", "Dr": "Docteur", "etc.": "et cetera", "p.ex.": "par exemple"},
    "es": {"Sr.": "Señor", "Sra.": "Señora", "Dr.": "Doctor", "etc.": "etcétera", "km": "kilómetros"},
    "it": {"Sig.": "Signor", "Sig.ra": "Signora", "Dott.": "Dottor", "ecc.": "eccetera", "km": "chilometri"},
    "pt": {"Sr.": "Senhor", "Sra.": "Senhora", "Dr.": "Doutor", "etc.": "et cetera"},
}  # fmt: skip

_MONTHS = (
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember "
    "Jahrhundert Stock Mal Klasse Tag Platz"
)
_ORDINAL_DE = re.compile(rf"\b(\d{{1,2}})\.(?= (?:{_MONTHS.replace(' ', '|')})\b)")
_SMALL_DE = "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte".split()
_TIME_DE = re.compile(r"\b(\d{1,2}):(\d{2})(?: Uhr)?\b")


def _ordinal_de(match: re.Match[str]) -> str:
    number = int(match[1])
    return _SMALL_DE[number - 1] + "n" if 1 <= number <= 12 else match[1] + ("ten" if number < 20 else "sten")


def speakable(text: str, language: str) -> str:
    """`text` without what cannot be said (markup, emoji, addresses) and with abbreviations in full.

    AvatarError `invalid_text` when it is empty, over MAX_TEXT_CHARACTERS, or nothing is left to say.
    """
    if not text.strip():
        raise AvatarError(Code.INVALID_TEXT, "The text is empty: write something to say.")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise AvatarError(Code.INVALID_TEXT, f"The text is too long: at most {MAX_TEXT_CHARACTERS} characters at once.")
    text = unicodedata.normalize("NFC", text)
    text = _LINK.sub(r"\1", text)
    text = _MARKDOWN.sub(lambda match: match[2] or "", text)
    text = _URL.sub(lambda match: match[1].partition("/")[0], text)
    text = _PICTURES.sub(" ", text)
    text = "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in text)
    for short, full in ABBREVIATIONS.get(language, {}).items():
        text = re.sub(rf"(?<!\w){re.escape(short)}(?!\w)", full, text)
    if language == "de":
        text = _ORDINAL_DE.sub(_ordinal_de, text)
        text = _TIME_DE.sub(lambda m: f"{int(m[1])} Uhr" + (f" {int(m[2])}" if int(m[2]) else ""), text)
    text = _SPACE.sub(" ", re.sub(r"[*_~#|<>\\^{}\[\]]", " ", text)).strip()
    if not any(letter.isalnum() for letter in text):
        raise AvatarError(Code.INVALID_TEXT, "There is nothing to say in this text: it has no words.")
    return text


def _halves(piece: str) -> list[str]:
    """`piece` at spaces, each part at most LONGEST_CLAUSE characters."""
    parts = []
    while len(piece) > LONGEST_CLAUSE:
        cut = piece.rfind(" ", 1, LONGEST_CLAUSE)
        cut = cut if cut > 0 else LONGEST_CLAUSE  # one endless word
        parts.append(piece[:cut].strip())
        piece = piece[cut:].strip()
    return [*parts, piece] if piece else parts


def _gather(pieces: list[str]) -> list[str]:
    """Short clauses joined to the one before, as long as both fit."""
    joined: list[str] = []
    for piece in pieces:
        short = joined and (len(joined[-1]) < SHORTEST_CLAUSE * 3 or len(piece) < SHORTEST_CLAUSE)
        if short and len(joined[-1]) + len(piece) < LONGEST_CLAUSE:
            joined[-1] = f"{joined[-1]} {piece}"
        else:
            joined.append(piece)
    return joined


def clauses(text: str, quick: bool = False) -> list[str]:
    """`text` as clauses in order; joined by single spaces they are `text` again.

    `quick` is for a voice slower than speech is needed: the first clause is cut short.
    """
    found = []
    for sentence in filter(None, (each.strip() for each in _SENTENCE.split(text))):
        pieces = [sentence] if len(sentence) <= 100 else _gather([p for p in _CLAUSE.split(sentence) if p.strip()])
        found += [part for piece in pieces for part in _halves(piece.strip())]
    if not any(letter.isalnum() for letter in "".join(found)):
        return []
    merged: list[str] = []
    for piece in found:  # a lone mark belongs to its neighbour
        if merged and not any(letter.isalnum() for letter in piece):
            merged[-1] = f"{merged[-1]} {piece}"
        else:
            merged.append(piece)
    return _quick(merged) if quick else merged


def _quick(found: list[str]) -> list[str]:
    """The first clause again, cut at a comma or behind a few words when it is long."""
    first = found[0]
    words = first.split(" ")
    if len(words) <= FIRST_WORDS + 2:
        return found
    at = next((i + 1 for i, word in enumerate(words[: FIRST_WORDS + 2]) if word[-1:] in ",;:—" and i > 0), FIRST_WORDS)
    return [" ".join(words[:at]), " ".join(words[at:]), *found[1:]]
