"""`antlitz bench whisper`: our export of base beside faster-whisper and transformers, of the same weights.

Parts: parity with transformers (tensors and tokens), utterances and ten minutes of speech beside faster-whisper's int8
(time, word errors), German, the encoder's context, streaming, what is no speech, and the server. transformers lives in
an environment of its own: --transformers names that environment's Python; without it its part is left out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gateway.bench import (
    whisper_context,
    whisper_errors,
    whisper_parity,
    whisper_served,
    whisper_silence,
    whisper_streaming,
)
from gateway.settings import Settings

PARTS = ("parity", "utterances", "long", "german", "context", "streaming", "silence", "served")


def main(arguments: list[str]) -> int:
    """Prints a table; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="antlitz bench whisper", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="this part (may be given again)")
    parser.add_argument("--transformers", metavar="PYTHON", default="", help="the Python that has transformers")
    parser.add_argument("--checkpoint", type=Path, metavar="DIR", help="parity: a folder as transformers writes it")
    parser.add_argument("--recordings", action="store_true", help="parity: LibriVox sentences, not made sounds")
    parser.add_argument("--precision", choices=("fp32", "fp16", "int8"), default="fp32", help="parity")
    parser.add_argument("--rounds", type=int, default=3, help="utterances: how often each is heard; the median counts")
    parser.add_argument("--rules", action="store_true", help="streaming: compare the rules of what is certain")
    parser.add_argument("--size", default="base", help="served: of Whisper, as ANTLITZ_WHISPER has it")
    parser.add_argument("--random", action="store_true", help="served: with made weights that recite 20 tokens")
    parser.add_argument("--trace", type=Path, metavar="FILE", help="write the trace that the tests hold streaming to")
    options = parser.parse_args(arguments)
    models = Settings.from_environment().models
    if options.trace:
        whisper_streaming.write_trace(models, options.trace)
        return 0
    table, failed = Table("antlitz bench whisper", "measured", "target", ""), 0

    def say(what: str, found: str, wanted: str, good: object = "") -> None:
        nonlocal failed
        failed += good is False
        table.add_row(what, found, wanted, "missed" if good is False else good if isinstance(good, str) else "")

    try:
        for part, run in _parts(options, models, say).items():
            if part in (options.only or PARTS):
                run()
    except ValueError as error:
        sys.stderr.write(f"antlitz: {error}\n")
        failed += 1
    Console(soft_wrap=True).print(table)
    return min(failed, 1)


def _parts(options: argparse.Namespace, models: Path, say: Callable[..., None]) -> dict[str, Callable[[], None]]:
    python = options.transformers

    def parity() -> None:
        if python:
            whisper_parity.compare(python, options.checkpoint, options.recordings, options.precision, say)

    return {
        "parity": parity,
        "utterances": lambda: whisper_errors.utterances(models, python, options.rounds, say),
        "long": lambda: whisper_errors.long(models, say),
        "german": lambda: whisper_errors.german(models, say),
        "context": lambda: whisper_context.measure(models, say),
        "streaming": lambda: whisper_streaming.measure(models, options.rules, say),
        "served": lambda: whisper_served.measure(models, options.size, options.random, python, say),
        "silence": lambda: whisper_silence.measure(models, say),
    }
