"""``/metrics``: what the appliance does, in Prometheus's text format.

Primitives: `Metrics` (keeps the numbers, and is the kernel's meter), `Metered` (counts what goes through the
doors) and `metrics_route`. Names begin with ``zstack_``; those of the process are Prometheus's own. It is for
callers on this machine, and for those who know the token in the data folder.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

import trio
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zstack_appliance.api.protocol import peer_credentials
from zstack_appliance.kernel.meter import Gauge, Measure, Numbers

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)

_HISTOGRAMS = {
    Measure.QUEUE_WAIT: ("zstack_queue_wait_seconds", _SLOW),
    Measure.JOB: ("zstack_job_duration_seconds", _SLOW),
    Measure.COMMIT: ("zstack_store_commit_seconds", _FAST),
    Measure.GROUP: ("zstack_store_group_writes", _SIZES),
}

_DOORS = (
    ("/zstack/v1/api-jobs", "job_result"),
    ("/zstack/v1", "rest"),
    ("/v1", "rest"),
    ("/zstack/api", "message"),
    ("/ui", "ui"),
    ("/console", "console"),
    ("/healthz", "health"),
    ("/metrics", "metrics"),
)
"""Beginning of a path to the door that it leads to; the first that fits."""

LAG_SECONDS = 0.5
"""How often it is looked how late the loop is."""

_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"})


@dataclass(frozen=True)
class Instant:
    """A number that is read when somebody asks.

    Args:
        name: of the metric.
        help: one sentence with the unit.
        read: gives it.
    """

    name: str
    help: str
    read: Callable[[], float]


@dataclass(eq=False)
class Metrics(Collector):
    """All numbers of one appliance; calling it with a measure keeps that.

    Args:
        version: the appliance's.
    """

    version: str
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    instants: list[Instant] = field(default_factory=list)
    _read: list[tuple[Gauge, Numbers]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.requests = Counter(
            "zstack_requests", "Requests that were answered.", ("door", "method", "status"), registry=self.registry
        )
        self.durations = Histogram(
            "zstack_request_duration_seconds",
            "How long requests took until their answer began.",
            ("door",),
            buckets=_FAST,
            registry=self.registry,
        )
        self.lags = Histogram(
            "zstack_loop_lag_seconds",
            "How much later than due a task ran that wakes twice a second.",
            buckets=_FAST,
            registry=self.registry,
        )
        self._measured = {
            measure: Histogram(name, measure.value, buckets=buckets, registry=self.registry)
            for measure, (name, buckets) in _HISTOGRAMS.items()
        }
        ProcessCollector(registry=self.registry)
        self.registry.register(self)

    def __call__(self, measure: Measure, value: float) -> None:
        """Keep one measured value."""
        self._measured[measure].observe(value)

    def collect(self) -> Iterator[Metric]:
        """What is read at the moment; the registry asks."""
        build = GaugeMetricFamily("zstack_build_info", "The appliance's version; always 1.", labels=("version",))
        build.add_metric((self.version,), 1)
        yield build
        for instant in self.instants:
            yield GaugeMetricFamily(instant.name, instant.help, value=instant.read())
        for gauge, rows in self._read:
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.by)
            for labels, number in rows:
                family.add_metric(labels, number)
            yield family

    def text(self, read: Iterable[tuple[Gauge, Numbers]]) -> bytes:
        """Everything in Prometheus's format, with what the plugins' gauges read."""
        self._read = list(read)
        return generate_latest(self.registry)


class Metered:
    """Counts and times what goes through the doors.

    Args:
        app: the doors.
        metrics: keeps the numbers.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; what is noted is the beginning of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, door = time.perf_counter(), door_of(scope["path"])
        method = scope["method"] if scope["method"] in _METHODS else "other"

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.requests.labels(door, method, str(message["status"])).inc()
                self._metrics.durations.labels(door).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, noting)


def door_of(path: str) -> str:
    """The door that a path leads to; never more than a few, whatever strangers ask for."""
    return next((door for prefix, door in _DOORS if path == prefix or path.startswith(f"{prefix}/")), "other")


def metrics_route(metrics: Metrics, read: Callable[[], Awaitable[list[tuple[Gauge, Numbers]]]], token: str) -> Route:
    """The route.

    Args:
        metrics: what is shown.
        read: reads the gauges of the plugins.
        token: what callers from elsewhere send as ``Authorization: Bearer``; empty keeps them out.
    """

    async def show(request: Request) -> Response:
        if not _may(request, token):
            return PlainTextResponse("send the token in the data folder's metrics-token as Bearer\n", 403)
        return Response(metrics.text(await read()), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", show, methods=["GET"])


async def watch_lag(metrics: Metrics) -> None:
    """Measure for ever how late the loop is; for a process that serves, not for a virtual clock."""
    while True:
        due = trio.current_time() + LAG_SECONDS
        await trio.sleep_until(due)
        metrics.lags.observe(max(0.0, trio.current_time() - due))


def _may(request: Request, token: str) -> bool:
    if peer_credentials(request.scope) is not None or _is_loopback(request):
        return True
    given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def _is_loopback(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
