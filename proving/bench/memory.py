"""Memory of an ingester with a large park, whether it grows, and the cost of reading such a park."""

import asyncio
import time
from pathlib import Path

from ingest.directory import Parks
from proving.bench.loading import Offer
from proving.bench.processtime import peak_mb, resident_mb
from proving.bench.station import Station
from proving.bench.throughput import flow


async def growth(station: Station, messages: int, each: int, first_ms: list[int], meters: int) -> dict[str, float]:
    """Memory of the first ingester after it was warmed up, and its growth over so many messages of one reading.

    They are sent in rounds of `each`, which begin at the instants `first_ms`; the first round is part of the warming
    up. Memory is looked at when everything is stored, so what is on its way does not count; the peak tells of that.
    """
    pid = station.ingesters[0].pid
    await flow(station, Offer("single", each, first_ms[0], meters))
    before = resident_mb(pid)
    sent = 0
    for first in first_ms[1:]:
        sent += (await flow(station, Offer("single", each, first, meters))).messages
        if sent >= messages:
            break
    after = resident_mb(pid)
    return {
        "rss_mb": round(after, 1),
        "rss_peak_mb": round(peak_mb(pid), 1),
        "rss_growth": round(after / before - 1, 4),
        "rss_growth_messages": sent,
    }


async def park_load_s(file: Path, repetitions: int) -> float:
    """Processor seconds to read a park file and build an ingester's look-up: the least of the repetitions."""
    return min([await asyncio.to_thread(_load, file) for _ in range(repetitions)])


def _load(file: Path) -> float:
    began = time.thread_time()
    Parks(file)
    return time.thread_time() - began
