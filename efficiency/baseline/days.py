"""Computes the measurement `baseline` from stored usage: what is expected of each whole day since a baseline holds.

The running sum is recomputed over all stored days whenever one of them changes, so it does not depend on the order in
which they came. It restarts with every version: savings against different expectations must not be added.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from efficiency.baseline.frozen import FrozenBaseline
from efficiency.baseline.model import MAX_DRIVERS, Baseline, Uncertainty, cusum, enpi, performance, uncertainty
from efficiency.baseline.sources import DayAmounts, day_amounts
from efficiency.indicators.figure import Figure, absent, figure, judged
from efficiency.stored.days import by_day, days_between
from efficiency.stored.fields import Fields, Points, PointStore, SeriesPoints
from efficiency.stored.usagestore import UsageStore
from efficiency.valuation.localtime import period_span
from efficiency.valuation.valued import NOTHING, ValueReason
from metering.figures import Period
from metering.instants import local_day
from metering.park import Adjustment, Park
from store.schema import BASELINE


class BaselineDays:
    """The baselines of one park; `frozen` may be replaced between writes."""

    def __init__(self, usage: UsageStore, points: PointStore) -> None:
        self.frozen: Mapping[str, FrozenBaseline] = {}
        self._usage = usage
        self._points = points
        self._marked: dict[str, set[date]] = {}

    def mark(self, name: str, days: Iterable[date]) -> None:
        """Note that an input of a baseline's figures has changed on these days."""
        self._marked.setdefault(name, set()).update(days)

    def mark_meter(self, meter: str, days: Iterable[date]) -> None:
        """Note that a meter's usage has changed on these days."""
        for name, frozen in self.frozen.items():
            if meter in frozen.meters:
                self.mark(name, (day for day in days if day >= frozen.since))

    async def write(self, park: Park, now_ms: int) -> dict[str, set[date]]:
        """Compute the marked days that are over, and write them with the writer's next `flush`; today waits.

        Returns the days on which tenants' own figures may have changed.
        """
        changed: dict[str, set[date]] = {}
        today = local_day(now_ms, park.zone)
        for name in [*self._marked]:
            frozen, marked = self.frozen.get(name), self._marked.pop(name)
            due = {day for day in marked if period_span(park, Period.DAY, day).end <= now_ms}
            if marked - due:
                self._marked[name] = marked - due
            if frozen is not None and due:
                await self._write(park, frozen, due, now_ms)
                if frozen.own is not None:
                    changed.setdefault(frozen.own, set()).update(days_between(min(due), today))
        return changed

    async def _write(self, park: Park, frozen: FrozenBaseline, due: set[date], now_ms: int) -> None:
        first = period_span(park, Period.DAY, min(frozen.since, *due)).start
        computed = await self._computed(park, frozen, due)
        owners = {_start(park, day): frozen.tenants[held.version] for day in due if (held := frozen.on(day))}
        for tenant in dict.fromkeys(frozen.tenants.values()):
            tags = _tags(park, frozen, tenant)
            before = await self._points.stored(BASELINE, tags, first, now_ms)
            theirs = {ms: fields if owners.get(ms) == tenant else {} for ms, fields in computed.items()}
            after = with_cusum({**before, **theirs})
            await self._points.replace(SeriesPoints(BASELINE, tags, tenant, after), before)

    async def _computed(self, park: Park, frozen: FrozenBaseline, due: set[date]) -> dict[int, Fields]:
        """Fields by start of day, without the running sum; none where no version holds or a day is not whole.

        Days of a version whose meters are gone are left unchanged.
        """
        found: dict[int, Fields] = {}
        amounts: dict[int, list[DayAmounts]] = {}
        async for each in by_day(self._usage, park, frozen.meters, due):
            baseline = frozen.on(each.day)
            if baseline is None:
                found[_start(park, each.day)] = {}
            elif baseline.version in frozen.sources:
                one = day_amounts(park, frozen.sources[baseline.version], each)
                amounts.setdefault(baseline.version, []).append(one)
        for baseline in frozen.versions:
            days = amounts.get(baseline.version, [])
            for one, fields in zip(days, expected_fields(baseline, days, frozen.adjustments), strict=True):
                found[_start(park, one.day)] = fields
        return found

    async def own(self, park: Park, tenant: str, first: int, last: int) -> dict[int, Fields]:
        """The stored fields of the baseline shown to a tenant, by start of day from `first` to `last`, ms."""
        frozen = self.of_tenant(tenant)
        if frozen is not None:
            return await self._points.stored(BASELINE, _tags(park, frozen, tenant), first, last)
        return {}

    def of_tenant(self, tenant: str) -> FrozenBaseline | None:
        """The baseline shown to a tenant: that of all its electricity."""
        return next((frozen for frozen in self.frozen.values() if frozen.own == tenant), None)

    async def forget(self, park: Park, name: str, tenants: Iterable[str | None]) -> None:
        """Delete all that is stored of a baseline, for all tenants it ever had."""
        self._marked.pop(name, None)
        for tenant in tenants:
            await self._points.delete(BASELINE, {"park": park.id, "baseline": name}, tenant)


