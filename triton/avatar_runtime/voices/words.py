# ruff: noqa: RUF001 (other alphabets are meant)
"""Word tables for reading text aloud, by language (ISO 639-1): abbreviations, units, symbols, months, clause openers.

English needs little: its phonemizer (hibari's) reads titles, units, dates and money by itself.
"""

from __future__ import annotations

from typing import Final

#: Written with a full stop that ends no sentence; the value is what is said, None leaves it to the phonemizer.
ABBREVIATIONS: Final[dict[str, dict[str, str | None]]] = {
    "en": dict.fromkeys(
        "Mr. Mrs. Ms. Dr. Prof. St. Jr. Sr. Gen. Col. Capt. Lt. Sgt. Rev. Hon. Mt. vs. etc. e.g. i.e. approx. "
        "a.m. p.m. U.S. U.K. Inc. Ltd. Co. No. Fig. Jan. Feb. Aug. Sept. Oct. Nov. Dec.".split()
    ),
    "de": {
        "z. B.": "zum Beispiel", "z.B.": "zum Beispiel", "d. h.": "das heißt", "d.h.": "das heißt",
        "u. a.": "unter anderem", "u.a.": "unter anderem", "o. ä.": "oder ähnliches", "o.ä.": "oder ähnliches",
        "usw.": "und so weiter", "bzw.": "beziehungsweise", "ca.": "circa", "evtl.": "eventuell",
        "ggf.": "gegebenenfalls", "inkl.": "inklusive", "etc.": "et cetera", "vgl.": "vergleiche", "sog.": "sogenannte",
        "Dr.": "Doktor", "Prof.": "Professor", "Hr.": "Herr", "Fr.": "Frau", "Nr.": "Nummer", "Str.": "Straße",
        "St.": "Sankt", "Mio.": "Millionen", "Mrd.": "Milliarden", "Tel.": "Telefon", "Std.": "Stunden",
        "Min.": "Minuten", "Jh.": "Jahrhundert", "Abb.": "Abbildung", "bspw.": "beispielsweise",
    },
    "fr": {"M.": "Monsieur", "Mme": "Madame", "Mlle": "Mademoiselle", "Dr.": "docteur", "etc.": "et cetera",
           "p. ex.": "par exemple", "c.-à-d.": "c'est-à-dire", "env.": "environ"},
    "es": {"Sr.": "señor", "Sra.": "señora", "Srta.": "señorita", "Dr.": "doctor", "Dra.": "doctora", "Ud.": "usted",
           "Uds.": "ustedes", "etc.": "etcétera", "p. ej.": "por ejemplo", "aprox.": "aproximadamente"},
    "it": {"Sig.": "signor", "Sig.ra": "signora", "Dott.": "dottor", "Dr.": "dottor", "Prof.": "professor",
           "ecc.": "eccetera", "es.": "esempio", "ca.": "circa"},
    "pt": {"Sr.": "senhor", "Sra.": "senhora", "Dr.": "doutor", "Dra.": "doutora", "etc.": "etcétera",
           "p. ex.": "por exemplo"},
    "cs": dict.fromkeys("Dr. Ing. Mgr. Bc. p. např. tzv. tj. č. str. ul. nám. tel. min.".split()),
    "hu": dict.fromkeys("Dr. dr. Prof. pl. ún. kb. ill. sz. ker. özv. ifj. id.".split()),
    "nl": dict.fromkeys("Dr. dr. dhr. Dhr. mevr. Mevr. mr. ir. drs. prof. bijv. blz. nr. ca. o.a. m.b.t.".split()),
    "pl": dict.fromkeys("dr. prof. inż. mgr. np. tzn. tj. ul. al. pl. nr. godz. św. ok. por. str. m.in.".split()),
    "ru": dict.fromkeys("ул. пр. д. кв. т. т.е. стр. им. см.".split()),
    "tr": dict.fromkeys("Dr. Prof. Doç. Av. Sn. vb. vs. örn. Cad. Sok. Mah. Apt. No. Tel. M.Ö. M.S.".split()),
}  # fmt: skip

