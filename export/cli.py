"""`antlitz export NETWORK [options]`, or `python -m export`: a checkpoint to graphs that are served without it."""

from __future__ import annotations

import sys
from importlib import import_module

EXPORTS = {
    "liveportrait": "export.liveportrait.command",
    "whisper": "export.whisper.command",
    "xtts": "export.xtts.command",
}
NEEDS = "Exporting needs PyTorch: pip install -e '.[export]' (serving does not)."


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0, 1 for a failure said in one sentence, 2 for wrong words."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] not in EXPORTS:
        lines = [f"  {name:<13} antlitz export {name} --help" for name in EXPORTS]
        (sys.stdout if words in (["-h"], ["--help"]) else sys.stderr).write(
            "\n".join(["usage: antlitz export NETWORK [options]", "", *lines, ""])
        )
        return 0 if words in (["-h"], ["--help"]) else 2
    try:
        command = import_module(EXPORTS[words[0]])
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "onnxscript", "safetensors"):
            raise
        sys.stderr.write(f"antlitz: {NEEDS}\n")
        return 1
    return int(command.main(words[1:]))
