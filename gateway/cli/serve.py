"""`antlitz serve [HTTP [GRPC [METRICS]]] [-- options of tritonserver]`: the server alone, in the foreground."""

from __future__ import annotations

import os
import sys

from gateway.settings import Settings
from triton_launch.server import Ports, ServerError, command, load_everything

USUAL = (8000, 8001, 8002)  # Triton's own


def main(arguments: list[str]) -> int:
    split = arguments.index("--") if "--" in arguments else len(arguments)
    numbers = [int(word) for word in arguments[:split]]
    settings = Settings.from_environment()
    os.environ["ANTLITZ_MODELS"] = str(settings.models)
    try:
        ports = Ports(*(*numbers, *USUAL[len(numbers) :])[:3])
        options = arguments[split + 1 :]
        line, environ = command(ports, settings.data / "triton", [*load_everything(options), *options])
    except ServerError as error:
        sys.stderr.write(f"antlitz: {error}\n")
        return 1
    os.execvpe(line[0], line, environ)
