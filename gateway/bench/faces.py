"""`antlitz bench faces --out DIR`: contact sheets of the default characters' faces, to be looked at."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import characters
from gateway.settings import Settings


def portraits() -> list[Path]:
    """The default characters' pictures."""
    return sorted((Path(characters.__file__).parent / "defaults" / "portraits").glob("*.jpg"))


def sheet_command(what: str) -> list[str]:
    """The command line of `avatar_runtime.face.sheet` on the default portraits."""
    models = Settings.from_environment().models
    command = [sys.executable, "-m", "avatar_runtime.face.sheet", what, "--models", str(models)]
    return [*command, "--portraits", *map(str, portraits())]


def main(arguments: list[str]) -> int:
    """Writes a PNG for each portrait and view."""
    parser = argparse.ArgumentParser(prog="antlitz bench faces", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--views", nargs="+", default=["whole", "face", "mouth", "eyes"])
    parser.add_argument("--bundle", type=Path, help="as this exported LivePortrait moves them")
    options = parser.parse_args(arguments)
    command = [*sheet_command("faces"), "--out", str(options.out), "--views", *options.views]
    command += ["--bundle", str(options.bundle)] if options.bundle else []
    return subprocess.run(command, check=False).returncode
