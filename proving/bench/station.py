"""What is measured: a private broker and database, and ingesters as operators run them, on one shared subscription."""

import asyncio
import os
import sys
import time
from pathlib import Path

from metering.errors import OperatorError
from metering.parkfile import load_park
from metering.quantities import UTILITIES, Utility
from proving.bench.load import ReadingPlace
from proving.bench.loading import Made
from proving.bench.parks import EXAMPLE
from proving.processes import Child
from proving.servers import Influxd, Mosquitto
from store.client import Store
from store.schema import OPERATOR_DATABASE
from store.select import Of, select, where

START_S = 600.0
"""How long reading a country's park files may take; a process that ends instead is noticed at once."""
STORE_S = 120.0
LOOK_S = 0.005
GREETING = "connected; session"


class Station:
    """Broker, database and ingesters in `folder`; `parks` is the folder of park files."""

    def __init__(self, folder: Path, parks: Path, store: Store, broker: Mosquitto, database: Influxd) -> None:
        self.folder = folder
        self.parks = parks
        self.store = store
        self.broker = broker
        self.database = database
        self.ingesters: list[Child] = []
        self._utilities = {"song-xanh": sorted({meter.utility for meter in load_park(EXAMPLE).meters})}

    async def have_ingesters(self, number: int) -> None:
        """Start ingesters until there are so many."""
        new = [self._ingester(index) for index in range(len(self.ingesters), number)]
        for child in new:
            child.start()
            self.ingesters.append(child)
        for child in new:
            await self.until_said(child, GREETING)

    async def keep_ingesters(self, number: int) -> None:
        """End all but a number of them, one after the other, so that each leaves its share to the others."""
        while len(self.ingesters) > number:
            await asyncio.to_thread(self.ingesters[-1].stop)
            self.ingesters.pop()

    def child(self, name: str, arguments: list[str], **environment: str) -> Child:
        """A Python process of Ecopark that works on these servers, not yet started; it gets no other settings."""
        known = {
            "ECOPARK_PARK": str(self.parks),
            "ECOPARK_MQTT_URL": self.broker.url,
            "ECOPARK_INFLUX_URL": self.database.url,
            **environment,
        }
        env = {name: "" for name in os.environ if name.startswith("ECOPARK_")} | known
        return Child(name, [sys.executable, *arguments], self.folder / f"{name}.log", env)

    def _ingester(self, index: int) -> Child:
        name = f"ingest-{index + 1}"
        return self.child(name, ["-m", "ecopark", "--verbose", "ingest"], ECOPARK_INSTANCE=name)

    async def until_said(self, child: Child, words: str) -> None:
        """Wait until the log of a process holds these words.

        Raises `OperatorError` with its last words where it ends instead.
        """
        deadline = time.monotonic() + START_S
        while not child.log.exists() or words not in child.log.read_text(encoding="utf-8"):
            if not child.running or time.monotonic() > deadline:
                raise OperatorError(f"{child.name} did not start:\n{child.last_words()}")
            await asyncio.sleep(0.05)

    async def until_stored(self, made: Made, database: str = OPERATOR_DATABASE) -> float:
        """Wait until every reading of a load can be queried; the instant on the monotonic clock.

        The last messages are looked up one by one, which costs the database nothing; then everything is counted, and
        the instant of the first query is the answer to which the count agrees.
        """
        deadline = time.monotonic() + STORE_S
        for place in made.last:
            while not await self.has(place, database):
                if time.monotonic() > deadline:
                    break
                await asyncio.sleep(LOOK_S)
        while True:
            seen = time.monotonic()
            stored = await self.count(made, database)
            if stored == made.readings:
                return seen
            if seen > deadline:
                raise OperatorError(f"{made.readings} readings were published, and the database has {stored} of them")
            await asyncio.sleep(LOOK_S)

    async def has(self, place: ReadingPlace, database: str = OPERATOR_DATABASE) -> bool:
        """Whether the database has a reading."""
        utility, meter, ms = place
        counter = UTILITIES[Utility(utility)].counter
        there = select(utility, [counter], where({"meter": meter}, since=ms, before=ms + 1))
        return bool(await self.store.query(there, database))

    async def count(self, made: Made, database: str = OPERATOR_DATABASE) -> int:
        """How many readings of a load the database has, by their main counters."""
        total = 0
        condition = where({"park": made.park}, since=made.first_ms, before=made.last_ms + 1)
        for utility in self._utilities.get(made.park, [Utility.ELECTRICITY]):
            counted = Of("count", UTILITIES[utility].counter, "n")
            rows = await self.store.query(select(utility.value, [counted], condition), database)
            total += sum(int(row["n"]) for row in rows)
        return total
