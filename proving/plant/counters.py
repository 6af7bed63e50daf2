"""Everything a plant's meters count, from its start on: the flows of `load`, added up.

`true` is what passed, in primary units; `raw` is the same as the instrument counts it, divided by the multiplier of the
day. Sums run day by day from the first local day, always in the same order, so that a total does not depend on the
caller.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metering.meters import Instrument, Meter
from metering.park import Park
from proving.plant.clock import DAY_MS, MINUTE_MS, MINUTES, LocalDays, date_of
from proving.plant.gauges import FlowGauge, chilled_flow, full_power_factor, reactive
from proving.plant.load import Day, LoadModel

Array = NDArray[np.float64]
Instants = NDArray[np.int64]
"""Milliseconds since the epoch."""
_CACHED_DAYS = 6


@dataclass(frozen=True, slots=True)
class DayCount:
    """A local day of all counters: `rate` per hour and minute, `passed` since midnight at each minute's edge."""

    flows: Day
    rate: Array
    passed: Array
    multiplier: Array
    true_before: Array
    raw_before: Array


class PartOfDay(NamedTuple):
    """A local day, which of some instants lie in it, and their milliseconds since its midnight."""

    day: DayCount
    chosen: NDArray[np.bool_] | slice
    ms: Instants


class CounterName(NamedTuple):
    """A counting register of a meter."""

    meter: str
    quantity: str


class Counters:
    """Totals of every counter of a park since the local midnight before its start."""

    def __init__(self, park: Park, load: LoadModel, days: LocalDays, first_day: int) -> None:
        self._park = park
        self._load = load
        self._days = days
        self.first_day = first_day
        self.row = {name: row for row, name in enumerate(_names(park))}
        self._before = [(np.zeros(len(self.row)), np.zeros(len(self.row)))]
        self.day = lru_cache(maxsize=_CACHED_DAYS)(self._compute)

    def flow(self, meter: Meter, day: Day) -> FlowGauge:
        """The day's flow through a meter."""
        row = self._load.index[meter.id]
        name = meter.belongs[0].tenant
        tenant = None if name is None else self._park.tenant[name]
        return FlowGauge(meter, day.net[row], day.wobble[row], day.weather.temperature, full_power_factor(tenant))

    def true(self, meter: str, quantity: str, instants: Instants) -> Array:
        """What passed until each instant, in primary units."""
        row = self.row[CounterName(meter, quantity)]
        return self._gather(instants, lambda day, ms: day.true_before[row] + _within(day, row, ms))

    def raw(self, meter: str, quantity: str, instants: Instants) -> Array:
        """What the instrument counted until each instant, before the multiplier."""
        row = self.row[CounterName(meter, quantity)]
        return self._gather(instants, lambda day, ms: day.raw_before[row] + _within(day, row, ms) / day.multiplier[row])

    def by_day(self, instants: Instants) -> Iterator[PartOfDay]:
        """Split instants by local day."""
        numbers = (instants + self._days.offset_ms) // DAY_MS
        if len(numbers) and numbers[0] == numbers.min() == numbers.max():
            number = int(numbers[0])
            yield PartOfDay(self.day(number), slice(None), instants - self._days.start(number))
            return
        for number in np.unique(numbers).tolist():
            chosen = numbers == number
            yield PartOfDay(self.day(number), chosen, instants[chosen] - self._days.start(number))

    def _gather(self, instants: Instants, of_day: Callable[[DayCount, Instants], Array]) -> Array:
        result = np.empty(len(instants))
        for part in self.by_day(instants):
            result[part.chosen] = of_day(part.day, part.ms)
        return result

    def _compute(self, number: int) -> DayCount:
        if number < self.first_day:
            raise ValueError(f"{date_of(number)} is before the plant's first day, {date_of(self.first_day)}")
        while len(self._before) <= number - self.first_day:
            self.day(self.first_day + len(self._before) - 1)  # adds the total of that day
        flows = self._load.day(number)
        rate = np.stack([self._rate(meter, quantity, flows) for meter, quantity in self.row])
        passed = np.zeros((len(rate), MINUTES + 1))
        np.cumsum(rate / 60.0, axis=1, out=passed[:, 1:])
        multiplier = np.array(
            [self._multiplier(self._park.meter[meter], self._days.start(number)) for meter, _ in self.row]
        )
        true_before, raw_before = self._before[number - self.first_day]
        if len(self._before) == number - self.first_day + 1:
            self._before.append((true_before + passed[:, -1], raw_before + passed[:, -1] / multiplier))
        return DayCount(flows, rate, passed, multiplier=multiplier, true_before=true_before, raw_before=raw_before)

    def _rate(self, meter_id: str, quantity: str, flows: Day) -> Array:
        meter = self._park.meter[meter_id]
        flow = self.flow(meter, flows)
        if quantity == meter.counter:
            return np.maximum(flow.net, 0.0)
        if quantity == "energy_export_kwh":
            return np.maximum(-flow.net, 0.0)
        if quantity == "reactive_kvarh":
            return reactive(flow)
        return chilled_flow(flow)

    @staticmethod
    def _multiplier(meter: Meter, midnight: int) -> float:
        """That of the first device: what a later one counts follows from the plant's events."""
        held = [entry.multiplier for entry in first_device(meter) if entry.span.start <= midnight]
        return held[-1] if held else 1.0


def first_device(meter: Meter) -> list[Instrument]:
    """The device that measures first."""
    return [meter.instruments[0], *takewhile(lambda entry: entry.continues, meter.instruments[1:])]


def _within(day: DayCount, row: int, ms: Instants) -> Array:
    """What passed since midnight; inside a minute the flow is constant."""
    minute, rest = np.divmod(ms, MINUTE_MS)
    passed: Array = day.passed[row, minute] + day.rate[row, minute] * (rest / (60.0 * MINUTE_MS))
    return passed


def _names(park: Park) -> Iterator[CounterName]:
    for meter in park.meters:
        yield CounterName(meter.id, meter.counter)
        for name, quantity in meter.quantities.items():
            if quantity.counter and name != meter.counter:
                yield CounterName(meter.id, name)
