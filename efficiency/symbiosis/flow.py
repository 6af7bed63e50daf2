"""Quantity, temperature and quality of a stream in each quarter hour; NaN where unknown.

A metered stream is known where its meter is; a stated one always, and every figure that depends on it is marked so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from efficiency.usage.intervals import Bools, Floats
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import Slots, day_number, day_of, on_days, runs
from metering.calendar import Calendar, Window
from metering.dated import HistoryEntry
from metering.park import Park
from metering.quantities import Utility
from metering.streamrules import TEMPERATURES, liquid
from metering.streams import Stream

QUARTERS_PER_HOUR = 4


class Gauge(NamedTuple):
    """A meter and a quantity that it measures."""

    meter: str
    quantity: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What was measured in the quarter hours `when`: use by meter, and means of gauges."""

    when: Slots
    meters: Mapping[str, QuarterHours]
    gauges: Mapping[Gauge, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StreamFlow:
    """A stream by quarter hour.

    `amount`: in its unit, or, of heat that a liquid carries, the m³ or t that carry it. `hot_c`, `cold_c`: temperatures
    of heat. `quality`: by quantity. `there`: whether the stream exists then.
    """

    stream: Stream
    amount: Floats
    estimated: Floats
    there: Bools
    hot_c: Floats
    cold_c: Floats
    quality: Mapping[str, Floats]
    liquid: bool

    @property
    def stated(self) -> bool:
        """Whether its quantity is stated rather than measured."""
        return self.stream.meter is None


def flow_of(park: Park, stream: Stream, observed: Observed) -> StreamFlow:
    """A stream of a park in the quarter hours of `observed`."""
    when = observed.when
    nothing = np.full(len(when), np.nan)
    there = when.day >= day_number(stream.since)
    if stream.until is not None:
        there &= when.day < day_number(stream.until)
    metered = observed.meters.get(stream.meter) if stream.meter is not None else None
    if stream.meter is None:
        amount, estimated = _stated(stream, when, park.calendar), np.zeros(len(when))
    elif metered is None:
        amount, estimated = nothing, np.zeros(len(when))
    else:
        per_unit = numbers(stream.per_unit, when) if stream.per_unit else np.ones(len(when))
        amount, estimated = np.maximum(metered.amount, 0.0) * per_unit, metered.estimated
        amount = np.where(metered.completeness == 1, amount, np.nan)
    measured = {
        gauge.quantity: values for gauge, values in observed.gauges.items() if gauge.meter == stream.quality_from
    }
    hot = numbers(stream.temperature_c, when)
    if not stream.temperature_c:
        hot = next((measured[name] for name in TEMPERATURES if name in measured), nothing)
    return StreamFlow(
        stream=stream,
        amount=np.where(there, amount, np.nan),
        estimated=estimated,
        there=there,
        hot_c=hot,
        cold_c=numbers(stream.cold_c, when),
        quality=measured | {name: numbers(entries, when) for name, entries in stream.quality.items()},
        liquid=liquid(park.meter.get(stream.meter or "")),
    )


def gauges_of(park: Park, stream: Stream) -> tuple[Gauge, ...]:
    """The gauges for a stream's temperature and quality."""
    meter = park.meter.get(stream.quality_from or "")
    if meter is None:
        return ()
    return tuple(Gauge(meter.id, name) for name, quantity in meter.quantities.items() if not quantity.counter)


def numbers(entries: tuple[HistoryEntry[float], ...], when: Slots) -> Floats:
    """Dated values by quarter hour; NaN where none holds."""
    return on_days(entries, lambda entry: entry.value, when.day)


def _stated(stream: Stream, when: Slots, calendar: Calendar) -> Floats:
    """The stated rate within its hours, nothing outside them."""
    return np.where(_within(stream.hours, when, calendar), numbers(stream.rate, when) / QUARTERS_PER_HOUR, 0.0)


def _within(hours: tuple[Window, ...], when: Slots, calendar: Calendar) -> Bools:
    inside = np.full(len(when), not hours)
    if hours:
        for number, part in runs(when.day):
            for minutes in calendar.minutes(hours, day_of(number)):
                inside[part] |= (when.minute[part] >= minutes.start) & (when.minute[part] < minutes.stop)
    return inside


def replaced(stream: Stream, met: Floats, when: Slots) -> dict[Utility, Floats]:
    """How much of each utility a demand saves, by quarter hour, for the amount of it that is met."""
    return {utility: met * numbers(entries, when) for utility, entries in stream.replaces.items()}
