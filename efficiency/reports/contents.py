"""Collects the contents of a report from the store into frozen models; `pages` does the layout.

Figures are read as they are stored, with the sums by day, band and meter that the charts need.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from efficiency.indicators.balance import INCOMING, LOSS
from efficiency.indicators.fence import fence_spans
from efficiency.indicators.figure import figures_in
from efficiency.indicators.park import edge_points, generation
from efficiency.reports import reading
from efficiency.reports.baselines import BaselineSums, baseline_sums
from efficiency.reports.counted import Counted, counted, fence_counted, own_counted
from efficiency.reports.entries import Entry, entries_of
from efficiency.reports.inventory import InventoryRow, Watched, tenant_rows, watched, whole_park_rows
from efficiency.reports.periods import ReportPeriod
from efficiency.reports.reading import (
    DataQuality,
    Figures,
    LoadHour,
    MeterDays,
    PeriodUse,
    amounts,
    by_column,
    costs,
    quality,
)
from efficiency.reports.rulecounts import RuleCount, rule_counts
from efficiency.service.pending import Balance
from efficiency.symbiosis.matching import Match
from metering.figures import FIGURES, PARK_FIGURES, FigureSpec, Period, figure_utility
from metering.meters import Meter, Role
from metering.park import Park, Tenant
from metering.quantities import UTILITIES, Utility
from store.client import Store
from store.schema import EDGE

Columns = tuple[float | None, ...]
"""One value per day of the month or month of the year."""


@dataclass(frozen=True, slots=True)
class MeterQuality:
    """A meter's completeness per column, and over the whole period."""

    meter: Meter
    columns: tuple[float, ...]
    whole: DataQuality


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What reports of tenants and of parks have in common; `made_on` is the local day of the report.

    `waiting`: figures of the period are still being computed again, and may contradict each other.
    """

    park: Park
    period: ReportPeriod
    made_on: date
    waiting: bool
    bands: Mapping[str, Columns]
    solar: Columns
    utilities: Mapping[Utility, Columns]
    load: Mapping[LoadHour, float]
    quality: tuple[MeterQuality, ...]
    touched: tuple[RuleCount, ...]

    @property
    def running(self) -> bool:
        """Whether the period is still running."""
        return self.made_on < self.period.until

    @property
    def empty(self) -> bool:
        """Whether nothing is stored for the period."""
        return all(each.whole.completeness == 0 for each in self.quality)


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantReport(Common):
    """One tenant. `daily` has its figures by day, `months` by month of a year; costs are in VND.

    `baselines` are those of the tenant and of its meters.
    """

    tenant: Tenant
    entries: Mapping[str, Entry]
    daily: Mapping[date, Figures]
    months: Mapping[date, Figures]
    costs: Mapping[Utility, float]
    band_costs: Mapping[str, float]
    baselines: tuple[BaselineSums, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One meter below a main meter: its use on the days on which the balance could be computed."""

    meter: Meter
    amount: float
    into: bool


@dataclass(frozen=True, slots=True)
class MainBalance:
    """Balance of one main meter over the period, and its parts."""

    main: Meter
    figures: Figures
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkReport(Common):
    """The whole park. `intakes`: by utility, what came in at the park's edge; `edges`: its four numbers.

    `tenants`, by id, are those who had a meter in the period, and those present who never had one.
    """

    intakes: Mapping[Utility, Entry]
    edges: Mapping[Utility, Figures]
    own: Mapping[str, Entry]
    tenants: Mapping[str, Mapping[str, Entry]]
    mains: tuple[MainBalance, ...]
    matches: tuple[Match, ...]
    inventory: tuple[InventoryRow, ...] = ()
    watched: tuple[Watched, ...] = ()

    @property
    def present(self) -> list[Tenant]:
        """The tenants in `tenants`, in the order of the park file."""
        return [self.park.tenant[name] for name in self.tenants]


