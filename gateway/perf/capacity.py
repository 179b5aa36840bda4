"""How many talks a machine holds, from what one talk was measured to take. `python -m gateway.perf.capacity` writes
triton/CAPACITY.md from triton/perf/capacity.toml.
"""

from __future__ import annotations

import math
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FIGURES: Final = Path(__file__).parents[2] / "triton" / "perf" / "capacity.toml"
TALKS: Final = (1, 10, 100, 1_000, 10_000)


@dataclass(frozen=True)
class Rhythm:
    """A talk's turns: the person says a sentence, the portrait answers. Seconds."""

    turn: float  # from one sentence of the person's to the next
    answer: float  # of it, that the portrait speaks


@dataclass(frozen=True)
class Cores:
    """Busy cores of one talk: while the portrait listens and while it speaks; and core seconds to hear one sentence."""

    listens: float
    speaks: float
    sentence: float


def mean(cores: Cores, rhythm: Rhythm) -> float:
    """Cores of one talk, over a turn."""
    speaking = rhythm.answer / rhythm.turn
    return cores.listens * (1 - speaking) + cores.speaks * speaking + cores.sentence / rhythm.turn


def talks(have: float, each: float, share: float) -> int:
    """How many talks `have` cores (or GPU seconds a second) hold, when `share` of them is planned with."""
    return math.floor(have * share / each + 1e-9)


def needed(count: int, each: float, share: float) -> int:
    """How many cores (or GPUs) `count` talks need."""
    return math.ceil(count * each / share - 1e-9)


@dataclass(frozen=True)
class Gpu:
    """What a GPU is busy with for one talk: ms a frame, ms to hear one sentence, seconds for each second it speaks.

    Where the last two are 0 they are not known. `held` is how many talks were really drawn at once; 0: nobody tried.
    """

    name: str
    frame_ms: float
    source: str
    sentence_ms: float = 0.0
    speech: float = 0.0
    held: int = 0

    def share(self, rate: int, rhythm: Rhythm) -> float:
        """Of a GPU, what one talk takes at `rate` frames a second, over a turn."""
        draws = self.frame_ms / 1000 * rate
        return draws + self.sentence_ms / 1000 / rhythm.turn + self.speech * rhythm.answer / rhythm.turn


def table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def page(figures: dict[str, Any]) -> str:
    """CAPACITY.md."""
    plan, talk = figures["plan"], figures["talk"]
    rhythm = Rhythm(plan["turn"], plan["answer"])
    processor = mean(Cores(**figures["processor"]["cores"]), rhythm)
    beside_gpu = mean(Cores(**figures["gateway"]["cores"]), rhythm)
    share, rate = plan["share"], talk["rate"]
    gpus = [Gpu(**each) for each in figures["gpu"]]
    parts = [
        "# How many talks",
        f"What one talk needs, and 10,000. A turn is {rhythm.turn:g} s long, of which the portrait speaks "
        f"{rhythm.answer:g}; {share:.0%} of a core or a GPU is planned with: the rest keeps latencies short. "
        "Written by `python -m gateway.perf.capacity` from `triton/perf/capacity.toml`, where each figure tells which "
        "command measured it.",
        "## What is measured here, and what is arithmetic",
        "\n".join(f"- {line}" for line in figures["basis"]["lines"]) + "\n",
        "## On processors alone",
        f"One talk takes {processor:.2f} cores: {figures['processor']['source']}",
        table(["cores", "talks"], [[str(have), str(talks(have, processor, share))] for have in (2, 4, 8, 16, 32, 64)]),
        "## With GPUs",
        f"The gateway's part stays on processors: {beside_gpu:.2f} cores a talk. {figures['gateway']['source']} "
        "A GPU draws the faces, hears and speaks:",
        table(
            [
                "GPU",
                "ms a frame",
                "ms a sentence heard",
                "s a second spoken",
                "talks a GPU, planned",
                "faces at once, tried",
                "where the figures are from",
            ],
            [
                [
                    each.name,
                    f"{each.frame_ms:g}",
                    _known(each.sentence_ms),
                    _known(each.speech),
                    str(talks(1, each.share(rate, rhythm), share)),
                    _known(each.held),
                    each.source,
                ]
                for each in gpus
            ],
        ),
        "## To 10,000 talks at once",
        f"Each talk is {talk['megabits']:g} Mbit/s from the gateway to the browser; through the relay the same comes "
        "in and goes out. GPUs are those of the first row above: "
        f"one talk takes {gpus[0].share(rate, rhythm):.2f} of it.",
        table(
            ["talks", "cores, processors alone", "or: cores beside GPUs", "and GPUs", "Gbit/s to the browsers"],
            [
                _row(count, processor, beside_gpu, gpus[0].share(rate, rhythm), share, talk["megabits"])
                for count in TALKS
            ],
        ),
        "## What this leaves out",
        "\n".join(f"- {line}" for line in figures["open"]["lines"]) + "\n",
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _known(figure: float) -> str:
    return f"{figure:g}" if figure else "-"


def _row(count: int, processor: float, beside_gpu: float, gpu: float, share: float, megabits: float) -> list[str]:
    traffic = count * megabits / 1000
    numbers = [count, needed(count, processor, share), needed(count, beside_gpu, share), needed(count, gpu, share)]
    return [*(f"{number:,}" for number in numbers), f"{traffic:.3g}"]


def read(path: Path = FIGURES) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


if __name__ == "__main__":
    sys.stdout.write(page(read()))
