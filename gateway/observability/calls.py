"""Requests to Triton, watched: how long, how many failed and how, and which turn they belong to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from avatar_runtime.contracts import AvatarError, Code
from gateway.observability import tracing
from gateway.observability.metrics import Metrics


@contextmanager
def watched(metrics: Metrics, model: str) -> Iterator[None]:
    """Around one request to `model`. An `AvatarError` counts as its failure; who gives up waiting counts as nothing."""
    began = time.monotonic()
    with tracing.child(f"triton {model}", triton_model=model):
        try:
            yield
        except AvatarError as error:
            if error.code is not Code.CANCELLED:
                metrics.triton_error(model, str(error.code))
            raise
    metrics.triton(model, time.monotonic() - began)


class Streamed:
    """One request that is answered in a stream; its time is that until the first answer."""

    def __init__(self, metrics: Metrics, model: str) -> None:
        self._metrics, self._model = metrics, model
        self._began: float | None = time.monotonic()  # None once there was an answer
        self._span = tracing.Loose(f"triton {model}", triton_model=model)

    def sending(self) -> AbstractContextManager[None]:
        """Around the sending: the request then carries this span's `traceparent`."""
        return self._span.current()

    def answered(self) -> None:
        """An answer has come."""
        if self._began is not None:
            self._metrics.triton(self._model, time.monotonic() - self._began)
            self._began = None

    def failed(self, error: AvatarError) -> AvatarError:
        """It has failed; returns `error`."""
        if error.code is not Code.CANCELLED:
            self._metrics.triton_error(self._model, str(error.code))
            self._span.failed(error)
        return error

    def end(self) -> None:
        """Nothing more will come."""
        self._span.end()


class TraceContext:
    """A plugin of Triton's client: each request carries the running span's `traceparent`."""

    def __call__(self, request: Any) -> None:
        found = tracing.headers()
        if found:
            request.headers = {**(request.headers or {}), **found}
