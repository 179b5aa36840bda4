"""Who does not wait for an answer any more: what is cancelled in Triton, and when. Real gRPC, a scripted server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import numpy as np
import pytest
from tritonclient.grpc import InferInput, service_pb2, service_pb2_grpc

from avatar_runtime.contracts import AvatarError
from gateway.inference.server import Tritonserver
from gateway.observability.metrics import Metrics

WINDOW = np.zeros(512, np.float32)


class Triton(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Answers when it is told to, and knows who has cancelled."""

    def __init__(self) -> None:
        self.asked, self.go, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.cancelled = False

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        self.asked.set()
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):  # which of them: gRPC may be writing when it is cancelled
            self.cancelled = True
            raise
        finally:
            self.ended.set()

    async def end(self) -> None:
        async with asyncio.timeout(10):
            await self.ended.wait()

    async def ModelInfer(self, request: Any, context: Any) -> Any:
        async with self._watched():
            await self.go.wait()
        return service_pb2.ModelInferResponse(model_name=request.model_name)

    async def ModelStreamInfer(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        """Two answers; or an error, for a model called so. Then the end comes when it is told to."""
        async with self._watched():
            async for request in requests:
                if request.model_name == "error":
                    yield service_pb2.ModelStreamInferResponse(error_message="invalid_text: No.")
                else:
                    for samples in (4, 0):
                        answer = service_pb2.ModelStreamInferResponse()
                        answer.infer_response.outputs.add(name="AUDIO", datatype="FP32", shape=[samples])
                        answer.infer_response.raw_output_contents.append(np.zeros(samples, np.float32).tobytes())
                        yield answer
            await self.go.wait()


@pytest.fixture
async def triton() -> AsyncIterator[Triton]:
    yield Triton()


@pytest.fixture
async def door(triton: Triton) -> AsyncIterator[Tritonserver]:
    server = grpc.aio.server()
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(triton, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    found = Tritonserver(f"127.0.0.1:{port}", Metrics())
    yield found
    await found.close()
    await server.stop(None)


def empty(result: Any) -> bool:
    return bool(result.as_numpy("AUDIO").size == 0)


def audio() -> list[InferInput]:
    return [InferInput("AUDIO", [1], "FP32").set_data_from_numpy(np.zeros(1, np.float32))]


async def given_up(triton: Triton, door: Tritonserver) -> None:
    asking = asyncio.create_task(door.call("vad_silero", {"AUDIO": WINDOW}, 10.0))
    await triton.asked.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert door.load == 0


async def test_a_request_that_is_given_up_is_answered_all_the_same(triton: Triton, door: Tritonserver) -> None:
    await given_up(triton, door)
    triton.go.set()
    await triton.end()
    assert not triton.cancelled


async def test_one_that_takes_long_is_cancelled_in_the_end(
    triton: Triton, door: Tritonserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.inference.server.RUN_OUT_SECONDS", 0.05)
    await given_up(triton, door)
    await triton.end()
    assert triton.cancelled


async def test_whoever_closes_the_door_waits_for_it(triton: Triton, door: Tritonserver) -> None:
    await given_up(triton, door)
    closing = asyncio.create_task(door.close())
    done, _ = await asyncio.wait({closing}, timeout=0.1)
    assert not done
    triton.go.set()
    await closing
    assert triton.ended.is_set() and not triton.cancelled


@pytest.mark.parametrize("model", ["speech", "error"])
async def test_a_stream_that_has_said_all_ends_by_itself(triton: Triton, door: Tritonserver, model: str) -> None:
    heard = []
    with pytest.raises(AvatarError) if model == "error" else contextlib.nullcontext():
        async for result in door.stream(model, audio(), empty):
            heard.append(result.as_numpy("AUDIO").size)
    assert heard == ([] if model == "error" else [4]) and not triton.ended.is_set()
    triton.go.set()
    await triton.end()
    assert not triton.cancelled


async def test_a_stream_that_is_closed_before_is_cancelled_at_once(
    triton: Triton, door: Tritonserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.inference.server.RUN_OUT_SECONDS", 3600.0)  # nothing but a cancellation ends it
    stream = door.stream("speech", audio(), lambda _: False)
    await anext(stream)
    await stream.aclose()
    await triton.end()
    assert triton.cancelled
