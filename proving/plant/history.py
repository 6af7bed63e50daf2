"""What a gateway would have delivered in a span of the past: readings as the wire has them, in order of delivery.

Readings are sampled at whole multiples of the meter's interval since the epoch, so that quarter hours have a reading of
their own; somebody who reads a meter by hand comes in the morning, first on the day on which the plant begins. Readings
come as plain dicts, in lists that are ready to be put into a message, which costs about as little as anything in Python
can; whoever publishes them adds the id and makes the JSON.
"""

from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from metering.instants import milliseconds
from metering.meters import Meter
from proving.plant.clock import DAY_MS, HOUR_MS, MINUTE_MS
from proving.plant.counters import Instants
from proving.plant.plant import Plant

BATCH = 400
"""Readings in a list, at most."""

WireReading = dict[str, Any]
"""`{"meter": ..., "ts": ..., "values": {...}}`"""


class _Delivered(NamedTuple):
    """A reading with the instants (ms) at which it is delivered and was sampled."""

    ms: int
    ts: int
    reading: WireReading


_WHEN = attrgetter("ms", "ts")


def history(plant: Plant, gateway: str, start: datetime, end: datetime) -> Iterator[list[WireReading]]:
    """Yield every reading that `gateway` takes from `start` up to, but without, `end`.

    What would be delivered only after `end` comes last. Raises `ValueError` for a start before the plant's.
    """
    first, last = milliseconds(start), milliseconds(end)
    if first < plant.start_ms:
        raise ValueError(f"the plant starts only at {plant.start_ms} ms, after {start.isoformat()}")
    waiting: list[_Delivered] = []
    batch: list[WireReading] = []
    for begin in range(first - (first + plant.days.offset_ms) % DAY_MS, last, DAY_MS):
        until = min(begin + DAY_MS, last)
        waiting.extend(_taken(plant, gateway, max(begin, first), until))
        waiting.sort(key=_WHEN)
        due = waiting if until == last else [delivery for delivery in waiting if delivery.ms < until]
        waiting = waiting[len(due) :]
        batch.extend(delivery.reading for delivery in due)
        whole = len(batch) - len(batch) % BATCH
        for at in range(0, whole, BATCH):
            yield batch[at : at + BATCH]
        batch = batch[whole:]
    if batch:
        yield batch


def count(plant: Plant, gateway: str, start: datetime, end: datetime) -> int:
    """How many readings `history` yields for the same arguments."""
    first, last = milliseconds(start), milliseconds(end)
    return sum(
        int(plant.answers(meter.id, samples(plant, meter, first, last)).sum())
        for meter in plant.park.meters_of(gateway)
    )


def samples(plant: Plant, meter: Meter, first: int, last: int) -> Instants:
    """Instants from `first` up to, but without, `last` at which a meter is read."""
    step = meter.interval_s * 1000
    origin = plant.start_ms + _BY_HAND_AT_MS if step > DAY_MS else 0
    return np.arange(origin - (origin - first) // step * step, last, step, dtype=np.int64)


_BY_HAND_AT_MS = 9 * HOUR_MS + 20 * MINUTE_MS


def _taken(plant: Plant, gateway: str, first: int, last: int) -> Iterator[_Delivered]:
    for meter in plant.park.meters_of(gateway):
        instants = samples(plant, meter, first, last)
        instants = instants[plant.answers(meter.id, instants)]
        columns = plant.columns(meter.id, instants)
        arrivals = plant.delivered(meter.id, instants).tolist()
        names = tuple(columns)
        rows = zip(*(values.tolist() for values in columns.values()), strict=True)
        meter_id = meter.id
        for arrival, ts, row in zip(arrivals, instants.tolist(), rows, strict=True):
            reading = {"meter": meter_id, "ts": ts, "values": dict(zip(names, row, strict=True))}
            yield _Delivered(arrival, ts, reading)
