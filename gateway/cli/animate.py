"""`antlitz animate --portrait P (--driving V | --audio A | --text "…") --out O.mp4`: a film of a portrait."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from avatar_runtime.contracts import EMOTIONS, AvatarError, Code, Role
from gateway.animation import sound, video
from gateway.animation.animate import PUSH_SECONDS, animate, require
from gateway.animation.drives import Drive, RecordingDrive, SpeechDrive, VideoDrive
from gateway.animation.files import check_readable
from gateway.animation.film import check_place
from gateway.cli.beside_triton import beside_triton
from gateway.inference import Inference
from gateway.rest.choices import choose_voice
from gateway.rest.pictures import check_face, check_picture
from gateway.settings import Settings


class FramesPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} frames/s" if task.speed else "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="antlitz animate", description=__doc__)
    parser.add_argument("--portrait", type=Path, required=True, help="a picture with one face")
    by = parser.add_mutually_exclusive_group(required=True)
    by.add_argument("--driving", type=Path, help="a video whose face moves the portrait; its sound is kept")
    by.add_argument("--audio", type=Path, help="a recording that the portrait speaks")
    by.add_argument("--text", help="what the portrait says")
    parser.add_argument("--out", type=Path, required=True, help="the film, an MP4")
    parser.add_argument("--renderer", default="", help="an engine of the role `render` (ANTLITZ_RENDER)")
    parser.add_argument("--emotion", choices=EMOTIONS, help="of a face that speaks")
    parser.add_argument("--intensity", type=float, default=0.7, help="of the emotion, 0 to 1")
    parser.add_argument("--language", default="", help="of the text")
    parser.add_argument("--voice", default="", help="for the text")
    parser.add_argument("--triton", metavar="HOST:PORT", help="gRPC address of a tritonserver that runs already")
    return parser


def check(options: argparse.Namespace) -> None:
    """AvatarError with one sentence about what can be seen to be wrong before a server has started."""
    if not 0 <= options.intensity <= 1:
        raise AvatarError(Code.INVALID_REQUEST, "--intensity lies between 0 and 1.")
    if options.driving and options.emotion:
        raise AvatarError(Code.INVALID_REQUEST, "A driving video has its own emotion: leave --emotion out.")
    if options.text is not None and not options.text.strip():
        raise AvatarError(Code.INVALID_TEXT, "There is no text to say.")
    check_readable(options.portrait, "portrait")
    check_picture(options.portrait.read_bytes())
    if options.driving:
        video.facts(options.driving)
    if options.audio:
        sound.length(options.audio)
    check_place(options.out)
    for source in (options.portrait, options.driving, options.audio):
        if source is not None and options.out.exists() and source.samefile(options.out):
            raise AvatarError(Code.INVALID_REQUEST, f"The film would replace {source}: choose another --out.")


async def _drive(options: argparse.Namespace, inference: Inference) -> Drive:
    if options.driving:
        return VideoDrive(inference, options.driving, PUSH_SECONDS)
    emotion = options.emotion or "neutral"
    intensity = options.intensity if options.emotion else 0.0
    if options.audio:
        return RecordingDrive(inference, options.audio, emotion, intensity, PUSH_SECONDS)
    engine, language = choose_voice(await inference.catalogue(), "", options.voice, options.language, options.text)
    chunks = [chunk async for chunk in inference.synthesize(options.text, language, options.voice, engine)]
    return SpeechDrive(inference, chunks, emotion, intensity, PUSH_SECONDS)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, FramesPerSecond(), TimeRemainingColumn(), console=console)


async def film(options: argparse.Namespace, inference: Inference, settings: Settings, console: Console) -> int:
    """Makes the film; the exit status."""
    renderer = options.renderer or settings.render
    await require(inference, Role.RENDER, renderer)
    moves = Role.CAPTURE if options.driving else Role.MOTION
    await require(inference, moves, settings.engine(moves))
    portrait = options.portrait.read_bytes()
    await check_face(inference, portrait)
    drive = await _drive(options, inference)
    with _progress(console) as bar:
        shown = bar.add_task(options.out.name, total=drive.frames)

        def progress(done: int, total: int | None) -> None:
            bar.update(shown, completed=done, total=max(done, total) if total else None)

        frames = await animate(inference, portrait, drive, options.out, renderer, progress)
    console.print(f"{options.out}: {frames} frames.", markup=False)
    return 0


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    console = Console(soft_wrap=True)
    return beside_triton(
        options.triton,
        console,
        lambda: check(options),
        lambda inference, settings: film(options, inference, settings, console),
    )
