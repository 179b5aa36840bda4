"""What a failure of Triton or of gRPC means to the person."""

from __future__ import annotations

from grpc.aio import AioRpcError  # type: ignore[import-untyped]  # it carries no types
from tritonclient.utils import InferenceServerException

from avatar_runtime.contracts import AvatarError, Code


def away(model: str) -> AvatarError:
    """Nobody can answer just now."""
    return AvatarError(Code.ENGINE_UNAVAILABLE, f"{model} is not available at the moment.")


def unreachable(error: Exception) -> bool:
    """Whether the failure is one of the way to the server, or of the server, rather than of a request."""
    status = error.status() if isinstance(error, InferenceServerException) else ""
    return "UNAVAILABLE" in str(error.code() if isinstance(error, AioRpcError) else status)


def to_avatar_error(error: Exception, model: str) -> AvatarError:
    """What a Triton or gRPC failure means to the person."""
    match error:
        case InferenceServerException():
            text, status = error.message() or "", error.status() or ""
        case AioRpcError():  # of a stream, which the client does not convert
            text, status = error.details() or "", str(error.code())
        case _:
            text, status = str(error), ""
    parsed = AvatarError.parse(text)
    if parsed is not None:
        return parsed
    if "DEADLINE" in status:
        return AvatarError(Code.TIMEOUT, f"{model} did not answer in time.")
    if "CANCELLED" in status:
        return AvatarError(Code.CANCELLED, "The request was cancelled.")
    if "INVALID_ARGUMENT" in status and "sequence" not in text and "ready" not in text:
        return AvatarError(Code.INVALID_REQUEST, f"{model} refused the request's form.")
    return away(model)
