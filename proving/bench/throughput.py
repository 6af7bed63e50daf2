"""Readings a second from the first publish to the last point that can be queried, and what the ingesters paid."""

from dataclasses import dataclass
from statistics import median

from proving.bench.load import Shape
from proving.bench.loading import generator
from proving.bench.processtime import cpu_s
from proving.bench.station import Station


@dataclass(frozen=True, slots=True)
class Flow:
    """One load that went through. `cpu_us_per_reading`: of all ingesters together. `stored` equals `readings`."""

    readings: int
    messages: int
    readings_per_s: float
    published_per_s: float
    cpu_us_per_reading: float


async def flow(station: Station, shape: Shape, readings: int, first_ms: int, meters: int) -> Flow:
    """Send one load as fast as the broker takes it, and wait until the database has all of it."""
    async with generator(station.broker.port, shape, readings, first_ms, meters) as load:
        pids = [child.pid for child in station.ingesters]
        before = sum(map(cpu_s, pids))
        load.start()
        sent = await load.sent()
        stored = await station.until_stored(load.made)
        used = sum(map(cpu_s, pids)) - before
    made = load.made
    return Flow(
        made.readings,
        made.messages,
        made.readings / (stored - sent.began),
        made.messages / (sent.ended - sent.began),
        used / made.readings * 1e6,
    )


def middle(flows: list[Flow]) -> dict[str, float]:
    """The figures of repeated flows: the median of each."""
    return {
        "readings_per_s": round(median(each.readings_per_s for each in flows)),
        "cpu_us_per_reading": round(median(each.cpu_us_per_reading for each in flows), 2),
        "published_messages_per_s": round(median(each.published_per_s for each in flows)),
        "readings": sum(each.readings for each in flows),
        "messages": sum(each.messages for each in flows),
    }
