"""From publishing a reading until it can be queried, under a steady load.

A probe publishes a marked reading within the load on its own connection and queries the database over a kept-alive
connection until it is there; then the next one. So a figure includes one query (about a millisecond), and the probes
are spread over the time of the load.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from itertools import count
from statistics import quantiles

import mqtt5

from metering.errors import OperatorError
from metering.quantities import Utility
from proving.bench.load import ReadingPlace
from proving.bench.loading import Offer, generator
from proving.bench.parks import PARK, PROBE_GATEWAY, PROBE_METER
from proving.bench.station import Station
from wire.topics import Channel, topic

PAUSE_S = (0.004, 0.02)
LOST_S = 20.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds, with the rate that was reached and the number of probes."""

    p50: float
    p95: float
    p99: float
    samples: int
    readings_per_s: float


async def latency(station: Station, rate: int, seconds: float, first_ms: int, meters: int) -> Latency:
    """Measure for a time at a rate of readings a second, each in a separate message."""
    offer = Offer("single", round(rate * seconds), first_ms, meters, rate)
    async with generator(station.broker.port, offer) as load:
        load.start()
        sending = asyncio.create_task(load.sent())
        found = await _probe(station, sending)
        sent = await sending
        await station.until_stored(load.made)
    cuts = quantiles(found, n=100, method="inclusive")
    achieved = load.made.readings / (sent.ended - sent.began)
    p50, p95, p99 = (round(cuts[at - 1] * 1000, 2) for at in (50, 95, 99))
    return Latency(p50, p95, p99, len(found), round(achieved, 1))


async def _probe(station: Station, until: "asyncio.Task[object]") -> list[float]:
    """Latencies in seconds, one after the other, until a task has ended."""
    spread = random.Random(7)
    reader, writer = await asyncio.open_connection("127.0.0.1", station.broker.port)
    writer.write(mqtt5.ConnectPacket("bench-probe", clean_start=True, keep_alive=0).write())
    await reader.read(4096)
    address = topic(PARK, PROBE_GATEWAY, Channel.READINGS)
    found: list[float] = []
    for number in count():
        ms = time.time_ns() // 1_000_000
        payload = f'{{"meter":"{PROBE_METER}","ts":{ms},"values":{{"energy_kwh":{number}.5,"power_kw":1.5}}}}'
        packet = mqtt5.PublishPacket(
            address, payload.encode(), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number % 60_000 + 1
        )
        began = time.monotonic()
        writer.write(packet.write())
        while not await station.has(ReadingPlace(Utility.ELECTRICITY, PROBE_METER, ms)):
            if time.monotonic() - began > LOST_S:
                raise OperatorError(f"a marked reading did not come to the database within {LOST_S:.0f} s")
        found.append(time.monotonic() - began)
        await reader.read(4096)
        if until.done() and len(found) > 1:
            break
        await asyncio.sleep(spread.uniform(*PAUSE_S))
    writer.close()
    return found
