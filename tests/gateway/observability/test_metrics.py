from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from avatar_runtime.contracts import AvatarError, Code
from gateway.app import create_app
from gateway.observability.calls import Streamed, watched
from gateway.observability.metrics import Metrics, Playout
from gateway.settings import Settings


def figures(metrics: Metrics) -> dict[str, float]:
    """Name and labels of every sample, with its value."""
    return {
        sample.name + "".join(f",{value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_the_stages_of_a_turn_are_histograms() -> None:
    metrics = Metrics()
    metrics.timing({"transcript": 120, "first_audio": 1_480})
    metrics.turn("first_audio", -0.1)  # clocks
    found = figures(metrics)
    assert found["antlitz_turn_stage_seconds_count,first_audio"] == 2
    assert found["antlitz_turn_stage_seconds_sum,first_audio"] == pytest.approx(1.48)
    assert found["antlitz_turn_stage_seconds_bucket,1.25,first_audio"] == 1
    assert found["antlitz_turn_stage_seconds_bucket,1.5,first_audio"] == 2
    assert found["antlitz_turn_stage_seconds_count,transcript"] == 1


def test_sessions_as_they_are_and_were() -> None:
    metrics = Metrics()
    running = [Playout(100, 3, 1, {"messages": 2, "frames": 5}), Playout(50, 0, 0, {"messages": 7})]
    metrics.watch(lambda: running)
    metrics.session_opened()
    metrics.session_closed(12.0, Playout(1_000, 10, 5), failure="timeout")
    metrics.session_refused()
    found = figures(metrics)
    assert found["antlitz_sessions"] == 2
    assert found["antlitz_frames_sent_total"] == 1_150
    assert found["antlitz_frames_held_total"] == 13 and found["antlitz_frames_dropped_total"] == 6
    assert found["antlitz_queue_depth,messages"] == 7 and found["antlitz_queue_depth,frames"] == 5
    assert found["antlitz_queue_depth,speech_slots"] == 0
    assert found["antlitz_sessions_failed_total,timeout"] == found["antlitz_sessions_refused_total"] == 1
    assert found["antlitz_session_seconds_bucket,30.0"] == 1
    assert found["antlitz_frames_sent_total"] >= figures(metrics)["antlitz_frames_sent_total"], "counted once"


def test_requests_to_triton_by_model() -> None:
    metrics = Metrics()
    with watched(metrics, "vad_silero"):
        pass
    for code in (Code.TIMEOUT, Code.CANCELLED):
        with pytest.raises(AvatarError), watched(metrics, "vad_silero"):
            raise AvatarError(code, "No.")
    call = Streamed(metrics, "tts_hibari")
    with call.sending():
        pass
    call.answered()
    call.answered()
    assert call.failed(AvatarError(Code.INTERNAL, "No.")).code is Code.INTERNAL
    call.end()
    found = figures(metrics)
    assert found["antlitz_triton_request_seconds_count,vad_silero"] == 1
    assert found["antlitz_triton_request_seconds_count,tts_hibari"] == 1
    assert found["antlitz_triton_errors_total,timeout,vad_silero"] == 1
    assert found["antlitz_triton_errors_total,internal,tts_hibari"] == 1
    assert "antlitz_triton_errors_total,cancelled,vad_silero" not in found, "who gives up is no fault of the model's"


def test_the_gateway_serves_its_figures(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, triton="127.0.0.1:9")
    with TestClient(create_app(settings), "http://localhost") as client:
        client.get("/api/characters")
        client.get("/nowhere")
        client.request("BREW", "/nowhere")
        client.get("/", headers={"Host": "evil.example"})
        with client.websocket_connect("ws://localhost/api/session") as socket:
            socket.receive_json()
            answer = client.get("/metrics")
        found = figures(client.app.state.metrics)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "antlitz_sessions 1.0" in answer.text
    assert found["antlitz_http_responses_total,GET,404"] == 1
    assert found["antlitz_http_responses_total,other,404"] == 1, "methods that somebody made up are one label"
    assert found["antlitz_http_responses_total,GET,421"] == found["antlitz_refused_total,421"] == 1
    assert found["antlitz_sessions_opened_total"] == 1
    assert found["process_resident_memory_bytes"] > 1e6


def test_two_gateways_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.session_opened()
    assert figures(one)["antlitz_sessions_opened_total"] == 1
    assert figures(other)["antlitz_sessions_opened_total"] == 0
