"""Writes batches and acknowledges them, one after the other, in order of receipt.

A message is acknowledged when the database has its readings and its refusals, and not before. What the database will
never take is isolated and refused; everything else that fails is tried again, for ever, and said aloud.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import chain
from typing import NamedTuple, TypeVar

from ingest.arrivals import HELD_MS, Trace, held
from ingest.batch import Batch
from ingest.intake import Intake
from ingest.refusal import HOUR_MS, Refusal
from ingest.replies import Replies
from metering.errors import OperatorError, UnavailableError
from running.patience import Patience
from store.client import RejectedError, Store
from store.lines import parse
from store.schema import NS_PER_MS, OPERATOR_DATABASE
from wire.messages import Reason
from wire.topics import Channel, topic

T = TypeVar("T")
log = logging.getLogger(__name__)


class Writer:
    """Takes from the intake, writes to the store, acknowledges and replies. Its counters feed `pipeline`."""

    def __init__(
        self,
        store: Store,
        intake: Intake,
        replies: Replies,
        gateway_of: Callable[[str, str], str | None],
        clock_ms: Callable[[], int],
        instance: str,
    ) -> None:
        self._store = store
        self._intake = intake
        self._replies = replies
        self._gateway_of = gateway_of
        self._clock_ms = clock_ms
        self._trace = Trace(instance)
        loop = asyncio.get_running_loop()
        self._time = loop.time
        self.patience = Patience("writing", log, loop.time)
        self.stored = 0
        self.refused = 0
        self.writes = 0
        self.writing_s = 0.0
        self.last_write_ms: int | None = None
        self.newest_ms: int | None = None

    async def run(self) -> None:
        """Write for as long as the task lives."""
        while True:
            await self.write(await self._intake.next_batch())

    async def write(self, batch: Batch) -> None:
        """Write one batch, however long it takes; then acknowledge, answer and forget it."""
        began = self._time()
        refused = [
            _Refused(accepted.park, accepted.gateway, delivery.topic, refusal)
            for delivery, accepted in batch.refused
            for refusal in accepted.refusals
        ]
        rejected: list[_Refused] = []
        if requests := batch.requests(self._clock_ms()):
            rejected = list(chain(*await asyncio.gather(*map(self._write_lines, requests))))
            self.stored += batch.readings - len(rejected)
            self.newest_ms = int(requests[-1][-1].rpartition(" ")[2]) // NS_PER_MS
            await self._leave_a_trace(batch)
        if refused or rejected:
            await self._record(refused + rejected)
            self.refused += len(refused) + len(rejected)
        self.writes += 1
        self.writing_s += self._time() - began
        self.last_write_ms = self._clock_ms()
        self._acknowledge(batch, rejected)
        self._intake.written(batch)

    async def _write_lines(self, lines: list[str]) -> list["_Refused"]:
        """Write the lines of one request; returns those that the database will not take, refused."""
        found = await self._insist(lambda: self._store.write_each(lines, OPERATOR_DATABASE))
        return [self._reject(lines[index], detail) for index, detail in found.items()]

    async def _leave_a_trace(self, batch: Batch) -> None:
        late = (
            held(chain(*(lane.lines for lane in batch.lanes)))
            if self._clock_ms() - batch.since_ms > HELD_MS
            else batch.late
        )
        if late:
            # Stamped anew at each attempt: who reads the trace must not have passed that time long before.
            await self._insist(lambda: self._store.write(self._trace.lines(late, self._clock_ms()), OPERATOR_DATABASE))

    async def _record(self, refused: list["_Refused"]) -> None:
        """Write refusals, and when they came; one too old for the database's retention stands near its receipt."""
        now_ms = self._clock_ms()
        lines = [each.refusal.line(*each[:3], now_ms) for each in refused]
        rejected = await self._insist(lambda: self._store.write_each(lines, OPERATOR_DATABASE))
        if rejected:
            near = (now_ms // HOUR_MS - 1) * HOUR_MS
            again = [
                replace(each.refusal, ms=None).line(*each[:3], now_ms, near)
                for each in (refused[index] for index in rejected)
            ]
            await self._insist(lambda: self._store.write(again, OPERATOR_DATABASE))

        def notes() -> list[str]:  # stamped anew at each attempt: alerts look at the last hour
            written_ms = self._clock_ms()
            return [each.refusal.note(*each[:3], written_ms) for each in refused]

        await self._insist(lambda: self._store.write(notes(), OPERATOR_DATABASE))

    async def _insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                result = await attempt()
            except (UnavailableError, OperatorError) as error:
                pause = self.patience.failed(error, getattr(error, "retry_after", None))
            except RejectedError as error:
                # Refusals that the database rejects are nobody's data: acknowledging now would lose the original.
                pause = self.patience.failed(error)
            else:
                self.patience.succeeded()
                return result
            await asyncio.sleep(pause)

    def _acknowledge(self, batch: Batch, rejected: list["_Refused"]) -> None:
        for connection, packet_ids in batch.acks:
            connection.acknowledge(packet_ids)
        for receipt in batch.receipts:
            self._replies.stored(*receipt)
        for delivery, accepted in batch.refused:
            gateway = (accepted.park, accepted.gateway)
            self._replies.refused(delivery.connection, gateway, accepted.id, accepted.refusals)
        newest = batch.acks[-1][0]
        for gateway in {(each.park, each.gateway) for each in rejected}:
            of_it = [each.refusal for each in rejected if (each.park, each.gateway) == gateway]
            self._replies.refused(newest, gateway, None, of_it)

    def _reject(self, line: str, detail: str) -> "_Refused":
        """Turn a line that the database will not take back into the reading it was, and refuse that."""
        written = parse(line)
        values = {name: value for name, value in written.fields.items() if name != "state"}
        meter, park, ms = written.tags["meter"], written.tags["park"], written.ns // NS_PER_MS
        reading = {"meter": meter, "ts": ms, "values": values}
        if "state" in written.fields:
            reading["state"] = written.fields["state"]
        gateway = self._gateway_of(park, meter) or ""
        refusal = Refusal(Reason.STORE_REJECTED, detail, json.dumps(reading).encode(), meter=meter, ts=ms, ms=ms)
        return _Refused(park, gateway, topic(park, gateway, Channel.READINGS), refusal)


class _Refused(NamedTuple):
    """A refusal and whence it came."""

    park: str
    gateway: str
    topic: str
    refusal: Refusal
