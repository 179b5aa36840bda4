"""What goes wrong with a language model, in one sentence that says what to do. Never the key, an address or words."""

from __future__ import annotations

from typing import Final

import openai

from avatar_runtime.contracts import AvatarError, Code

_AGAIN: Final = "Try again in a moment."


class DialogueFailed(AvatarError):
    """There is no answer, or it broke off."""

    why = ""  # for the log: the name of the library's error, whose text may repeat the key or the person's words


def slow(seconds: float) -> DialogueFailed:
    return DialogueFailed(Code.TIMEOUT, f"The language model said nothing for {seconds:g} seconds. {_AGAIN}")


def nothing() -> DialogueFailed:
    return DialogueFailed(Code.ENGINE_UNAVAILABLE, f"The language model answered without a word. {_AGAIN}")


def no_stream(kind: str) -> DialogueFailed:
    what = "a web page" if "html" in kind else "something else"
    return DialogueFailed(
        Code.ENGINE_UNAVAILABLE, f"ANTLITZ_LLM_URL gives {what} instead of an answer; does it lack /v1 at its end?"
    )


def of_status(error: openai.APIStatusError, model: str) -> DialogueFailed:
    status = error.status_code
    if status in (401, 403):
        return DialogueFailed(Code.INVALID_REQUEST, "The language model's endpoint refuses the key in ANTLITZ_LLM_KEY.")
    if status == 404:
        return DialogueFailed(
            Code.UNKNOWN_ENGINE,
            f"There is no language model {model[:60]!r} at ANTLITZ_LLM_URL, or the address lacks /v1 at its end.",
        )
    if status == 429:
        return DialogueFailed(Code.ENGINE_UNAVAILABLE, f"The language model has too much to do. {_AGAIN}")
    if status >= 500:
        return DialogueFailed(Code.ENGINE_UNAVAILABLE, f"The language model has failed ({status}). {_AGAIN}")
    return DialogueFailed(Code.INVALID_REQUEST, f"The language model's endpoint refuses the request ({status}).")


def of(error: Exception, model: str, patience: float) -> DialogueFailed:
    """`error` of the client library, or of what it could not read; `patience` in s."""
    failure = _of(error, model, patience)
    failure.why = type(error).__name__
    return failure


def _of(error: Exception, model: str, patience: float) -> DialogueFailed:
    if isinstance(error, TimeoutError):
        return slow(patience)
    if isinstance(error, openai.APIStatusError):
        return of_status(error, model)
    if isinstance(error, openai.APITimeoutError):
        return DialogueFailed(Code.TIMEOUT, f"The language model did not answer in time. {_AGAIN}")
    if isinstance(error, openai.APIConnectionError):
        return DialogueFailed(
            Code.ENGINE_UNAVAILABLE, f"The language model is not reachable, or the connection broke. {_AGAIN}"
        )
    if isinstance(error, openai.APIError):
        return DialogueFailed(Code.ENGINE_UNAVAILABLE, f"The language model has failed. {_AGAIN}")
    return DialogueFailed(Code.ENGINE_UNAVAILABLE, f"The language model sent what is no answer. {_AGAIN}")
