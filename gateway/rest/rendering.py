"""One still picture of a portrait that feels something."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from avatar_runtime.contracts import EMOTIONS, MAX_IMAGE_BYTES, AvatarError, Code, Role
from gateway.rest.body import read_form
from gateway.rest.choices import require_engine
from gateway.rest.operation import Answer, Form, Operation
from gateway.rest.pictures import check_face, check_picture, encode_picture
from gateway.rest.state import state

SETTLED: Final = 25  # frames: an emotion has blended in after one second


class RenderForm(BaseModel):
    """What the face should show."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    emotion: str = Field("neutral", max_length=32, json_schema_extra={"enum": list(EMOTIONS)})
    intensity: float = Field(1.0, ge=0, le=1, allow_inf_nan=False)
    format: Literal["png", "jpeg"] = "png"
    renderer: str = Field("", max_length=64, description="an engine of the role `render`; the server's when left out")


async def render(request: Request) -> Response:
    upload = await read_form(request, MAX_IMAGE_BYTES, "image")
    wanted = RenderForm.model_validate(upload.fields)
    if wanted.emotion not in EMOTIONS:
        raise AvatarError(Code.UNKNOWN_EMOTION, f"This emotion is not known; there is {', '.join(EMOTIONS)}.")
    inference = state(request).inference
    if wanted.renderer:
        require_engine(await inference.catalogue(), Role.RENDER, wanted.renderer)
    image = await asyncio.to_thread(check_picture, upload.file)
    await check_face(inference, image)
    motion = await inference.motion_once(wanted.emotion, wanted.intensity, SETTLED)
    frames = await inference.render_once(image, motion[-1:], fmt="rgb", engine=wanted.renderer or None)
    picture = await asyncio.to_thread(encode_picture, frames[-1], wanted.format)
    return Response(picture, media_type=f"image/{wanted.format}")


OPERATIONS = (
    Operation(
        "POST",
        "/api/render",
        render,
        "Show an emotion on a portrait",
        "pictures",
        Answer("The picture, 512x512", None, ("image/png", "image/jpeg")),
        Form(RenderForm, "image"),
        (
            Code.INVALID_REQUEST,
            Code.TOO_LARGE,
            Code.INVALID_IMAGE,
            Code.NO_FACE,
            Code.SEVERAL_FACES,
            Code.FACE_TOO_SMALL,
            Code.UNKNOWN_EMOTION,
            Code.UNKNOWN_ENGINE,
            Code.ENGINE_UNAVAILABLE,
            Code.TIMEOUT,
        ),
    ),
)
