"""`antlitz screenshot --out DIR`: the page as it is today, talking, for README and for the eye."""

from __future__ import annotations

import argparse
from pathlib import Path

from gateway.bench.stack import browser, up

SPOKEN = "Five hundred years on this wall, and nobody has asked me how I slept. It is good of you to come."


def main(arguments: list[str]) -> int:
    """Writes talking.jpg, phone.jpg and a picture of each emotion; needs the `test` extra and Chromium."""
    parser = argparse.ArgumentParser(prog="antlitz screenshot", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--emotions", action="store_true", help="each emotion, too")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    with up() as running:
        for name, width, height in (("talking", 1280, 800), ("phone", 390, 844)):
            with browser(width=width, height=height) as page:
                page.goto(running.url)
                page.get_by_test_id("connect").click()
                page.wait_for_selector(".moving", timeout=30_000)
                page.get_by_test_id("text").fill(SPOKEN)
                page.get_by_test_id("say").click()
                page.wait_for_selector('[data-testid=state][data-state="speaking"]', timeout=20_000)
                page.wait_for_timeout(2_600)
                page.screenshot(path=options.out / f"{name}.jpg", type="jpeg", quality=88)
                if options.emotions and name == "talking":
                    page.wait_for_selector('[data-testid=state][data-state="idle"]', timeout=30_000)
                    for button in page.locator("[data-testid^=emotion-]").all():
                        button.click()
                        page.wait_for_timeout(1_500)
                        emotion = (button.get_attribute("data-testid") or "").removeprefix("emotion-")
                        page.get_by_test_id("avatar").screenshot(path=options.out / f"{emotion}.png")
    return 0
