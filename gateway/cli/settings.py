"""`antlitz settings`: every environment variable, its default and what it does, as README's table."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path
from typing import Final

from gateway.settings import DATA, MODELS, Settings

#: Defaults that differ from person to person.
_FOLDERS: Final[dict[object, str]] = {DATA: "the user's data folder", MODELS: "the user's cache folder"}


def table() -> str:
    """Markdown, one line for each setting."""
    lines = ["| variable | default | |", "|---|---|---|"]
    for item in fields(Settings):
        variable, what = item.metadata["variable"], item.metadata["help"]
        lines.append(f"| `{variable}` | {_shown(item.default)} | {what} |")
    return "\n".join(lines) + "\n"


def _shown(default: object) -> str:
    if isinstance(default, Path):
        return _FOLDERS[default]
    return f"{default:g}" if isinstance(default, float) else str(default)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz settings", description=__doc__)
    parser.parse_args(arguments)
    sys.stdout.write(table())
    return 0
