"""perf_analyzer's report, in the units of the table; and what is worse than was committed."""

from __future__ import annotations

import csv
import io
import statistics
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RATIOS: Final = Path(__file__).parents[2] / "triton" / "perf" / "ratios.toml"


@dataclass(frozen=True)
class Figures:
    """Of one engine under `concurrency` requests (or sequences) at a time: ms, and requests a second."""

    p50: float
    p95: float
    p99: float
    queue: float  # mean wait in Triton's queue
    rate: float


def read(report: str, concurrency: int) -> Figures:
    """The figures in perf_analyzer's verbose CSV. ValueError when it holds no measurement.

    With a fixed number of requests its own rate counts whole seconds, so the rate is taken from the mean: whoever
    waits for each answer before the next request makes concurrency / mean of them a second.
    """
    rows = list(csv.DictReader(io.StringIO(report)))
    if not rows:
        raise ValueError("perf_analyzer measured nothing")
    row = {name: float(value) / 1000 for name, value in rows[-1].items() if value}  # its µs in ms
    server = ("Server Queue", "Server Compute Input", "Server Compute Infer", "Server Compute Output")
    # The latency of a decoupled engine is that of its first answer; how long all took, the server knows.
    mean = sum(row[name] for name in server) if "Response Throughput" in row else row["Avg latency"]
    return Figures(
        row["p50 latency"], row["p95 latency"], row["p99 latency"], row["Server Queue"], 1000 * concurrency / mean
    )


def ratios(path: Path = RATIOS) -> dict[str, float]:
    """engine -> its p50 as a multiple of the yardstick's, as committed."""
    return {str(name): float(value) for name, value in tomllib.loads(path.read_text("utf-8"))["ratio"].items()}


def tolerance(path: Path = RATIOS) -> float:
    """By which factor a ratio may be above the committed one."""
    return float(tomllib.loads(path.read_text("utf-8"))["tolerance"])


def regressions(measured: Mapping[str, float], committed: Mapping[str, float], tolerated: float) -> list[str]:
    """One sentence for each engine that has become slower, against the yardstick, than `tolerated` allows."""
    found = []
    for engine, ratio in measured.items():
        expected = committed.get(engine)
        if expected is not None and ratio > expected * tolerated:
            found.append(
                f"{engine} takes {ratio:.3g} times as long as the yardstick; {expected:.3g} is committed, "
                f"{expected * tolerated:.3g} tolerated."
            )
    return found


def against(p50: float, yardsticks: Sequence[float]) -> float:
    """A p50 as a multiple of the yardstick's median over the whole run."""
    return p50 / statistics.median(yardsticks)


def busy(before: str, after: str) -> float:
    """Share of all cores' time that was used between two readings of /proc/stat."""
    earlier, later = ([int(word) for word in text.split("\n", 1)[0].split()[1:9]] for text in (before, after))
    spent = [new - old for old, new in zip(earlier, later, strict=True)]
    idle = spent[3] + spent[4]  # idle and waiting for a disk
    return 1 - idle / max(1, sum(spent))


def shown(number: float) -> str:
    """Three digits, for a table."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"
