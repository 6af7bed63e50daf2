"""Reads meters over Modbus TCP, each at the multiples of its interval, and yields what was read as readings.

Hosts are read side by side. A host is not asked again before its last readings were taken *and* the taker has come
back for more: so with a request of a later round the earlier round is known to be in safe hands.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from gateway.modbushost import Host, hosts
from metering.meters import Meter
from wire.messages import Reading

_GATHER_S = 0.5  # hosts that are due together are waited for this long, to travel in one message


@dataclass(slots=True)
class _Batch:
    readings: list[Reading] = field(default_factory=list)
    safe: asyncio.Event = field(default_factory=asyncio.Event)


class ModbusSource:
    """Readings of `meters` as an asynchronous iterator that ends after `stop`; to be used as a context manager.

    `line` is the `host[:port]` of the meters that name none; `clock` gives seconds since the epoch. A reading is
    stamped with the instant at which the response came. Raises `OperatorError` for a meter without a host.
    """

    def __init__(
        self,
        meters: Sequence[Meter],
        *,
        line: str | None,
        clock: Callable[[], float],
        stop: asyncio.Event,
        timeout_s: float = 1.0,
    ) -> None:
        self._clock = clock
        self._stop = stop
        self._hosts = hosts(meters, line=line, clock=clock, timeout_s=timeout_s)
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []
        self._batch = _Batch()
        self._yielded = _Batch()
        self._change = asyncio.Event()
        self._busy = 0
        self._running = len(self._hosts)
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # failures are logged here, and more seldom

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._tasks = [self._group.create_task(self._poll(host)) for host in self._hosts]
        self._tasks.append(self._group.create_task(self._wake_at_stop()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Reading]:
        """What was read since the last call, of all hosts together."""
        self._yielded.safe.set()
        while not self._batch.readings and (self._running or not self._stop.is_set()):
            await self._changed()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GATHER_S):
                while self._busy:
                    await self._changed()
        self._yielded, self._batch = self._batch, _Batch()
        if not self._yielded.readings:
            raise StopAsyncIteration
        return self._yielded.readings

    async def _changed(self) -> None:
        self._change.clear()
        await self._change.wait()

    async def _wake_at_stop(self) -> None:
        await self._stop.wait()
        self._change.set()

    async def _poll(self, host: Host) -> None:
        try:
            while await self._due(host):
                self._busy += 1
                try:
                    readings = await host.read()
                finally:
                    self._busy -= 1
                    self._change.set()
                batch = self._batch
                batch.readings += readings
                if readings:
                    await batch.safe.wait()
        finally:
            host.close()
            self._running -= 1
            self._change.set()

    async def _due(self, host: Host) -> bool:
        """Wait until something of the host is due; False when it is time to stop instead."""
        while (wait := host.next_round() - self._clock()) > 0 and not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._stop.wait()
        return not self._stop.is_set()
