"""`antlitz models list|pull|verify [NAME …]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from gateway.settings import Settings
from triton_launch.fetch import Fetcher, FetchError
from triton_launch.manifest import Model, choose, intact, load, present


def pull(models: list[Model], cache: Path, console: Console) -> None:
    """Fetches what is missing, with a bar for each download. FetchError says what could not be had."""
    missing = [model for model in models if not all(present(file, cache) for file in model.files)]
    if not missing:
        return
    for model in missing:
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
        table.add_row(model.name, model.title, f"{model.size / 1e6:.0f}", model.licence, state)
    console.print(table)
    return 0


def _verify(models: list[Model], cache: Path, console: Console) -> int:
    bad = [file for model in models for file in model.files if not intact(file, cache)]
    for file in bad:
        wrong = "altered" if (cache / file.path).exists() else "missing"
        if wrong == "altered":
            (cache / file.path).unlink()  # so that the next pull brings it again
        console.print(f"{file.path} is {wrong}: run `antlitz models pull {file.path.partition('/')[0]}`.")
    if not bad:
        console.print(f"{sum(len(model.files) for model in models)} files are as the manifest says.")
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
    except FetchError as error:
        sys.stderr.write(f"antlitz: {error}\n")
        return 1
    console.print(f"All there, in {cache}.")
    return 0
