"""`antlitz serve [HTTP [GRPC [METRICS]]] [-- options of tritonserver]`: the server alone, in the foreground.

It is started again when it, or the process of a model, dies; with ANTLITZ_TRITON_KEY just that model. SIGTERM or Ctrl-C
ends it.
"""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType

from gateway.observability import logs
from gateway.settings import Settings
from triton_launch.command import Ports, ServerError
from triton_launch.keeper import Keeper
from triton_launch.server import Server

USUAL = (8000, 8001, 8002)  # Triton's own
LOAD_SECONDS = 3600.0  # TensorRT engines take their time


def main(arguments: list[str]) -> int:
    split = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(
        prog="antlitz serve",
        description=__doc__,
        usage="%(prog)s [-h] [HTTP [GRPC [METRICS]]] [-- options of tritonserver]",
    )
    parser.add_argument("ports", nargs="*", type=int, metavar="PORT", help="of HTTP, gRPC, metrics: 8000, 8001, 8002")
    numbers, options = parser.parse_args(arguments[:split]).ports, arguments[split + 1 :]
    if len(numbers) > len(USUAL) or not all(0 < number < 2**16 for number in numbers):
        parser.error("ports are three at most, from 1 to 65535")
    settings = Settings.from_environment()
    logs.configure(settings.log_level, settings.log_format)
    ports = Ports(*numbers, *USUAL[len(numbers) :])
    signal.signal(signal.SIGTERM, _end)
    try:
        key = settings.triton_key
        if key:
            options = ["--load-model=*", *options]  # all of them before it listens: then it is ready
        server = Server(settings.models, settings.data / "triton", ports, options, quiet=False, key=key)
        try:
            server.wait_ready(LOAD_SECONDS)
            with Keeper(server):
                while True:
                    signal.pause()
        finally:
            server.stop()
    except ServerError as error:
        sys.stderr.write(f"antlitz: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
