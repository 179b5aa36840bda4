# ruff: noqa: RUF001 (other alphabets are meant)
"""What signs between words and figures are called, in the 17 languages of the voices."""

from __future__ import annotations

from typing import Final

_ORDER: Final = "× ÷ ± ≈ ≠ ≤ ≥ < > = + - √ – .".split()  # the dash stands between figures, the full stop in addresses
_WORDS: Final = {
    "en": "times|divided by|plus or minus|about|is not|at most|at least|less than|more than|equals|plus|minus|"
    "the root of|to|dot",
    "es": "por|entre|más o menos|aproximadamente|no es|como máximo|al menos|menor que|mayor que|es igual a|más|menos|"
    "la raíz de|a|punto",
    "fr": "fois|divisé par|plus ou moins|environ|n'est pas|au plus|au moins|inférieur à|supérieur à|égale|plus|moins|"
    "la racine de|à|point",
    "de": "mal|geteilt durch|plus minus|ungefähr|ungleich|höchstens|mindestens|kleiner als|größer als|gleich|plus|"
    "minus|die Wurzel aus|bis|Punkt",
    "it": "per|diviso|più o meno|circa|non è|al massimo|almeno|minore di|maggiore di|uguale a|più|meno|la radice di|"
    "a|punto",
    "pt": "vezes|dividido por|mais ou menos|cerca de|não é|no máximo|pelo menos|menor que|maior que|igual a|mais|"
    "menos|a raiz de|a|ponto",
    "pl": "razy|podzielone przez|plus minus|około|to nie|najwyżej|co najmniej|mniejsze niż|większe niż|równa się|plus|"
    "minus|pierwiastek z|do|kropka",
    "tr": "çarpı|bölü|artı eksi|yaklaşık|eşit değil|en çok|en az|küçüktür|büyüktür|eşittir|artı|eksi|karekök|ile|nokta",
    "ru": "умножить на|разделить на|плюс минус|примерно|не равно|не больше|не меньше|меньше|больше|равно|плюс|минус|"
    "корень из|до|точка",
    "nl": "maal|gedeeld door|plus of min|ongeveer|is niet|hoogstens|minstens|kleiner dan|groter dan|is gelijk aan|plus|"
    "min|de wortel van|tot|punt",
    "cs": "krát|děleno|plus minus|přibližně|není|nejvýše|alespoň|menší než|větší než|rovná se|plus|minus|odmocnina z|"
    "až|tečka",
    "ar": "في|على|زائد أو ناقص|حوالي|لا يساوي|على الأكثر|على الأقل|أصغر من|أكبر من|يساوي|زائد|ناقص|جذر|إلى|نقطة",
    "zh": "乘以|除以|正负|约|不等于|最多|至少|小于|大于|等于|加|负|根号|到|点",
    "hu": "szor|osztva|plusz mínusz|körülbelül|nem egyenlő|legfeljebb|legalább|kisebb mint|nagyobb mint|egyenlő|plusz|"
    "mínusz|gyök|és|pont",
    "ko": "곱하기|나누기|플러스 마이너스|약|같지 않음|최대|최소|작다|크다|는|더하기|마이너스|루트|에서|점",
    "ja": "かける|割る|プラスマイナス|約|等しくない|最大|最低|小なり|大なり|イコール|足す|マイナス|ルート|から|ドット",
    "hi": "गुणा|भाग|जोड़ या घटा|लगभग|बराबर नहीं|अधिकतम|कम से कम|से कम|से ज़्यादा|बराबर|जमा|माइनस|का वर्गमूल|से|डॉट",
}
#: language -> sign -> word
SIGNS: Final = {language: dict(zip(_ORDER, words.split("|"), strict=True)) for language, words in _WORDS.items()}
