"""Several servers: who gets a session, who keeps it, what happens when one dies. Real gRPC, scripted servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

from avatar_runtime.contracts import AvatarError, Code
from gateway.inference import Inference
from gateway.observability.metrics import Metrics
from gateway.settings import Settings

MODELS = ("vad_silero", "stt_whisper", "tts_hibari", "motion_speech", "render_meshwarp", "landmarks_mediapipe")


class Triton(service_pb2_grpc.GRPCInferenceServiceServicer):
    """A tritonserver that hears speech in everything, and remembers who asked."""

    def __init__(self) -> None:
        self.ready = set(MODELS)
        self.sequences: list[int] = []
        self.hangs = False
        self.dead: set[str] = set()  # models that are called ready and never answer
        self.looks = 0
        self.port = 0

    async def RepositoryIndex(self, request: Any, context: Any) -> Any:
        self.looks += 1
        if self.hangs:
            await asyncio.Event().wait()
        index = service_pb2.RepositoryIndexResponse()
        for name in MODELS:
            index.models.add(name=name, state="READY" if name in self.ready else "UNAVAILABLE")
        return index

    async def ModelConfig(self, request: Any, context: Any) -> Any:
        return service_pb2.ModelConfigResponse()

    async def ModelInfer(self, request: Any, context: Any) -> Any:
        if self.hangs or request.model_name in self.dead:
            await asyncio.Event().wait()
        if request.model_name not in self.ready:
            await context.abort(grpc.StatusCode.UNAVAILABLE, f"Request for unknown model: '{request.model_name}'")
        self.sequences.append(request.parameters["sequence_id"].int64_param)
        answer = service_pb2.ModelInferResponse(model_name=request.model_name)
        answer.outputs.add(name="SPEECH", datatype="FP32", shape=[1])
        answer.raw_output_contents.append(np.ones(1, np.float32).tobytes())
        return answer


@contextlib.asynccontextmanager
async def serving(triton: Triton) -> AsyncIterator[grpc.aio.Server]:
    server = grpc.aio.server()
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(triton, server)
    triton.port = server.add_insecure_port(f"127.0.0.1:{triton.port}")
    await server.start()
    try:
        yield server
    finally:
        await server.stop(None)


@contextlib.asynccontextmanager
async def fleet(
    *tritons: Triton, metrics: Metrics | None = None
) -> AsyncIterator[tuple[Inference, list[grpc.aio.Server]]]:
    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving(triton)) for triton in tritons]
        inference = Inference(",".join(f"127.0.0.1:{triton.port}" for triton in tritons), Settings(), metrics)
        stack.push_async_callback(inference.close)
        watching = asyncio.create_task(inference.watch())
        await until(lambda: all(server.states for server in inference._fleet._servers))
        try:
            yield inference, servers
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(8):
        while not condition():  # noqa: ASYNC110 - nobody tells when a server has been looked at
            await asyncio.sleep(0.01)


WINDOW = np.zeros(512, np.float32)


async def ask(inference: Inference) -> None:
    async with inference.vad() as vad:
        await vad.push(WINDOW)


async def eventually(inference: Inference) -> None:
    """Asks as a session does: again after a failure."""
    async with asyncio.timeout(8), contextlib.aclosing(_attempts(inference)) as attempts:
        async for worked in attempts:
            if worked:
                return


async def _attempts(inference: Inference) -> AsyncIterator[bool]:
    while True:
        try:
            await ask(inference)
            yield True
        except AvatarError as error:
            assert error.code is Code.ENGINE_UNAVAILABLE
            yield False
            await asyncio.sleep(0.05)


async def test_sessions_are_shared_out_and_stay() -> None:
    one, other = Triton(), Triton()
    async with fleet(one, other) as (inference, _):
        sessions = [inference.session() for _ in range(4)]
        for _ in range(2):
            for session in sessions:
                await ask(session)
        assert [len(set(each.sequences)) for each in (one, other)] == [4, 4]
        for session in sessions:
            session.leave()
        late = inference.session()
        await ask(late)
        assert len(one.sequences) + len(other.sequences) == 2 * (8 + 1)  # each sequence: one push and its end


async def test_a_sequence_never_changes_its_server() -> None:
    one, other = Triton(), Triton()
    async with fleet(one, other) as (inference, _), inference.vad() as first, inference.vad() as second:
        for _ in range(3):
            await asyncio.gather(first.push(WINDOW), second.push(WINDOW))
        assert len(set(one.sequences) & set(other.sequences)) == 0


async def test_a_session_moves_off_a_dead_server_and_stays_when_that_is_back() -> None:
    one, other = Triton(), Triton()
    async with fleet(one, other) as (inference, servers):
        session = inference.session()
        await ask(session)
        home, refuge = (one, other) if one.sequences else (other, one)
        await servers[0 if home is one else 1].stop(None)
        await eventually(session)
        assert refuge.sequences
        async with serving(home):
            moved, looks = len(refuge.sequences), home.looks
            await until(lambda: home.looks > looks)
            await ask(session)
            assert len(refuge.sequences) == moved + 2


async def test_a_call_to_a_server_that_hangs_does_not_wait_for_its_deadline() -> None:
    one, other = Triton(), Triton()
    async with fleet(one, other) as (inference, _):
        session = inference.session()
        async with session.vad() as vad:
            await vad.push(WINDOW)
            home = one if one.sequences else other
            home.hangs = True
            async with asyncio.timeout(8):  # two looks of two seconds
                with pytest.raises(AvatarError) as caught:
                    await vad.push(WINDOW)
            assert caught.value.code is Code.ENGINE_UNAVAILABLE
            await vad.push(WINDOW)  # elsewhere, as a new sequence


async def test_a_call_to_a_model_that_is_being_loaded_again_does_not_wait_for_its_deadline() -> None:
    only = Triton()
    only.dead.add("vad_silero")
    async with fleet(only) as (inference, _), asyncio.timeout(8), inference.vad() as vad:
        asking = asyncio.create_task(vad.push(WINDOW))
        await until(lambda: inference._fleet.server().load == 1)
        only.ready.discard("vad_silero")
        with pytest.raises(AvatarError) as caught:
            await asking
        assert caught.value.code is Code.ENGINE_UNAVAILABLE


async def test_a_model_that_is_away_on_one_is_asked_of_another() -> None:
    one, other = Triton(), Triton()
    one.ready.discard("vad_silero")
    async with fleet(one, other) as (inference, _):
        for _ in range(3):
            await ask(inference)
            await ask(inference.session())
        assert not one.sequences and len(other.sequences) == 12
        assert (await inference.catalogue())["vad"]["ready"]


async def test_none_is_left() -> None:
    one, other, metrics = Triton(), Triton(), Metrics()
    async with fleet(one, other, metrics=metrics) as (inference, servers):
        session = inference.session()
        await ask(session)
        for server in servers:
            await server.stop(None)
        with pytest.raises(AvatarError) as caught:
            await ask(session)
        assert caught.value.code is Code.ENGINE_UNAVAILABLE
        await until(lambda: not any(server.alive for server in inference._fleet._servers))
        up = [line for line in metrics.text().decode().splitlines() if line.startswith("antlitz_triton_up")]
        assert [line.endswith(" 0.0") for line in up] == [True, True]
        assert not (await inference.catalogue())["vad"]["ready"]


async def test_the_same_address_twice_is_one_server() -> None:
    inference = Inference("127.0.0.1:1, 127.0.0.1:1,,127.0.0.1:2", Settings())
    assert [server.address for server in inference._fleet._servers] == ["127.0.0.1:1", "127.0.0.1:2"]
