"""A service's own state over HTTP: `/metrics`, `/healthz`, `/readyz`.

`/metrics` are the values of the service's line in `pipeline`, for Prometheus. `/healthz` is 200 as long as the service
reports them, so that a supervisor restarts a service that hangs, and no other. `/readyz` is 200 as long as it does its
work, and otherwise names the obstacle: a database that accepts no writes is no reason for a restart.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from metering.errors import OperatorError

SILENT_S = 60.0
"""A service reports at least every ten seconds; one that has been silent for this long hangs."""

_LONGEST_REQUEST = 8192
_PATIENCE_S = 5.0

MetricValues = Mapping[str, float]


class MonitorAnswer(NamedTuple):
    """The answer to an HTTP request."""

    status: HTTPStatus
    body: bytes


class Monitor(Collector):
    """The last report of a service; `faults` derives from its values what keeps it from its work."""

    def __init__(self, service: str, faults: Callable[[MetricValues], Sequence[str]], now: Callable[[], float]) -> None:
        self._service = service
        self._faults = faults
        self._now = now
        self._values: MetricValues = {}
        self._reported = now()
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def report(self, values: MetricValues) -> None:
        """Store the current values; those that are missing have none."""
        self._values = dict(values)
        self._reported = self._now()

    def collect(self) -> Iterable[Metric]:
        """The last report as gauges named `ecopark_{service}_{name}`."""
        for name, value in sorted(self._values.items()):
            yield GaugeMetricFamily(f"ecopark_{self._service}_{name}", "See docs/operations.md.", value)

    def hangs(self) -> list[str]:
        """Why it should be restarted; empty where it should not."""
        silent = self._now() - self._reported
        return [f"no report for {silent:.0f} s"] if silent > SILENT_S else []

    def troubles(self) -> list[str]:
        """What keeps it from its work."""
        return self.hangs() or (list(self._faults(self._values)) if self._values else ["no report yet"])

    def answer(self, path: str) -> MonitorAnswer:
        """The answer to a request."""
        match path:
            case "/metrics":
                return MonitorAnswer(HTTPStatus.OK, generate_latest(self._registry))
            case "/healthz":
                return _judged(self.hangs())
            case "/readyz":
                return _judged(self.troubles())
            case _:
                return MonitorAnswer(HTTPStatus.NOT_FOUND, b"ask for /metrics, /healthz or /readyz\n")


def _judged(faults: Sequence[str]) -> MonitorAnswer:
    if not faults:
        return MonitorAnswer(HTTPStatus.OK, b"ok\n")
    return MonitorAnswer(HTTPStatus.SERVICE_UNAVAILABLE, "".join(f"{fault}\n" for fault in faults).encode())


@asynccontextmanager
async def served(monitor: Monitor, address: str | None) -> AsyncIterator[None]:
    """Answer for a monitor at `host:port`; without an address, nowhere.

    Raises `OperatorError` where nothing can listen there.
    """
    if address is None:
        yield
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise OperatorError(f"ECOPARK_METRICS={address}: write host:port, such as 127.0.0.1:9100")
    clients: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.add(writer)
        try:
            await _serve(monitor, reader, writer)
        finally:
            clients.discard(writer)
            writer.close()

    try:
        server = await asyncio.start_server(serve, host.strip("[]"), int(port), limit=_LONGEST_REQUEST)
    except (OSError, OverflowError) as error:
        raise OperatorError(f"ECOPARK_METRICS={address} cannot be listened on: {error}") from error
    try:
        yield
    finally:
        server.close()
        for client in clients:
            client.transport.abort()


async def _serve(monitor: Monitor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        async with asyncio.timeout(_PATIENCE_S):
            request = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            status, body = monitor.answer(target.partition("?")[0])
            if method not in {"GET", "HEAD"}:
                status, body = HTTPStatus.METHOD_NOT_ALLOWED, b""
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode() + (b"" if method == "HEAD" else body))
            await writer.drain()
