# ruff: noqa: RUF001 (other alphabets are meant)
"""What XTTS's training text wrote out, by language: abbreviations, symbols, endings of ordinals.

The pairs are facts of coqui-tts 0.28 (`TTS/tts/layers/xtts/tokenizer.py`): the voice knows these words, so they are
the same here even where another would be nicer. All of it is lower case; order matters where one key starts another.
"""

from __future__ import annotations

from typing import Final

#: Followed by a full stop, which goes with it.
ABBREVIATIONS: Final[dict[str, dict[str, str]]] = {
    "cs": {"dr": "doktor", "ing": "inženýr", "p": "pan"},
    "de": {"fr": "frau", "dr": "doktor", "st": "sankt", "co": "firma", "jr": "junior"},
    "en": {
        "mrs": "misess", "mr": "mister", "dr": "doctor", "st": "saint", "co": "company", "jr": "junior",
        "maj": "major", "gen": "general", "drs": "doctors", "rev": "reverend", "lt": "lieutenant",
        "hon": "honorable", "sgt": "sergeant", "capt": "captain", "esq": "esquire", "ltd": "limited",
        "col": "colonel", "ft": "fort",
    },
    "es": {
        "sra": "señora", "sr": "señor", "dr": "doctor", "dra": "doctora", "st": "santo", "co": "compañía",
        "jr": "junior", "ltd": "limitada",
    },
    "fr": {
        "mme": "madame", "mr": "monsieur", "dr": "docteur", "st": "saint", "co": "compagnie", "jr": "junior",
        "ltd": "limitée",
    },
    "hu": {"dr": "doktor", "b": "bácsi", "nőv": "nővér"},
    "it": {"sig": "signore", "dr": "dottore", "st": "santo", "co": "compagnia", "jr": "junior", "ltd": "limitata"},
    "nl": {"dhr": "de heer", "mevr": "mevrouw", "dr": "dokter", "jhr": "jonkheer"},
    "pl": {"p": "pani", "m": "pan", "dr": "doktor", "sw": "święty", "jr": "junior"},
    "pt": {
        "sra": "senhora", "sr": "senhor", "dr": "doutor", "dra": "doutora", "st": "santo", "co": "companhia",
        "jr": "júnior", "ltd": "limitada",
    },
    "tr": {"b": "bay", "byk": "büyük", "dr": "doktor"},
}  # fmt: skip

#: Russian ones are hyphenated words without a full stop.
HYPHENATED: Final = {"ru": {"г-жа": "госпожа", "г-н": "господин", "д-р": "доктор"}}

_SIGNS: Final = "& @ % # $ £ °".split()
_SYMBOL_WORDS: Final = {
    "ar": "و | على | في المئة | رقم | دولار | جنيه | درجة",
    "cs": "a | na | procento | křížek | dolar | libra | stupně",
    "de": "und | at | prozent | raute | dollar | pfund | grad",
    "en": "and | at | percent | hash | dollar | pound | degree",
    "es": "y | arroba | por ciento | numeral | dolar | libra | grados",
    "fr": "et | arobase | pour cent | dièse | dollar | livre | degrés",
    "hi": "और | ऐट दी रेट | प्रतिशत | हैश | डॉलर | पाउंड | डिग्री",
    "hu": "és | kukac | százalék | kettőskereszt | dollár | font | fok",
    "it": "e | chiocciola | per cento | cancelletto | dollaro | sterlina | gradi",
    "ko": "그리고 | 에 | 퍼센트 | 번호 | 달러 | 파운드 | 도",
    "nl": "en | bij | procent | hekje | dollar | pond | graden",
    "pl": "i | małpa | procent | krzyżyk | dolar | funt | stopnie",
    "pt": "e | arroba | por cento | cardinal | dólar | libra | graus",
    "ru": "и | собака | процентов | номер | доллар | фунт | градус",
    "tr": "ve | at | yüzde | diyez | dolar | sterlin | derece",
}
SYMBOLS: Final[dict[str, dict[str, str]]] = {
    language: dict(zip(_SIGNS, said.split(" | "), strict=True)) for language, said in _SYMBOL_WORDS.items()
}
SYMBOLS["zh"] = {"°": "度"}  # the others are commas by then

_FULL_STOP: Final = r"\.(?=\s|$)"
#: What makes the number before it an ordinal: regular expressions, tried in this order.
ORDINAL_ENDINGS: Final[dict[str, str]] = {
    "ar": "ون|ين|ث|ر|ى",
    "cs": _FULL_STOP,
    "de": rf"st|nd|rd|th|º|ª|{_FULL_STOP}",
    "en": "st|nd|rd|th",
    "es": "º|ª|er|o|a|os|as",
    "fr": "º|ª|er|re|e|ème",
    "hi": "st|nd|rd|th|वां|वाँ|वीं|वें",
    "hu": r"\.|adik|edik|odik|ödik|ik",
    "it": "º|°|ª|o|a|i|e",
    "ko": "번째|번|차|째",
    "nl": "de|ste|e",
    "pl": "º|ª|st|nd|rd|th",
    "pt": "º|ª|o|a|os|as",
    "ru": "-й|-я|-е|-ое|-ье|-го",
    "tr": r"\.|inci|nci|uncu|üncü",
}

#: Signs of money that num2words can say: ISO 4217, in the order they are looked for.
CURRENCIES: Final = {"£": "GBP", "$": "USD", "€": "EUR"}

#: Signs of money that it cannot say in this language, or says wrongly (Arabic: everything is riyals); said after
#: the number.
MONEY: Final[dict[str, dict[str, str]]] = {
    "ar": {"$": "دولار", "£": "جنيه", "€": "يورو"},
    "cs": {"$": "dolarů", "£": "liber"},
    "hi": {"₹": "रुपये", "$": "डॉलर", "£": "पाउंड", "€": "यूरो"},
    "ja": {"$": "ドル", "£": "ポンド", "€": "ユーロ", "¥": "円", "￥": "円"},
    "ko": {"₩": "원", "£": "파운드", "€": "유로"},
    "pl": {"£": "funtów"},
    "ru": {"£": "фунтов", "₽": "рублей"},
    "tr": {"₺": "lira", "$": "dolar", "£": "sterlin", "€": "avro"},
    "zh": {"¥": "元", "￥": "元", "$": "美元", "£": "英镑", "€": "欧元"},
}

#: Months as they stand after a day, for dates written in figures with dots.
MONTHS: Final[dict[str, tuple[str, ...]]] = {
    "cs": tuple("ledna února března dubna května června července srpna září října listopadu prosince".split()),
    "pl": tuple(
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia".split()
    ),
    "ru": tuple("января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split()),
    "tr": tuple("Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık".split()),
}  # fmt: skip
