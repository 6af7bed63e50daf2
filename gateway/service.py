"""A gateway at work: readings of the source go to the spool, messages in the spool go to the broker.

The two halves share nothing but the spool. A stop finishes what is in flight, publishes a last status and returns
within a few seconds; everything else stays in the spool for the next start.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from gateway.outbox import Outbox, Resend, SendWindow
from gateway.publisher import Link, Publisher
from gateway.spool import Spool, SpoolLimits, SpoolThread
from metering.errors import UnavailableError
from metering.model import Count, Model
from running.trouble import Trouble
from wire.messages import Reading, Status

_LOG = logging.getLogger(__name__)
_LAST_POLL_S = 1.5  # a stop waits this long for the source to hand over what it has
_OBSERVE_EVERY_S = 0.25
_PATIENT_BYTES = 32 * 1024 * 1024  # a finite source waits while more than this is in the spool


class GatewayCounts(Model):
    """All but `resent` count readings; `resent` counts messages that were sent again.

    `read` by the source, `appended` to the spool, `published` (the broker has acknowledged them, for the first time),
    `confirmed` (forgotten, because the database or with `confirm: broker` the broker has them), `discarded` (given
    up: the spool was full, or the disk did not take them; counted over the life of the spool file).
    """

    read: Count = 0
    appended: Count = 0
    published: Count = 0
    confirmed: Count = 0
    discarded: Count = 0
    resent: Count = 0


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """One gateway.

    `bad_values` returns how many values the source could not read, for the status. `drain`: the source is finite and
    can wait; return when all it yielded is confirmed.
    """

    link: Link
    spool: Path
    confirm: Literal["receipt", "broker"] = "receipt"
    bad_values: Callable[[], int] | None = None
    drain: bool = False
    limits: SpoolLimits = field(default_factory=SpoolLimits)
    resend: Resend = field(default_factory=Resend)


async def run_gateway(
    settings: GatewaySettings,
    source: AsyncIterable[Sequence[Reading]],
    *,
    stop: asyncio.Event,
    observe: Callable[[GatewayCounts], None] | None = None,
) -> GatewayCounts:
    """Carry what `source` yields to the broker until `stop` is set, or the source ends; what was done.

    Each list that the source yields is on disk, in one commit and messages of up to 500 readings, before it is asked
    for the next one. Raises `OperatorError` when the spool cannot be opened. `observe` is called
    four times a second and at the end.
    """
    opened = await asyncio.to_thread(Spool, settings.spool, clock=time.time, limits=settings.limits)
    async with SpoolThread(opened) as spool:
        return await _Gateway(settings, spool, stop).run(source, observe)


class _Gateway:
    def __init__(self, settings: GatewaySettings, thread: SpoolThread, stop: asyncio.Event) -> None:
        self._settings = settings
        self._thread = thread
        self._spool = thread.spool
        self._stop = stop
        self._read = self._appended = 0
        self._version = version("ecopark")
        self._ended = asyncio.Event()
        self._disk = Trouble(_LOG, "spool", time.monotonic)
        self._full = Trouble(_LOG, "spool", time.monotonic)
        self._outbox = Outbox(
            now=time.monotonic,
            jitter=lambda: random.uniform(0.8, 1.2),  # noqa: S311 - spreads repeats out
            window=SendWindow(),
            resend=settings.resend,
            by_broker=settings.confirm == "broker",
        )
        self._publisher = Publisher(
            settings.link,
            thread,
            self._outbox,
            now=time.monotonic,
            status=self._status,
            will=Status(online=False, version=self._version),
            stopping=self._ended,
        )

    async def run(
        self, source: AsyncIterable[Sequence[Reading]], observe: Callable[[GatewayCounts], None] | None
    ) -> GatewayCounts:
        async with asyncio.TaskGroup() as group:
            publishing = group.create_task(self._publisher.run())
            observing = group.create_task(self._observe(observe)) if observe else None
            await self._collect(source)
            if self._settings.drain:
                await self._drained()
            self._ended.set()
            await publishing
            if observing:
                observing.cancel()
        if observe:
            observe(self._counts())
        return self._counts()

    async def _collect(self, source: AsyncIterable[Sequence[Reading]]) -> None:
        """Spool all that the source yields; after a stop it has a moment to end by itself."""
        async with asyncio.TaskGroup() as group:
            collecting = group.create_task(self._spool_all(aiter(source), group))
            stopping = group.create_task(self._stop.wait())
            await asyncio.wait((collecting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not collecting.done():
                await asyncio.wait((collecting,), timeout=0 if self._settings.drain else _LAST_POLL_S)
            collecting.cancel()
            stopping.cancel()

    async def _spool_all(self, source: AsyncIterator[Sequence[Reading]], group: asyncio.TaskGroup) -> None:
        async for readings in source:
            self._read += len(readings)
            # A stop must not separate an append from its count: it ends this loop, and the group waits for the append.
            await asyncio.shield(group.create_task(self._append(readings)))
            while self._settings.drain and self._spool.depth.bytes > _PATIENT_BYTES:
                await self._publisher.forgot_some()

    async def _append(self, readings: Sequence[Reading]) -> None:
        discarded = self._spool.depth.discarded
        expendable = self._outbox.held_by_broker() if self._spool.nearly_full else ()
        fault = self._fault
        try:
            await self._thread.call(self._spool.append, readings, expendable=expendable)
        except UnavailableError as error:
            self._spool.lose(len(readings))
            self._disk.happened(f"{error}; readings are lost until it works")
        else:
            self._appended += len(readings)
            self._disk.over()
            if self._spool.depth.discarded > discarded:
                self._full.happened("the spool is full; the oldest readings are discarded")
            else:
                self._full.over()
            self._publisher.appended()
        if self._fault != fault:
            self._publisher.tell()

    async def _drained(self) -> None:
        while self._spool.depth.messages and not self._stop.is_set():
            await self._publisher.forgot_some()

    async def _observe(self, observe: Callable[[GatewayCounts], None]) -> None:
        while True:
            observe(self._counts())
            await asyncio.sleep(_OBSERVE_EVERY_S)

    @property
    def _fault(self) -> str | None:
        return self._disk.message or self._full.message

    def _counts(self) -> GatewayCounts:
        return GatewayCounts(
            read=self._read,
            appended=self._appended,
            published=self._outbox.published,
            confirmed=self._publisher.confirmed,
            discarded=self._spool.depth.discarded,
            resent=self._outbox.resent,
        )

    async def _status(self, online: bool) -> Status:
        try:
            oldest = await self._thread.call(self._spool.oldest)
        except UnavailableError:
            oldest = None
        depth = self._spool.depth
        return Status(
            online=online,
            version=self._version,
            read=self._appended,
            spooled=depth.messages,
            oldest=oldest,
            spooled_bytes=depth.bytes,
            unconfirmed=self._outbox.unconfirmed,
            resent=self._outbox.resent,
            discarded=depth.discarded,
            bad_values=self._settings.bad_values() if self._settings.bad_values else None,
            fault=self._fault,
        )
