"""REST: the routes of the HTTP interface over the parts on ``app.state`` (see `gateway.rest.state`)."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.openapi import document
from gateway.rest import characters, cloned_speech, login, rendering, speech, status, transcripts, voice_samples
from gateway.rest.operation import Answer, Operation, routes_of
from gateway.rest.shapes import OpenApi


@cache
def openapi_document() -> dict[str, Any]:
    """The description of every route in `OPERATIONS`."""
    return document(OPERATIONS)


async def openapi(request: Request) -> Response:
    return JSONResponse(openapi_document())


OPERATIONS: Final[tuple[Operation, ...]] = (
    *status.OPERATIONS,
    Operation("GET", "/api/openapi.json", openapi, "This document", "status", Answer("OpenAPI 3.1", OpenApi)),
    *login.OPERATIONS,
    *characters.OPERATIONS,
    *voice_samples.OPERATIONS,
    *speech.OPERATIONS,
    *cloned_speech.OPERATIONS,
    *transcripts.OPERATIONS,
    *rendering.OPERATIONS,
)


def routes() -> list[Route]:
    """Every REST route, for the application to mount at its root."""
    return routes_of(OPERATIONS)
