"""Writes batches and acknowledges them, one after the other, in order of receipt.

A message is acknowledged when the database has its readings and its refusals, not before. A reading that the database
will never take is isolated and refused. A refusal that it will not take is written without its content, or else only
counted: it never holds up the readings. Every other failure is retried without end, and logged.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import chain
from typing import NamedTuple, TypeVar

from ingest.arrivals import Trace
from ingest.batch import Batch, Told
from ingest.intake import Intake
from ingest.refusal import Kept, Ledger, refusal
from ingest.replies import Replies
from ingest.taken import Lane, Taken
from metering.errors import OperatorError, UnavailableError
from running.patience import Patience
from running.trouble import Trouble
from store.answers import RejectedError
from store.client import Store
from store.schema import OPERATOR_DATABASE
from wire.messages import Reading, Reason
from wire.topics import Channel, base, topic

T = TypeVar("T")
log = logging.getLogger(__name__)


class Rejected(NamedTuple):
    """A reading that the database will not take."""

    taken: Taken
    detail: str


class Writer:
    """Takes from the intake, writes to the store, acknowledges and replies. Its counters feed `pipeline`."""

    def __init__(
        self,
        store: Store,
        intake: Intake,
        replies: Replies,
        *,
        ledger: Ledger,
        trace: Trace,
        clock_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._intake = intake
        self._replies = replies
        self._ledger = ledger
        self._trace = trace
        self._clock_ms = clock_ms
        self._time = asyncio.get_running_loop().time
        self.patience = Patience("writing", log, self._time)
        self._unkept = Trouble(log, "refusals that the database does not keep", self._time)
        self.stored = 0
        self.refused = 0
        self.writes = 0
        self.writing_s = 0.0
        self.last_write_ms: int | None = None
        self.newest_ms: int | None = None
        """Instant of sampling of the last reading that was written."""

    async def run(self) -> None:
        """Write for as long as the task lives."""
        while True:
            await self.write(await self._intake.next_batch())

    async def write(self, batch: Batch) -> None:
        """Write one batch, however long it takes; then acknowledge, answer and forget it."""
        began = self._time()
        if requests := batch.requests(self._clock_ms()):
            if len(requests) == 1:  # as nearly always; a task more would have to be scheduled
                rejected = await self._write_readings(requests[0])
            else:
                rejected = list(chain(*await asyncio.gather(*map(self._write_readings, requests))))
            self.stored += batch.readings - len(rejected)
            self.newest_ms = requests[-1].instants[-1]
            for each in rejected:
                self._refuse(each, batch)
            if late := batch.arrived_late(self._clock_ms()):
                # Stamped anew at each attempt: readers of `arrivals` must not have passed that time already.
                await self._insist(lambda: self._store.write(self._trace.lines(late, self._clock_ms()), _DB))
        if batch.refused or batch.counted:
            await self._write_refusals(batch.kept)
            self.refused += batch.refused + batch.counted
        self.writes += 1
        self.writing_s += self._time() - began
        self.last_write_ms = self._clock_ms()
        self._acknowledge(batch)
        self._intake.written(batch)

    async def _write_readings(self, lane: Lane) -> list[Rejected]:
        """Write the readings of one request; returns those that the database will not take."""
        found = await self._write_each(lane.lines)
        return [Rejected(lane.taken(index), detail) for index, detail in found.items()]

    def _refuse(self, rejected: Rejected, batch: Batch) -> None:
        """Turn a reading that the database will not take into a refusal of the batch."""
        meter, values, ms, state = rejected.taken
        written = {"meter": meter.meter, "ts": ms, "values": values} | ({"state": state[8:-1]} if state else {})
        reading = Reading.model_validate(written)
        refused = refusal(Reason.STORE_REJECTED, rejected.detail, reading, meter=meter.meter, ts=ms)
        came_on = topic(meter.park, meter.gateway, Channel.READINGS)
        batch.kept += self._ledger.note(meter.park, meter.gateway, came_on, [refused], self._clock_ms())
        batch.refused += 1
        batch.told.append(Told(base(meter.park, meter.gateway), None, [refused]))

    async def _write_refusals(self, kept: list[Kept]) -> None:
        """Write the kept refusals and all counts."""
        left = kept
        for whole in (True, False):
            if left:
                lines = [self._ledger.line(each, whole=whole) for each in left]
                rejected = await self._write_each(lines)
                left = [left[index] for index in rejected]
                if rejected:
                    self._unkept.happened(next(iter(rejected.values())))
        for detail in (await self._write_each(self._ledger.counts())).values():
            self._unkept.happened(detail)

    async def _write_each(self, lines: list[str]) -> dict[int, str]:
        return await self._insist(lambda: self._store.write_each(lines, _DB))

    async def _insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                result = await attempt()
            except (UnavailableError, OperatorError) as error:
                pause = self.patience.failed(error, getattr(error, "retry_after", None))
            except RejectedError as error:
                # Only the points of `arrivals` come here: acknowledging without them would lose a change.
                pause = self.patience.failed(error)
            else:
                self.patience.succeeded()
                return result
            await asyncio.sleep(pause)

    def _acknowledge(self, batch: Batch) -> None:
        for connection, packet_ids in batch.acknowledgements:
            connection.acknowledge(packet_ids)
        for receipt in batch.receipts:
            self._replies.stored(receipt)
        for told in batch.told:
            self._replies.refused(batch.acknowledgements[-1].connection, told)


_DB = OPERATOR_DATABASE
