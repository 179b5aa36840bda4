"""Finds NVIDIA's perf_analyzer: on PATH (their SDK image has it), else as `antlitz models pull` has brought it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
from pathlib import Path

from .command import ServerError

FETCHED = "perf-analyzer/perf_analyzer"  # below the models' cache
CUDA = "libcudart.so.12"  # it is linked against it, and calls nothing of it without a GPU


def fetchable() -> bool:
    """Whether the fetched one could run here: only a binary for x86-64 is in a registry."""
    return shutil.which("perf_analyzer") is None and platform.machine() == "x86_64"


def find(models: Path, work: Path) -> tuple[str, dict[str, str]]:
    """The program and the environment it runs in. ServerError with one sentence when it cannot run here."""
    environ = dict(os.environ)
    if found := shutil.which("perf_analyzer"):
        return found, environ
    program = models / FETCHED
    if not program.exists():
        raise ServerError(
            "No perf_analyzer was found: take it from NVIDIA's tritonserver SDK image, and put it on PATH."
        )
    program.chmod(0o755)
    environ["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, [str(_cuda(work)), environ.get("LD_LIBRARY_PATH", "")]))
    missing = _missing(program, environ)
    if missing:
        hint = "; Debian's package of that is libb64-0d" if "libb64.so.0d" in missing else ""
        raise ServerError(f"perf_analyzer needs {', '.join(missing)}{hint}.")
    return str(program), environ


def _cuda(work: Path) -> Path:
    """A folder with the CUDA runtime that nvidia-pytriton carries, by the name that perf_analyzer asks for."""
    folder = work / "libraries"
    folder.mkdir(parents=True, exist_ok=True)
    spec = importlib.util.find_spec("pytriton")
    for location in (spec.submodule_search_locations or []) if spec else []:
        for library in (Path(location).parent / "nvidia_pytriton.libs").glob("libcudart-*.so.12*"):
            (folder / CUDA).unlink(missing_ok=True)
            (folder / CUDA).symlink_to(library)
    return folder


def _missing(program: Path, environ: dict[str, str]) -> list[str]:
    told = subprocess.run(["ldd", str(program)], env=environ, capture_output=True, text=True, check=False).stdout
    return [line.split()[0] for line in told.splitlines() if "not found" in line]
