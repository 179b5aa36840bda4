"""The languages a character or a speaker may have: those that Whisper knows, by ISO 639-1 code where there is one."""

from __future__ import annotations

from typing import Final

from avatar_runtime.contracts import AvatarError, Code

#: https://github.com/openai/whisper/blob/main/whisper/tokenizer.py, LANGUAGES
LANGUAGES: Final = frozenset(
    (
        "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la "
        "mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be "
        "tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue"
    ).split()
)


def known_language(value: str) -> str:
    """The language code that `value` names ("DE", "pt-BR" and "zh_CN" do); `unknown_language` when there is none."""
    code = value.strip().lower().replace("_", "-").split("-")[0]
    if code not in LANGUAGES:
        raise AvatarError(Code.UNKNOWN_LANGUAGE, "This language is not known; give a code such as en, de or it.")
    return code