#: unit or currency -> (one, many), said after a number.
UNITS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "de": {
        "km/h": ("Kilometer pro Stunde",) * 2, "km": ("Kilometer",) * 2, "cm": ("Zentimeter",) * 2,
        "mm": ("Millimeter",) * 2, "m²": ("Quadratmeter",) * 2, "m": ("Meter",) * 2, "kg": ("Kilogramm",) * 2,
        "mg": ("Milligramm",) * 2, "g": ("Gramm",) * 2, "ml": ("Milliliter",) * 2, "l": ("Liter",) * 2,
        "h": ("Stunde", "Stunden"), "min": ("Minute", "Minuten"), "ms": ("Millisekunde", "Millisekunden"),
        "kWh": ("Kilowattstunde", "Kilowattstunden"), "GB": ("Gigabyte",) * 2, "MB": ("Megabyte",) * 2,
        "°C": ("Grad Celsius",) * 2, "°": ("Grad",) * 2, "%": ("Prozent",) * 2, "€": ("Euro",) * 2,
        "EUR": ("Euro",) * 2, "$": ("Dollar",) * 2, "£": ("Pfund",) * 2, "ct": ("Cent",) * 2,
    },
    "fr": {
        "km/h": ("kilomètre heure", "kilomètres heure"), "km": ("kilomètre", "kilomètres"),
        "cm": ("centimètre", "centimètres"),
        "mm": ("millimètre", "millimètres"), "m": ("mètre", "mètres"), "kg": ("kilo", "kilos"),
        "g": ("gramme", "grammes"),
        "l": ("litre", "litres"), "min": ("minute", "minutes"), "°C": ("degré", "degrés"), "%": ("pour cent",) * 2,
        "€": ("euro", "euros"), "$": ("dollar", "dollars"), "£": ("livre", "livres"),
    },
    "es": {
        "km/h": ("kilómetro por hora", "kilómetros por hora"), "km": ("kilómetro", "kilómetros"),
        "cm": ("centímetro", "centímetros"), "mm": ("milímetro", "milímetros"), "m": ("metro", "metros"),
        "kg": ("kilo", "kilos"), "g": ("gramo", "gramos"), "l": ("litro", "litros"), "min": ("minuto", "minutos"),
        "°C": ("grado", "grados"), "%": ("por ciento",) * 2, "€": ("euro", "euros"), "$": ("dólar", "dólares"),
        "£": ("libra", "libras"),
    },
    "it": {
        "km/h": ("chilometro all'ora", "chilometri all'ora"), "km": ("chilometro", "chilometri"),
        "cm": ("centimetro", "centimetri"), "mm": ("millimetro", "millimetri"), "m": ("metro", "metri"),
        "kg": ("chilo", "chili"), "g": ("grammo", "grammi"), "l": ("litro", "litri"), "min": ("minuto", "minuti"),
        "°C": ("grado", "gradi"), "%": ("per cento",) * 2, "€": ("euro",) * 2, "$": ("dollaro", "dollari"),
        "£": ("sterlina", "sterline"),
    },
    "pt": {
        "km/h": ("quilômetro por hora", "quilômetros por hora"), "km": ("quilômetro", "quilômetros"),
        "cm": ("centímetro", "centímetros"), "mm": ("milímetro", "milímetros"), "m": ("metro", "metros"),
        "kg": ("quilo", "quilos"), "g": ("grama", "gramas"), "l": ("litro", "litros"), "min": ("minuto", "minutos"),
        "°C": ("grau", "graus"), "%": ("por cento",) * 2, "€": ("euro", "euros"), "$": ("dólar", "dólares"),
        "£": ("libra", "libras"),
    },
}  # fmt: skip

CURRENCIES: Final = frozenset("€$£") | {"EUR"}

#: What stands between words and is said as a word.
SYMBOLS: Final[dict[str, dict[str, str]]] = {
    "en": {"&": "and", "@": "at"},
    "de": {
        "&": "und", "@": "ät", "+": "plus", "=": "gleich", "§": "Paragraf", "%": "Prozent", "€": "Euro",
        "~": "ungefähr",
    },
    "fr": {"&": "et", "@": "arobase", "+": "plus", "=": "égale", "%": "pour cent", "€": "euros"},
    "es": {"&": "y", "@": "arroba", "+": "más", "=": "igual a", "%": "por ciento", "€": "euros"},
    "it": {"&": "e", "@": "chiocciola", "+": "più", "=": "uguale", "%": "per cento", "€": "euro"},
    "pt": {"&": "e", "@": "arroba", "+": "mais", "=": "igual a", "%": "por cento", "€": "euros"},
}  # fmt: skip

DOT: Final = {
    "en": "dot", "de": "Punkt", "fr": "point", "es": "punto", "it": "punto", "pt": "ponto", "ar": "نقطة",
    "cs": "tečka", "hi": "डॉट", "hu": "pont", "ja": "ドット", "ko": "점", "nl": "punt", "pl": "kropka", "ru": "точка",
    "tr": "nokta", "zh": "点",
}  # fmt: skip
RANGE: Final = {"en": "to", "de": "bis", "fr": "à", "es": "a", "it": "a", "pt": "a"}

GERMAN_MONTHS: Final = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip
#: Stems of the German ordinals 1..31; -e or -en follows.
GERMAN_ORDINALS: Final = (
    *"erst zweit dritt viert fünft sechst siebt acht neunt zehnt elft zwölft dreizehnt vierzehnt fünfzehnt sechzehnt "
    "siebzehnt achtzehnt neunzehnt zwanzigst".split(),
    *(f"{unit}undzwanzigst" for unit in "ein zwei drei vier fünf sechs sieben acht neun".split()),
    "dreißigst",
    "einunddreißigst",
)

#: A long clause without a comma is best cut before one of these,
CONJUNCTIONS: Final[dict[str, frozenset[str]]] = {
    "en": frozenset("and or but because that which who when where while if so than".split()),
    "de": frozenset("und oder aber weil dass wenn wo als wie denn damit sondern".split()),
    "fr": frozenset("et ou mais parce que qui quand où si".split()),
    "es": frozenset("y o pero porque que quien cuando donde si".split()),
    "it": frozenset("e o ma perché che quando dove se".split()),
    "pt": frozenset("e ou mas porque que quem quando onde se".split()),
}
#: else before one of these; and never after either.
PREPOSITIONS: Final[dict[str, frozenset[str]]] = {
    "en": frozenset("as with without from into about for to in on at of".split()),
    "de": frozenset("mit ohne von aus über für zu zum zur in im am auf bei nach um vor".split()),
    "fr": frozenset("avec sans de dans sur pour à en par".split()),
    "es": frozenset("con sin de en sobre para a por".split()),
    "it": frozenset("con senza di in su per a da del della".split()),
    "pt": frozenset("com sem de em sobre para a por do da".split()),
}
#: Words that lean on the next one: no cut after them.
ARTICLES: Final[dict[str, frozenset[str]]] = {
    "en": frozenset("the a an my your his her our their this is i".split()),
    "de": frozenset(
        "der die das den dem des ein eine einen einem einer mein meine dein deine sein seine ihr ihre".split()
    ),
    "fr": frozenset("le la les un une des du mon ma mes ton ta ses".split()),
    "es": frozenset("el la los las un una mi tu su del al".split()),
    "it": frozenset("il lo la i gli le un uno una mio mia".split()),
    "pt": frozenset("o a os as um uma meu minha seu sua".split()),
}
