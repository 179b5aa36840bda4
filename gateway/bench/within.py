"""A whole Antlitz with the gateway in this process, where a measurement can look at it, and a Chromium in front."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from gateway.app import create_app
from gateway.bench.stack import CHROMIUM_ARGUMENTS
from gateway.sessions import Sessions
from gateway.settings import Settings
from triton_launch.server import Server


@dataclass
class Within:
    url: str
    sessions: Sessions
    triton: Server
    browser: Any  # of playwright's asynchronous interface

    async def page(self, *scripts: Path) -> Any:
        """A new page in a context of its own; close `page.context`."""
        context = await self.browser.new_context(permissions=["microphone"], bypass_csp=True)
        page = await context.new_page()
        for script in scripts:
            await page.add_init_script(path=script)
        return page

    async def talk(self, page: Any, character: str = "mona-lisa") -> None:
        """Connect, until the picture is there."""
        await page.goto(self.url)
        await page.locator(f'[data-testid="character"][data-id="{character}"]').click()
        await page.get_by_test_id("connect").click()
        await page.wait_for_function(
            "document.querySelector('[data-testid=avatar]').videoWidth === 512", timeout=30_000
        )


@asynccontextmanager
async def within(**changes: Any) -> AsyncIterator[Within]:
    """`changes` are settings."""
    from playwright.async_api import async_playwright

    settings = Settings.from_environment()
    with tempfile.TemporaryDirectory(prefix="antlitz-") as folder:
        triton = Server(settings.models, Path(folder) / "triton")
        try:
            await asyncio.to_thread(triton.wait_ready)
            settings = dataclasses.replace(settings, data=Path(folder) / "data", triton=triton.address, **changes)
            app = create_app(settings)
            server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=2))
            serving = asyncio.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
                await asyncio.sleep(0.05)
            port = server.servers[0].sockets[0].getsockname()[1]
            try:
                async with async_playwright() as playwright:
                    chromium = await playwright.chromium.launch(
                        executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
                        args=list(CHROMIUM_ARGUMENTS),
                    )
                    yield Within(f"http://127.0.0.1:{port}/", app.state.sessions, triton, chromium)
                    await chromium.close()
            finally:
                server.should_exit = True
                await serving
        finally:
            triton.stop()
