"""The OpenAPI 3.1 document, made from the route table and the pydantic models that the routes themselves use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.errors import STATUS
from gateway.rest.operation import Answer, File, Form, Json, Operation
from gateway.rest.shapes import ErrorAnswer

_REFERENCE: Final = "#/components/schemas/{model}"
_BINARY: Final[dict[str, Any]] = {"type": "string", "contentMediaType": "application/octet-stream"}


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document that `/api/openapi.json` serves."""
    models = {model for operation in operations for model in _models(operation)} | {ErrorAnswer}
    ordered = sorted(models, key=lambda model: model.__name__)
    references, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=_REFERENCE)
    of_model = {model: references[(model, "validation")] for model in ordered}
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, of_model)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Antlitz",
            "version": _version(),
            "description": "Talk with a portrait. The conversation itself runs over the WebSocket /api/session.",
        },
        "paths": paths,
        "components": {"schemas": schemas["$defs"]},
    }


def _version() -> str:
    try:
        return version("antlitz")
    except PackageNotFoundError:
        return "0"


def _models(operation: Operation) -> Iterable[type[BaseModel]]:
    if isinstance(operation.body, Json):
        yield operation.body.model
    for answer in (operation.answer, *operation.also):
        if answer.model is not None:
            yield answer.model


def _operation(operation: Operation, of_model: dict[type[BaseModel], Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.handler.__name__,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": _responses(operation, of_model),
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _body(operation.body, of_model)}
    return described


def _body(body: Json | Form | File, of_model: dict[type[BaseModel], Any]) -> dict[str, Any]:
    match body:
        case Json(model):
            return {"application/json": {"schema": of_model[model]}}
        case Form(model, file):
            return {"multipart/form-data": {"schema": _form(model, file)}}
        case File(media_types):
            upload = {"type": "object", "properties": {"file": _BINARY}, "required": ["file"]}
            return {kind: {} for kind in media_types} | {"multipart/form-data": {"schema": upload}}


def _form(model: type[BaseModel], file: str) -> dict[str, Any]:
    """The model's fields and a file, as one object: `allOf` cannot be met where the model takes no other fields."""
    schema = model.model_json_schema()
    return {
        **schema,
        "properties": {file: _BINARY, **schema["properties"]},
        "required": [file, *schema.get("required", [])],
    }


def _responses(operation: Operation, of_model: dict[type[BaseModel], Any]) -> dict[str, Any]:
    responses = {str(answer.status): _answer(answer, of_model) for answer in (operation.answer, *operation.also)}
    failures: dict[int, list[str]] = {}
    for code in operation.errors:
        failures.setdefault(STATUS[code], []).append(code.value)
    if isinstance(operation.body, Json | Form):
        failures.setdefault(415, []).append("unsupported_media_type")
    for status, codes in sorted(failures.items()):
        responses[str(status)] = {
            "description": ", ".join(codes),
            "content": {"application/json": {"schema": of_model[ErrorAnswer]}},
        }
    return responses


def _answer(answer: Answer, of_model: dict[type[BaseModel], Any]) -> dict[str, Any]:
    content: dict[str, Any] = {kind: {} for kind in answer.media_types}
    if answer.model is not None:
        content["application/json"] = {"schema": of_model[answer.model]}
    described: dict[str, Any] = {"description": answer.description}
    return described | {"content": content} if content else described
