# ruff: noqa: RUF001 (other alphabets are meant)
"""Which face goes with the words: the marks that a model writes, else a small rule on the words themselves."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from avatar_runtime.contracts import EMOTIONS


class Feeling(NamedTuple):
    """An emotion of the contract and its intensity, 0..1."""

    emotion: str
    intensity: float


MARKED: Final = 0.7  # the intensity of a mark that names none
_LEADING: Final = re.compile(r"\s*\[([^\[\]\n]{0,60})\](?!\()")
_OTHERWISE: Final = re.compile(r"\s*[*_]{0,2}(?:\(([^\W\d_]{2,12})\)|\*([^\W\d_]{2,12})\*)[*_]{0,2}:?(?=\s)")
_NUMBER: Final = re.compile(r"(?<![\d.,])(\d{1,3}(?:[.,]\d{1,3})?)\s?(%)?$")
_DEGREES: Final = {
    **dict.fromkeys("very extremely really deeply sehr très muy molto muito".split(), 1.0),
    **dict.fromkeys("slightly somewhat mildly little bit etwas leicht peu poco pouco".split(), 0.4),
}
#: What else a mark may say: nouns, and the words of other languages.
_NAMES: Final = {
    "neutral": "calm serious normal relaxed ruhig ernst neutre calme neutro neutra tranquilo calmo",
    "happy": (
        "happiness joy joyful cheerful glad excited amused delighted glücklich fröhlich freude froh heiter begeistert "
        "heureux heureuse content joyeux joie feliz alegre contento contenta alegría felice allegro allegra gioia "
        "alegria счастливый радость vrolijk blij szczęśliwy radość šťastný mutlu boldog 开心 高兴 嬉しい 행복"
    ),
    "sad": (
        "sadness sorrow melancholy unhappy traurig trauer betrübt wehmütig triste tristesse tristeza tristezza "
        "грустный verdrietig smutny smutný üzgün szomorú 悲伤 难过 悲しい 슬픔"
    ),
    "surprised": (
        "surprise astonished amazed shocked überrascht erstaunt staunen surpris surprise étonné sorprendido "
        "sorprendida sorpresa sorpreso surpreso surpresa удивление verrast zaskoczony překvapený şaşkın meglepett 惊讶 "
        "驚き 놀람"
    ),
    "angry": (
        "anger annoyed irritated furious mad wütend zornig ärgerlich verärgert wut fâché colère enojado enojada "
        "enfadado ira arrabbiato rabbia zangado raiva злость boos zły rozzlobený kızgın dühös 生气 怒り 화남"
    ),
    "disgusted": (
        "disgust repulsed angeekelt ekel angewidert dégoûté dégoût asqueado asco disgustato disgusto enojado nojo "
        "отвращение walging obrzydzenie znechucený iğrenmiş undorodó 厌恶 嫌悪 혐오"
    ),
    "fearful": (
        "fear afraid scared anxious worried frightened ängstlich angst besorgt furcht effrayé peur inquiet asustado "
        "miedo spaventato paura assustado medo страх bang strach vyděšený korkmuş félelem 害怕 恐れ 두려움"
    ),
}
_EMOTION_OF: Final = {name: emotion for emotion, names in _NAMES.items() for name in (emotion, *names.split())}

#: Beginnings of words that show an emotion; `=` stands before whole words.
_WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "happy": (
            "glad happy wonderful delight lovely great =love =loved enjoy joy congratulat beautiful fantastic "
            "excellent =fun =nice pleased splendid hooray laugh thank welcome"
        ),
        "sad": (
            "sorry =sad sadly sadness unfortunately regret grief griev =miss =missed lonely tragic mourn tears cried "
            "heartbr"
        ),
        "surprised": "=wow surpris astonish amaz incredible unbeliev unexpected =goodness =really? =oh!",
        "angry": "angry anger outrag furious =hate annoying unacceptable =damn nonsense",
        "disgusted": "disgust revolting =yuck =ugh horrid nasty rotten",
        "fearful": "afraid scared fear danger terrif frighten worried worry beware",
    },
    "de": {
        "happy": (
            "freue freut freud[ei] froh fröhlich glücklich wunderbar schön =toll großartig herrlich =liebe =lieben "
            "gratulier gratulation prima lache lacht dank willkommen =gern =gerne begeister"
        ),
        "sad": "leider =leid traurig bedauer trauer einsam vermiss tragisch weint weinen trän =schade",
        "surprised": (
            "=wow überrasch erstaun staun unglaublich unerwartet =wahnsinn =donnerwetter =ach! =oh! =wirklich?"
        ),
        "angry": "wütend zornig ärger empör unverschämt hasse =verdammt unsinn frechheit",
        "disgusted": "ekel widerlich =igitt =pfui abscheulich",
        "fearful": "angst ängst fürcht gefahr gefährlich erschreck erschrock sorge =vorsicht",
    },
    "fr": {
        "happy": (
            "heureu ravi content merveill magnifique superbe génial joie joyeu =adore =aime félicit =bravo merci "
            "bienvenu =beau =belle plaisir"
        ),
        "sad": "désolé triste malheureusement regret chagrin larme pleur hélas tragique dommage",
        "surprised": "=waouh surpren surpris étonn incroyable inattendu =oh! =vraiment?",
        "angry": "colère furieu fâché inacceptable déteste scandale =zut absurde",
        "disgusted": "dégoût répugn =beurk écœur",
        "fearful": "peur effray danger crain inqui terrif attention!",
    },
    "es": {
        "happy": (
            "alegr feliz felic content encant maravill estupend genial magnífic =amo gracias bienvenid hermos bonit "
            "precios"
        ),
        "sad": "siento lament triste tristeza desgraciadamente llor lágrima pena trágic",
        "surprised": "=guau sorprend sorpres increíble asombr inesperad =vaya =oh!",
        "angry": "enoj enfad furios rabia odio inaceptable indign tontería",
        "disgusted": "asco asquer repugn =puaj",
        "fearful": "miedo tem[oe]r peligr asust preocup cuidado",
    },
    "it": {
        "happy": (
            "felic content lieto lieta meravigli splendid bell[oai] magnific fantastic =amo =adoro grazie benvenut "
            "gioia piacere complimenti"
        ),
        "sad": "dispiace triste tristezza purtroppo lacrim piang rimpiang tragic peccato",
        "surprised": "=wow sorpren sorpres incredibil stupor stupit inaspettat =davvero? =oh!",
        "angry": "arrabbi furios rabbia odio inaccettabil indign sciocchezz",
        "disgusted": "disgust schif ripugn",
        "fearful": "paura pericol spavent preoccup timore attenzione!",
    },
    "pt": {
        "happy": "feliz felic alegr content maravilh adoro ótim lind obrigad bem-vind prazer encant",
        "sad": "desculp triste tristeza infelizmente lament lágrim saudade pena",
        "surprised": "=uau surpre incrível espant inesperad =nossa =oh!",
        "angry": "zangad furios raiva odeio inaceitável absurd",
        "disgusted": "nojo nojent repugn",
        "fearful": "medo perig assust preocup cuidado",
    },
}
_NEGATIONS: Final = frozenset(
    "not no never isn't don't didn't wasn't nicht kein keine keinen nie ne pas jamais nunca non mai não nem".split()
)
_NEGATION_REACH: Final = 3  # words
_FACES: Final = {
    face: emotion
    for emotion, faces in {
        "happy": "😀😃😄😁😊🙂😍🥰😂🤣🎉❤😉",
        "sad": "😢😭😞😔🙁☹💔",
        "surprised": "😮😲😯🤯",
        "angry": "😠😡🤬",
        "disgusted": "🤢🤮",
        "fearful": "😨😱😰",
    }.items()
    for face in faces
}
_TOKENS: Final = re.compile(r"[^\W\d_][\w'’-]{0,40}")


def read(text: str) -> tuple[Feeling | None, str]:
    """What the marks at the beginning of `text` say, and the rest. A mark that names no emotion is no words either."""
    feeling, at = None, 0
    while found := _LEADING.match(text, at):
        feeling, at = of_mark(found[1]) or feeling, found.end()
    # Some models write (happy) or *happy* instead, which is a mark only where it names an emotion.
    found = _OTHERWISE.match(text, at)
    named = of_mark(found[1] or found[2]) if found else None
    if found and named:
        feeling, at = named, found.end()
    return feeling, text[at:]


def of_mark(mark: str) -> Feeling | None:
    """The feeling that a mark names, as in `happy`, `HAPPY:0.8`, `very sad`, `traurig`; None when it names none."""
    mark = mark.strip().casefold()
    intensity = MARKED
    number = _NUMBER.search(mark)
    if number:
        intensity = float(number[1].replace(",", ".")) / (100 if number[2] else 1)
        mark = mark[: number.start()]
    words = [word for word in re.split(r"[\s:=,;/|]+", mark) if word]
    if words and words[0] in ("emotion", "mood", "feeling", "gefühl", "a"):
        words = words[1:]
    for word in words[:-1]:
        if word not in _DEGREES:
            return None
        intensity = _DEGREES[word]
    emotion = _EMOTION_OF.get(words[-1]) if words else None
    return Feeling(emotion, min(max(intensity, 0.0), 1.0)) if emotion else None


def guess(text: str, language: str) -> Feeling | None:
    """The feeling that the words and emoji of a clause show; None when they show none, or two as strongly.

    Weak on purpose: a face that misreads words is worse than a calm one.
    """
    pattern = _pattern(language.split("-")[0].lower())
    counts = dict.fromkeys(EMOTIONS, 0)
    said = text.lower()
    for found in pattern.finditer(said) if pattern else ():
        before = _TOKENS.findall(said[max(0, found.start() - 40) : found.start()])[-_NEGATION_REACH:]
        if not _NEGATIONS & {word.replace("’", "'") for word in before}:
            counts[found.lastgroup or "neutral"] += 1
    for face in filter(_FACES.get, text):
        counts[_FACES[face]] += 1
    if "?!" in text or "!?" in text:
        counts["surprised"] += 1
    first, second = sorted(counts, key=counts.__getitem__, reverse=True)[:2]
    if not counts[first] or counts[first] == counts[second]:
        return None
    return Feeling(first, min(0.4 + 0.15 * (counts[first] - 1) + (0.15 if "!" in text else 0.0), 0.8))


@lru_cache(maxsize=16)
def _pattern(language: str) -> re.Pattern[str] | None:
    table = _WORDS.get(language)
    if table is None:
        return None
    return re.compile("|".join(f"(?P<{emotion}>{_alternatives(words)})" for emotion, words in table.items()))


def _alternatives(words: str) -> str:
    return "|".join(_word(word) for word in words.split())


def _word(word: str) -> str:
    """`glad` begins a word, `=sad` is one, and a sign at the end has to follow at once."""
    whole, word = word.startswith("="), word.removeprefix("=")
    bare, sign = word.rstrip("?!"), word[len(word.rstrip("?!")) :]
    return rf"\b{bare}" + (rf"\b\s?{re.escape(sign)}" if sign else r"\b" if whole else "")
