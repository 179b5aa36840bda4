"""`antlitz perf [--engine NAME …]`: NVIDIA's perf_analyzer against every role, with requests of a real conversation."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import soxr
from rich.console import Console
from rich.table import Table

from avatar_runtime.contracts import LISTENING_RATE, SPEAKING_RATE, AvatarError, Code, Role
from characters.defaults import default_characters
from gateway.cli.beside_triton import beside_triton
from gateway.cli.models import pull
from gateway.inference import Inference
from gateway.perf import figures, inputs
from gateway.settings import Settings
from triton_launch import perf_analyzer
from triton_launch.manifest import choose

YARDSTICK_REQUESTS = 100  # of 2 ms
WARM_UP = 2  # requests before those that count: a first portrait, a first sentence
STAT = Path("/proc/stat")
BUSY_SECONDS = 2.0
BUSY = 0.2  # a loaded machine slows what takes long far more than a yardstick of 2 ms
TABLE_WIDTH = 130  # characters, where nobody watches
ENDED_TWICE = "must specify the START flag"
TRIES = 5
SEQUENCE_IDS = 100_000  # more than a run can use
RUN_SECONDS = 600  # until a run is given up


@dataclass(frozen=True)
class Analyzer:
    """perf_analyzer with all that stays the same from engine to engine."""

    program: str
    environ: dict[str, str]
    address: str
    folder: Path
    concurrency: int

    def measure(self, role: Role, engine: str, streams: list[list[inputs.Request]], requests: int) -> figures.Figures:
        """Of at least so many requests. AvatarError when it could not be measured."""
        data = self.folder / f"{engine}.json"
        data.write_text(json.dumps(inputs.document(streams, role)))
        whole = len(streams[0]) * self.concurrency  # sequences
        self._run(role, engine, data, whole * math.ceil(WARM_UP / whole))
        report = self._run(role, engine, data, whole * math.ceil(requests / whole))
        try:
            return figures.read(report, self.concurrency)
        except ValueError as error:
            raise AvatarError(Code.ENGINE_UNAVAILABLE, f"{engine}: {error}.") from error

    def _run(self, role: Role, engine: str, data: Path, count: int) -> str:
        """The report. Once in a while perf_analyzer, at its end, ends a sequence that has ended; then it runs again."""
        for _ in range(TRIES):
            code, report, words = self._try(role, engine, data, count)
            if not code and report:
                return report
            if ENDED_TWICE not in words:
                break
        raise AvatarError(Code.ENGINE_UNAVAILABLE, f"{engine}: {words or 'perf_analyzer failed'}.")

    def _try(self, role: Role, engine: str, data: Path, count: int) -> tuple[int, str, str]:
        """Exit status, report, last words."""
        report = self.folder / f"{engine}.csv"
        report.unlink(missing_ok=True)
        line = [
            self.program, "-m", engine, "-i", "grpc", "-u", self.address, f"--input-data={data}",
            f"--request-count={count}", f"--concurrency-range={self.concurrency}", "-f", str(report), "--verbose-csv",
        ]  # fmt: skip
        if role in inputs.SEQUENCES:
            # A sequence's next request waits for its last answer. No two runs name theirs alike.
            first = secrets.randbelow(2**31)
            line += ["--serial-sequences", f"--sequence-id-range={first + 1}:{first + 1 + SEQUENCE_IDS}"]
        if role is Role.TTS:
            line.append("--streaming")  # decoupled
        try:
            done = subprocess.run(
                line, env=self.environ, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise AvatarError(Code.TIMEOUT, f"{engine} took more than {RUN_SECONDS} s.") from error
        words = [each for each in (done.stdout + done.stderr).splitlines() if each and "WARNING" not in each]
        return done.returncode, report.read_text() if report.exists() else "", words[-1].rstrip(".") if words else ""


def _busy() -> float:
    """Share of the processor that others use now, while the server has nothing to do."""
    before = STAT.read_text()
    time.sleep(BUSY_SECONDS)
    return figures.busy(before, STAT.read_text())


async def material(inference: Inference, settings: Settings) -> inputs.Material:
    """Speech of the default voice, the first default character's portrait."""
    chunks = [chunk.audio async for chunk in inference.synthesize(inputs.SENTENCE, "en", engine=settings.tts)]
    spoken = np.concatenate(chunks).astype(np.float32)
    heard = soxr.resample(spoken, SPEAKING_RATE, LISTENING_RATE).astype(np.float32)
    portrait = default_characters()[0].portrait
    picture = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR_RGB)
    rows, columns = inputs.CAPTURE_SIZE
    frame = cv2.resize(picture[: picture.shape[1] * rows // columns], (columns, rows), interpolation=cv2.INTER_AREA)
    return inputs.Material(spoken, heard, portrait, frame.astype(np.uint8))


async def chosen(inference: Inference, settings: Settings, names: Sequence[str]) -> list[tuple[Role, str]]:
    """The engines to measure: those named, or those of the settings that are ready."""
    roles = await inference.catalogue()
    if not names:
        return [(role, settings.engine(role)) for role in Role if roles[role]["ready"]]
    ready = {each["name"]: role for role in Role for each in roles[role]["engines"] if each["ready"]}
    unknown = [name for name in names if name not in ready]
    if unknown:
        raise AvatarError(Code.UNKNOWN_ENGINE, f"{unknown[0]} is not ready; ready are {', '.join(sorted(ready))}.")
    return [(ready[name], name) for name in names]


async def measure(options: argparse.Namespace, inference: Inference, settings: Settings, console: Console) -> int:
    """1 when an engine is slower than its committed ratio tolerates, on a machine that does little else."""
    engines = await chosen(inference, settings, options.engine)
    made = await material(inference, settings)
    busy = await asyncio.to_thread(_busy)
    with tempfile.TemporaryDirectory(prefix="antlitz-perf-") as name:
        folder = Path(name)
        program, environ = perf_analyzer.find(settings.models, folder)
        analyzer = Analyzer(program, environ, settings.triton, folder, options.concurrency)

        def look(role: Role, engine: str, requests: int) -> figures.Figures:
            return analyzer.measure(role, engine, inputs.streams(role, made), requests)

        def yardstick() -> float:
            return look(Role.VAD, inputs.YARDSTICK, max(YARDSTICK_REQUESTS, options.requests)).p50

        table = Table("engine", "a request is", "p50 ms", "p95 ms", "p99 ms", "a second", "queue ms", "x yardstick")
        found: dict[tuple[Role, str], figures.Figures] = {}
        with console.status("perf_analyzer runs") as status:
            yardsticks = [await asyncio.to_thread(yardstick)]
            for role, engine in engines:
                status.update(f"perf_analyzer runs against {engine}")
                found[role, engine] = await asyncio.to_thread(look, role, engine, options.requests)
                yardsticks.append(await asyncio.to_thread(yardstick))
    measured = {engine: figures.against(each.p50, yardsticks) for (_, engine), each in found.items()}
    for (role, engine), each in found.items():
        numbers = (each.p50, each.p95, each.p99, each.rate, each.queue, measured[engine])
        table.add_row(engine, inputs.WHAT[role], *map(figures.shown, numbers))
    console.print(table)
    if busy > BUSY:
        console.print(f"Other programs kept {busy:.0%} of the processor busy at the start: the ratios are not judged.")
        return 0
    worse = figures.regressions(measured, figures.ratios(), figures.tolerance())
    for sentence in worse:
        console.print(sentence)
    return int(bool(worse))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz perf", description=__doc__)
    parser.add_argument("--engine", action="append", default=[], help="an engine; else every role's of the settings")
    parser.add_argument("--requests", type=int, default=50, help="how many requests count, of each engine")
    parser.add_argument("--concurrency", type=int, default=1, help="requests, or sequences, at a time")
    parser.add_argument("--triton", metavar="HOST:PORT", help="gRPC address of a tritonserver that runs already")
    options = parser.parse_args(arguments)
    if options.requests < 1 or options.concurrency < 1:
        parser.error("--requests and --concurrency are at least 1")
    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else TABLE_WIDTH)
    if perf_analyzer.fetchable():
        pull(choose(["perf-analyzer"]), Settings.from_environment().models, console)

    return beside_triton(
        options.triton,
        console,
        lambda: None,
        lambda inference, settings: measure(options, inference, settings, console),
    )
