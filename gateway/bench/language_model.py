"""A language model with a script: an OpenAI-compatible chat endpoint on a free port, for tests and benchmarks.

It answers over real HTTP, after a known time and at a known rate, always the same to the same words. The name of the
model chooses what it does: any other name than those of `MISDEEDS` and `MANNERS` answers well.

    with LanguageModel() as model:
        Settings(llm_url=model.url, llm_model="test")
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

#: Models that misbehave, and how.
MISDEEDS = {
    "garbage": "bytes that are no events, endlessly",
    "endless-line": "a line without an end",
    "deep-json": "an event of 100,000 brackets",
    "broken-json": "events that are no JSON",
    "odd-json": "events of JSON that are no chunks of an answer",
    "noise": "chunks whose text is control characters and halves of characters, endlessly",
    "silent": "an answer without a word",
    "hang": "an answer that never begins",
    "deaf": "a request that is never answered",
    "slow": "the first word after `slow` seconds",
    "stall": "three words, then nothing more",
    "flood": "100,000 words at once, without a full stop",
    "babble": "100,000 short sentences at once",
    "blob": "100,000 letters in one chunk, without a space",
    "html": "a web page, as if all were well",
    "half-utf8": "half a character inside a word",
    "cut": "the connection breaks in the second sentence",
    "stream-error": "an error in the midst of the answer",
    "401": "the key is refused",
    "404": "there is no such model",
    "429": "too many requests",
    "500": "the server has failed",
    "502": "a web page of a proxy",
}
#: Models that answer well, in their manner.
MANNERS = {
    "marks": "marks of emotions, known and unknown",
    "markdown": "headings, lists, a table, code, links, emoji",
    "thinking": "thoughts in <think>, then the answer",
    "reasoning": "thoughts in `reasoning_content`, then the answer",
    "letters": "the answer letter by letter",
    "max-completion-tokens": "refuses the parameter `max_tokens`, as some models of OpenAI's do",
}

GERMAN = frozenset("ich du der das und ist nicht wie wer wo ein eine mir dir guten hallo bitte danke".split())
ANSWERS = {
    "en": (
        "That is a good question. I have thought about it for a long time, and I still like it. What do you think?",
        "I am glad that you ask. The light in this room is soft today, so let us talk a little longer.",
        "Yes, I remember that well. It was a quiet morning, and nobody was in a hurry.",
        "Not at all, please go on. I listen better than most people in a museum.",
    ),
    "de": (
        "Das ist eine gute Frage. Ich habe lange darüber nachgedacht, und sie gefällt mir noch immer. Was meinst du?",
        "Schön, dass du fragst. Das Licht in diesem Raum ist heute weich, also reden wir noch ein wenig.",
        "Ja, daran erinnere ich mich gut. Es war ein stiller Morgen, und niemand hatte es eilig.",
        "Gar nicht, sprich nur weiter. Ich höre besser zu als die meisten im Museum.",
    ),
}
MARKED = "[happy] I am so glad to see you! [laughs] Really. But then [sad] the rain came, and [waves] we went home."
MARKDOWN = """## The answer

