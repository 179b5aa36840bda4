from __future__ import annotations

import pytest
from openapi_spec_validator import validate
from scripted_inference import catalogue

from avatar_runtime.contracts import AvatarError, Code
from gateway.rest import OPERATIONS, routes


def test_alive_whatever_triton_does(client, inference):
    inference.failures["catalogue"] = AvatarError(Code.ENGINE_UNAVAILABLE, "Triton is gone.")
    assert client.get("/healthz").json() == {"status": "ok"}


def test_ready_when_every_role_is(client):
    answer = client.get("/readyz")
    assert answer.status_code == 200 and answer.json() == {"ready": True, "missing": []}


@pytest.mark.parametrize("role", ["vad", "stt", "tts", "landmarks", "motion", "render"])
def test_not_ready_says_which_role(client, inference, role):
    inference.roles[role]["ready"] = False
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json() == {"ready": False, "missing": [role]}


def test_not_ready_without_triton(client, inference):
    inference.failures["catalogue"] = AvatarError(Code.ENGINE_UNAVAILABLE, "Triton is gone.")
    assert client.get("/readyz").status_code == 503
    answer = client.get("/api/engines")
    assert answer.status_code == 503 and answer.json()["error"]["retryable"]


def test_engines(client):
    assert client.get("/api/engines").json() == {"roles": catalogue()}


def test_openapi_is_valid_and_whole(client):
    document = client.get("/api/openapi.json").json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    served = {(route.path, method) for route in routes() for method in route.methods if method != "HEAD"}
    assert described == served
    names = [operation.handler.__name__ for operation in OPERATIONS]
    assert len(set(names)) == len(names)
    create = document["paths"]["/api/characters"]["post"]["responses"]
    assert set(create) == {"201", "400", "409", "413", "415", "422"}


def test_answers_are_as_described(client):
    """The models that describe answers accept them."""
    for operation in OPERATIONS:
        if operation.method == "GET" and operation.answer.model is not None:
            answer = client.get(operation.path.replace("{id}", "mona-lisa"))
            operation.answer.model.model_validate_json(answer.content, strict=True)


def test_a_bug_is_a_short_id(client, inference, caplog):
    inference.failures["catalogue"] = RuntimeError("secret words")
    answer = client.get("/api/engines")
    error = answer.json()["error"]
    assert answer.status_code == 500 and error["code"] == "internal" and "secret" not in answer.text
    ident = error["message"].rstrip(".").split()[-1]
    assert ident in caplog.text and "secret words" not in caplog.text and "RuntimeError" in caplog.text
