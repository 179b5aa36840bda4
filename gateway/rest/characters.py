"""Characters: list, create, change, delete, activate, and their portraits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from avatar_runtime.contracts import MAX_IMAGE_BYTES, AvatarError, Code, Role
from characters import Asset, Character, CharacterChange, NewCharacter
from characters.media_types import IMAGE_TYPES
from gateway.rest.body import read_file, read_json
from gateway.rest.choices import choose_voice, require_engine
from gateway.rest.operation import Answer, File, Json, Operation
from gateway.rest.pictures import check_face, check_picture
from gateway.rest.shapes import CharacterList, CharacterView, character_view, sample_address
from gateway.rest.state import state

log = logging.getLogger(__name__)

YEAR: Final = 365 * 24 * 3600  # s


async def list_characters(request: Request) -> Response:
    found = await asyncio.to_thread(state(request).store.list)
    return JSONResponse({"characters": [character_view(character) for character in found]})


async def create(request: Request) -> Response:
    new = await read_json(request, NewCharacter)
    await _check_choices(request, new.voice.engine, new.voice.id, new.language, new.renderer)
    character = await asyncio.to_thread(state(request).store.create, new)
    return JSONResponse(character_view(character), 201, {"Location": f"/api/characters/{character.id}"})


async def get(request: Request) -> Response:
    return JSONResponse(character_view(await character_of(request)))


async def change(request: Request) -> Response:
    wanted = await read_json(request, CharacterChange)
    now = await character_of(request)
    voice = wanted.voice
    if voice is not None and voice.sample is not None and voice.sample != sample_address(now):
        raise AvatarError(Code.INVALID_REQUEST, "voice.sample can only be removed here; upload one to /voice-sample.")
    engine = now.voice.engine if voice is None or voice.engine is None else voice.engine
    ident = now.voice.id if voice is None or voice.id is None else voice.id
    language = wanted.language or now.language
    if (engine, ident, language) == (now.voice.engine, now.voice.id, now.language):
        require_engine(await _roles(request), Role.RENDER, wanted.renderer or "")
    else:
        await _check_choices(request, engine, ident, language, wanted.renderer or "")
    return await changed(request, await asyncio.to_thread(state(request).store.update, now.id, wanted))


async def delete(request: Request) -> Response:
    await asyncio.to_thread(state(request).store.delete, id_of(request))
    await _told(state(request).sessions.character_changed(id_of(request)))
    return Response(status_code=204)


async def activate(request: Request) -> Response:
    character = await asyncio.to_thread(state(request).store.activate, id_of(request))
    await _told(state(request).sessions.activate(character.id))
    return JSONResponse(character_view(character))


async def put_portrait(request: Request) -> Response:
    await character_of(request)  # before a long upload
    image = await asyncio.to_thread(check_picture, await read_file(request, MAX_IMAGE_BYTES))
    await check_face(state(request).inference, image)
    return await changed(request, await asyncio.to_thread(state(request).store.set_portrait, id_of(request), image))


async def get_portrait(request: Request) -> Response:
    asset = await asyncio.to_thread(state(request).store.portrait, id_of(request))
    return file_answer(request, asset, "portrait")


def id_of(request: Request) -> str:
    return str(request.path_params["id"])


async def character_of(request: Request) -> Character:
    return await asyncio.to_thread(state(request).store.get, id_of(request))


async def changed(request: Request, character: Character) -> Response:
    await _told(state(request).sessions.character_changed(character.id))
    return JSONResponse(character_view(character))


async def _told(telling: Awaitable[None]) -> None:
    """Sessions are told after the change is stored: their trouble is theirs, the request has succeeded."""
    try:
        await telling
    except Exception as error:
        log.error("a session could not follow a change of its character: %s", type(error).__name__)


async def _roles(request: Request) -> dict[str, object]:
    try:
        return await state(request).inference.catalogue()
    except AvatarError:
        return {}  # characters can be edited while Triton is away


async def _check_choices(request: Request, engine: str, voice: str, language: str, renderer: str) -> None:
    roles = await _roles(request)
    choose_voice(roles, engine, voice, language)
    require_engine(roles, Role.RENDER, renderer)


def file_answer(request: Request, asset: Asset | None, what: str) -> Response:
    """A stored file. An address with the content's hash in it never changes its content; others are asked again."""
    if asset is None:
        raise HTTPException(404, f"This character has no {what}.")
    etag = f'"{asset.sha256}"'
    version = request.query_params.get("v", "")
    fixed = len(version) >= 8 and asset.sha256.startswith(version)
    headers = {
        "ETag": etag,
        "Cache-Control": f"private, max-age={YEAR}, immutable" if fixed else "no-cache",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": "inline",
    }
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(asset.data, media_type=asset.media_type, headers=headers)


_FIELDS = (Code.INVALID_REQUEST, Code.TOO_LARGE, Code.NAME_TAKEN)
_CHOICES = (Code.UNKNOWN_ENGINE, Code.UNKNOWN_VOICE, Code.UNKNOWN_LANGUAGE)
_FACES = (Code.INVALID_IMAGE, Code.NO_FACE, Code.SEVERAL_FACES, Code.FACE_TOO_SMALL)
_LOST = (Code.ENGINE_UNAVAILABLE, Code.TIMEOUT)
GONE = (Code.UNKNOWN_CHARACTER,)
ONE = "/api/characters/{id}"
VIEW = Answer("The character", CharacterView)
KEPT = (Answer("The file has not changed", status=304),)

OPERATIONS = (
    Operation("GET", "/api/characters", list_characters, "All characters", "characters", Answer("All", CharacterList)),
    Operation(
        "POST",
        "/api/characters",
        create,
        "Create a character",
        "characters",
        Answer("The new character", CharacterView, status=201),
        Json(NewCharacter),
        _FIELDS + _CHOICES,
    ),
    Operation("GET", ONE, get, "One character", "characters", VIEW, None, GONE),
    Operation(
        "PATCH",
        ONE,
        change,
        "Change a character",
        "characters",
        VIEW,
        Json(CharacterChange),
        GONE + _FIELDS + _CHOICES,
    ),
    Operation("DELETE", ONE, delete, "Delete a character", "characters", Answer("Gone", status=204), None, GONE),
    Operation(
        "POST", f"{ONE}/activate", activate, "Make it the one everybody talks with", "characters", VIEW, None, GONE
    ),
    Operation(
        "PUT",
        f"{ONE}/portrait",
        put_portrait,
        "Give it a portrait",
        "characters",
        VIEW,
        File(IMAGE_TYPES),
        (*GONE, Code.INVALID_REQUEST, Code.TOO_LARGE, *_FACES, *_LOST),
    ),
    Operation(
        "GET",
        f"{ONE}/portrait",
        get_portrait,
        "Its portrait",
        "characters",
        Answer("The picture", None, IMAGE_TYPES),
        None,
        GONE,
        KEPT,
    ),
)