async def tenant_report(store: Store, park: Park, tenant: Tenant, period: ReportPeriod, made_on: date) -> TenantReport:
    """Read the report of a tenant from the store."""
    over = await reading.over(store, park, period, made_on)
    use = await reading.period_use(store, park, over, tenant.id)
    fence = fence_counted(park, tenant.id, over)
    by_utility = {utility: costs(use.of(points)) for utility, points in fence.items()}
    mine = own_counted(park, tenant.id, over)
    daily = await reading.figures(store, park, period, Period.DAY, tenant.id)
    months = await reading.figures(store, park, period, Period.MONTH, tenant.id)
    made = counted((each for each in fence_spans(park, tenant.id, over) if each.generates), over)
    return TenantReport(
        park=park,
        period=period,
        made_on=made_on,
        waiting=await reading.waiting(store, park, period),
        bands=_bands(period, use.of(fence[Utility.ELECTRICITY])),
        solar=by_column(period, amounts(use.of(made))),
        utilities=_utilities(period, use, fence),
        load=await reading.hourly_load(store, park, period, over, fence[Utility.ELECTRICITY]),
        quality=_quality(period, use.of(mine), park),
        touched=await rule_counts(store, park, period, tenant.id),
        tenant=tenant,
        entries=(await _entries(store, park, period, use, [tenant]))[tenant.id],
        daily=daily.get(tenant.id, {}),
        months=months.get(tenant.id, {}),
        costs={utility: sum(bands.values()) for utility, bands in by_utility.items() if bands},
        band_costs=by_utility[Utility.ELECTRICITY],
        baselines=await baseline_sums(store, park, period, tenant.id),
    )


async def park_report(store: Store, park: Park, period: ReportPeriod, made_on: date) -> ParkReport:
    """Read the report of a park from the store."""
    over = await reading.over(store, park, period, made_on)
    use = await reading.period_use(store, park, over)
    edge: dict[Utility, Counted] = {
        utility: counted(edge_points(park, utility, over), over)
        for utility in Utility
        if utility is not Utility.PRODUCTION
    }
    every = counted(park.tenures(), over)
    here = [each for each in park.tenants if _was_there(park, each, period)]
    now = await reading.balances(store, park, period, period.kind)
    before = await reading.balances(store, park, period.before, period.kind)
    at_edge = {utility: now.get(Balance(utility, EDGE)) for utility in Utility}
    edges = {utility: found[period.first] for utility, found in at_edge.items() if found is not None}
    return ParkReport(
        park=park,
        period=period,
        made_on=made_on,
        waiting=await reading.waiting(store, park, period),
        bands=_bands(period, use.of(edge[Utility.ELECTRICITY])),
        solar=by_column(period, amounts(use.of(counted(generation(park, over), over)))),
        utilities=_utilities(period, use, edge),
        load=await reading.hourly_load(store, park, period, over, edge[Utility.ELECTRICITY]),
        quality=_quality(period, use.of(every), park),
        touched=await rule_counts(store, park, period),
        intakes={
            utility: _intake(utility, figures, before.get(Balance(utility, EDGE), {}).get(period.before.first, {}))
            for utility, figures in edges.items()
        },
        edges=edges,
        own=_own(
            await reading.park_figures(store, park, period), await reading.park_figures(store, park, period.before)
        ),
        tenants=await _entries(store, park, period, use, here),
        mains=await _mains(store, park, period, use, now),
        matches=await reading.matches(store, park, period),
        inventory=await _inventory(store, park, period, use, made_on) if period.month is None else (),
        watched=await watched(store, park, period, made_on) if period.month is None else (),
    )


def _was_there(park: Park, tenant: Tenant, period: ReportPeriod) -> bool:
    if park.points_of_tenant(tenant.id):
        return bool(own_counted(park, tenant.id, period.span(park)))
    return tenant.since < period.until and (tenant.until is None or period.first < tenant.until)


async def _inventory(
    store: Store, park: Park, period: ReportPeriod, use: PeriodUse, until: date
) -> tuple[InventoryRow, ...]:
    """The park as a whole first, then its tenants."""
    rows = [*whole_park_rows(park, period, use, until)]
    for tenant in park.tenants:
        own = await reading.period_use(store, park, use.over, tenant.id)
        rows += tenant_rows(park, tenant, period, own, until)
    return tuple(rows)


