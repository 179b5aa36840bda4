"""What a failure of Triton means to the person."""

from __future__ import annotations

import pytest
from tritonclient.utils import InferenceServerException

from avatar_runtime.contracts import AvatarError, Code
from gateway.inference import Inference, to_avatar_error
from gateway.settings import Settings


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        ("no_face: There is no face in this picture.", "StatusCode.INTERNAL", Code.NO_FACE),
        ("in ensemble, no_face: There is no face.", "StatusCode.INTERNAL", Code.NO_FACE),
        ("Deadline Exceeded", "StatusCode.DEADLINE_EXCEEDED", Code.TIMEOUT),
        ("cancelled", "StatusCode.CANCELLED", Code.CANCELLED),
        ("failed to connect to all addresses", "StatusCode.UNAVAILABLE", Code.ENGINE_UNAVAILABLE),
        ("unexpected shape for input", "StatusCode.INVALID_ARGUMENT", Code.INVALID_REQUEST),
        ("request for sequence 7 must specify START", "StatusCode.INVALID_ARGUMENT", Code.ENGINE_UNAVAILABLE),
    ],
)
def test_each_failure_has_a_code(message: str, status: str, code: Code) -> None:
    error = to_avatar_error(InferenceServerException(message, status), "render_x")
    assert error.code is code
    assert "StatusCode" not in error.message and "addresses" not in error.message


def test_an_error_survives_the_wire() -> None:
    for code in Code:
        error = AvatarError(code, "One sentence.")
        again = AvatarError.parse(str(error))
        assert again is not None and (again.code, again.message) == (code, "One sentence.")
    assert AvatarError.parse("something else: entirely") is None


async def test_no_server_is_said_at_once() -> None:
    door = Inference("127.0.0.1:1", Settings())
    assert await door.ready() is False
    roles = await door.catalogue()
    assert not any(role["ready"] for role in roles.values())
    with pytest.raises(AvatarError) as caught:
        await door.landmarks(b"x")
    assert caught.value.code is Code.ENGINE_UNAVAILABLE
    with pytest.raises(AvatarError) as caught:
        await anext(door.synthesize("Good morning.", engine="tts_x"))
    assert str(caught.value) == "engine_unavailable: tts_x is not available at the moment."
    await door.close()
