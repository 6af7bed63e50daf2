"""Reads registers from the store as arrays: many meters in one answer, but no more than memory should hold."""

from collections.abc import Sequence

import numpy as np

from efficiency.intervals import ALWAYS_AFTER, ALWAYS_BEFORE, Span
from efficiency.registers import CALIBRATING, FAULT, MEASURING, Readings
from metering.meters import Meter
from metering.quantities import Utility
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE

AT_ONCE = 300_000
"""Readings in one answer, about."""

_CODES = {"measuring": MEASURING, "calibrating": CALIBRATING, "fault": FAULT}
_NONE = np.empty(0, dtype=np.int64), np.empty(0)


class RegisterReader:
    """The readings of one park; `first` knows the earliest instant of each meter, so that nobody searches before it."""

    def __init__(self, store: Store, park: str) -> None:
        self._store = store
        self._park = park
        self.first: dict[str, int] = {}

    async def find_first(self, meters: Sequence[Meter]) -> None:
        """Ask the store where the readings of each meter begin."""
        self.first = {}
        for utility in Utility:
            for group in _groups([meter for meter in meters if meter.utility is utility], 500):
                where = self._where(group, Span(ALWAYS_BEFORE, ALWAYS_AFTER))
                select = f'SELECT first("{group[0].counter}") AS value FROM "{utility.value}"'
                rows = await self._store.query(f'{select} WHERE {where} GROUP BY "meter"', OPERATOR_DATABASE)
                self.first |= {row["meter"]: row["time"] // NS_PER_MS for row in rows}

    def arrived(self, meter: str, first: int) -> None:
        """Take note of a reading that may be the earliest."""
        self.first[meter] = min(first, self.first.get(meter, first))

    async def load(self, meters: Sequence[Meter], register: str, span: Span, now_ms: int) -> dict[str, Readings]:
        """Readings of one register of meters of one utility.

        Where `span` reaches beyond all there is (up to `now_ms`), the readings say so.
        """
        found: dict[str, Readings] = {}
        days = max((span.end - max(span.start, now_ms - 10**11)) / 86_400_000, 0.01)
        size = max(1, int(AT_ONCE / (days * 86_400 / min(meter.interval_s for meter in meters))))
        for group in _groups(meters, min(size, 200)):
            found |= await self._load_group(group, register, span, now_ms)
        return found

    async def _load_group(self, group: Sequence[Meter], register: str, span: Span, now_ms: int) -> dict[str, Readings]:
        utility, where = group[0].utility.value, self._where(group, span)
        columns = await self._store.columns(
            f'SELECT "{register}" FROM "{utility}" WHERE {where} GROUP BY "meter"', OPERATOR_DATABASE
        )
        held = await self._store.query(
            f'SELECT "state" FROM "{utility}" WHERE {where} GROUP BY "meter"', OPERATOR_DATABASE
        )
        states: dict[str, list[tuple[int, int]]] = {}
        for row in held:
            states.setdefault(row["meter"], []).append((row["time"] // NS_PER_MS, _CODES.get(row["state"], FAULT)))
        arrays = {column.tags["meter"]: (column.times, column.values) for column in columns}
        found: dict[str, Readings] = {}
        for meter in group:
            times, values = arrays.get(meter.id, _NONE)
            if len(times):
                self.arrived(meter.id, int(times[0]))
            found[meter.id] = _readings(times, values, states.get(meter.id, []), self._known(meter, span, now_ms))
        return found

    def _known(self, meter: Meter, span: Span, now_ms: int) -> Span:
        first = self.first.get(meter.id, ALWAYS_AFTER)
        return Span(
            ALWAYS_BEFORE if span.start <= first else span.start, ALWAYS_AFTER if span.end > now_ms else span.end
        )

    def _where(self, group: Sequence[Meter], span: Span) -> str:
        text = f'"park" = \'{self._park}\' AND "meter" =~ /^({"|".join(meter.id for meter in group)})$/'
        if len(group) == 1:
            text = f"\"park\" = '{self._park}' AND \"meter\" = '{group[0].id}'"
        if span.start > ALWAYS_BEFORE:
            text += f" AND time >= {span.start * NS_PER_MS}"
        return text if span.end >= ALWAYS_AFTER else f"{text} AND time < {span.end * NS_PER_MS}"


def _readings(
    times: np.ndarray[tuple[int], np.dtype[np.int64]],
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
    states: list[tuple[int, int]],
    span: Span,
) -> Readings:
    if len(times) > 1 and not (times[1:] > times[:-1]).all():
        times, place = np.unique(times, return_index=True)
        values = values[place]
    codes = np.full(len(times), MEASURING, dtype=np.uint8)
    if states and len(times):
        at = np.array([ms for ms, _ in states], dtype=np.int64)
        place = np.minimum(np.searchsorted(times, at), len(times) - 1)
        same = times[place] == at
        codes[place[same]] = np.array([code for _, code in states], dtype=np.uint8)[same]
    return Readings(times, values, codes, span)


def _groups(meters: Sequence[Meter], size: int) -> list[Sequence[Meter]]:
    return [meters[first : first + size] for first in range(0, len(meters), size)]
