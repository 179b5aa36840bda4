from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.testclient import TestClient

from avatar_runtime.contracts import RETRYABLE, AvatarError, Code
from characters.failures import StorageAway, StorageFailed
from gateway.errors import HANDLERS, STATUS, invalid, respond


def body(response) -> dict:
    return json.loads(response.body)["error"]


def test_every_code_has_a_status():
    assert set(STATUS) == set(Code)
    assert all(400 <= status < 600 for status in STATUS.values())


@pytest.mark.parametrize("code", list(Code))
def test_our_own_errors(code):
    response = respond(AvatarError(code, "One sentence."))
    assert response.status_code == STATUS[code]
    assert body(response) == {"code": code, "message": "One sentence.", "retryable": code in RETRYABLE}
    assert ("retry-after" in response.headers) == (code in RETRYABLE)


def test_the_frameworks_errors():
    assert body(respond(HTTPException(404)))["code"] == "not_found"
    assert body(respond(HTTPException(415, "Send JSON.")))["message"] == "Send JSON."
    assert respond(ClientDisconnect()).status_code == 499


def test_a_crash_says_only_an_id(caplog):
    def crash(spoken: str) -> None:
        raise ValueError(spoken)

    try:
        crash(" ".join(["words", "somebody", "spoke"]))
    except ValueError as error:
        response = respond(error)
    assert response.status_code == 500 and "words" not in body(response)["message"]
    assert "in crash" in caplog.text and "words somebody spoke" not in caplog.text


def test_validation_never_repeats_what_was_sent():
    class Model(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)
        number: int

    for sent in (
        b'{"number": "secret"}',
        b'{"number": 1, "secret\\n": 2}',
        b"secret",
        b'["secret"]',
        b'{"number": 1e999}',
    ):
        try:
            Model.model_validate_json(sent)
        except ValidationError as error:
            found = invalid(error)
        assert found.code is Code.INVALID_REQUEST and "\n" not in found.message
        assert '"secret"' not in found.message and found.message.endswith(".")


def test_handlers_serve_an_application():
    async def fail(request):
        raise AvatarError(Code.TOO_MANY_SESSIONS, "All places are taken.")

    app = Starlette(routes=[Route("/", fail)], exception_handlers=HANDLERS)
    with TestClient(app) as client:
        assert client.get("/").status_code == 503
        assert client.get("/nothing").json()["error"]["code"] == "not_found"


def test_a_full_disk_says_so():
    answer = respond(StorageFailed())
    assert answer.status_code == 507
    said = json.loads(bytes(answer.body))["error"]
    assert said["code"] == "insufficient_storage" and "disk" in said["message"] and said["message"].endswith(".")


def test_a_database_that_does_not_answer_says_so():
    answer = respond(StorageAway())
    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert body(answer)["code"] == "service_unavailable" and body(answer)["message"].endswith(".")
