"""One row of the route table: what a request to a path needs, what answers it, how it can fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from avatar_runtime.contracts import Code
from gateway.errors import respond

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Json:
    """A JSON body."""

    model: type[BaseModel]


@dataclass(frozen=True)
class Form:
    """A multipart body: one file in the field `file`, the rest as `model` says."""

    model: type[BaseModel]
    file: str = "file"


@dataclass(frozen=True)
class File:
    """The file itself as the body, or multipart with one file."""

    media_types: Sequence[str]


@dataclass(frozen=True)
class Answer:
    """A successful answer: JSON of `model`, or files of `media_types`, or nothing."""

    description: str
    model: type[BaseModel] | None = None
    media_types: Sequence[str] = ()
    status: int = 200


@dataclass(frozen=True)
class Operation:
    """A method of a path."""

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    answer: Answer
    body: Json | Form | File | None = None
    errors: tuple[Code, ...] = ()
    also: tuple[Answer, ...] = ()  # other answers that are no failure


def routes_of(operations: Sequence[Operation]) -> list[Route]:
    """Starlette's routes: one for each path, so that a wrong method is told which ones there are."""
    paths: dict[str, dict[str, Handler]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = operation.handler
    return [Route(path, _endpoint(handlers), methods=list(handlers)) for path, handlers in paths.items()]


def _endpoint(handlers: dict[str, Handler]) -> Handler:
    async def endpoint(request: Request) -> Response:
        handler = handlers["GET" if request.method == "HEAD" else request.method]
        try:
            response = await handler(request)
        except Exception as error:
            response = respond(error)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return endpoint
