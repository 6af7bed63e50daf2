"""Writes what is computed for a park: to the operator's database, and to that of each tenant that has one.

Lines are collected and written many at once, while more are computed: a small write costs the database as much as a
large one. Lines of one tenant are written in the order in which they were added, so that the last value of a point
stays; lines of different tenants are written concurrently. After `flush` the databases have all of them, except those
older than the retention and single lines that are rejected, which are logged.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from metering.errors import OperatorError, UnavailableError
from running.patience import Patience
from running.trouble import Trouble
from store.answers import RejectedError
from store.client import Store
from store.schema import OPERATOR_DATABASE, tenant_database

LINES_AT_ONCE = 5000
_WRITES_AT_ONCE = 4
_TRIES = 8
_OPERATOR_LANES = 2
"""How many requests write to the operator's database: while one waits for the disk, another is parsed."""
log = logging.getLogger(__name__)


class _Lane(NamedTuple):
    """Lines that are written one request after the other: to a tenant's database, or to the operator's (None)."""

    tenant: str | None
    number: int = 0


class ParkWriter:
    """Collects and writes the lines of one park; `may_write` raises if another service has the park now."""

    def __init__(self, store: Store, park: str, may_write: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._may_write = may_write
        self._park = park
        self._waiting: dict[_Lane, list[str]] = {}
        self._writing: dict[_Lane, asyncio.Task[None]] = {}
        self._lanes: dict[str | None, _Lane] = {}
        """In the operator's database, by whose lines they are."""
        self._few = asyncio.Semaphore(_WRITES_AT_ONCE)
        self._failed: Exception | None = None
        self._without: set[str] = set()
        self._rejecting = Trouble(log, f"writing what was computed of {park}", time.monotonic)
        self.rejected = 0
        """How many lines a database has rejected; the other lines were written."""

    def has_database(self, tenant: str) -> bool:
        """Whether a tenant has its own database, as far as is known."""
        return tenant not in self._without

    async def add(self, lines: Sequence[str], tenant: str | None, *, operator: bool = True) -> None:
        """Add lines to be written: for the operator, and for the tenant if there is one.

        Waits while much is being written. Raises the error of an earlier write.
        """
        if operator:
            lane = self._lanes.setdefault(tenant, _Lane(None, len(self._lanes) % _OPERATOR_LANES))
            await self._put(lane, lines)
        if tenant and self.has_database(tenant):
            await self._put(_Lane(tenant), lines)

    async def flush(self) -> None:
        """Write everything that was added; raises the error of any write since the last `flush`."""
        for lane in list(self._waiting):
            await self._begin(lane)
        while under_way := [task for task in self._writing.values() if not task.done()]:
            await asyncio.wait(under_way)
        self._raise()
        await self._store.shown()

    async def close(self) -> None:
        """Cancel all writes: an old value that is retried must not be written after a newer one."""
        tasks = [*self._writing.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _put(self, lane: _Lane, lines: Sequence[str]) -> None:
        waiting = self._waiting.setdefault(lane, [])
        waiting += lines
        if len(waiting) >= LINES_AT_ONCE:
            await self._begin(lane)

    async def _begin(self, lane: _Lane) -> None:
        while (task := self._writing.get(lane)) is not None and not task.done():
            await asyncio.wait([task])
        self._raise()
        lines = self._waiting.pop(lane, [])
        if lines:
            self._writing[lane] = asyncio.create_task(self._write(lane.tenant, lines))

    def _raise(self) -> None:
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed

    async def _write(self, tenant: str | None, lines: list[str]) -> None:
        try:
            async with self._few:
                if tenant is None:
                    await self._send(OPERATOR_DATABASE, lines)
                else:
                    await self._send_to_tenant(tenant, lines)
        except (UnavailableError, OperatorError, RejectedError) as error:
            self._failed = error

    async def _send(self, database: str, lines: list[str]) -> None:
        for first in range(0, len(lines), LINES_AT_ONCE):
            await self._try(database, lines[first : first + LINES_AT_ONCE])

    async def _try(self, database: str, lines: list[str]) -> None:
        """Write, and retry while the database is busy: hours of computing must not be lost."""

        async def write() -> dict[int, str]:
            self._may_write()
            return await self._store.write_kept(lines, database)

        patience = Patience(f"writing to {database}", log, asyncio.get_running_loop().time)
        rejected = await patience.repeat(write, _TRIES)
        if rejected:
            place, reason = next(iter(rejected.items()))
            self.rejected += len(rejected)
            self._rejecting.happened(f"{database} rejects {len(rejected)} lines; the first, {lines[place]}: {reason}")
        else:
            self._rejecting.over()

    async def _send_to_tenant(self, tenant: str, lines: list[str]) -> None:
        """Write, and create the database if it is missing; if that is not allowed, log it once."""
        database = tenant_database(self._park, tenant)
        try:
            await self._send(database, lines)
        except OperatorError as missing:
            try:
                await self._store.create_database(database)
                await self._send(database, lines)
            except (OperatorError, RejectedError) as error:
                self._without.add(tenant)
                log.error(  # noqa: TRY400 (the operator's, no traceback)
                    "%s has no figures of its own: %s (%s); create its database and restart", tenant, missing, error
                )
