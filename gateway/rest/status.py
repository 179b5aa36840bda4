"""Is it alive, is it ready, which engines are there."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from avatar_runtime.contracts import AvatarError, Role
from gateway.errors import RETRY_AFTER
from gateway.observability.metrics import CONTENT_TYPE
from gateway.rest.operation import Answer, Operation
from gateway.rest.shapes import Engines, Health, Readiness
from gateway.rest.state import state

#: A conversation needs these; `voice` only makes new voices.
NEEDED: Final = (Role.VAD, Role.STT, Role.TTS, Role.LANDMARKS, Role.MOTION, Role.RENDER)


async def healthz(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    try:
        roles = await state(request).inference.catalogue()
    except AvatarError:
        roles = {}
    missing = [role.value for role in NEEDED if not roles.get(role, {}).get("ready")]
    if missing:
        return JSONResponse({"ready": False, "missing": missing}, 503, {"Retry-After": RETRY_AFTER})
    return JSONResponse({"ready": True, "missing": []})


async def engines(request: Request) -> Response:
    return JSONResponse({"roles": await state(request).inference.catalogue()})


async def metrics(request: Request) -> Response:
    return Response(state(request).metrics.text(), media_type=CONTENT_TYPE)


OPERATIONS = (
    Operation("GET", "/healthz", healthz, "Whether the gateway runs", "status", Answer("It runs", Health)),
    Operation(
        "GET",
        "/readyz",
        readyz,
        "Whether a conversation can start",
        "status",
        Answer("Every role is ready", Readiness),
        also=(Answer("A role is missing", Readiness, status=503),),
    ),
    Operation(
        "GET",
        "/metrics",
        metrics,
        "Figures for Prometheus",
        "status",
        Answer("The figures", None, ("text/plain",)),
    ),
    Operation("GET", "/api/engines", engines, "Roles and their engines", "status", Answer("The roles", Engines)),
)
