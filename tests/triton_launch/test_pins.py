"""The versions in the containers: whole, allowed, and to be had for the machines that they are for."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from triton_launch import pins

ROOT = Path(__file__).parents[2]
PINNED = pins.read((ROOT / "triton" / "requirements.txt").read_text("utf-8"))
#: Source alone is published of these; they are Python alone, and pip makes the wheel.
PURE_SOURCES = {"docopt"}
PYTHON = "3.12"  # of both images


def test_every_package_that_serving_needs_is_pinned() -> None:
    """When this fails: python -m triton_launch.pins > triton/requirements.txt."""
    assert set(pins.closure(pins.serving())) <= set(PINNED)


def test_the_pins_are_what_pyproject_allows() -> None:
    for line in pins.serving():
        needed = Requirement(line)
        assert needed.specifier.contains(PINNED[canonicalize_name(needed.name)]), line


def test_the_pins_agree_with_one_another() -> None:
    """What each package wants of the others, where it is installed here in its pinned version."""
    here = {name for name, pin in PINNED.items() if pin == installed(name)}
    for name in here:
        for needed in map(Requirement, requires(name) or []):
            other = canonicalize_name(needed.name)
            if other in PINNED and (needed.marker is None or needed.marker.evaluate({"extra": ""})):
                assert needed.specifier.contains(PINNED[other], prereleases=True), f"{name} wants {needed}"


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def test_what_was_written_is_read_again() -> None:
    found = {"zope-event": "6.2", "av": "18.1.0"}
    assert pins.read(pins.written(found)) == found
    assert pins.written(found).splitlines()[1:] == ["av==18.1.0", "zope-event==6.2"]


def test_every_pinned_package_has_a_wheel_for_arm64(tmp_path: Path) -> None:
    """DGX Spark, GH200. (For x86-64 these tests themselves have installed them.)"""
    wheels = tmp_path / "requirements.txt"
    wheels.write_text(pins.written({name: PINNED[name] for name in PINNED.keys() - PURE_SOURCES}))
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in range(17, 37)]  # glibc of Debian 12 at most
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps", "--ignore-installed",
            "--only-binary=:all:", f"--python-version={PYTHON}", *platforms, "--platform=manylinux2014_aarch64",
            f"--target={tmp_path}", "--disable-pip-version-check", "--retries=1", "--timeout=20", f"-r{wheels}",
        ],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if "from versions: none" in done.stderr and not _reachable(tmp_path):
        pytest.skip("no package registry is reached from here")
    assert done.returncode == 0, done.stderr


def _reachable(folder: Path) -> bool:
    """Whether pip knows a package that every registry has."""
    line = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries=1", "--timeout=20", "packaging"]
    return subprocess.run([*line, f"--dest={folder}"], capture_output=True, timeout=120, check=False).returncode == 0
