"""Polls the lines of a gateway concurrently, each at multiples of its meters' intervals, and yields readings.

A line is not asked again before its last readings were taken *and* the consumer has come back for more: a request of a
later round proves that the earlier round is safe. A slow line delays no other.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from metering.meters import Meter
from wire.messages import Reading

_GATHER_S: Final = 0.5  # lines that are due together are waited for this long, so that their readings share a message


class PolledLine(Protocol):
    """One connection, and the meters behind it."""

    @property
    def bad_values(self) -> int:
        """Values that were requested and missing or unusable, since the start."""

    def next_round(self) -> float:
        """When something is due next, in seconds since the epoch."""

    async def read(self) -> list[Reading]:
        """Read what is due; a reading is stamped with the time of the answer."""

    def close(self) -> None:
        """Close the connection, if there is one."""


class Rounds:
    """Which of some meters are due: each at multiples of its interval; `clock` gives seconds since the epoch."""

    def __init__(self, meters: Iterable[Meter], clock: Callable[[], float]) -> None:
        self._interval_s = {meter.id: meter.interval_s for meter in meters}
        self._clock = clock
        self._round = {name: math.floor(clock() / interval_s) for name, interval_s in self._interval_s.items()}

    def next(self) -> float:
        """The next instant at which one of them is due."""
        now = self._clock()
        for name, interval_s in self._interval_s.items():  # a clock that was set back does not stop the polling
            self._round[name] = min(self._round[name], math.floor(now / interval_s))
        return min((self._round[name] + 1) * interval_s for name, interval_s in self._interval_s.items())

    def due(self) -> tuple[str, ...]:
        """The meters that are due, which are then due no longer."""
        now = self._clock()
        rounds = {name: math.floor(now / interval_s) for name, interval_s in self._interval_s.items()}
        due = tuple(name for name, number in rounds.items() if number > self._round[name])
        self._round |= {name: rounds[name] for name in due}
        return due


@dataclass(slots=True)
class _Batch:
    readings: list[Reading] = field(default_factory=list)
    safe: asyncio.Event = field(default_factory=asyncio.Event)


class Polling:
    """Readings of some lines as an asynchronous iterator that ends after `stop`; to be used as a context manager."""

    def __init__(self, lines: Sequence[PolledLine], *, clock: Callable[[], float], stop: asyncio.Event) -> None:
        self._clock = clock
        self._stop = stop
        self._lines = lines
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []
        self._batch = _Batch()
        self._yielded = _Batch()
        self._change = asyncio.Event()
        self._busy = 0
        self._running = len(lines)

    @property
    def bad_values(self) -> int:
        """Values that were requested and missing or unusable, since the start."""
        return sum(line.bad_values for line in self._lines)

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._tasks = [self._group.create_task(self._poll(line)) for line in self._lines]
        self._tasks.append(self._group.create_task(self._wake_at_stop()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Reading]:
        """Readings of all lines since the last call."""
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

    async def _poll(self, line: PolledLine) -> None:
        try:
            while await self._due(line):
                self._busy += 1
                try:
                    readings = await line.read()
                finally:
                    self._busy -= 1
                    self._change.set()
                batch = self._batch
                batch.readings += readings
                if readings:
                    await batch.safe.wait()
        finally:
            line.close()
            self._running -= 1
            self._change.set()

    async def _due(self, line: PolledLine) -> bool:
        """Wait until something on the line is due; False when it is time to stop."""
        while (wait := line.next_round() - self._clock()) > 0 and not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._stop.wait()
        return not self._stop.is_set()
