"""`antlitz up`: the models, a tritonserver, the gateway, one URL; Ctrl-C ends every process."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import secrets
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from rich.console import Console

from characters import CharacterStore
from characters.failures import NO_ROOM, StorageAway, StorageFailed
from characters.migrations import SchemaError
from gateway import certificate
from gateway.cli.models import pull
from gateway.observability import logs, tracing
from gateway.security.addresses import loopback
from gateway.security.connections import BoundedProtocol, LeavingWebSocket
from gateway.security.token import Kept, ensure
from gateway.settings import Settings
from triton_launch.command import ServerError
from triton_launch.fetch import FetchError
from triton_launch.keeper import Keeper
from triton_launch.manifest import choose
from triton_launch.server import Server

MAX_WEBSOCKET_BYTES = 256 * 1024  # an SDP is a few kilobytes
#: Of uvicorn. s; a page whose network is gone has 30 s at least to come back for its session.
WEBSOCKETS: dict[str, Any] = {"ws": LeavingWebSocket, "ws_ping_interval": 10, "ws_ping_timeout": 30}


def url(settings: Settings, port: int) -> str:
    """The page's address for a person. A wildcard address is shown as this machine's name."""
    if loopback(settings.host):
        return f"http://localhost:{port}/"
    name = socket.gethostname() if settings.host in ("0.0.0.0", "::") else settings.host
    return f"https://{f'[{name}]' if ':' in name else name}:{port}/"


@contextlib.contextmanager
def triton(settings: Settings, console: Console, key: str = "") -> Iterator[str]:
    """The address of the one in the settings, or of one of ours, which is kept alive."""
    if settings.triton:
        yield settings.triton
        return
    server = Server(settings.models, settings.data / "triton", key=key)
    try:
        with console.status("tritonserver loads the models"):
            server.wait_ready()
        with Keeper(server):
            yield server.address
    finally:
        server.stop()


class Uvicorn(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, settings: Settings, console: Console, kept: Kept | None) -> None:
        super().__init__(config)
        self._settings, self._console, self._kept = settings, console, kept

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            address = url(self._settings, port)
            if self._kept is not None and self._kept.fresh:  # this once; later it is in its file alone
                address += f"#token={self._kept.token.reveal()}"
            self._console.print(f"\nAntlitz is ready: [bold]{address}[/bold]   (Ctrl-C ends it)")
            if self._kept is not None:
                where = self._kept.path or "ANTLITZ_TOKEN"
                self._console.print(f"It asks for a token, which is in {where}.")


async def gateway(settings: Settings, store: CharacterStore, address: str, console: Console) -> bool:
    """Serves until told to stop; False when the address could not be had."""
    from gateway.app import create_app

    kept = ensure(settings)
    tls: dict[str, str] = {}
    if not loopback(settings.host):
        chain, key = certificate.ensure(settings.data / "certificate", settings.host)
        tls = {"ssl_certfile": str(chain), "ssl_keyfile": str(key)}
    config = uvicorn.Config(
        create_app(dataclasses.replace(settings, triton=address), store),
        host=settings.host,
        port=settings.port,
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        ws_max_size=MAX_WEBSOCKET_BYTES,
        timeout_graceful_shutdown=3,
        forwarded_allow_ips=settings.proxies,
        **WEBSOCKETS,
        **tls,  # type: ignore[arg-type]
    )
    serving = Uvicorn(config, settings, console, kept)
    await serving.serve()
    return serving.started


def check_address(settings: Settings) -> None:
    """ValueError with one sentence when nothing could listen there: said before the models have loaded."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        why = f"{settings.host} port {settings.port} cannot be listened on ({error.strerror})"
        raise ValueError(f"{why}: choose another with --host or --port.") from error


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz up", description=__doc__)
    parser.add_argument("--triton", metavar="HOST:PORT", help="gRPC address of a tritonserver that runs already")
    parser.add_argument("--host", help="address to listen on (ANTLITZ_HOST)")
    parser.add_argument("--port", type=int, help="port to listen on (ANTLITZ_PORT)")
    options = parser.parse_args(arguments)
    given = {name: value for name, value in vars(options).items() if value is not None}
    settings = dataclasses.replace(Settings.from_environment(), **given)
    logs.configure(settings.log_level, settings.log_format)
    stop_tracing = tracing.start(settings.traces) if settings.traces else None
    check_address(settings)
    from gateway.app import open_store

    console = Console(soft_wrap=True)
    try:
        Path(settings.data).mkdir(parents=True, exist_ok=True)
        if not settings.triton:
            pull(choose([]), settings.models, console)
        store = open_store(settings)  # before the models: what is wrong with it is said at once
        with triton(settings, console, key=secrets.token_urlsafe(24)) as address:
            started = asyncio.run(gateway(settings, store, address, console))
    except (FetchError, ServerError, SchemaError, StorageAway, StorageFailed) as error:
        sys.stderr.write(f"antlitz: {error}\n")
        return 1
    except OSError as error:  # token, certificate, tritonserver's folder
        if error.errno not in NO_ROOM:
            raise
        sys.stderr.write(f"antlitz: {StorageFailed()}\n")
        return 1
    finally:
        if stop_tracing is not None:
            stop_tracing()
    return 0 if started else 1
