"""Readings a second from the first publish to the last point that can be queried, and the processor time they cost."""

from dataclasses import dataclass
from statistics import median

from proving.bench.loading import Offer, generator
from proving.bench.processtime import cpu_s
from proving.bench.station import Station
from store.schema import OPERATOR_DATABASE


@dataclass(frozen=True, slots=True)
class Takers:
    """The consumers of a load: processes on a broker's port that write into a database."""

    port: int
    database: str
    pids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """One load that went through. `cpu_us_per_reading` is that of all takers, `database_us_per_reading` InfluxDB's."""

    readings: int
    messages: int
    readings_per_s: float
    published_per_s: float
    cpu_us_per_reading: float
    database_us_per_reading: float


def ingesters_of(station: Station) -> Takers:
    """The ingesters that are running."""
    return Takers(station.broker.port, OPERATOR_DATABASE, tuple(child.pid for child in station.ingesters))


async def flow(station: Station, offer: Offer, takers: Takers | None = None) -> Passage:
    """Send one load, and wait until the database has all of it; taken by the ingesters unless others are given."""
    taken_by = takers or ingesters_of(station)
    database = station.database.process.pid
    async with generator(taken_by.port, offer) as load:
        before, database_before = sum(map(cpu_s, taken_by.pids)), cpu_s(database)
        load.start()
        sent = await load.sent()
        stored = await station.until_stored(load.made, taken_by.database)
        used, database_used = sum(map(cpu_s, taken_by.pids)) - before, cpu_s(database) - database_before
    made = load.made
    return Passage(
        made.readings,
        made.messages,
        made.readings / (stored - sent.began),
        published_per_s=made.messages / (sent.ended - sent.began),
        cpu_us_per_reading=used / made.readings * 1e6,
        database_us_per_reading=database_used / made.readings * 1e6,
    )


def middle(found: list[Passage]) -> dict[str, float]:
    """The figures of repeated loads: the median of each."""
    return {
        "readings_per_s": round(median(each.readings_per_s for each in found)),
        "cpu_us_per_reading": round(median(each.cpu_us_per_reading for each in found), 2),
        "database_us_per_reading": round(median(each.database_us_per_reading for each in found), 2),
        "published_messages_per_s": round(median(each.published_per_s for each in found)),
        "readings": sum(each.readings for each in found),
        "messages": sum(each.messages for each in found),
    }
