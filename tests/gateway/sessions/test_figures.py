"""What a session leaves in the gateway's figures and log lines, over a real connection."""

from __future__ import annotations

import json
import logging

import pytest
from loopback import gateway, page, until
from prometheus_client.parser import text_string_to_metric_families
from scripted import Scripted
from websockets.asyncio.client import connect

from gateway.observability.logs import TextFormatter
from gateway.sessions import Sessions


def figures(sessions: Sessions) -> dict[str, float]:
    families = text_string_to_metric_families(sessions.metrics.text().decode())
    return {
        ",".join([sample.name, *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


async def test_a_turn_is_counted_while_it_runs_and_afterwards() -> None:
    async with gateway(Scripted(voice=0.4)) as (url, sessions):
        async with page(url) as one:
            await one.until(lambda: one.frames)
            one.tell(type="text", text="Hello there", mode="chat")
            await one.until(lambda: one.captions("avatar") and one.of("timing"))
            running = figures(sessions)
            assert running["antlitz_sessions"] == running["antlitz_sessions_opened_total"] == 1
            assert running["antlitz_frames_sent_total"] >= len(one.frames) > 10
            told = one.of("timing")[0]["ms"]
            for stage, ms in told.items():
                assert running[f"antlitz_turn_stage_seconds_count,{stage}"] == 1
                assert running[f"antlitz_turn_stage_seconds_sum,{stage}"] == pytest.approx(ms / 1000)
            assert running["antlitz_queue_depth,frames"] >= 0
        await until(lambda: not sessions.running)
        ended = figures(sessions)
        assert ended["antlitz_sessions"] == 0 and ended["antlitz_session_seconds_count"] == 1
        assert ended["antlitz_frames_sent_total"] >= running["antlitz_frames_sent_total"], "what was sent stays counted"


async def test_a_session_without_a_place_is_counted() -> None:
    async with gateway(Scripted(), max_sessions=1) as (url, sessions), page(url):
        async with connect(url) as socket:
            assert json.loads(await socket.recv())["code"] == "too_many_sessions"
        assert figures(sessions)["antlitz_sessions_refused_total"] == 1


async def test_log_lines_name_their_session() -> None:
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler, log = Lines(), logging.getLogger("gateway.sessions")
    handler.setFormatter(TextFormatter("%(levelname)s%(session)s %(message)s"))
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        async with gateway(Scripted()) as (url, sessions):
            async with page(url) as one:
                await one.until(lambda: one.frames)
                (session,) = sessions.running
            await until(lambda: not sessions.running)
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
    named = [line for line in lines if line.startswith(f"INFO [{session.id}]")]
    assert any("connected" in line for line in named), lines
    assert any("closed" in line for line in named), lines
