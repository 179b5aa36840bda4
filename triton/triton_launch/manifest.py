"""The models' files as `manifest.toml` lists them: where from, how large, which bytes, under which licence."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

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
    size: int  # bytes
    sha256: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Model:
    name: str
    title: str
    licence: str
    default: bool  # pulled by `antlitz up`
    files: tuple[ModelFile, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


@cache
def load(path: Path = MANIFEST) -> tuple[Model, ...]:
    """Every model of the manifest."""
    models = []
    for name, entry in tomllib.loads(path.read_text("utf-8")).items():
        files = []
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
            files.append(ModelFile(f"{name}/{item['path']}", item["size"], item["sha256"], sources))
        models.append(Model(name, entry["title"], entry["licence"], entry.get("default", True), tuple(files)))
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
    """Whether the file is there with its size (cheap; `intact` reads the bytes)."""
    try:
        return (cache_dir / file.path).stat().st_size == file.size
    except OSError:
        return False


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def intact(file: ModelFile, cache_dir: Path) -> bool:
    """Whether the file's bytes are the manifest's."""
    return present(file, cache_dir) and sha256(cache_dir / file.path) == file.sha256
