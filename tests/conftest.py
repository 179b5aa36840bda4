"""What all tests share: where the models are, a real tritonserver, and plain words about what was skipped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.settings import Settings
from triton_launch.manifest import choose, present
from triton_launch.server import Server

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def missing_models() -> list[str]:
    cache = Settings.from_environment().models
    return [model.name for model in choose([]) if not all(present(file, cache) for file in model.files)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = missing_models()
    no_models = pytest.mark.skip(reason=f"models missing: {', '.join(missing)}; run `antlitz models pull`")
    no_browser = pytest.mark.skip(reason="no Chromium on PATH")
    for item in items:
        if missing and (item.get_closest_marker("models") or item.get_closest_marker("server")):
            item.add_marker(no_models)
        if not CHROMIUM and item.get_closest_marker("browser"):
            item.add_marker(no_browser)
    # Unit tests first: a mistake in them is seen before a server has started.
    items.sort(key=lambda item: bool(item.get_closest_marker("server")))


@pytest.fixture(scope="session")
def models() -> Path:
    """The cache of the models' files, as the models themselves are told of it."""
    path = Settings.from_environment().models
    os.environ["ANTLITZ_MODELS"] = str(path)
    return path


@pytest.fixture(scope="session")
def triton(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real tritonserver with every model of the repository."""
    server = Server(models, tmp_path_factory.mktemp("triton"))
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()
