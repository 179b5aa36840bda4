"""Logging in: the token once, for a cookie that no script can read."""

from __future__ import annotations

import time
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from avatar_runtime.contracts import Code
from gateway.rest.body import read_json
from gateway.rest.operation import Answer, Json, Operation
from gateway.rest.shapes import ErrorAnswer
from gateway.rest.state import state
from gateway.security.policy import COOKIE, SECURE_COOKIE
from gateway.security.token import COOKIE_SECONDS

MAX_TOKEN: Final = 500  # characters


class LoginRequest(BaseModel):
    """The token that `antlitz up` printed."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    token: str = Field(max_length=MAX_TOKEN)


async def login(request: Request) -> Response:
    wanted = await read_json(request, LoginRequest)
    response = Response(status_code=204)
    token = state(request).policy.token
    if token is None:
        return response  # the doors are open
    if not token.matches(wanted.token.strip()):
        raise HTTPException(401, "This is not the token.")
    _set_cookie(request, response, token.cookie(time.time()), COOKIE_SECONDS)
    return response


async def logout(request: Request) -> Response:
    response = Response(status_code=204)
    _set_cookie(request, response, "", 0)
    return response


def _set_cookie(request: Request, response: Response, value: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    name = SECURE_COOKIE if secure else COOKIE
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="strict")


OPERATIONS = (
    Operation(
        "POST",
        "/api/login",
        login,
        "Exchange the token for a cookie",
        "status",
        Answer("The cookie is set, where one is needed", status=204),
        Json(LoginRequest),
        (Code.INVALID_REQUEST, Code.TOO_LARGE),
        (Answer("This is not the token", ErrorAnswer, status=401),),
    ),
    Operation("POST", "/api/logout", logout, "Forget the cookie", "status", Answer("The cookie is gone", status=204)),
)
