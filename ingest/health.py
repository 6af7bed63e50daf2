"""The ingester's own state: a point of `pipeline` every 10 s."""

import asyncio
import logging
import resource
from collections.abc import Callable

from ingest.connection import RECEIVE_MAXIMUM, Connection
from ingest.intake import Intake
from ingest.writer import Writer
from running.monitor import MetricValues
from store.client import Store, dropping
from store.lines import point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, PIPELINE

EVERY_S = 10.0
SMALL_WINDOW = 20
"""How many messages mosquitto has in flight to a subscriber unless configured otherwise."""

log = logging.getLogger(__name__)


STUCK_S = 60.0
"""How long messages may wait without a write before the database counts as stuck."""


def faults(values: MetricValues) -> list[str]:
    """What keeps an ingester from its work, by the values of its line in `pipeline`."""
    found = []
    if not values["connected"]:
        found.append("no connection to the broker")
    waiting = values["unacknowledged"]
    if waiting >= RECEIVE_MAXIMUM:
        found.append(f"{waiting:.0f} messages wait for the database: the broker sends no more")
    if values["waiting_s"] >= STUCK_S:
        found.append(f"{waiting:.0f} messages wait, and the database has taken none for {STUCK_S:.0f} s")
    return found


class Health:
    """Turns the counters of intake and writer into rates, depths and lags."""

    def __init__(
        self,
        instance: str,
        intake: Intake,
        writer: Writer,
        clock_ms: Callable[[], int],
        report: Callable[[MetricValues], None],
    ) -> None:
        self._report = report
        self._series = series(PIPELINE, {"service": "ingest", "instance": instance})
        self._intake = intake
        self._writer = writer
        self._clock_ms = clock_ms
        self._before = (0, 0, 0, 0.0, 0, clock_ms())
        self._warned = False
        self._waiting_since_ms: int | None = None

    def line(self, connection: Connection | None, reconnects: int) -> str:
        """Point for the time since the line before.

        Rates are per second; `write_ms` is the mean time of a write; `lag_s` is how old the newest reading of the
        last batch was when it was written; `unacknowledged` counts messages, `held_bytes` their size. `waiting_s` is
        how long some of them have been waiting while nothing was written.
        """
        writer, intake, now = self._writer, self._intake, self._clock_ms()
        counted = (intake.messages, writer.stored, writer.refused, writer.writing_s, writer.writes, now)
        messages, stored, refused, writing_s, writes, passed_ms = (
            after - before for after, before in zip(counted, self._before, strict=True)
        )
        self._before = counted
        seconds = max(passed_ms, 1) / 1000
        unacknowledged = connection.unacknowledged if connection is not None else 0
        fields: dict[str, float | int | bool] = {
            "messages_per_s": messages / seconds,
            "readings_per_s": stored / seconds,
            "refused_per_s": refused / seconds,
            "stored": writer.stored,
            "refused": writer.refused,
            "connected": connection is not None and connection.is_open,
            "unacknowledged": unacknowledged,
            "waiting_s": self._waiting_ms(now, waits=unacknowledged > 0) / 1000,
            "held_bytes": intake.held_bytes,
            "retained": intake.retained,
            "bad_reads": intake.bad_reads,
            "retries": writer.patience.total,
            "reconnects": reconnects,
            "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        if writes:
            fields["write_ms"] = writing_s * 1000 / writes
        if writer.last_write_ms is not None and writer.newest_ms is not None:
            fields["last_write_age_s"] = (now - writer.last_write_ms) / 1000
            fields["lag_s"] = (writer.last_write_ms - writer.newest_ms) / 1000
        if connection is not None and connection.window == SMALL_WINDOW < intake.messages and not self._warned:
            self._warned = True
            log.warning(
                "the broker has never had more than %d messages under way to this ingester; "
                "set max_inflight_messages 20000 in its configuration",
                SMALL_WINDOW,
            )
        self._report(fields)
        return point(self._series, fields, now * NS_PER_MS)

    def _waiting_ms(self, now: int, *, waits: bool) -> int:
        """Since the last write, or since messages began to wait if that is later."""
        if not waits:
            self._waiting_since_ms = None
            return 0
        if self._waiting_since_ms is None:
            self._waiting_since_ms = now
        return now - max(self._waiting_since_ms, self._writer.last_write_ms or 0)

    async def run(
        self, store: Store, connection: Callable[[], Connection | None], reconnects: Callable[[], int]
    ) -> None:
        """Write a point every 10 s; one that cannot be written is dropped."""
        while True:
            await asyncio.sleep(EVERY_S)
            line = self.line(connection(), reconnects())
            with dropping("writing `pipeline`"):
                # A database that hangs must not delay the next report.
                await store.write([line], OPERATOR_DATABASE, timeout_s=EVERY_S)
