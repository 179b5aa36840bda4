"""Somebody lends the portrait a voice in Chromium: real microphone file, gateway, tritonserver, and XTTS's twin."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr
from hibari import Hibari
from tritonclient.grpc import InferenceServerClient

from gateway.bench.stack import Running, browser, up, write_wav

pytestmark = [pytest.mark.server, pytest.mark.browser]

RATE = 48_000  # Hz, what Chromium's file microphone takes
TEXT = "My favourite picture hangs in a small museum. It is not large, and hardly anybody stops in front of it."
CHARACTER = "/api/characters/mona-lisa"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def running(served: Path, data: Path) -> Iterator[Running]:
    with up(data, ANTLITZ_MODELS=str(served)) as antlitz:
        yield antlitz


@pytest.fixture
def spoken_by_xtts(running: Running, data: Path) -> Callable[[], int]:
    """How many requests tts_xtts has answered."""
    address = re.search(r"GRPCInferenceService at ([\d.]+:\d+)", (data / "triton" / "tritonserver.log").read_text())
    assert address is not None
    client = InferenceServerClient(address[1])
    return lambda: client.get_inference_statistics("tts_xtts").model_stats[0].inference_stats.success.count


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody who reads aloud for seven seconds."""
    spoken = np.asarray(Hibari()(TEXT, seed=0), np.float32).reshape(-1)
    return write_wav(tmp_path_factory.mktemp("reader") / "reader.wav", soxr.resample(spoken, 24_000, RATE), RATE)


def test_voice_xtts_hears_a_reader_and_the_talk_goes_on_with_the_voice(
    running: Running, reader: Path, spoken_by_xtts: Callable[[], int]
) -> None:
    import httpx

    with browser(reader) as page, httpx.Client(base_url=running.url, timeout=60) as api:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(running.url)
        page.locator('[data-testid=character][data-id="mona-lisa"]').click()
        page.get_by_test_id("edit").first.click()
        assert "non-commercial" in page.get_by_test_id("sample-licence").inner_text()
        assert page.get_by_test_id("sample-missing").is_hidden()
        page.get_by_test_id("sample-record").click()
        page.wait_for_timeout(9_000)
        page.get_by_test_id("sample-record").click()
        page.get_by_test_id("sample-consent").check()
        page.get_by_test_id("save").click()
        page.get_by_test_id("editor").wait_for(state="hidden", timeout=60_000)
        sample = api.get(f"{CHARACTER}/voice-sample")
        assert sample.headers["content-type"] == "audio/webm" and len(sample.content) > 20_000

        fields = {"text": "Guten Morgen.", "language": "de"}
        once = api.post("/api/synthesize-with-voice-clone", files={"sample": sample.content}, data=fields)
        assert once.status_code == 200 and once.content[:4] == b"RIFF"

        before = spoken_by_xtts()
        page.get_by_test_id("text").fill("Good morning.")
        page.get_by_test_id("say").click()
        said = page.locator("[data-testid=transcript] [data-role=avatar][data-final=true]")
        said.first.wait_for(timeout=60_000)
        assert spoken_by_xtts() == before + 1
        assert api.delete(f"{CHARACTER}/voice-sample").json()["voice"]["sample"] is None
        page.get_by_test_id("text").fill("And again.")
        page.get_by_test_id("say").click()
        said.nth(1).wait_for(timeout=60_000)
        assert spoken_by_xtts() == before + 1, "the built-in voice speaks again"
        assert page.locator("[data-testid=notice][data-level=error]").count() == 0
        assert errors == []