It is **really** simple, see [the manual](https://example.com/manual?page=3):

1. Open the *door* 🚪
2. Run `make`

```python
print("never spoken")
```

| size | price |
|------|-------|
| big  | $5    |

More at https://www.example.com/a/b?c=d. 😀
"""


def language_of(text: str) -> str:
    """`de` or `en`."""
    return "de" if GERMAN & set(re.findall(r"\w+", text.lower())) else "en"


def canned(text: str) -> str:
    """The answer to `text`: in its language, the same each time."""
    answers = ANSWERS[language_of(text)]
    return answers[zlib.crc32(text.encode("utf-8", "replace")) % len(answers)]


class LanguageModel:
    """The endpoint at `url`, in a thread of its own. `first_token` and `slow` in s, `rate` in tokens a second.

    Without a limit (`rate=0`) the whole answer comes at once. `requests` are the bodies it was sent, `keys` their
    keys, `headers` their headers; `cancelled` are the models of the answers whose reader went away before the end.
    """

    def __init__(
        self,
        first_token: float = 0.05,
        rate: float = 100.0,
        slow: float = 30.0,
        key: str = "",
        answer: Callable[[str], str] = canned,
        port: int = 0,
    ) -> None:
        self.first_token, self.rate, self.slow, self.key, self.answer = first_token, rate, slow, key, answer
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.cancelled: list[str] = []
        self.running = 0
        self._changed = threading.Condition()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(
                    routes=[
                        Route("/v1/chat/completions", self._complete, methods=["POST"]),
                        Route("/v1/models", self._models),
                    ]
                ),
                log_level="critical",  # connections break here on purpose
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def __enter__(self) -> LanguageModel:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("The language model did not start.")
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening, and break the connections that are idle."""
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def until(self, holds: Callable[[], bool], seconds: float = 5.0) -> bool:
        """Wait until `holds`, which is looked at after each change; whether it does."""
        with self._changed:
            return self._changed.wait_for(holds, seconds)

    # --- HTTP ---------------------------------------------------------------------------------------------
    async def _models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "test", "object": "model"}]})

    async def _complete(self, request: Request) -> Response:
        body = await request.json()
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        with self._changed:
            self.requests.append(body)
            self.keys.append(key)
            self.headers.append(dict(request.headers))
            self._changed.notify_all()
        model = str(body.get("model", ""))
        if model == "401" or (self.key and key != self.key):
            return _error(401, f"Incorrect API key provided: {key}.", "invalid_api_key")
        if model == "404":
            return _error(404, "The model `404` does not exist.", "model_not_found")
        if model == "429":
            return JSONResponse({"error": {"message": "Slow down."}}, 429, {"retry-after": "30"})
        if model == "500":
            return _error(500, "The server had an error.", "server_error")
        if model == "502":
            return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", 502)
        if model == "html":
            return HTMLResponse("<!doctype html><html><body><h1>Welcome</h1>Log in, please.</body></html>")
        if model == "max-completion-tokens" and "max_tokens" in body:
            return _error(400, "Unsupported parameter: use 'max_completion_tokens' instead of 'max_tokens'.", "x")
        if model == "deaf":
            await self._deaf(request)
        said = [line["content"] for line in body.get("messages", []) if line.get("role") == "user"]
        stream = self._streamed(model, str(said[-1]) if said else "")
        return StreamingResponse(stream, media_type="text/event-stream")

    async def _deaf(self, request: Request) -> None:
        try:
            async with asyncio.timeout(self.slow):
                await request.receive()  # the body has been read: what comes now is that the reader is gone
            self._note_cancelled("deaf")
        except TimeoutError:
            pass

    async def _streamed(self, model: str, text: str) -> AsyncIterator[bytes]:
        self.running += 1
        try:
            async for chunk in self._events(model, text):
                yield chunk
        except (asyncio.CancelledError, GeneratorExit):
            self._note_cancelled(model)
            raise
        finally:
            with self._changed:
                self.running -= 1
                self._changed.notify_all()

    def _note_cancelled(self, model: str) -> None:
        with self._changed:
            self.cancelled.append(model)
            self._changed.notify_all()

    # --- what it says -------------------------------------------------------------------------------------
    async def _events(self, model: str, text: str) -> AsyncIterator[bytes]:
        if model == "hang":
            await asyncio.sleep(self.slow)
        if model in ("hang", "deaf"):
            return
        await asyncio.sleep(self.slow if model == "slow" else self.first_token)
        if model == "garbage":
            noise = random.Random(0)
            for _ in range(100_000):
                yield noise.randbytes(64) + b"\n"
                await asyncio.sleep(0)
            return
        if model == "endless-line":
            while True:
                yield b"data: x" * 10_000
                await asyncio.sleep(0)
        if model in RAW:
            for chunk in RAW[model]:
                yield chunk
                await asyncio.sleep(0)
            return
        if model == "reasoning":
            for token in tokens("The user wants something. Let me think about secrets."):
                yield event({"reasoning_content": token})
        for index, token in enumerate(self._tokens(model, text)):
            yield event({"content": token})
            if model == "cut" and index > 12:
                raise ConnectionAbortedError("cut, as the script has it")
            if model == "stall" and index == 2:
                await asyncio.sleep(self.slow)
            if model == "stream-error" and index > 12:
                yield b'data: {"error": {"message": "CUDA out of memory", "code": 500}}\n\n'
                return
            # A model that floods is limited by the reader's connection alone.
            await asyncio.sleep(1 / self.rate if self.rate and model not in ("flood", "babble", "blob") else 0)
        yield event({}, "stop")
        yield b"data: [DONE]\n\n"

    def _tokens(self, model: str, text: str) -> list[str]:
        if model == "silent":
            return []
        if model == "flood":
            return ["word "] * 100_000
        if model == "babble":
            return tokens("Well, this is so. ") * 20_000
        if model == "blob":
            return ["a" * 100_000]
        if model == "noise":
            return ["\x00\x07", "\ufffd\ufffd", "\ud83d", "\u200b\u202e", "\x1b[", "\ufeff"] * 20_000
        if model == "marks":
            return list(MARKED)  # each mark in many pieces
        if model == "markdown":
            return tokens(MARKDOWN)
        answer = self.answer(text)
        if model == "letters":
            return list(answer)
        if model == "thinking":
            return ["<thi", "nk>", *tokens("Secret thoughts. Are they heard?"), "\n</th", "ink>\n\n", *tokens(answer)]
        return tokens(answer)


RAW: dict[str, list[bytes]] = {
    "broken-json": [b'data: {"choices": [{"delta": {"content": "Hel\n\n'] * 3,
    "deep-json": [b"data: " + b"[" * 100_000 + b"\n\n"],
    "odd-json": [b"data: %s\n\n" % odd for odd in (b"1", b"null", b'"x"', b"[]", b'{"choices": null}', b'{"a": []}')],
    "half-utf8": [b'data: {"choices": [{"index": 0, "delta": {"content": "Sch\xc3"}}]}\n\n'],
}


def tokens(text: str) -> list[str]:
    """`text` as a model gives it: words with the space before them."""
    return re.findall(r"\s*\S+|\s+$", text)


def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    """One chunk of an answer as a server-sent event."""
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "test",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _error(status: int, message: str, code: str) -> Response:
    return JSONResponse({"error": {"message": message, "type": "invalid_request_error", "code": code}}, status)
