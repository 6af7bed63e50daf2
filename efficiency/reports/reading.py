"""Reads what is stored for a report: use by meter, band and day, load, figures, balances.

Days, hours and months are in the park's local time. What is missing is left out; nothing is filled in.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from efficiency.indicators.balance import BALANCE_FIGURES, LOSS_SHARE
from efficiency.indicators.figure import Figure, figures_in
from efficiency.indicators.tenant import fence_meters
from efficiency.reports.counted import Counted
from efficiency.reports.periods import ReportPeriod
from efficiency.service.pending import Balance
from efficiency.service.progress import Progress
from efficiency.stored.days import days_between, elapsed
from efficiency.symbiosis.matching import Match, partners
from efficiency.symbiosis.stored import DISTANCE, match_units
from efficiency.usage.intervals import HOUR_MS, QUARTER_MS, quarters_in, starts_in
from efficiency.valuation.localtime import day_of, period_span, runs, slots
from metering.figures import FIGURES, MATCH_FIGURES, PARK_FIGURES, Period
from metering.instants import Span, local_day, local_time, midnight_ms
from metering.park import Park
from metering.quantities import UTILITIES, Utility
from store.answers import Row
from store.client import Store
from store.schema import BALANCE, EDGE, EFFICIENCY, NS_PER_MS, OPERATOR_DATABASE, PARK_EFFICIENCY, SYMBIOSIS, USAGE
from store.select import Of, select, where


@dataclass(frozen=True, slots=True)
class DayUse:
    """One meter on one local day.

    `amount` by band, in the meter's unit, is empty if nothing is known; `cost_vnd` is by band, too. `completeness` and
    `estimated` are shares of the `expected` quarter hours: those that are over and in which the meter counts.
    `revised` is the day of the newest revision.
    """

    amount: Mapping[str, float]
    cost_vnd: Mapping[str, float]
    co2e_kg: float | None
    toe: float | None
    completeness: float
    estimated: float
    expected: int
    revised: date | None

    @property
    def whole(self) -> float | None:
        """Amount over all bands."""
        return sum(self.amount.values()) if self.amount else None


MeterDays = Mapping[str, Mapping[date, DayUse]]
"""By meter id and local day: every day on which the meter counts."""


async def waiting(store: Store, park: Park, period: ReportPeriod) -> bool:
    """Whether the usage service still has to compute figures of months up to the end of a period."""
    cursor = await Progress(store, park.id).load()
    return cursor is not None and cursor.figures < min(cursor.computed, period.span(park).end)


async def over(store: Store, park: Park, period: ReportPeriod, made_on: date) -> Span:
    """The part of a period whose quarter hours are over and computed by the usage service."""
    cursor = await Progress(store, park.id).load()
    tomorrow = midnight_ms(made_on + timedelta(days=1), park.zone)
    return elapsed(period.span(park), tomorrow if cursor is None else min(cursor.computed, tomorrow))


@dataclass(frozen=True, slots=True)
class PeriodUse:
    """What is stored of the part `over` of a period, by meter and day.

    It is in `pieces`, cut wherever any meter gets another place in the park.
    """

    park: Park
    over: Span
    pieces: Mapping[Span, Mapping[str, Mapping[date, list[Row]]]]

    def of(self, points: Counted) -> MeterDays:
        """The use of some meters, each while it counts."""
        return {name: self._days(name, spans) for name, spans in points.items()}

    def _days(self, meter: str, spans: Sequence[Span]) -> dict[date, DayUse]:
        rows: dict[date, list[Row]] = {}
        for piece, found in self.pieces.items():
            if any(piece.overlaps(span) for span in spans):
                for day, of_day in found.get(meter, {}).items():
                    rows.setdefault(day, []).extend(of_day)
        return {
            day: _day_use(self.park, rows.get(day, []), quarters)
            for day, quarters in _quarters_by_day(self.park, spans, self.over).items()
        }


def _quarters_by_day(park: Park, spans: Sequence[Span], over: Span) -> dict[date, int]:
    """How many quarter hours of each local day lie in some spans and are over; days with none are left out."""
    found: dict[date, int] = {}
    for span in spans:
        if span.overlaps(over):
            inside = span.within(over)
            for day in sorted(days_between(local_day(inside.start, park.zone), local_day(inside.end - 1, park.zone))):
                part = period_span(park, Period.DAY, day).within(inside)
                found[day] = found.get(day, 0) + (part.end - part.start) // QUARTER_MS
    return found


async def period_use(store: Store, park: Park, over: Span, tenant: str | None = None) -> PeriodUse:
    """Use of all meters of a park, or of one tenant."""
    edges = (edge for meter in park.meters for entry in meter.belongs for edge in (entry.span.start, entry.span.end))
    pieces = {}
    for piece in over.cut(edge for edge in edges if over.start < edge < over.end) if over.start < over.end else ():
        pieces[piece] = await _rows(store, park, piece, tenant)
    return PeriodUse(park, over, pieces)


async def _rows(store: Store, park: Park, span: Span, tenant: str | None) -> dict[str, dict[date, list[Row]]]:
    fields = [*(Of("sum", name) for name in _SUMMED), Of("count", "completeness", "rows"), Of("max", "revised")]
    condition = where({"park": park.id, **owner(tenant)}, span.start, span.end)
    rows = await store.query(
        select(USAGE, fields, condition, ("meter", "band"), every="1d", zone=park.park.timezone), OPERATOR_DATABASE
    )
    found: dict[str, dict[date, list[Row]]] = {}
    for row in rows:
        found.setdefault(row["meter"], {}).setdefault(_day(park, row["time"]), []).append(row)
    return found


_SUMMED = ("amount", "cost_vnd", "co2e_kg", "toe", "completeness", "estimated")


def _day_use(park: Park, bands: list[Row], quarters: int) -> DayUse:
    # A quarter hour across the edge of a band has a row in each band.
    size = max(quarters, sum(row["rows"] or 0 for row in bands))
    revised = max((int(row["revised"]) for row in bands if row["revised"] is not None), default=None)
    return DayUse(
        amount=_by_band(bands, "amount"),
        cost_vnd=_by_band(bands, "cost_vnd"),
        co2e_kg=_sum(row["co2e_kg"] for row in bands),
        toe=_sum(row["toe"] for row in bands),
        completeness=(_sum(row["completeness"] for row in bands) or 0.0) / size,
        estimated=(_sum(row["estimated"] for row in bands) or 0.0) / size,
        expected=quarters,
        revised=None if revised is None else _day(park, revised * NS_PER_MS),
    )


def _by_band(rows: Iterable[Row], name: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in rows:
        if row[name] is not None:
            found[row["band"]] = found.get(row["band"], 0.0) + float(row[name])
    return found


def _sum(values: Iterable[float | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return sum(known) if known else None


class LoadHour(NamedTuple):
    """An hour of a local day, from 0."""

    day: date
    hour: int


async def hourly_load(
    store: Store, park: Park, period: ReportPeriod, over: Span, points: Counted
) -> dict[LoadHour, float]:
    """Mean power of some electricity meters together, kW, by local day and hour; only hours that are wholly known."""
    start = quarters_in(period.span(park))
    due = np.zeros(len(start), dtype=np.int64)
    hours: dict[LoadHour, list[Row]] = {}
    fields = (Of("sum", "amount"), Of("mean", "completeness"), Of("count", "completeness", "rows"))
    for span in sorted({span for spans in points.values() for span in spans if span.overlaps(over)}):
        names = [name for name, spans in points.items() if span in spans]
        inside = span.within(over)
        due[starts_in(start, inside)] += len(names)
        condition = where({"park": park.id, "meter": names}, inside.start, inside.end)
        rows = await store.query(
            select(USAGE, fields, condition, every="1h", zone=park.park.timezone), OPERATOR_DATABASE
        )
        for row in rows:
            local = local_time(row["time"] // NS_PER_MS, park.zone)
            hours.setdefault(LoadHour(local.date(), local.hour), []).append(row)
    when = slots(start, park.zone)
    found: dict[LoadHour, float] = {}
    for number, part in runs(when.day * _HOURS + when.minute // 60):
        at = LoadHour(day_of(number // _HOURS), number % _HOURS)
        rows = hours.get(at, [])
        known = sum(row["rows"] for row in rows if row["amount"] is not None and row["completeness"] > _WHOLE)
        if due[part].all() and known >= due[part].sum():
            energy = sum(float(row["amount"]) for row in rows)
            found[at] = energy * HOUR_MS / (len(due[part]) * QUARTER_MS)
    return found


_WHOLE = 0.999
_HOURS = 24


Figures = Mapping[str, Figure]
"""Figures of one tenant, main meter or park over one period, by name."""


async def figures(
    store: Store, park: Park, period: ReportPeriod, of: Period, tenant: str | None = None
) -> dict[str, dict[date, Figures]]:
    """The stored figures of tenants by tenant and first day, per day, month or year."""
    condition = within(park, period, {"period": of.value, **owner(tenant)})
    rows = await store.query(select(EFFICIENCY, ["*"], condition), OPERATOR_DATABASE)
    found: dict[str, dict[date, Figures]] = {}
    for row in rows:
        if row.get("tenant") in park.tenant:
            units = units_of(park, row["tenant"], period)
            found.setdefault(row["tenant"], {})[_day(park, row["time"])] = figures_in(row, units=units)
    return found


def units_of(park: Park, tenant: str, period: ReportPeriod) -> dict[str, str]:
    """Units of a tenant's figures; the unit of its output is empty if there is none, or several."""
    made = {meter.unit for meter in fence_meters(park, tenant, Utility.PRODUCTION, period.span(park))}
    unit = made.pop() if len(made) == 1 else ""
    return {
        name: spec.unit.format(output=unit) if unit or "{output}" not in spec.unit else ""
        for name, spec in FIGURES.items()
    }


