"""A tritonserver of a benchmark's own, with exports in the place of the models' folders."""

from __future__ import annotations

import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.settings import Settings
from triton_launch.command import ServerError
from triton_launch.server import Server

START_SECONDS = 300.0
LAST_LINES = 60  # of the log, where a model does not load


@contextmanager
def serving(
    bundles: Mapping[str, Path], arguments: Sequence[str] = (), only: Sequence[str] = ()
) -> Iterator[tuple[Server, Settings]]:
    """`bundles`: folder below ANTLITZ_MODELS -> the export that stands there; everything else is the cache's.

    `only`: the models to load; `ServerError` when one of them does not. With an error come the last lines of the log.
    """
    if only:
        arguments = [*arguments, "--model-control-mode=explicit", *(f"--load-model={name}" for name in only)]
    settings = Settings.from_environment()
    with tempfile.TemporaryDirectory(prefix="antlitz-bench-") as work:
        models = Path(work) / "models"
        models.mkdir()
        for entry in settings.models.iterdir() if settings.models.is_dir() else ():
            if entry.name not in bundles:
                (models / entry.name).symlink_to(entry)
        for name, bundle in bundles.items():
            (models / name).symlink_to(bundle.absolute())
        server = Server(models, Path(work) / "triton", arguments=arguments)
        try:
            server.wait_ready(START_SECONDS)
            for name in only:
                _loaded(server, name)
            yield server, settings
        except Exception:
            sys.stderr.write("\n".join([*_last_lines(server), ""]))
            raise
        finally:
            server.stop()


def _loaded(server: Server, name: str) -> None:
    """Raises `ServerError`, with what the server said, unless the model is ready: nothing would be measured."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.ports.http}/v2/models/{name}/ready", timeout=10):
            return
    except OSError as error:
        raise ServerError(f"{name} did not load; the server's log says why.") from error


def _last_lines(server: Server) -> list[str]:
    return server.log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
