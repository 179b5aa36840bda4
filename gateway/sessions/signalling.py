"""Signalling: the WebSocket `/api/session`. A page that loses it may come back for its session with another one."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from avatar_runtime.contracts import AvatarError, Code
from gateway.observability.context import session_id
from gateway.security.addresses import same_origin
from gateway.security.buckets import Buckets
from gateway.security.guard import VISITOR
from gateway.sessions.health import crash
from gateway.sessions.registry import Seat, Sessions
from gateway.sessions.session import Session

MAX_MESSAGE = 256 * 1024  # characters; an offer has about 6,000
MAX_TOKEN = 100  # characters
CONNECT_TIMEOUT = 30.0  # s from opening to the connected peer
RESUME_TIMEOUT = 5.0  # s for the token of a page that says that it had a session
MESSAGES_AT_ONCE, MESSAGES_PER_SECOND = 150, 2.0  # an offer with its candidates is some 15; each offer makes work
POLICY_VIOLATION, NORMAL, TRY_AGAIN = 1008, 1000, 1013


async def signalling(websocket: WebSocket) -> None:
    """One page, from its first message to its last."""
    sessions: Sessions = websocket.app.state.sessions
    if not _own_page(websocket):
        await websocket.close(POLICY_VIOLATION)  # before accepting: the handshake is refused with 403
        return
    await websocket.accept()
    try:
        token = await _token(websocket)
        known = sessions.find(token)
        seat = known or sessions.open(token, websocket.scope.get(VISITOR, ""))
    except AvatarError as error:
        await _refuse(websocket, error)
        return
    except (WebSocketDisconnect, RuntimeError):
        return
    await _converse(websocket, seat, sessions, resumed=known is not None)


async def _token(websocket: WebSocket) -> str:
    """What a page of `/api/session?resume` says first; "" from a newcomer. In a URL it would be in logs."""
    if "resume" not in websocket.query_params:
        return ""
    try:
        async with asyncio.timeout(RESUME_TIMEOUT):
            message = await _receive(websocket)
    except TimeoutError as error:
        raise AvatarError(Code.TIMEOUT, "The page did not say which session it had.") from error
    match message:
        case {"type": "resume", "token": str(token)} if len(token) <= MAX_TOKEN:
            return token
    raise AvatarError(Code.INVALID_REQUEST, "A page that comes back says which session it had.")


async def _converse(websocket: WebSocket, seat: Seat, sessions: Sessions, resumed: bool) -> None:
    """Until the session is over, or another page has it, or this one is gone."""
    number, session = sessions.take(seat), seat.session
    session_id.set(session.id)  # of the tasks of its peer connection, too
    displaced = seat.displaced
    loop = asyncio.get_running_loop()
    reading = loop.create_task(_read(websocket, seat, sessions, resumed))
    ends = {loop.create_task(event.wait()) for event in (seat.over, displaced)}
    timer = loop.call_later(CONNECT_TIMEOUT, _too_late, seat, number)
    try:
        await asyncio.wait({reading, *ends}, return_when=asyncio.FIRST_COMPLETED)
        if not (seat.over.is_set() or displaced.is_set()) and not reading.result():
            sessions.leave(seat, number)
            return
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
        for task in (reading, *ends):
            task.cancel()
    if session.failure is not None and not displaced.is_set():
        await _refuse(websocket, session.failure)
    else:
        await _close(websocket, NORMAL)


async def _read(websocket: WebSocket, seat: Seat, sessions: Sessions, resumed: bool) -> bool:
    """Messages, until the session is told to end (True) or the page has gone without a word (False)."""
    session = seat.session
    try:
        await websocket.send_json(
            {
                "type": "session",
                "id": session.id,
                "token": seat.token,
                "resumed": resumed,
                "iceServers": sessions.settings.ice_for(session.id, time.time()),
            }
        )
        now, messages = asyncio.get_running_loop().time, Buckets(MESSAGES_PER_SECOND, MESSAGES_AT_ONCE)
        while await _handle(websocket, session):
            if messages.take(session.id, now()):
                raise AvatarError(Code.INVALID_REQUEST, "These were too many messages; connect again.")
            if session.character is not None:
                sessions.recall(seat)
        session.end("the page said goodbye")
    except (WebSocketDisconnect, RuntimeError):  # RuntimeError: Starlette's word for a socket that is closed already
        return False
    except AvatarError as error:
        session.end(f"refused, {error.code}", error)
    except Exception as error:
        session.end("an internal error", crash(error))
    return True


async def _handle(websocket: WebSocket, session: Session) -> bool:
    """One message; False when it was the last."""
    message = await _receive(websocket)
    match message:
        case {"type": "offer", "sdp": str(sdp)} if isinstance(message.get("character") or "", str):
            answer = await session.offer(sdp, message.get("character") or "")
            await websocket.send_json({"type": "answer", "sdp": answer})
            await websocket.send_json({"type": "candidate", "candidate": None})  # all of ours are in the answer
        case {"type": "candidate", "candidate": dict() | None as candidate}:
            await session.candidate(candidate)
        case {"type": "bye"}:
            return False
        case _:
            raise AvatarError(Code.INVALID_REQUEST, "The message is none that signalling knows.")
    return True


async def _receive(websocket: WebSocket) -> dict[str, Any]:
    event = await websocket.receive()
    if event["type"] != "websocket.receive":
        raise WebSocketDisconnect(event.get("code", NORMAL))
    text = event.get("text")
    if text is None:
        raise AvatarError(Code.INVALID_REQUEST, "Signalling messages are JSON text.")
    if len(text) > MAX_MESSAGE:
        raise AvatarError(Code.TOO_LARGE, "The message is too large.")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AvatarError(Code.INVALID_REQUEST, "Signalling messages are JSON text.") from error
    if not isinstance(message, dict):
        raise AvatarError(Code.INVALID_REQUEST, "A signalling message is a JSON object.")
    return message


def _too_late(seat: Seat, number: int) -> None:
    if not seat.session.connected and number == seat.taken:
        error = AvatarError(Code.TIMEOUT, "No media connection came about; a firewall may be in the way.")
        seat.session.end("no connection in time", error)


async def _refuse(websocket: WebSocket, error: AvatarError) -> None:
    """One sentence for the person, then a polite goodbye."""
    message = {"type": "error", "code": str(error.code), "message": error.message, "retryable": error.retryable}
    try:
        await websocket.send_json(message)
    except (WebSocketDisconnect, RuntimeError):
        return
    await _close(websocket, TRY_AGAIN if error.retryable else POLICY_VIOLATION)


async def _close(websocket: WebSocket, code: int) -> None:
    try:
        await websocket.close(code)
    except (WebSocketDisconnect, RuntimeError):
        return


def _own_page(websocket: WebSocket) -> bool:
    """Whether the page comes from us. Browsers always send Origin; programs need not: the token lets them in."""
    origin = websocket.headers.get("origin")
    return origin is None or same_origin(origin, websocket.headers.get("host", ""), websocket.scope["scheme"])
