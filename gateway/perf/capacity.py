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


def gpu_share(frame_ms: float, rate: int) -> float:
    """Of a GPU, what one talk's pictures take: ms a frame when Triton batches, frames a second."""
    return frame_ms / 1000 * rate


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
    parts = [
        "# How many talks",
        f"What one talk needs, and 10,000. A turn is {rhythm.turn:g} s long, of which the portrait speaks "
        f"{rhythm.answer:g}; {share:.0%} of a core or a GPU is planned with: the rest keeps latencies short. "
        "Written by `python -m gateway.perf.capacity` from `triton/perf/capacity.toml`, where each figure tells which "
        "command measured it.",
        "## On processors alone",
        f"One talk takes {processor:.2f} cores: {figures['processor']['source']}",
        table(["cores", "talks"], [[str(have), str(talks(have, processor, share))] for have in (2, 4, 8, 16, 32, 64)]),
        "## With GPUs",
        f"The gateway's part stays on processors: {beside_gpu:.2f} cores a talk. {figures['gateway']['source']} "
        "A GPU holds as many talks as it draws faces for:",
        table(
            ["GPU, renderer", "ms a frame", "talks a GPU", "where the figure is from"],
            [
                [
                    each["name"],
                    f"{each['frame_ms']:g}",
                    str(talks(1, gpu_share(each["frame_ms"], rate), share)),
                    each["source"],
                ]
                for each in figures["gpu"]
            ],
        ),
        "## To 10,000 talks at once",
        f"Each talk is {talk['megabits']:g} Mbit/s from the gateway to the browser; through the relay the same comes "
        "in and goes out. GPUs are those of the first row above.",
        table(
            ["talks", "cores, processors alone", "or: cores beside GPUs", "and GPUs", "Gbit/s to the browsers"],
            [_row(count, processor, beside_gpu, figures, share) for count in TALKS],
        ),
        "## What this leaves out",
        "\n".join(f"- {line}" for line in figures["open"]["lines"]) + "\n",
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _row(count: int, processor: float, beside_gpu: float, figures: dict[str, Any], share: float) -> list[str]:
    gpu = gpu_share(figures["gpu"][0]["frame_ms"], figures["talk"]["rate"])
    traffic = count * figures["talk"]["megabits"] / 1000
    numbers = [count, needed(count, processor, share), needed(count, beside_gpu, share), needed(count, gpu, share)]
    return [*(f"{number:,}" for number in numbers), f"{traffic:.3g}"]


def read(path: Path = FIGURES) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


if __name__ == "__main__":
    sys.stdout.write(page(read()))