def expected_fields(
    baseline: Baseline, days: Sequence[DayAmounts], adjustments: Sequence[Adjustment] = ()
) -> list[Fields]:
    """Fields of each day except the running sum; none where a day is not whole. Adjustments count as expected."""
    use = np.array([day.use.value for day in days], dtype=np.float64)
    drivers = np.array([[driver.value for driver in day.drivers] for day in days], dtype=np.float64)
    found = performance(baseline.fit, use, drivers.reshape(len(days), len(baseline.fit.drivers)))
    off = uncertainty(baseline.fit)
    fields: list[Fields] = []
    for place, day in enumerate(days):
        if not day.whole:
            fields.append({})
            continue
        holding = [each for each in adjustments if each.holds(day.day)]
        adjusted = sum(each.per_day for each in holding)
        expected, actual = float(found.expected[place]) + adjusted, float(use[place])
        one: Fields = {
            "expected": expected,
            "actual": actual,
            "saving": float(found.saving[place]) + adjusted,
            "out_of_range": float(found.out_of_range[place]),
            "version": float(baseline.version),
            "drivers": ",".join(driver.name for driver in baseline.fit.drivers),
        }
        if off is not None:
            one |= {"spread": off.spread, "fitted": off.fitted}
            one |= dict(zip(LEVERS, found.levers[place].tolist(), strict=False))
        if holding:
            one |= {"adjustment": adjusted, "adjustment_band": sum(each.uncertainty for each in holding)}
        ratio = enpi(actual, expected)
        fields.append(one if ratio is None else {**one, "enpi": ratio})
    return fields


def with_cusum(points: Points) -> dict[int, Fields]:
    """The same points with the running sum of each version's savings."""
    versions: dict[float, list[int]] = {}
    for ms in sorted(ms for ms, fields in points.items() if fields):
        versions.setdefault(float(points[ms]["version"]), []).append(ms)
    found = dict(points)
    for instants in versions.values():
        sums = cusum(np.array([float(points[ms]["saving"]) for ms in instants]))
        for ms, value in zip(instants, sums.tolist(), strict=True):
            found[ms] = {**points[ms], "cusum": value}
    return found


LEVERS = tuple(f"lever_{number}" for number in range(1, MAX_DRIVERS + 1))
"""Fields with how far a day's drivers were from those of the fit (F21)."""


def band_of(days: Iterable[Fields]) -> float | None:
    """F21: uncertainty of the sum of some days' savings, at 95 %; None where a fit gives no scatter.

    Errors of different fits are independent; the error of an adjustment is the same each day and adds up.
    """
    versions: dict[float, list[Fields]] = {}
    for fields in days:
        versions.setdefault(float(fields["version"]), []).append(fields)
    if any("spread" not in fields for each in versions.values() for fields in each):
        return None
    bands = [
        Uncertainty(float(each[0]["spread"]), float(each[0]["fitted"])).band(
            len(each), [sum(float(fields.get(name, 0.0)) for fields in each) for name in LEVERS]
        )
        for each in versions.values()
    ]
    adjusted = sum(float(fields.get("adjustment_band", 0.0)) for each in versions.values() for fields in each)
    return float(np.hypot.reduce([*bands, adjusted])) if bands else None


def own_figures(days: Points, over: int, *, known: bool) -> dict[str, Figure]:
    """Figures of a tenant over some days of its baseline: sums over sums, and the running sum at their end.

    `over`: how many days of the period have passed since the baseline holds. `known`: whether the tenant has a baseline
    that holds at any time of the period.
    """
    in_order = [fields for _, fields in sorted(days.items()) if fields]
    names = ("expected_kwh", "saving_kwh", "saving_band_kwh", "cusum_kwh")
    if not known or not over or not in_order:
        why = ValueReason.NO_BASELINE if not known else ValueReason.NO_DATA if over else ValueReason.NOT_OVER
        return {**dict.fromkeys(names, absent("kWh", why)), "enpi": absent("1", why)}
    completeness = min(1.0, len(in_order) / over)
    caution = ValueReason.OUT_OF_RANGE if any(fields["out_of_range"] for fields in in_order) else NOTHING

    def total(name: str) -> float:
        return sum(float(fields[name]) for fields in in_order)

    def of(value: float | None, unit: str = "kWh", over_: float | None = None) -> Figure:
        return figure(value, unit, completeness, 0.0, caution, over=over_)

    band, saving, expected = band_of(in_order), total("saving"), total("expected")
    ratio = enpi(total("actual"), expected)
    return {
        "expected_kwh": of(expected),
        "saving_kwh": of(saving) if band is None else judged(of(saving), band),
        "saving_band_kwh": of(band),
        "cusum_kwh": of(float(in_order[-1]["cusum"])),
        "enpi": of(ratio, "1", expected)
        if ratio is not None
        else absent("1", ValueReason.ZERO_DENOMINATOR, completeness),
    }


def with_band(figures: Mapping[str, Figure], days: Points) -> dict[str, Figure]:
    """F21: figures of a longer period with the uncertainty of the sum of its days; months share the error of a fit."""
    saving, band = figures.get("saving_kwh"), band_of(fields for fields in days.values() if fields)
    if saving is None or saving.value is None or band is None:
        return dict(figures)
    plain = replace(saving, value=band, reasons=saving.reasons & ~ValueReason.NOT_SIGNIFICANT)
    return {**figures, "saving_kwh": judged(saving, band), "saving_band_kwh": plain}


def _tags(park: Park, frozen: FrozenBaseline, tenant: str | None) -> dict[str, str]:
    tags = {
        "park": park.id,
        "tenant": tenant or "",
        "meter": frozen.subject.meter or "",
        "utility": frozen.subject.utility.value,
        "baseline": frozen.versions[0].id,
    }
    return {name: value for name, value in tags.items() if value}


def _start(park: Park, day: date) -> int:
    return period_span(park, Period.DAY, day).start
