"""Signalling: the WebSocket `/api/session`. It carries the session: when it closes, the session ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect

from avatar_runtime.contracts import AvatarError, Code
from gateway.sessions.health import crash
from gateway.sessions.registry import Sessions
from gateway.sessions.session import Session

MAX_MESSAGE = 256 * 1024  # characters; an offer has about 6,000
CONNECT_TIMEOUT = 30.0  # s from opening to the connected peer
POLICY_VIOLATION, NORMAL, TRY_AGAIN = 1008, 1000, 1013


async def signalling(websocket: WebSocket) -> None:
    """One session, from the page's first message to its last."""
    sessions: Sessions = websocket.app.state.sessions
    if not same_origin(websocket):
        await websocket.close(POLICY_VIOLATION)  # before accepting: the handshake is refused with 403
        return
    await websocket.accept()
    try:
        session = sessions.open()
    except AvatarError as error:
        await _refuse(websocket, error)
        return
    try:
        await _converse(websocket, session, sessions)
    finally:
        sessions.closed(session)


async def _converse(websocket: WebSocket, session: Session, sessions: Sessions) -> None:
    async with asyncio.TaskGroup() as group:
        helpers = [
            group.create_task(_read(websocket, session, sessions)),
            group.create_task(_connect_in_time(session)),
        ]
        try:
            await session.run()
        except Exception as error:  # a bug in one of its tasks; the others have ended, too
            session.failure = crash(error)
        finally:
            for helper in helpers:
                helper.cancel()
    if session.failure is not None:
        await _refuse(websocket, session.failure)
    else:
        await _close(websocket, NORMAL)


async def _read(websocket: WebSocket, session: Session, sessions: Sessions) -> None:
    """Messages until the page leaves or says something that is none."""
    try:
        urls = sessions.settings.ice_urls
        hello = {"type": "session", "id": session.id, "iceServers": [{"urls": urls}] if urls else []}
        await websocket.send_json(hello)
        while await _handle(websocket, session):
            pass
        session.end("the page said goodbye")
    except (WebSocketDisconnect, RuntimeError):  # RuntimeError: Starlette's word for a socket that is closed already
        session.end("the page left")
    except AvatarError as error:
        session.end(f"refused, {error.code}", error)
    except Exception as error:
        session.end("an internal error", crash(error))


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


async def _connect_in_time(session: Session) -> None:
    await asyncio.sleep(CONNECT_TIMEOUT)
    if not session.connected:
        error = AvatarError(Code.TIMEOUT, "No media connection came about; a firewall may be in the way.")
        session.end("no connection in time", error)


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


def same_origin(websocket: WebSocket) -> bool:
    """Whether the page comes from us. Browsers always send Origin; programs need not, and no cookie guards anything."""
    origin = websocket.headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc.lower() == websocket.headers.get("host", "").lower()