async def park_figures(store: Store, park: Park, period: ReportPeriod) -> Figures:
    """The stored figures of the park itself over a period."""
    condition = within(park, period, {"period": period.kind.value})
    rows = await store.query(select(PARK_EFFICIENCY, ["*"], condition), OPERATOR_DATABASE)
    units = {name: spec.unit for name, spec in PARK_FIGURES.items()}
    return figures_in(rows[0] if rows else {}, PARK_FIGURES, units)


async def balances(store: Store, park: Park, period: ReportPeriod, of: Period) -> dict[Balance, dict[date, Figures]]:
    """The stored balances, by first day."""
    condition = within(park, period, {"period": of.value})
    rows = await store.query(select(BALANCE, ["*"], condition), OPERATOR_DATABASE)
    found: dict[Balance, dict[date, Figures]] = {}
    for row in rows:
        utility, main = Utility(row["utility"]), row["main"]
        unit = park.meter[main].unit if main in park.meter else UTILITIES[utility].unit
        units = {**dict.fromkeys(BALANCE_FIGURES, unit), LOSS_SHARE: "1"}
        figures = figures_in(row, BALANCE_FIGURES, units)
        if main == EDGE or main in park.meter:
            found.setdefault(Balance(utility, main), {})[_day(park, row["time"])] = figures
    return found


