"""The gateway's figures for Prometheus. Names of models and stages are labels; sessions and words never are.

What happens is told by plain methods; what is (sessions, queues) is looked at when somebody asks for the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
#: s. A stage of a turn is felt from 0.1 s on; the target is 1.5 s, and after 10 s nobody waits.
STAGE_SECONDS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 6, 10)
#: s. A push of the voice activity takes 1 ms, a frame 10 ms, a long recording a minute.
CALL_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.25, 2.5, 5, 10, 30, 60)
SESSION_SECONDS: Final = (10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)


@dataclass(frozen=True)
class Playout:
    """What one session has sent and what waits in its queues."""

    sent: int = 0  # frames
    held: int = 0  # frames shown again, for the next was late
    dropped: int = 0  # frames that came too late
    queues: Mapping[str, int] | None = None  # name: what waits


class Metrics:
    """One for a gateway: `text` is what Prometheus reads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._live = _Live()
        self.registry.register(self._live)
        for standard in (ProcessCollector, PlatformCollector, GCCollector):
            standard(registry=self.registry)
        self._stages = self._histogram(
            "antlitz_turn_stage_seconds", "From the end of the person's speech to the stage", ["stage"], STAGE_SECONDS
        )
        self._calls = self._histogram(
            "antlitz_triton_request_seconds", "Requests to Triton that were answered", ["model"], CALL_SECONDS
        )
        self._call_errors = self._counter("antlitz_triton_errors", "Requests to Triton that failed", ["model", "code"])
        self._lengths = self._histogram("antlitz_session_seconds", "Sessions that have ended", [], SESSION_SECONDS)
        self._opened = self._counter("antlitz_sessions_opened", "Sessions that were opened", [])
        self._failed = self._counter("antlitz_sessions_failed", "Sessions that ended with an error", ["code"])
        self._full = self._counter("antlitz_sessions_refused", "Sessions that found no place", [])
        self._refused = self._counter("antlitz_refused", "Requests that the doors refused", ["status"])
        self._answers = self._counter("antlitz_http_responses", "Answers to HTTP requests", ["method", "status"])

    def text(self) -> bytes:
        """All figures as Prometheus reads them."""
        return generate_latest(self.registry)

    # --- what happens -------------------------------------------------------------------------------------
    def turn(self, stage: str, seconds: float) -> None:
        """A turn reached a stage (transcript, first_audio, …) so long after the person had stopped speaking."""
        self._stages.labels(stage).observe(max(0.0, seconds))

    def timing(self, ms: Mapping[str, float]) -> None:
        """All stages of a turn, as the page is told of them."""
        for stage, milliseconds in ms.items():
            self.turn(stage, milliseconds / 1000)

    def triton(self, model: str, seconds: float) -> None:
        """Triton answered a request to `model`."""
        self._calls.labels(model).observe(seconds)

    def triton_error(self, model: str, code: str) -> None:
        """A request to `model` failed."""
        self._call_errors.labels(model, code).inc()

    def session_opened(self) -> None:
        self._opened.inc()

    def session_refused(self) -> None:
        """All places were taken."""
        self._full.inc()

    def session_closed(self, seconds: float, playout: Playout = Playout(), failure: str = "") -> None:
        """A session has ended; what it has sent stays counted. `failure` is the code of what ended it."""
        self._lengths.observe(seconds)
        self._live.keep(playout)
        if failure:
            self._failed.labels(failure).inc()

    def refused(self, status: int) -> None:
        """The doors refused a request."""
        self._refused.labels(str(status)).inc()

    def answered(self, method: str, status: int) -> None:
        """A request got its answer."""
        self._answers.labels(method if method in _METHODS else "other", str(status)).inc()

    # --- what is ------------------------------------------------------------------------------------------
    def watch(self, sessions: Callable[[], Iterable[Playout]]) -> None:
        """`sessions` says, whenever figures are asked for, what the running ones have sent and have waiting."""
        self._live.sessions = sessions

    def watch_servers(self, servers: Callable[[], Iterable[tuple[str, bool, int]]]) -> None:
        """`servers` says the same of the tritonservers: address, whether it is there, sessions on it."""
        self._live.servers = servers

    def _histogram(self, name: str, help: str, labels: list[str], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, help, labels, buckets=buckets, registry=self.registry)

    def _counter(self, name: str, help: str, labels: list[str]) -> Counter:
        return Counter(name, help, labels, registry=self.registry)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUEUES: Final = ("messages", "speech_slots", "frames")


class _Live(Collector):
    """Sessions as they are when asked; of those that have ended, what they had sent."""

    def __init__(self) -> None:
        self.sessions: Callable[[], Iterable[Playout]] = tuple
        self.servers: Callable[[], Iterable[tuple[str, bool, int]]] = tuple
        self._ended = Playout()

    def keep(self, playout: Playout) -> None:
        ended = self._ended
        self._ended = Playout(ended.sent + playout.sent, ended.held + playout.held, ended.dropped + playout.dropped)

    def collect(self) -> Iterator[Metric]:
        running = list(self.sessions())
        every = [self._ended, *running]
        yield GaugeMetricFamily("antlitz_sessions", "Sessions that run", len(running))
        for name, help, values in (
            ("antlitz_frames_sent", "Video frames sent", [each.sent for each in every]),
            ("antlitz_frames_held", "Frames shown again, for the next was late", [each.held for each in every]),
            ("antlitz_frames_dropped", "Frames that came too late", [each.dropped for each in every]),
        ):
            yield CounterMetricFamily(name, help, sum(values))
        depth = GaugeMetricFamily("antlitz_queue_depth", "What waits in the fullest queue of a kind", labels=["queue"])
        for queue in _QUEUES:
            depth.add_metric([queue], max((each.queues or {}).get(queue, 0) for each in every))
        yield depth
        up = GaugeMetricFamily("antlitz_triton_up", "Whether a tritonserver is there", labels=["server"])
        seats = GaugeMetricFamily("antlitz_triton_sessions", "Sessions on a tritonserver", labels=["server"])
        for address, alive, sessions in self.servers():
            up.add_metric([address], int(alive))
            seats.add_metric([address], sessions)
        yield from (up, seats)
