"""A language model behind an OpenAI-compatible chat endpoint: Ollama, vLLM, llama.cpp, a cloud."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, Final

import openai

from gateway.dialogue import failures, prompt
from gateway.dialogue.answer import Answer
from gateway.dialogue.base import Clause, Line, Speaker
from gateway.dialogue.limited import limited_client

log = logging.getLogger("gateway.dialogue")

CONNECT_SECONDS: Final = 3.0
MAX_TOKENS: Final = 2_000  # of an answer and of the thoughts before it; the answer is cut long before that
_LIMITS: Final = ("max_tokens", "max_completion_tokens")  # the old name, which everybody knows, and OpenAI's new one
#: What the client library raises on an endpoint that answers nonsense: bytes that are no UTF-8, no JSON, no chunk.
_NONSENSE: Final = (
    TimeoutError,
    openai.OpenAIError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RecursionError,
)


class Patience:
    """How long the model may go on without a word that can be heard."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        self.deadline = asyncio.get_running_loop().time() + self._seconds


class Chat:
    """Asks the model for each answer, streamed. Keeps nothing but connections."""

    kind = "chat"

    def __init__(self, url: str, model: str, key: str = "", timeout: float = 8.0, history: int = 2_000) -> None:
        """`timeout`: seconds that the model may stay silent; `history`: tokens of the conversation it is told."""
        self.model: str | None = model
        self._model, self._timeout, self._history = model, timeout, history
        self._limit = _LIMITS[0]
        self._client = openai.AsyncOpenAI(
            base_url=url.rstrip("/").removesuffix("/chat/completions"),
            api_key=key or "none",  # else the library takes the environment's, which is meant for others
            default_headers={
                "OpenAI-Organization": openai.Omit(),  # type: ignore[dict-item]  # as the library does itself
                "OpenAI-Project": openai.Omit(),  # type: ignore[dict-item]
                "Accept-Encoding": "identity",  # packing holds words back
            },
            timeout=openai.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout)),
            max_retries=0,  # it would wait as long as the endpoint asks it to
            http_client=limited_client(),
        )
        self._completions = self._client.chat.completions  # imported now, not while somebody waits

    async def answer(
        self, history: Sequence[Line], text: str, character: Speaker, language: str
    ) -> AsyncGenerator[Clause, None]:
        """The clauses of the answer as they come. What came before a failure is spoken before it is raised."""
        answer = Answer(language or character.language)
        messages = prompt.messages(history, text, character, language, self._history)
        failure = None
        patience, audible = Patience(self._timeout), 0
        try:
            async with aclosing(self._deltas(messages, patience)) as deltas:
                async for delta in deltas:
                    for clause in answer.feed(delta):
                        yield clause
                        patience.renew()  # whoever speaks it may have taken long
                    if answer.full:
                        break
                    if answer.audible != audible:  # thoughts and noise do not break the silence
                        audible = answer.audible
                        patience.renew()
        except failures.DialogueFailed as error:
            failure = error
            log.warning("%s (%s)", error, error.why)
        for clause in answer.feed("", last=True):
            yield clause
        if failure is not None:
            raise failure
        if not answer.begun:
            raise failures.nothing()

    async def close(self) -> None:
        await self._client.close()

    async def _deltas(self, messages: list[dict[str, str]], patience: Patience) -> AsyncGenerator[str, None]:
        """What the model writes, as it comes. Closing this ends the request."""
        with self._failing():
            async with asyncio.timeout_at(patience.deadline):
                stream = await self._ask(messages)
        try:
            kind = stream.response.headers.get("content-type", "")
            if "html" in kind or "json" in kind:
                raise failures.no_stream(kind)
            while True:
                with self._failing():
                    async with asyncio.timeout_at(patience.deadline):
                        chunk = await anext(stream, None)
                if chunk is None:
                    return
                text = _content(chunk)
                if text:
                    yield text
        finally:
            await stream.close()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Whatever goes wrong at the endpoint becomes a `DialogueFailed`."""
        try:
            yield
        except _NONSENSE as error:
            raise failures.of(error, self._model, self._timeout) from None  # its text may repeat what it was sent

    async def _ask(self, messages: list[dict[str, str]]) -> Any:
        """The stream of an answer. Asks again where a connection had gone stale, or a parameter has another name."""
        try:
            return await self._create(messages)
        except openai.APITimeoutError:
            raise
        except openai.APIConnectionError:
            return await self._create(messages)
        except openai.BadRequestError as error:
            if _LIMITS[1] not in str(error) or self._limit == _LIMITS[1]:
                raise
            self._limit = _LIMITS[1]
            return await self._create(messages)

    async def _create(self, messages: list[dict[str, str]]) -> Any:
        limit: Any = {self._limit: MAX_TOKENS}
        spoken: Any = messages
        return await self._completions.create(model=self._model, messages=spoken, stream=True, **limit)


def _content(chunk: Any) -> str:
    """The words in a chunk; "" where it has none (thoughts, roles, usage). Unpaired surrogates are no letters."""
    choices = getattr(chunk, "choices", None)
    if not isinstance(choices, list) or not choices:
        return ""
    delta = getattr(choices[0], "delta", None)
    content = getattr(delta, "content", None) or getattr(delta, "refusal", None)
    return content.encode("utf-8", "ignore").decode() if isinstance(content, str) else ""
