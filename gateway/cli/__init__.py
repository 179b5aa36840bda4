"""The `antlitz` command: one module a subcommand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

COMMANDS = {
    "up": ("gateway.cli.up", "fetch the models, start Triton and the gateway, print the page's address"),
    "models": ("gateway.cli.models", "list, pull or verify the models' files"),
    "export": ("export.cli", "turn a published checkpoint into the graphs that are served"),
    "serve": ("gateway.cli.serve", "tritonserver alone, in the foreground"),
    "animate": ("gateway.cli.animate", "film a portrait, moved by a video, a recording or a text"),
    "transcribe": ("gateway.cli.transcribe", "write down what is said in recordings and videos"),
    "bench": ("gateway.cli.bench", "measure: conversation, stt, roundtrip, render, faces"),
    "perf": ("gateway.cli.perf", "run NVIDIA's perf_analyzer against every role, and compare"),
    "settings": ("gateway.cli.settings", "all environment variables, as README's table"),
    "screenshot": ("gateway.cli.screenshot", "take README's pictures of the page"),
}


def usage() -> str:
    lines = ["usage: antlitz COMMAND [options]", ""]
    return "\n".join(lines + [f"  {name:<11} {text}" for name, (_, text) in COMMANDS.items()]) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """The command's exit status: 0, 1 for a failure said in one sentence, 2 for wrong words."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in ("-h", "--help"):
        sys.stdout.write(usage())
        return 0 if words else 2
    if words[0] not in COMMANDS:
        sys.stderr.write(f"antlitz: there is no command {words[0]!r}.\n\n{usage()}")
        return 2
    run: Callable[[list[str]], int] = import_module(COMMANDS[words[0]][0]).main
    try:
        return run(words[1:])
    except ValueError as error:  # settings and names that make no sense
        sys.stderr.write(f"antlitz: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
