"""Keeps the measurement `baseline` true to the stored usage: what is expected of each whole day since a baseline holds.

The running sum is taken over all stored days again whenever one of them changes, so it is the same in whatever order
they came. It starts anew with every version: savings against different expectations have no sum.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np

from efficiency.baseline.held import Held
from efficiency.baseline.model import Baseline, cusum, enpi, performance
from efficiency.baseline.sources import DayAmounts, day_amounts
from efficiency.stored.days import by_day, days_between, local_day
from efficiency.stored.fields import Fields, Points, PointStore, SeriesPoints
from efficiency.stored.usagestore import UsageStore
from efficiency.valuation.localtime import period_span
from metering.figures import Period
from metering.park import Park
from store.schema import BASELINE


class BaselineDays:
    """The baselines of one park; `held` may be exchanged between writes."""

    def __init__(self, usage: UsageStore, points: PointStore) -> None:
        self.held: Mapping[str, Held] = {}
        self._usage = usage
        self._points = points
        self._marked: dict[str, set[date]] = {}

    def mark(self, name: str, days: Iterable[date]) -> None:
        """Something that a baseline's figures are made of has changed on these days."""
        self._marked.setdefault(name, set()).update(days)

    def mark_meter(self, meter: str, days: Iterable[date]) -> None:
        """A meter's usage has changed on these days."""
        for name, held in self.held.items():
            if meter in held.meters:
                self.mark(name, (day for day in days if day >= held.since))

    async def write(self, park: Park, now_ms: int) -> dict[str, set[date]]:
        """Compute and write what is marked of days that are over, with the writer's next `flush`; today waits.

        Returns the days on which tenants' own figures may have changed.
        """
        changed: dict[str, set[date]] = {}
        today = local_day(park, now_ms)
        for name in [*self._marked]:
            held, marked = self.held.get(name), self._marked.pop(name)
            due = {day for day in marked if period_span(park, Period.DAY, day).end <= now_ms}
            if marked - due:
                self._marked[name] = marked - due
            if held is not None and due:
                await self._write(park, held, due, now_ms)
                if held.own is not None:
                    changed.setdefault(held.own, set()).update(days_between(min(due), today))
        return changed

    async def _write(self, park: Park, held: Held, due: set[date], now_ms: int) -> None:
        tags = _tags(park, held)
        first = period_span(park, Period.DAY, min(held.since, *due)).start
        before = await self._points.stored(BASELINE, tags, first, now_ms)
        after = with_cusum({**before, **await self._computed(park, held, due)})
        await self._points.replace(SeriesPoints(BASELINE, tags, held.tenant, after), before)

    async def _computed(self, park: Park, held: Held, due: set[date]) -> dict[int, Fields]:
        """Fields by start of day, without the running sum; none where no version holds or a day is not whole.

        Days of a version whose meters are gone are left as they stand.
        """
        found: dict[int, Fields] = {}
        amounts: dict[int, list[DayAmounts]] = {}
        async for day, by_meter in by_day(self._usage, park, held.meters, due):
            baseline = held.on(day)
            if baseline is None:
                found[_start(park, day)] = {}
            elif baseline.version in held.sources:
                one = day_amounts(park, held.sources[baseline.version], by_meter, day)
                amounts.setdefault(baseline.version, []).append(one)
        for baseline in held.versions:
            days = amounts.get(baseline.version, [])
            for one, fields in zip(days, expected_fields(baseline, days), strict=True):
                found[_start(park, one.day)] = fields
        return found

    async def own(self, park: Park, tenant: str, first: int, last: int) -> dict[int, Fields]:
        """What is stored of the baseline that a tenant is shown, by start of day from `first` to `last`, ms."""
        for held in self.held.values():
            if held.own == tenant:
                return await self._points.stored(BASELINE, _tags(park, held), first, last)
        return {}

    async def forget(self, park: Park, name: str, tenant: str | None) -> None:
        """Take away all that is stored of a baseline."""
        self._marked.pop(name, None)
        await self._points.delete(BASELINE, {"park": park.id, "baseline": name}, tenant)


def expected_fields(baseline: Baseline, days: Sequence[DayAmounts]) -> list[Fields]:
    """Fields of each day but the running sum; none where a day is not whole."""
    use = np.array([_value(day.use.value) for day in days])
    drivers = np.array([[_value(driver.value) for driver in day.drivers] for day in days])
    found = performance(baseline.fit, use, drivers.reshape(len(days), len(baseline.fit.drivers)))
    fields: list[Fields] = []
    for place, day in enumerate(days):
        if not day.whole:
            fields.append({})
            continue
        expected, actual = float(found.expected[place]), float(use[place])
        one = {
            "expected": expected,
            "actual": actual,
            "saving": float(found.saving[place]),
            "out_of_range": float(found.out_of_range[place]),
            "version": float(baseline.version),
        }
        ratio = enpi(actual, expected)
        fields.append(one if ratio is None else {**one, "enpi": ratio})
    return fields


def with_cusum(points: Points) -> dict[int, Fields]:
    """The same points with the running sum of each version's savings."""
    versions: dict[float, list[int]] = {}
    for ms in sorted(ms for ms, fields in points.items() if fields):
        versions.setdefault(points[ms]["version"], []).append(ms)
    found = dict(points)
    for instants in versions.values():
        sums = cusum(np.array([points[ms]["saving"] for ms in instants]))
        for ms, value in zip(instants, sums.tolist(), strict=True):
            found[ms] = {**points[ms], "cusum": value}
    return found


def own_fields(days: Points) -> Fields:
    """Figures of a tenant over some days of its baseline: sums over sums, and the running sum at their end."""
    in_order = [fields for _, fields in sorted(days.items())]
    if not in_order:
        return {}
    expected, actual, saving = (sum(fields[name] for fields in in_order) for name in ("expected", "actual", "saving"))
    found = {"expected_kwh": expected, "saving_kwh": saving, "cusum_kwh": in_order[-1]["cusum"]}
    ratio = enpi(actual, expected)
    return found if ratio is None else {**found, "enpi": ratio}


def _tags(park: Park, held: Held) -> dict[str, str]:
    tags = {
        "park": park.id,
        "tenant": held.tenant or "",
        "meter": held.subject.meter or "",
        "utility": held.subject.utility.value,
        "baseline": held.versions[0].id,
    }
    return {name: value for name, value in tags.items() if value}


def _start(park: Park, day: date) -> int:
    return period_span(park, Period.DAY, day).start


def _value(value: float | None) -> float:
    return np.nan if value is None else value
