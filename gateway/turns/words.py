# ruff: noqa: RUF001 (letters of many alphabets are meant)
"""Words by which one hears whether a sentence is complete."""

from __future__ import annotations

from typing import Final

_LEADING = {
    "en": """
        and or but so because if when while although though that which who whose whom where than as the a an my your
        his her its our their this these those some any every each no of to in on at by for with from into onto
        about between through during without within under over after before until since is are was were be been
        being am will would can could should shall may might must do does did has have had i we they he she you it's
        i'm let's very really quite just also maybe perhaps um uh er erm hmm well like not if's there's what how why
    """,
    "de": """
        und oder aber denn weil dass daß wenn ob als während obwohl damit sodass sondern der die das den dem des ein
        eine einen einem einer eines mein meine meinen meinem meiner dein deine sein seine ihr ihre unser unsere
        euer kein keine keinen dieser diese dieses diesen jeder jede jedes in im an am auf aus bei beim mit nach von
        vom zu zum zur für über unter vor hinter neben zwischen durch gegen ohne um bis seit wäre bin sind war waren
        wird werden würde kann könnte muss soll will möchte darf hat habe haben hatte ich wir er sie du sehr ganz
        eher vielleicht auch nicht äh ähm hm tja also wie was warum
    """,
    "fr": """
        et ou mais car donc parce que qui dont où si quand comme le la les un une des du de au aux mon ma mes ton ta
        tes son sa ses notre votre leur ce cet cette ces dans sur sous avec sans pour par chez entre vers est sont
        était a ont je tu il elle nous vous ils elles ne très plus euh ben alors
    """,
    "es": """
        y e o u pero porque que quien donde si cuando como el la los las un una unos unas de del al mi tu su nuestro
        este esta estos estas en con sin por para entre hacia desde hasta es son era está están ha han yo tú él ella
        nosotros muy más no eh pues
    """,
    "it": """
        e ed o ma perché che chi dove se quando come il lo la i gli le un uno una di del della dei delle al alla da
        dal in nel nella con su per tra fra mio mia tuo suo questo questa è sono era ha hanno io tu lui lei noi voi
        loro molto più non eh allora
    """,
    "pt": """
        e ou mas porque que quem onde se quando como o a os as um uma de do da dos das no na em com sem por para
        entre meu minha seu sua este esta é são era está eu tu ele ela nós muito mais não éh então
    """,
    "nl": """
        en of maar want omdat dat die als wanneer terwijl de het een mijn jouw zijn haar ons onze deze dit in op aan
        bij met van voor naar uit over onder tussen door zonder is zijn was waren wordt heeft hebben ik wij we hij
        zij jij heel erg niet eh uhm dus
    """,
    "pl": """
        i a oraz lub albo ale bo ponieważ że żeby jeśli gdy kiedy który która które w we na z ze do od po przy dla o
        u nad pod przez bez jest są był ja ty my bardzo nie no eee
    """,
    "cs": """
        a i nebo ale protože že aby když jestli který která které v ve na s se z ze do od po při pro o u nad pod
        přes bez je jsou byl já ty my velmi ne ehm
    """,
    "tr": """
        ve veya ya ama fakat çünkü ki eğer bir bu şu o ile için gibi daha çok şey yani
    """,
    "ru": """
        и а или но потому что чтобы если когда который которая в во на с со из к от по при для о у над под без я ты
        мы он очень не ну ээ
    """,
}
#: By ISO 639-1 language: words after which something has to come, or which fill a pause.
LEADING: Final = {language: frozenset(words.split()) for language, words in _LEADING.items()}

#: What a listener says without meaning to take the turn, here and there.
BACKCHANNEL: Final = frozenset(
    """
    ach ah aha certo claro evet genau hm hmm huh ja jaja jo mhm mm mmhmm mmm oh ok okay ouais oui right si sim
    sì sí tak uh uhhuh um yeah yep ага да うん はい 嗯 네 응
    """.split()
)
