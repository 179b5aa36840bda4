"""Traces, with OpenTelemetry's own exporter into memory, and a real gRPC server that sees what Triton would see."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from avatar_runtime.contracts import AvatarError, Code
from gateway.inference import Inference
from gateway.observability import tracing
from gateway.observability.calls import watched
from gateway.observability.context import session_id
from gateway.observability.metrics import Metrics
from gateway.settings import Settings

sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="pip install -e '.[telemetry]'")
WORDS = "zanzibar xylophone"
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0[13]")  # sampled; 2: a random id


@pytest.fixture(scope="module")
def exporter() -> Any:
    """OpenTelemetry takes one provider for the whole process."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory = InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    trace.set_tracer_provider(provider)
    return memory


@pytest.fixture
def spans(exporter: Any) -> Iterator[Any]:
    exporter.clear()
    yield exporter.get_finished_spans


@pytest.fixture
async def triton() -> Any:
    """A gRPC server that notes who asked with which metadata, and has nothing to give."""
    seen: list[tuple[str, dict[str, str]]] = []

    class Noting(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            async def refuse(request: Any, context: Any) -> Any:
                metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
                seen.append((details.method.rpartition("/")[2], metadata))
                await context.abort(grpc.StatusCode.UNAVAILABLE, "no models")

            async def refuse_stream(requests: Any, context: Any) -> Any:
                await refuse(None, context)
                yield b""

            if details.method.endswith("ModelStreamInfer"):
                return grpc.stream_stream_rpc_method_handler(refuse_stream)
            return grpc.unary_unary_rpc_method_handler(refuse)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Noting(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}", seen
    await server.stop(None)


async def test_triton_gets_the_context_of_the_turn(triton: Any, spans: Any) -> None:
    address, seen = triton
    inference = Inference(address, Settings())
    token = session_id.set("abc")
    with tracing.span("turn"):
        with pytest.raises(AvatarError):
            await inference.transcribe(np.zeros(100, np.float32))
        with pytest.raises(AvatarError):
            async for _ in inference.synthesize(WORDS, engine="tts_hibari"):
                pass
    session_id.reset(token)
    with pytest.raises(AvatarError):
        await inference.transcribe(np.zeros(100, np.float32))
    await inference.close()

    unary, stream, turn = spans()
    assert (unary.name, stream.name, turn.name) == ("triton stt_whisper", "triton tts_hibari", "turn")
    assert {each.parent.span_id for each in (unary, stream)} == {turn.context.span_id} and turn.parent is None
    assert dict(unary.attributes) == {
        "triton.model": "stt_whisper", "session.id": "abc", "error.type": "AvatarError",
    }  # fmt: skip
    assert [method for method, _ in seen] == ["ModelInfer", "ModelStreamInfer", "ModelInfer"]
    for (_, metadata), span in zip(seen[:2], (unary, stream), strict=True):
        found = TRACEPARENT.fullmatch(metadata["traceparent"])
        assert found is not None
        assert int(found[1], 16) == turn.context.trace_id and int(found[2], 16) == span.context.span_id
    assert "traceparent" not in seen[2][1], "outside of a turn nothing is traced"


def test_what_goes_on_outside_of_turns_makes_no_traces(spans: Any) -> None:
    with watched(Metrics(), "vad_silero"):
        assert tracing.headers() == {}
    assert spans() == ()


def test_a_trace_holds_no_words(spans: Any) -> None:
    with pytest.raises(AvatarError), tracing.span("turn"):
        raise AvatarError(Code.INVALID_TEXT, WORDS)
    (turn,) = spans()
    assert turn.status.is_ok is False and turn.attributes["error.type"] == "AvatarError"
    assert WORDS not in turn.to_json() and not turn.events


def test_an_exporter_without_its_package_is_one_sentence(tmp_path: Path) -> None:
    """In a process that cannot import OpenTelemetry spans cost nothing, and asking for traces fails."""
    script = """
import sys
for name in ("opentelemetry", "opentelemetry.sdk"):
    sys.modules[name] = None
from gateway.observability import tracing
with tracing.span("turn", of="x"), tracing.child("y"):
    assert tracing.headers() == {}
loose = tracing.Loose("z")
with loose.current():
    loose.failed(ValueError())
loose.end()
try:
    tracing.start("http://localhost:4318/v1/traces")
except ValueError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    assert done.stdout.strip() == "ANTLITZ_TRACES needs OpenTelemetry: pip install 'antlitz[telemetry]'."


def test_spans_reach_a_collector(tmp_path: Path) -> None:
    """Over real HTTP, in a process of its own: OpenTelemetry has one provider for a process."""
    script = """
import http.server, threading
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from gateway.observability import tracing

class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        import gzip
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
        names = {each.key: each.value.string_value for each in resource.resource.attributes}
        spans = [span.name for scope in resource.scope_spans for span in scope.spans]
        print(self.path, names["service.name"], spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_): pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
threading.Thread(target=server.serve_forever, daemon=True).start()
stop = tracing.start(f"http://127.0.0.1:{server.server_port}/v1/traces")
with tracing.span("turn"), tracing.child("triton stt_whisper"):
    pass
stop()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    assert done.stdout.strip() == "/v1/traces antlitz-gateway ['triton stt_whisper', 'turn']", done
