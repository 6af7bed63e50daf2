"""Starts a load generator and talks to it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from metering.errors import OperatorError
from proving.bench.load import ReadingPlace, Shape
from proving.processes import bound_to_us

END_S = 5.0
_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Offer:
    """A load to be sent: at least so many readings from `first_ms` on, of so many meters of the large park.

    `rate`: messages a second; None as fast as the broker takes them.
    """

    shape: Shape
    readings: int
    first_ms: int
    meters: int
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What a generator holds ready."""

    park: str
    messages: int
    readings: int
    first_ms: int
    last_ms: int
    last: tuple[ReadingPlace, ...]


@dataclass(frozen=True, slots=True)
class SentLoad:
    """When it sent, on the monotonic clock of this machine."""

    began: float
    ended: float


class Generator:
    """A generator that has made its load."""

    def __init__(self, process: asyncio.subprocess.Process, made: Made) -> None:
        self._process = process
        self.made = made

    def start(self) -> None:
        """Let it send."""
        if self._process.stdin is None:
            raise RuntimeError("a generator is started with pipes")
        self._process.stdin.write(b"\n")

    async def sent(self) -> SentLoad:
        """Wait until the broker has acknowledged everything."""
        return SentLoad(**await _hear(self._process))


@asynccontextmanager
async def generator(port: int, offer: Offer) -> AsyncIterator[Generator]:
    """Start a generator and wait until it has made its load; it ends with the block."""
    arguments: dict[str, object] = {
        "port": port,
        "shape": offer.shape,
        "readings": offer.readings,
        "first": offer.first_ms,
        "meters": offer.meters,
    }
    process = await asyncio.create_subprocess_exec(
        *bound_to_us([sys.executable, "-m", "proving.bench.generator"]),
        *(part for name, value in arguments.items() for part in (f"--{name}", str(value))),
        *(() if offer.rate is None else ("--rate", str(offer.rate))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LIMIT,
    )
    try:
        told = await _hear(process)
        yield Generator(
            process,
            Made(
                told["park"],
                told["packets"],
                told["readings"],
                first_ms=told["first_ms"],
                last_ms=told["last_ms"],
                last=tuple(ReadingPlace(*place) for place in told["last"]),
            ),
        )
    finally:
        # Without input it ends by itself. A signal to one that has just ended would make asyncio miss its end.
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _hear(process: asyncio.subprocess.Process) -> dict[str, Any]:
    line = await process.stdout.readline() if process.stdout is not None else b""
    if not line:
        raise OperatorError("the load generator has ended; its output is above")
    told: dict[str, Any] = json.loads(line)
    return told
