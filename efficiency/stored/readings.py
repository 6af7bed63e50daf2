"""Reads registers from the store as arrays: many meters per query, within the limits of memory."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from efficiency.usage.counters import Counter, counting
from efficiency.usage.fromsteps import GAP_FACTOR
from efficiency.usage.intervals import ALWAYS_AFTER, ALWAYS_BEFORE, EVER, HOUR_MS, Span
from efficiency.usage.line import CALIBRATING, FAULT, MEASURING, Readings
from metering.instants import FUTURE_MS
from metering.meters import Meter
from metering.quantities import Utility
from store.client import Store
from store.columns import Table
from store.schema import NS_PER_MS, OPERATOR_DATABASE
from store.select import Of, select, where

AT_ONCE = 50_000
"""Approximate number of readings per query. The database merges all series of an answer: the more series, the more
each row costs."""

_CODES = {"measuring": MEASURING, "calibrating": CALIBRATING, "fault": FAULT}
"""A reading without a state counts as measured. The state `measuring` is only written when a correction replaces
another one."""

_NONE = Readings(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.uint8))

Registers = dict[str, dict[str, Readings]]
"""Readings by register and meter."""


class RegisterReader:
    """Reads the readings of one park; `first` has the instant of each meter's first one: nothing is read before it."""

    def __init__(self, store: Store, park: str) -> None:
        self._store = store
        self._park = park
        self.first: dict[str, int] = {}
        self.counters: dict[tuple[str, str], tuple[Meter, Counter]] = {}
        """A cache by meter and register: the meter as in the park file, and the counter made from it."""

    async def find_first(self, meters: Sequence[Meter]) -> None:
        """Ask the store when the readings of each meter begin."""
        self.first = {}
        for utility in Utility:
            for group in _groups([meter for meter in meters if meter.utility is utility], 500):
                first = Of("first", group[0].counter)
                statement = select(utility.value, [first], self._where(group), ["meter"])
                rows = await self._store.query(statement, OPERATOR_DATABASE)
                self.first |= {row["meter"]: row["time"] // NS_PER_MS for row in rows}

    def arrived(self, meter: str, first: int) -> None:
        """Note a reading that may be the earliest."""
        self.first[meter] = min(first, self.first.get(meter, first))

    async def load(self, meters: Sequence[Meter], span: Span, now_ms: int) -> Registers:
        """Readings of all counting registers of meters of one utility.

        If there are no readings before or after `span`, up to `now_ms`, the span of the readings says so: it then
        begins at `ALWAYS_BEFORE` or ends at `ALWAYS_AFTER`.
        """
        found: Registers = {}
        ms = min(span.end, now_ms + FUTURE_MS) - max(span.start, min(map(self._first, meters)))
        each = max(ms, HOUR_MS) / (min(meter.interval_s for meter in meters) * 1000)
        for group in _groups(meters, max(1, int(AT_ONCE / each))):
            await self._load_group(group, span, now_ms, found)
        return found

    async def _load_group(self, group: Sequence[Meter], span: Span, now_ms: int, found: Registers) -> None:
        names = {name: None for meter in group for name in counting(meter)}
        statement = select(group[0].utility.value, (*names, "state"), self._where(group, span), ["meter"])
        tables = await self._store.tables(statement, OPERATOR_DATABASE)
        by_meter = {table.tags["meter"]: table for table in tables}
        silent = [meter for meter in group if span.end <= now_ms and _silent(by_meter.get(meter.id), meter, span.end)]
        ended = await self._ended(silent, span.end) if silent else frozenset()
        for meter in group:
            table = by_meter.get(meter.id)
            by_register = {name: _NONE if table is None else _readings(table, name) for name in counting(meter)}
            times = by_register[meter.counter].times
            if len(times):
                self.arrived(meter.id, int(times[0]))
            known = self._known(meter, span, ended=span.end > now_ms or meter.id in ended)
            for name, readings in by_register.items():
                found.setdefault(name, {})[meter.id] = replace(readings, span=known)

    def _first(self, meter: Meter) -> int:
        return self.first.get(meter.id, ALWAYS_AFTER)

    async def _ended(self, group: Sequence[Meter], end: int) -> frozenset[str]:
        """The meters without readings from an instant on; of a park that stands still, most of them."""
        names = {name: None for meter in group for name in counting(meter)}
        firsts = [Of("first", name, name) for name in names]
        statement = select(group[0].utility.value, firsts, self._where(group, Span(end, ALWAYS_AFTER)), ["meter"])
        rows = await self._store.query(statement, OPERATOR_DATABASE)
        return frozenset(meter.id for meter in group) - {row["meter"] for row in rows}

    def _known(self, meter: Meter, span: Span, *, ended: bool) -> Span:
        first = self.first.get(meter.id, ALWAYS_AFTER)
        return Span(ALWAYS_BEFORE if span.start <= first else span.start, ALWAYS_AFTER if ended else span.end)

    def _where(self, group: Sequence[Meter], span: Span = EVER) -> str:
        return where({"park": self._park, "meter": [meter.id for meter in group]}, span.start, span.end)


def _silent(table: Table | None, meter: Meter, end: int) -> bool:
    """Whether a meter has no reading near the end of a span, though its interval says that it should."""
    return table is None or not len(table.times) or int(table.times[-1]) < end - GAP_FACTOR * meter.interval_s * 1000


def _readings(table: Table, name: str) -> Readings:
    times, values = table.times, table.fields[name].astype(np.float64)
    codes = np.full(len(times), MEASURING, dtype=np.uint8)
    states = table.fields["state"]
    if states.dtype == np.object_:
        for place, state in enumerate(states.tolist()):
            if isinstance(state, str):
                codes[place] = _CODES.get(state, FAULT)
    there = np.isfinite(values)
    if not there.all():  # rows of other quantities, or an instrument without this register
        times, values, codes = times[there], values[there], codes[there]
    if len(times) > 1 and not (times[1:] > times[:-1]).all():
        times, unique = np.unique(times, return_index=True)
        values, codes = values[unique], codes[unique]
    return Readings(times, values, codes)


def _groups(meters: Sequence[Meter], size: int) -> list[Sequence[Meter]]:
    return [meters[first : first + size] for first in range(0, len(meters), size)]
