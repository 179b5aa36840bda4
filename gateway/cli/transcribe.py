"""`antlitz transcribe FILE… [--format txt|srt|vtt|json] [--out DIR]`: what is said in recordings and videos."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from avatar_runtime.contracts import AvatarError, Code, Role
from characters.languages import known_language
from gateway.animation import sound
from gateway.animation.animate import require
from gateway.cli.beside_triton import beside_triton
from gateway.inference import Inference
from gateway.settings import Settings
from gateway.transcription.results import FORMATS, check_folder, places, write_whole, written
from gateway.transcription.transcribe import transcribe

CUT_SHORT = 0.9  # of its length a recording should have; how long one is, some kinds of files only guess

SPEED_SECONDS = 600.0  # over which time left is guessed: a piece may take a minute


class AudioTime(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{_clock(task.completed)}/{_clock(task.total) if task.total else '?'}")


class TimesRealTime(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.completed / task.elapsed:.1f}x real time" if task.completed and task.elapsed else "")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="antlitz transcribe", description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="a recording or a video, of any length")
    parser.add_argument("--language", default="auto", help="such as en or de; auto (the default) finds out, per file")
    parser.add_argument(
        "--task", choices=("transcribe", "translate"), default="transcribe", help="translate: into English"
    )
    parser.add_argument("--format", choices=FORMATS, default="txt", help="json: a line with the time of every word")
    parser.add_argument("--out", type=Path, metavar="DIR", help="a folder for the results; else they are printed")
    parser.add_argument("--triton", metavar="HOST:PORT", help="gRPC address of a tritonserver that runs already")
    return parser


def check(options: argparse.Namespace) -> None:
    """AvatarError about what would spoil every result."""
    automatic = options.language.strip().lower() in ("", "auto")
    options.language = "" if automatic else known_language(options.language)
    if options.out:
        places(options.files, options.out, options.format)
        check_folder(options.out)
    elif len(options.files) > 1 and options.format in ("srt", "vtt"):
        raise AvatarError(Code.INVALID_REQUEST, "Subtitles of several files need --out.")


async def hear_all(options: argparse.Namespace, inference: Inference, settings: Settings, console: Console) -> int:
    """The exit status: 1 when a file failed, though the others are done."""
    for role in (Role.VAD, Role.STT):
        await require(inference, role, settings.engine(role))
    targets = places(options.files, options.out, options.format) if options.out else [None] * len(options.files)
    failed = False
    for path, target in zip(options.files, targets, strict=True):
        try:
            await _hear(options, inference, path, target, console)
        except AvatarError as error:
            failed = True
            _say(path, error.message)
        except BrokenPipeError:  # nobody reads any more
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes the rest when it ends
            return 1
    return int(failed)


async def _hear(
    options: argparse.Namespace, inference: Inference, path: Path, target: Path | None, console: Console
) -> None:
    claimed = sound.length(path)
    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), AudioTime(), TimesRealTime(), TimeRemainingColumn())
    hidden = not console.is_terminal
    with Progress(*columns, console=console, disable=hidden, speed_estimate_period=SPEED_SECONDS) as bar:
        shown = bar.add_task(path.name, total=claimed)

        def progress(done: float) -> None:
            bar.update(shown, completed=done, total=max(done, claimed) if claimed else None)

        transcript, duration = await transcribe(inference, path, options.language, options.task, progress)
    text = written(transcript, duration, options.format, path, options.task)
    if target is not None:
        write_whole(target, text)
    else:
        heading = f"==> {path} <==\n" if len(options.files) > 1 and options.format == "txt" else ""
        sys.stdout.write(heading + text)
        sys.stdout.flush()
    if not transcript.text:
        _say(path, "nothing was said.")
    if claimed and duration < CUT_SHORT * claimed - 1:
        _say(path, f"its sound ends at {_clock(duration)}, though the file says {_clock(claimed)}.")


def _say(path: Path, sentence: str) -> None:
    sys.stderr.write(f"antlitz: {sentence if str(path) in sentence else f'{path}: {sentence}'}\n")


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, soft_wrap=True)
    return beside_triton(
        options.triton,
        console,
        lambda: check(options),
        lambda inference, settings: hear_all(options, inference, settings, console),
    )
