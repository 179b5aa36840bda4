"""Two renderers behind one talk, in Chromium: a character's renderer changes while it speaks, by API and by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gateway.bench.stack import Running, browser, up

pytestmark = [pytest.mark.server, pytest.mark.browser]

CHARACTER = "mona-lisa"
STORY = "I have been sitting here for five hundred years, and every day somebody looks at me and wonders why I smile. "
FRAME = """() => {
  const canvas = new OffscreenCanvas(256, 256), pencil = canvas.getContext('2d');
  pencil.drawImage(document.querySelector('[data-testid=avatar]'), 0, 0, 256, 256);
  return Array.from(pencil.getImageData(0, 0, 256, 256).data.filter((_, at) => at % 4 === 1));
}"""
QUIET_GAP = 1.2  # s: between two sentences of the voice; a renderer that stopped the sound would leave more


@pytest.fixture(scope="module")
def running(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with up(tmp_path_factory.mktemp("data"), ANTLITZ_MODELS=str(served)) as antlitz:
        yield antlitz


def picture(page: Any) -> np.ndarray:
    """What the video shows, green, [256, 256]."""
    return np.array(page.evaluate(FRAME), np.uint8).reshape(256, 256)


def sharpness(frame: np.ndarray) -> float:
    """The puppet's face is soft, the warp's as sharp as the painting."""
    return float(cv2.Laplacian(frame[70:170, 80:180], cv2.CV_32F).std())


def until(page: Any, condition: Any, seconds: float = 30.0) -> np.ndarray:
    for _ in range(int(seconds * 4)):
        frame = picture(page)
        if condition(frame):
            return frame
        page.wait_for_timeout(250)
    raise AssertionError("the picture did not change")


def test_render_liveportrait_and_back_while_it_speaks(running: Running) -> None:
    import httpx

    with browser() as page, httpx.Client(base_url=running.url, timeout=60) as api:
        engines = api.get("api/engines").json()["roles"]["render"]["engines"]
        ready = {engine["name"]: engine["ready"] for engine in engines}
        assert ready["render_meshwarp"] and ready["render_liveportrait"]
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(path=Path(__file__).parents[2] / "gateway" / "bench" / "probe.js")
        page.goto(running.url)
        page.locator(f'[data-testid=character][data-id="{CHARACTER}"]').click()
        page.get_by_test_id("connect").click()
        page.wait_for_function("document.querySelector('[data-testid=avatar]').videoWidth === 512", timeout=20_000)
        page.wait_for_timeout(1_500)  # the encoder finds its rate
        page.evaluate("probe.attach(document.querySelector('[data-testid=avatar]'))")
        warped = picture(page)
        page.get_by_test_id("text").fill(STORY * 3)
        page.get_by_test_id("say").click()
        page.wait_for_selector('[data-testid=state][data-state="speaking"]', timeout=20_000)

        changed = api.patch(f"api/characters/{CHARACTER}", json={"renderer": "render_liveportrait"})
        assert changed.status_code == 200
        redrawn = until(page, lambda frame: sharpness(frame) < 0.7 * sharpness(warped))
        assert page.get_by_test_id("state").get_attribute("data-state") == "speaking"
        # The frame around the face is the painting's in both: no jump.
        edge = np.ones((256, 256), bool)
        edge[16:-16, 16:-16] = False
        assert np.abs(warped[edge].astype(int) - redrawn[edge]).mean() < 8

        page.locator(f'li:has([data-id="{CHARACTER}"])').get_by_test_id("edit").click()
        assert "NVIDIA GPU" in page.locator("#renderer-about").inner_text()
        page.get_by_test_id("renderer").select_option("render_meshwarp")
        assert "any computer" in page.locator("#renderer-about").inner_text()
        page.get_by_test_id("save").click()
        until(page, lambda frame: sharpness(frame) > 0.85 * sharpness(warped))
        heard = np.array(page.evaluate("probe.loudspeaker"))
        loud = heard[heard[:, 1] > 0.005, 0] / 1000
        assert np.diff(loud).max() < QUIET_GAP, "the voice goes on through both changes"
        assert page.evaluate("window.antlitz.peer.connectionState") == "connected" and not errors
