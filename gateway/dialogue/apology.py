# ruff: noqa: RUF001 (other alphabets are meant)
"""What the portrait says in the place of an answer it cannot give, in the 17 languages of the voices."""

from __future__ import annotations

from typing import Final

_APOLOGY: Final = {
    "en": "I'm sorry, I can't think of an answer right now. Please try again in a moment.",
    "es": "Lo siento, ahora mismo no se me ocurre ninguna respuesta. Inténtalo de nuevo en un momento.",
    "fr": "Je suis désolé, aucune réponse ne me vient pour le moment. Réessayez dans un instant.",
    "de": "Es tut mir leid, mir fällt gerade keine Antwort ein. Bitte versuch es gleich noch einmal.",
    "it": "Mi dispiace, in questo momento non mi viene una risposta. Riprova tra un attimo.",
    "pt": "Desculpe, neste momento não me ocorre uma resposta. Tente de novo daqui a pouco.",
    "pl": "Przepraszam, w tej chwili nie przychodzi mi do głowy odpowiedź. Spróbuj ponownie za chwilę.",
    "tr": "Özür dilerim, şu anda aklıma bir cevap gelmiyor. Lütfen birazdan tekrar dene.",
    "ru": "Простите, сейчас мне не приходит в голову ответ. Попробуйте ещё раз чуть позже.",
    "nl": "Het spijt me, ik kan nu even geen antwoord bedenken. Probeer het zo nog eens.",
    "cs": "Omlouvám se, teď mě nenapadá žádná odpověď. Zkuste to prosím za chvíli znovu.",
    "ar": "عذرًا، لا يحضرني جواب الآن. حاول مرة أخرى بعد قليل.",
    "zh": "对不起，我现在想不出答案。请稍后再试一次。",
    "hu": "Sajnálom, most nem jut eszembe válasz. Kérem, próbálja újra egy kicsit később.",
    "ko": "죄송해요, 지금은 대답이 떠오르지 않네요. 잠시 후에 다시 말해 주세요.",
    "ja": "すみません、今は答えが思い浮かびません。少ししてからもう一度お願いします。",
    "hi": "माफ़ कीजिए, अभी मुझे कोई जवाब नहीं सूझ रहा। कृपया थोड़ी देर बाद फिर कोशिश करें।",
}
_CUT: Final = {
    "en": "I could go on for a long time, so let me stop here.",
    "es": "Podría seguir mucho rato, así que lo dejo aquí.",
    "fr": "Je pourrais continuer longtemps, alors je m'arrête ici.",
    "de": "Ich könnte noch lange weiterreden, also höre ich hier auf.",
    "it": "Potrei continuare a lungo, quindi mi fermo qui.",
    "pt": "Eu poderia continuar por muito tempo, então paro por aqui.",
    "pl": "Mógłbym mówić jeszcze długo, więc na tym skończę.",
    "tr": "Daha uzun süre devam edebilirim, o yüzden burada duruyorum.",
    "ru": "Об этом можно говорить ещё долго, поэтому остановимся здесь.",
    "nl": "Ik zou nog lang kunnen doorgaan, dus ik stop hier.",
    "cs": "Dalo by se pokračovat ještě dlouho, takže tady skončím.",
    "ar": "يمكنني أن أتابع طويلًا، لذلك سأتوقف هنا.",
    "zh": "我还可以讲很久，所以先说到这里吧。",
    "hu": "Még sokáig tudnám folytatni, ezért itt megállok.",
    "ko": "더 오래 이야기할 수 있지만, 여기까지 할게요.",
    "ja": "まだまだ続けられますが、ここまでにしておきます。",
    "hi": "इस पर और देर तक बात हो सकती है, इसलिए यहीं रुकते हैं।",
}
_CODE: Final = {
    "en": "There is some code here that cannot be read aloud.",
    "es": "Aquí hay código que no se puede leer en voz alta.",
    "fr": "Il y a ici du code qui ne se lit pas à voix haute.",
    "de": "Hier steht Programmcode, der sich nicht vorlesen lässt.",
    "it": "Qui c'è del codice che non si può leggere ad alta voce.",
    "pt": "Aqui há código que não dá para ler em voz alta.",
    "pl": "Jest tu kod, którego nie da się przeczytać na głos.",
    "tr": "Burada sesli okunamayan bir kod var.",
    "ru": "Здесь есть код, который нельзя прочитать вслух.",
    "nl": "Hier staat code die niet hardop te lezen is.",
    "cs": "Je tu kód, který se nedá přečíst nahlas.",
    "ar": "هنا شيفرة برمجية لا يمكن قراءتها بصوت عالٍ.",
    "zh": "这里有一段代码，没法念出来。",
    "hu": "Itt olyan programkód van, amelyet nem lehet felolvasni.",
    "ko": "여기에는 소리 내어 읽을 수 없는 코드가 있어요.",
    "ja": "ここには読み上げられないコードがあります。",
    "hi": "यहाँ कुछ कोड है जिसे बोलकर नहीं पढ़ा जा सकता।",
}
LANGUAGES: Final = tuple(_APOLOGY)


def apology(language: str) -> str:
    """What to say when there is no answer; English where the language is not one of `LANGUAGES`."""
    return _in(language, _APOLOGY)


def cut_short(language: str) -> str:
    """What to say where an answer ends that is too long to be heard."""
    return _in(language, _CUT)


def code_here(language: str) -> str:
    """What to say in the place of a block of code."""
    return _in(language, _CODE)


def _in(language: str, phrases: dict[str, str]) -> str:
    return phrases.get(language.lower().replace("_", "-").split("-")[0], phrases["en"])
