"""How many bytes an answer may have: an endpoint that sends one endless line would else fill the memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import httpx2
import openai

MAX_BYTES: Final = 16 * 2**20  # an answer of 2,000 tokens, each in an event of its own, has one


class Limited(httpx2.AsyncByteStream):
    """The body of a response; ValueError where it goes on for too long."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream, self._most = stream, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._stream:
            read += len(chunk)
            if read > self._most:
                raise ValueError(f"more than {self._most} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def limited_client(most: int = MAX_BYTES) -> httpx2.AsyncClient:
    """The client library's own HTTP client, which reads at most `most` bytes of each response."""

    async def limit(response: httpx2.Response) -> None:
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = Limited(response.stream, most)

    return openai.DefaultAsyncHttpxClient(event_hooks={"response": [limit]})
