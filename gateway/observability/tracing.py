"""Traces of a turn with OpenTelemetry, off unless ANTLITZ_TRACES says where they go.

`span` may be written anywhere: without the extra `[telemetry]`, or when traces are off, it costs next to nothing.
Triton gets the W3C `traceparent` of the running span with each request; it takes part when it was started with
``--trace-config mode=opentelemetry``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from typing import Any, Final

from gateway.observability.context import session_id

try:
    from opentelemetry import propagate, trace
except ImportError:  # pip install 'antlitz[telemetry]'
    trace = None  # type: ignore[assignment]

SERVICE: Final = "antlitz-gateway"


def start(endpoint: str) -> Callable[[], None]:
    """Send spans to an OTLP/HTTP collector (http://HOST:4318/v1/traces); the result flushes them and stops.

    ValueError with one sentence when the extra is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ValueError("ANTLITZ_TRACES needs OpenTelemetry: pip install 'antlitz[telemetry]'.") from error
    resource = Resource.create({"service.name": SERVICE, "service.version": version("antlitz")})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)
    return provider.shutdown


def span(name: str, **attributes: str | int | float | bool) -> AbstractContextManager[Any]:
    """What runs inside is a span, child of the one around it. Attributes never hold words or secrets."""
    if trace is None:
        return nullcontext()
    # An exception's text may hold what a person said: its type is all that a trace gets.
    return _Span(
        trace.get_tracer(SERVICE).start_as_current_span(
            name, attributes=_said(attributes), record_exception=False, set_status_on_exception=False
        )
    )


def child(name: str, **attributes: str | int | float | bool) -> AbstractContextManager[Any]:
    """As `span`, but only inside of one: what goes on all the time, outside of turns, makes no traces."""
    if trace is None or not trace.get_current_span().is_recording():
        return nullcontext()
    return span(name, **attributes)


class Loose:
    """As `child`, for what does not run within one block: a stream, read by who has other things to do between.

    Only the sending runs inside of the span; else what the reader does between two answers would be its children.
    """

    def __init__(self, name: str, **attributes: str | int | float | bool) -> None:
        self._span: Any = None
        if trace is not None and trace.get_current_span().is_recording():
            self._span = trace.get_tracer(SERVICE).start_span(name, attributes=_said(attributes))

    def current(self) -> AbstractContextManager[Any]:
        return nullcontext() if self._span is None else trace.use_span(self._span)

    def failed(self, error: Exception) -> None:
        if self._span is not None:
            _fail(self._span, type(error))

    def end(self) -> None:
        if self._span is not None:
            self._span.end()


def headers() -> dict[str, str]:
    """`traceparent` and what belongs to it, for a request made now; empty outside of a span."""
    carrier: dict[str, str] = {}
    if trace is not None:
        propagate.inject(carrier)
    return carrier


class _Span:
    """Marks the span as failed, with the exception's type alone."""

    def __init__(self, manager: AbstractContextManager[Any]) -> None:
        self._manager = manager

    def __enter__(self) -> Any:
        self._span = self._manager.__enter__()
        return self._span

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: Any) -> bool | None:
        if kind is not None and issubclass(kind, Exception):
            _fail(self._span, kind)
        return self._manager.__exit__(kind, error, where)


def _said(attributes: dict[str, str | int | float | bool]) -> dict[str, str | int | float | bool]:
    """Attributes by OpenTelemetry's names, and the session."""
    said = {key.replace("_", "."): value for key, value in attributes.items()}
    session = session_id.get()
    return said | {"session.id": session} if session else said


def _fail(span: Any, kind: type[BaseException]) -> None:
    span.set_attribute("error.type", kind.__name__)
    span.set_status(trace.StatusCode.ERROR)
