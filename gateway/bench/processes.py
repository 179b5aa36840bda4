"""Which process is busy: cores of each process below this one, by name, and of the rest of the machine."""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
OTHERS = "others on this machine"
_MODEL = re.compile(r"/([a-z]+_[a-z0-9]+)/1/model\.py")
_KIND = re.compile(r"--type=([a-z-]+)")
_SERVICE = re.compile(r"--utility-sub-type=([a-z_]+)\.")


def name_of(command: str) -> str:
    """What a process is, by its command line (arguments with spaces between)."""
    program = command.split(" ", 1)[0].rsplit("/", 1)[-1]
    if found := _MODEL.search(command):
        return found[1]
    if program.startswith(("chrom", "google-chrome", "headless")):
        service, kind = _SERVICE.search(command), _KIND.search(command)
        return f"Chromium, {service[1] if service else kind[1] if kind else 'browser'}"
    if program.startswith("python") and (found := re.search(r"/antlitz (up|serve|bench)\b", command)):
        return "gateway" if found[1] == "up" else f"antlitz {found[1]}"
    return program


def parent_and_seconds(stat: str) -> tuple[int, float]:
    """The parent of a process and the CPU seconds it has used, of its `/proc/PID/stat`."""
    words = stat.rpartition(")")[2].split()
    return int(words[1]), (int(words[11]) + int(words[12])) / TICKS


def busy_seconds(stat: str) -> float:
    """CPU seconds of the whole machine, of `/proc/stat`: all but idle, waiting for a disk, and guests (in user)."""
    words = [int(word) for word in stat.split("\n", 1)[0].split()[1:]]
    return (sum(words[:8]) - words[3] - words[4]) / TICKS


def below(root: int) -> dict[int, float]:
    """CPU seconds of `root` and of all its descendants, by process."""
    known: dict[int, tuple[int, float]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            known[int(folder.name)] = parent_and_seconds((folder / "stat").read_text())
        except OSError:
            continue
    found = [root]
    for pid in found:
        found += [child for child, (parent, _) in known.items() if parent == pid]
    return {pid: known[pid][1] for pid in found if pid in known}


class Meter:
    """Cores that were busy since the last look, by name of process."""

    def __init__(self, root: int = 0) -> None:
        self._root = root or os.getpid()
        self._names: dict[int, str] = {}
        self._look()

    def read(self) -> dict[str, float]:
        """Cores since the last call, the busiest first; those of others on the machine last."""
        before, at, machine = self._seconds, self._at, self._machine
        self._look()
        took = self._at - at
        cores: dict[str, float] = defaultdict(float)
        for pid, seconds in self._seconds.items():
            cores[self._name(pid)] += (seconds - before.get(pid, 0.0)) / took
        others = (self._machine - machine) / took - sum(cores.values())
        return {**dict(sorted(cores.items(), key=lambda each: -each[1])), OTHERS: max(0.0, others)}

    def _look(self) -> None:
        self._at, self._seconds = time.monotonic(), below(self._root)
        self._machine = busy_seconds(Path("/proc/stat").read_text())

    def _name(self, pid: int) -> str:
        if pid not in self._names:
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                command = ""
            self._names[pid] = name_of(command.strip()) or "gone"
        return self._names[pid]
