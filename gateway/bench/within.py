"""A whole Antlitz with the gateway in this process, where a measurement can look at it, and a Chromium in front."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
import shlex
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

import uvicorn

from gateway import certificate
from gateway.app import create_app
from gateway.bench.rough_link import Link
from gateway.bench.stack import CHROMIUM_ARGUMENTS
from gateway.cli.up import WEBSOCKETS
from gateway.sessions import Sessions
from gateway.settings import Settings
from triton_launch.server import Server

SHUT_SECONDS = 5.0  # that connections may take to close


@dataclass
class Within:
    url: str
    sessions: Sessions
    triton: Server
    browser: Any  # of playwright's asynchronous interface

    async def page(self, *scripts: Path) -> Any:
        """A new page in a context of its own; close `page.context`."""
        context = await self.browser.new_context(permissions=["microphone"], bypass_csp=True, ignore_https_errors=True)
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


class Door(socket.socket):
    """A listening socket that knows whom it has let in.

    A peer that was cut off, in the midst of its TLS handshake perhaps, says no goodbye, and uvicorn does not know all.
    """

    def __init__(self) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._entered: WeakSet[socket.socket] = WeakSet()

    def accept(self) -> tuple[socket.socket, Any]:
        entered, address = super().accept()
        self._entered.add(entered)
        return entered, address

    async def shut(self) -> None:
        """Returns when all connections are closed: at once, where both sides live."""
        for each in self._entered:
            with contextlib.suppress(OSError):  # it is closed
                each.shutdown(socket.SHUT_RDWR)
        async with asyncio.timeout(SHUT_SECONDS):
            while any(each.fileno() != -1 for each in self._entered):  # noqa: ASYNC110 - asyncio closes them
                await asyncio.sleep(0.01)


@asynccontextmanager
async def within(link: Link | None = None, arguments: Sequence[str] = (), **changes: Any) -> AsyncIterator[Within]:
    """`changes` are settings. With a `link` Chromium is at its far end, and the gateway, guarded, at its near one."""
    from playwright.async_api import async_playwright

    settings = Settings.from_environment()
    with tempfile.TemporaryDirectory(prefix="antlitz-") as folder:
        triton = Server(settings.models, Path(folder) / "triton")
        try:
            await asyncio.to_thread(triton.wait_ready)
            settings = dataclasses.replace(settings, data=Path(folder) / "data", triton=triton.address, **changes)
            executable = shutil.which("chromium") or shutil.which("google-chrome")
            tls: dict[str, Any] = {}
            secret = ""
            if link is not None:
                secret = secrets.token_urlsafe(32)
                settings = dataclasses.replace(settings, host=link.near, token=secret)
                chain, key = certificate.ensure(settings.data / "certificate", link.near)
                tls = {"ssl_certfile": str(chain), "ssl_keyfile": str(key)}
                executable = str(_wrapped(Path(folder) / "chromium", link.inside(str(executable))))
            app = create_app(settings)
            server = uvicorn.Server(
                uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, **WEBSOCKETS, **tls)
            )
            door = Door()
            door.bind((settings.host, 0))
            port = door.getsockname()[1]
            serving = asyncio.create_task(server.serve(sockets=[door]))
            while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
                await asyncio.sleep(0.05)
            try:
                async with async_playwright() as playwright:
                    chromium = await playwright.chromium.launch(
                        executable_path=executable, args=[*CHROMIUM_ARGUMENTS, *arguments]
                    )
                    url = f"https://{link.near}:{port}/#token={secret}" if link else f"http://127.0.0.1:{port}/"
                    yield Within(url, app.state.sessions, triton, chromium)
                    await chromium.close()
            finally:
                server.should_exit = True
                await serving
                await door.shut()
        finally:
            triton.stop()


def _wrapped(path: Path, command: list[str]) -> Path:
    """A program that starts `command` with its own arguments: playwright takes one file."""
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    path.chmod(0o755)
    return path
