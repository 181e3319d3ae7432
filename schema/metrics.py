"""Counters of what the server does, in the text format that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from graphql import GraphQLError
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from starlette.requests import Request
from starlette.responses import Response

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
PATHS = frozenset({"/graphql", "/healthz", "/readyz", "/metrics"})


class Metrics:
    """One server's own registry, so that two apps in one process do not share counts."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._requests = Counter(
            "aidloop_http_requests", "Requests answered.", ["path", "status"], registry=registry
        )
        self._seconds = Histogram(
            "aidloop_http_seconds",
            "Seconds from a request's head to its answer's end.",
            ["path"],
            buckets=SECONDS,
            registry=registry,
        )
        self._in_flight = Gauge(
            "aidloop_http_in_flight", "Requests being answered.", registry=registry
        )
        self._sockets = Gauge("aidloop_websockets", "Open websockets.", registry=registry)
        self._results = Counter(
            "aidloop_graphql_results",
            "GraphQL results by outcome: OK, or the code of the first error.",
            ["outcome"],
            registry=registry,
        )

    @contextmanager
    def request(self) -> Iterator[None]:
        with self._in_flight.track_inprogress():
            yield

    @contextmanager
    def socket(self) -> Iterator[None]:
        with self._sockets.track_inprogress():
            yield

    def done(self, path: str, status: int, seconds: float) -> None:
        # A path that a client made up must not become a time series of its own.
        path = path if path in PATHS or path.startswith("/assets/") else "other"
        path = "/assets" if path.startswith("/assets/") else path
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def result(self, errors: list[GraphQLError]) -> None:
        code = (errors[0].extensions or {}).get("code", "OTHER") if errors else "OK"
        self._results.labels(str(code)).inc()

    async def page(self, request: Request) -> Response:
        return Response(generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE})