async def _entries(
    store: Store, park: Park, period: ReportPeriod, use: PeriodUse, tenants: Sequence[Tenant]
) -> dict[str, dict[str, Entry]]:
    """The figures of tenants, each with that of the period before."""
    now = await reading.figures(store, park, period, period.kind)
    past = await reading.figures(store, park, period.before, period.kind)
    found = {}
    for tenant in tenants:
        units = reading.units_of(park, tenant.id, period)
        nothing = figures_in({}, units=units)
        found[tenant.id] = entries_of(
            now.get(tenant.id, {}).get(period.first, nothing),
            past.get(tenant.id, {}).get(period.before.first, nothing),
            _revisions(park, tenant.id, use),
        )
    return found


def _revisions(park: Park, tenant: str, use: PeriodUse) -> dict[str, date | None]:
    """The day of the newest revision of the data of each utility's figure, and under "" of all the tenant's data."""
    found = {"": _revised(use, own_counted(park, tenant, use.over))}
    fence = fence_counted(park, tenant, use.over)
    for name in FIGURES:
        utility = figure_utility(name)
        if utility is not None:
            found[name] = _revised(use, fence[utility])
    return found


def _revised(use: PeriodUse, points: Counted) -> date | None:
    days = (one for meter in use.of(points).values() for one in meter.values())
    return max((one.revised for one in days if one.revised is not None), default=None)


def _bands(period: ReportPeriod, use: MeterDays) -> dict[str, Columns]:
    names = {band for days in use.values() for day in days.values() for band in day.amount}
    return {band: by_column(period, amounts(use, band)) for band in sorted(names)}


def _utilities(period: ReportPeriod, use: PeriodUse, points: Mapping[Utility, Counted]) -> dict[Utility, Columns]:
    return {
        utility: by_column(period, amounts(use.of(found)))
        for utility, found in points.items()
        if found and utility is not Utility.ELECTRICITY
    }


def _quality(period: ReportPeriod, use: MeterDays, park: Park) -> tuple[MeterQuality, ...]:
    return tuple(
        MeterQuality(meter, _completeness(period, use[meter.id]), quality([use[meter.id]], period.days))
        for meter in park.meters
        if meter.id in use
    )


def _completeness(period: ReportPeriod, days: Mapping[date, reading.DayUse]) -> tuple[float, ...]:
    """Of one meter, per day of a month or per month of a year."""
    if period.month is not None:
        return tuple(days[day].completeness if day in days else 0.0 for day in period.days)
    months = (ReportPeriod(month.year, month.month) for month in period.months)
    return tuple(quality([days], month.days).completeness for month in months)


def _intake(utility: Utility, now: Figures, before: Figures) -> Entry:
    spec = UTILITIES[utility]
    nothing = figures_in({}, (INCOMING,), {INCOMING: spec.unit})[INCOMING]
    return Entry(FigureSpec(spec.figure, spec.unit, spec.label, "F14"), now[INCOMING], before.get(INCOMING, nothing))


def _own(now: Figures, before: Figures) -> dict[str, Entry]:
    return {name: Entry(spec, now[name], before[name]) for name, spec in PARK_FIGURES.items()}


async def _mains(
    store: Store,
    park: Park,
    period: ReportPeriod,
    use: PeriodUse,
    found: Mapping[Balance, Mapping[date, Figures]],
) -> tuple[MainBalance, ...]:
    by_day = await reading.balances(store, park, period, Period.DAY)
    result = []
    for meter in park.meters:
        figures = found.get(Balance(meter.utility, meter.id), {}).get(period.first)
        if figures is not None:
            days = by_day.get(Balance(meter.utility, meter.id), {})
            computed = {day for day, each in days.items() if each[LOSS].value is not None}
            result.append(MainBalance(meter, figures, _branches(park, meter, use, computed)))
    return tuple(result)


def _branches(park: Park, main: Meter, use: PeriodUse, days: set[date]) -> tuple[Branch, ...]:
    found: dict[str, Branch] = {}
    for tenure in park.children(main.id, use.over):
        by_day = amounts(use.of(counted([tenure], use.over)))
        value = sum(by_day.get(day, 0.0) for day in days)
        into = tenure.belonging.role is Role.GENERATION
        value += found[tenure.meter.id].amount if tenure.meter.id in found else 0.0
        found[tenure.meter.id] = Branch(tenure.meter, value, into=into)
    return tuple(found.values())
