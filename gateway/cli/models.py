"""`antlitz models list|pull|verify [NAME …]`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from gateway.settings import Settings
from triton_launch.fetch import Fetcher, FetchError
from triton_launch.manifest import Model, choose, intact, load, present

ACCEPTED = "COQUI_TOS_AGREED"  # coqui's own variable: 1 accepts


class Refused(Exception):
    """A licence was not accepted; the message says what to do."""


def accept(model: Model, console: Console, environ: Mapping[str, str] = os.environ) -> None:
    """Shows the licence of `model` and asks; `Refused` unless the person, or the environment, says yes."""
    console.print(f"{model.title}\n  Licence: {model.licence}\n  Its text: {model.licence_address}", highlight=False)
    if environ.get(ACCEPTED, "").strip() == "1":
        console.print(f"  Accepted by {ACCEPTED}=1.")
        return
    if not sys.stdin.isatty():
        raise Refused(f"The licence of {model.name} has to be accepted: run this in a terminal, or set {ACCEPTED}=1.")
    console.print("Do you accept this licence? (y/N) ", end="")
    try:
        said = input().strip().lower()
    except EOFError:
        said = ""
    if said not in ("y", "yes"):
        raise Refused(f"The licence of {model.name} was not accepted; nothing was fetched.")


def pull(models: list[Model], cache: Path, console: Console) -> None:
    """Fetches what is missing, with a bar for each download. FetchError says what could not be had, Refused why not."""
    missing = [model for model in models if not all(present(file, cache) for file in model.files)]
    if not missing:
        return
    for model in missing:
        if model.ask:
            accept(model, console)
        else:
            console.print(f"{model.title}: {model.size / 1e6:.0f} MB, {model.licence}")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, int] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total or None)  # type: ignore[arg-type]

        fetcher = Fetcher(cache, progress)
        for model in missing:
            fetcher.pull(model)


def _list(models: list[Model], cache: Path, console: Console) -> int:
    table = Table("model", "what", "MB", "licence", "here")
    for model in models:
        here = sum(present(file, cache) for file in model.files)
        state = "yes" if here == len(model.files) else f"{here} of {len(model.files)} files"
        size = f"{model.size / 1e6:.0f}" if model.size else "?"
        table.add_row(model.name, model.title, size, model.licence, state)
    console.print(table)
    return 0


def _verify(models: list[Model], cache: Path, console: Console) -> int:
    bad = [(model, file) for model in models for file in model.files if not intact(file, cache)]
    for model, file in bad:
        wrong = "altered" if (cache / file.path).exists() else "missing"
        if wrong == "altered":
            (cache / file.path).unlink()  # so that the next pull brings it again
        console.print(f"{file.path} is {wrong}: run `antlitz models pull {model.name}`.")
    if not bad:
        learned = sum(file.learned for model in models for file in model.files)
        listed = sum(len(model.files) for model in models) - learned
        if listed:
            console.print(f"{listed} files are as the manifest says.")
        if learned:
            console.print(f"{learned} files are as they were at the first pull, where one was noted.")
    return 1 if bad else 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz models", description=__doc__)
    parser.add_argument("what", choices=("list", "pull", "verify"))
    parser.add_argument("name", nargs="*", help="models; the default ones when left out")
    options = parser.parse_args(arguments)
    cache, console = Settings.from_environment().models, Console(soft_wrap=True)
    models = choose(options.name)
    if options.what == "list":
        return _list(list(load()) if not options.name else models, cache, console)
    if options.what == "verify":
        return _verify(models, cache, console)
    try:
        pull(models, cache, console)
    except (FetchError, Refused) as error:
        sys.stderr.write(f"antlitz: {error}\n")
        return 1
    console.print(f"All there, in {cache}.")
    return 0
