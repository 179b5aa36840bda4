"""The one place where a failure becomes an HTTP answer: ``{"error": {"code", "message", "retryable"}}``."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from avatar_runtime.contracts import RETRYABLE, AvatarError, Code
from characters.failures import StorageAway, StorageFailed

log = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST: Final = 499  # nginx's number; nobody is left to read it
RETRY_AFTER: Final = "2"  # s

STATUS: Final[dict[Code, int]] = {
    Code.INVALID_TEXT: 422,
    Code.INVALID_AUDIO: 422,
    Code.INVALID_IMAGE: 422,
    Code.NO_FACE: 422,
    Code.SEVERAL_FACES: 422,
    Code.FACE_TOO_SMALL: 422,
    Code.UNKNOWN_LANGUAGE: 422,
    Code.UNKNOWN_VOICE: 422,
    Code.UNKNOWN_EMOTION: 422,
    Code.UNKNOWN_PORTRAIT: 503,  # the server forgot the picture between two requests
    Code.UNKNOWN_ENGINE: 422,
    Code.UNKNOWN_CHARACTER: 404,
    Code.NAME_TAKEN: 409,
    Code.INVALID_REQUEST: 400,
    Code.TOO_LARGE: 413,
    Code.TOO_MANY_SESSIONS: 503,
    Code.ENGINE_UNAVAILABLE: 503,
    Code.TIMEOUT: 504,
    Code.CANCELLED: CLIENT_CLOSED_REQUEST,
    Code.INTERNAL: 500,
}


def error_body(code: str, message: str, retryable: bool) -> dict[str, Any]:
    """What every failed request says."""
    return {"error": {"code": code, "message": message, "retryable": retryable}}


def error_response(error: AvatarError) -> Response:
    """The answer to a request that failed with one of our own errors."""
    status = STATUS[error.code]
    headers = {"Retry-After": RETRY_AFTER} if error.code in RETRYABLE else None
    return JSONResponse(error_body(error.code, error.message, error.retryable), status, headers)


def http_response(error: HTTPException) -> Response:
    """The answer where no code of ours fits: no such route, wrong method, wrong kind of body."""
    phrase = HTTPStatus(error.status_code).phrase
    message = error.detail if error.detail != phrase else _PHRASES.get(error.status_code, f"{phrase}.")
    code = phrase.lower().replace(" ", "_")
    return JSONResponse(error_body(code, message, False), error.status_code, error.headers)


_PHRASES: Final = {404: "There is nothing at this address.", 405: "This address does not take this method."}


def crash_response(error: Exception) -> Response:
    """The answer to a bug: a short id. The log has the id and where it happened, but no values: they may be words."""
    ident = secrets.token_hex(4)
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("request failed, id %s: %s\n%s", ident, type(error).__name__, where)
    message = f"Something went wrong; the server's log has the details under {ident}."
    return error_response(AvatarError(Code.INTERNAL, message))


def invalid(error: ValidationError) -> AvatarError:
    """One sentence about the first thing that is wrong with a JSON body. It never repeats what was sent."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return AvatarError(Code.INVALID_REQUEST, "The body is not valid JSON.")
    where = ".".join(str(part) for part in first["loc"])[:80]
    if first["type"] == "extra_forbidden":
        return AvatarError(Code.INVALID_REQUEST, f"The field {_printable(where)} is not known here.")
    what = first["msg"].removeprefix("Value error, ")
    what = what[:1].lower() + what[1:]
    return AvatarError(Code.INVALID_REQUEST, f"{where or 'The body'}: {what}.")


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def respond(error: Exception) -> Response:
    """The answer to any exception a handler raised."""
    match error:
        case AvatarError():
            return error_response(error)
        case ValidationError():
            return error_response(invalid(error))
        case HTTPException():
            return http_response(error)
        case StorageFailed():
            return http_response(HTTPException(HTTPStatus.INSUFFICIENT_STORAGE, str(error)))
        case StorageAway():
            return http_response(HTTPException(503, str(error), {"Retry-After": RETRY_AFTER}))
        case ClientDisconnect():
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        case _:
            return crash_response(error)


async def _handle(_: Request, error: Exception) -> Response:
    return respond(error)


#: For ``Starlette(exception_handlers=…)``.
HANDLERS: Final[dict[Any, Callable[[Request, Exception], Awaitable[Response]]]] = {
    AvatarError: _handle,
    HTTPException: _handle,
    ClientDisconnect: _handle,
}