async def matches(store: Store, park: Park, period: ReportPeriod) -> tuple[Match, ...]:
    """The stored matches of a period between streams of the park file, largest savings first."""
    condition = within(park, period, {"period": period.kind.value})
    rows = await store.query(select(SYMBIOSIS, ["*"], condition), OPERATOR_DATABASE)
    by_pair = {(row["giver"], row["taker"]): row for row in rows}
    found = []
    for giver, taker in partners(park.streams):
        row = by_pair.get((giver.id, taker.id))
        if row is not None:
            figures = figures_in(row, MATCH_FIGURES, match_units(giver))
            found.append(Match(giver, taker, figures, row.get(DISTANCE)))
    return tuple(sorted(found, key=lambda match: match.rank))


def within(park: Park, period: ReportPeriod, tags: Mapping[str, str | Collection[str]] = MappingProxyType({})) -> str:
    """Condition on a park, a period and further tags."""
    start, end = (midnight_ms(day, park.zone) for day in (period.first, period.until))
    return where({"park": park.id, **tags}, start, end)


def owner(tenant: str | None) -> dict[str, str]:
    """The tag of one tenant; none for all of them."""
    return {} if tenant is None else {"tenant": tenant}


def _day(park: Park, ns: int) -> date:
    return local_day(ns // NS_PER_MS, park.zone)


@dataclass(frozen=True, slots=True)
class DataQuality:
    """The quality of some meters' data over a period: shares of all quarter hours, and the newest revision."""

    completeness: float
    estimated: float
    revised: date | None


def quality(meters: Iterable[Mapping[date, DayUse]], days: Iterable[date]) -> DataQuality:
    """The quality over all meters and days, weighted by the quarter hours in which a meter counts."""
    wanted = set(days)
    found = [use for meter in meters for day, use in meter.items() if day in wanted]
    size = sum(use.expected for use in found)
    return DataQuality(
        sum(use.completeness * use.expected for use in found) / size if size else 0.0,
        sum(use.estimated * use.expected for use in found) / size if size else 0.0,
        max((use.revised for use in found if use.revised is not None), default=None),
    )


def amounts(use: MeterDays, band: str | None = None) -> dict[date, float]:
    """What several meters measured together by day, over all bands or in one."""
    found: dict[date, float] = {}
    for days in use.values():
        for day, one in days.items():
            value = one.whole if band is None else one.amount.get(band)
            if value is not None:
                found[day] = found.get(day, 0.0) + value
    return found


def costs(use: MeterDays) -> dict[str, float]:
    """Cost by band over a period, VND; empty if any day's use has no price, since the rest would be too little."""
    found: dict[str, float] = {}
    for days in use.values():
        for one in days.values():
            if set(one.amount) - set(one.cost_vnd):
                return {}
            for band, value in one.cost_vnd.items():
                found[band] = found.get(band, 0.0) + value
    return found


def by_column(period: ReportPeriod, by_day: Mapping[date, float]) -> tuple[float | None, ...]:
    """Amounts per day of a month, or per month of a year; None for those without any."""
    if period.month is not None:
        return tuple(by_day.get(day) for day in period.days)
    sums: dict[date, float] = {}
    for day, value in by_day.items():
        first = day.replace(day=1)
        sums[first] = sums.get(first, 0.0) + value
    return tuple(sums.get(month) for month in period.months)
