"""Request bodies: read with a limit that is enforced while they arrive, and turned into typed values."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, TypeVar

from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from avatar_runtime.contracts import AvatarError, Code

MAX_JSON_BYTES: Final = 256 * 2**10
MAX_FIELD_BYTES: Final = 64 * 2**10
MAX_FIELDS: Final = 24
FORM_OVERHEAD: Final = 128 * 2**10  # bytes of a multipart body around its file

CHUNK_SECONDS: Final = 20.0  # between two pieces of a body; who sends more slowly holds a place that others need
BODY_SECONDS: Final = 300.0  # 64 MB at 2 Mbit/s

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Upload:
    """A multipart body: the file's bytes, and the other fields as they were sent."""

    file: bytes
    fields: dict[str, str]


async def limited(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body, chunk by chunk; `too_large` once it is known to be over `limit` bytes, 408 when it does not come."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and (len(declared) > 15 or int(declared) > limit):
        raise _too_large(limit)
    received = 0
    now = asyncio.get_running_loop().time
    deadline = now() + BODY_SECONDS
    chunks = request.stream()
    while True:
        try:
            async with asyncio.timeout_at(min(deadline, now() + CHUNK_SECONDS)):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise HTTPException(408, "The body did not come in time.") from error
        received += len(chunk)
        if received > limit:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> AvatarError:
    size = f"{limit / 2**20:.0f} MB" if limit >= 2**20 else f"{limit / 2**10:.0f} kB"
    return AvatarError(Code.TOO_LARGE, f"This is too large: at most {size} are taken here.")


async def read(request: Request, limit: int) -> bytes:
    """The whole body, at most `limit` bytes."""
    return b"".join([chunk async for chunk in limited(request, limit)])


async def read_json(request: Request, model: type[M]) -> M:
    """A JSON body as `model`. Raises `too_large`, 415, or pydantic's error, which becomes `invalid_request`."""
    kind = media_type(request)
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise HTTPException(415, "Send JSON here, with the header Content-Type: application/json.")
    return model.model_validate_json(await read(request, MAX_JSON_BYTES))


async def read_form(request: Request, limit: int, file_field: str = "file") -> Upload:
    """A multipart body whose file is in `file_field`, at most `limit` bytes of it."""
    if media_type(request) != "multipart/form-data":
        raise HTTPException(415, f"Send multipart/form-data here, with the file in the field {file_field}.")
    stream = limited(request, limit + FORM_OVERHEAD)
    parser = MultiPartParser(
        request.headers,
        stream,  # type: ignore[arg-type]  # it asks for AsyncGenerator and uses AsyncIterator
        max_files=1,
        max_fields=MAX_FIELDS,
        max_part_size=MAX_FIELD_BYTES,
    )
    parser.spool_max_size = limit + FORM_OVERHEAD  # what people send is never written to a temporary file
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise AvatarError(Code.INVALID_REQUEST, "The body is not valid multipart/form-data.") from error
    except UnicodeError as error:
        raise AvatarError(Code.INVALID_REQUEST, "The form's text is not valid in its charset.") from error
    fields: dict[str, str] = {}
    data: bytes | None = None
    try:
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                fields[name] = _text(value)
            elif name == file_field:
                data = await value.read()
    finally:
        await form.close()
    if data is None:
        raise AvatarError(Code.INVALID_REQUEST, f"The form has no file in the field {file_field}.")
    if len(data) > limit:
        raise _too_large(limit)
    return Upload(data, fields)


async def read_file(request: Request, limit: int) -> bytes:
    """A file that is the body itself, or the `file` of a multipart body."""
    if media_type(request) == "multipart/form-data":
        return (await read_form(request, limit)).file
    return await read(request, limit)


def media_type(request: Request) -> str:
    """The body's declared kind, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _text(value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise AvatarError(Code.INVALID_REQUEST, "The form's text is not valid Unicode.") from error
    return value
