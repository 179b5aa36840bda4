"""The exact versions that the containers install: `python -m triton_launch.pins > triton/requirements.txt`.

They are those of the environment that this runs in, where the tests have passed; so the containers get what was tested.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
EXTRAS = ("postgres", "s3", "telemetry")  # several gateways with what they share, and traces of their turns
HEADER = "# What the containers install, as `python -m triton_launch.pins` wrote it. Not edited by hand.\n"


def serving(pyproject: Path = PYPROJECT) -> list[str]:
    """What serving needs, as pyproject.toml says (metadata may be older), with the extras of containers."""
    project = tomllib.loads(pyproject.read_text("utf-8"))["project"]
    extras = [line for name in EXTRAS for line in project["optional-dependencies"][name]]
    return [*project["dependencies"], *extras]


def closure(requirements: Iterable[str]) -> dict[str, str]:
    """name -> version of every installed package that `requirements` need, themselves included."""
    waiting = [Requirement(line) for line in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    found: dict[str, str] = {}
    while waiting:
        needed = waiting.pop()
        name, extras = canonicalize_name(needed.name), frozenset(needed.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        installed = distribution(name)
        found[name] = installed.version
        for each in map(Requirement, installed.requires or []):
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras or {""}):
                waiting.append(each)
    return found


def written(pins: Mapping[str, str]) -> str:
    """A requirements file."""
    return HEADER + "".join(f"{name}=={version}\n" for name, version in sorted(pins.items()))


def read(text: str) -> dict[str, str]:
    """name -> version of a file that `written` made."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", text, re.MULTILINE))


if __name__ == "__main__":
    sys.stdout.write(written(closure(serving())))
