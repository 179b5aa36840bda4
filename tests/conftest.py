"""What all tests share: where the models are, a real tritonserver, and plain words about what was skipped."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.settings import Settings
from triton_launch.manifest import choose, present
from triton_launch.server import Server

ROOT = Path(__file__).parents[1]
#: What the small exports are made of: while none of it changes, they are kept.
EXPORT_SOURCES = (
    "export/**/*.py",
    "triton/avatar_runtime/liveportrait/graphs.py",
    "triton/avatar_runtime/xtts/**/*.py",
    "triton/avatar_runtime/whisper/exported.py",
)
#: Engines whose networks have to be exported, for which the tests need PyTorch.
EXPORTED = ("render_liveportrait", "tts_xtts", "voice_xtts")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that a test runs here sets up logging to a standard error that is the test's alone."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def missing_models() -> list[str]:
    cache = Settings.from_environment().models
    return [model.name for model in choose([]) if not all(present(file, cache) for file in model.files)]


def can_export() -> bool:
    return importlib.util.find_spec("torch") is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = missing_models()
    no_models = pytest.mark.skip(reason=f"models missing: {', '.join(missing)}; run `antlitz models pull`")
    no_browser = pytest.mark.skip(reason="no Chromium on PATH")
    no_torch = pytest.mark.skip(reason="this engine has to be exported, which needs torch: pip install -e '.[export]'")
    for item in items:
        if not can_export() and any(engine in item.name for engine in EXPORTED):
            item.add_marker(no_torch)
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


def exported(config: pytest.Config, network: str, *options: str) -> Path:
    """The bundle of a small export, which takes half a minute and stays in pytest's cache until its sources change."""
    digest = hashlib.sha256()
    for pattern in EXPORT_SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    assert config.cache is not None
    folder = config.cache.mkdir(network) / digest.hexdigest()[:16]
    if not folder.exists():
        export = [sys.executable, "-P", "-m", "export", network]  # -P: the root stays off sys.path
        subprocess.run([*export, *options, "--out", str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def puppet(pytestconfig: pytest.Config) -> Path:
    """LivePortrait's puppet, narrow: the true networks with weights set by hand, so that keypoints move the picture."""
    return exported(pytestconfig, "liveportrait", "--checkpoint", "puppet", "--width", "8")


@pytest.fixture(scope="session")
def twin(pytestconfig: pytest.Config) -> Path:
    """XTTS's twin: the true networks, small, with seeded random weights; a voice of noise that begins and ends."""
    return exported(pytestconfig, "xtts", "--checkpoint", "twin")


@pytest.fixture(scope="session")
def whisper_twin(pytestconfig: pytest.Config) -> Path:
    """Whisper's twin: the true networks, small, with seeded random weights; it hears bytes in noise."""
    return exported(pytestconfig, "whisper", "--checkpoint", "twin", "--precision", "fp32")


@pytest.fixture(scope="session")
def served(models: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models' files as the real server sees them: the cache, with small exports in the place of the real ones."""
    folder = tmp_path_factory.mktemp("models")
    for path in models.iterdir():
        if path.name not in ("liveportrait", "xtts"):
            (folder / path.name).symlink_to(path)
    if can_export():
        (folder / "liveportrait").symlink_to(request.getfixturevalue("puppet"))
        (folder / "xtts").symlink_to(request.getfixturevalue("twin"))
    return folder


@pytest.fixture(scope="session")
def triton(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real tritonserver with every model of the repository."""
    server = Server(served, tmp_path_factory.mktemp("triton"))
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()
