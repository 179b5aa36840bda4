"""A tritonserver of a benchmark's own, with exports in the place of the models' folders."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.settings import Settings
from triton_launch.server import Server

START_SECONDS = 300.0


@contextmanager
def serving(bundles: Mapping[str, Path], arguments: Sequence[str] = ()) -> Iterator[tuple[Server, Settings]]:
    """`bundles`: folder below ANTLITZ_MODELS -> the export that stands there; everything else is the cache's."""
    settings = Settings.from_environment()
    with tempfile.TemporaryDirectory(prefix="antlitz-bench-") as work:
        models = Path(work) / "models"
        models.mkdir()
        for entry in settings.models.iterdir():
            if entry.name not in bundles:
                (models / entry.name).symlink_to(entry)
        for name, bundle in bundles.items():
            (models / name).symlink_to(bundle.absolute())
        server = Server(models, Path(work) / "triton", arguments=arguments)
        try:
            server.wait_ready(START_SECONDS)
            yield server, settings
        finally:
            server.stop()
