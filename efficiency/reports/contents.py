"""What a report shows, gathered from the store into frozen models; how it looks is the business of `pages`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from efficiency.indicators.figure import Figure, absent, figure
from efficiency.indicators.performance import fence_meters
from efficiency.reports import reading
from efficiency.reports.baselines import BaselineSums, baseline_sums
from efficiency.reports.entries import Entry, amounts, by_column, completeness, costs, months_of, tenant_entries
from efficiency.reports.names import UTILITY_LABEL
from efficiency.reports.periods import ReportPeriod
from efficiency.reports.reading import Fields, MeterDays
from efficiency.reports.reasons import generating
from efficiency.reports.sums import Loss, Worth, amount, period_loss, worth
from efficiency.reports.touched import Touched, touched
from efficiency.valuation.valued import Reason
from metering.figures import Period
from metering.meters import Meter, Role
from metering.park import Park, Tenant
from metering.quantities import UTILITIES, Utility
from store.client import Store

Columns = tuple[float | None, ...]
"""One value per day of the month or month of the year."""


@dataclass(frozen=True, slots=True)
class Quality:
    """A meter's completeness per column, and its worth over the whole period."""

    meter: Meter
    columns: tuple[float, ...]
    whole: Worth


@dataclass(frozen=True, slots=True)
class Common:
    """What the reports of tenants and parks have in common; `made_on` is the local day it was made on."""

    park: Park
    period: ReportPeriod
    made_on: date
    bands: Mapping[str, Columns]
    solar: Columns
    utilities: Mapping[Utility, Columns]
    load: Mapping[tuple[date, int], float]
    quality: tuple[Quality, ...]
    touched: tuple[Touched, ...]

    @property
    def running(self) -> bool:
        """Whether the period is not over yet."""
        return self.made_on < self.period.until

    @property
    def empty(self) -> bool:
        """Whether the store knows nothing of this period."""
        return all(each.whole.completeness == 0 for each in self.quality)


@dataclass(frozen=True, slots=True)
class TenantReport(Common):
    """One tenant. `performance` holds the daily figures by day, `months` the monthly ones of the year, `costs` VND.

    `baselines` are those of the tenant and of its meters.
    """

    tenant: Tenant
    entries: Mapping[str, Entry]
    performance: Mapping[date, Fields]
    months: Mapping[date, Fields]
    costs: Mapping[Utility, float]
    band_costs: Mapping[str, float]
    baselines: tuple[BaselineSums, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One meter below a main meter: what passed it on the days on which the balance could be computed."""

    meter: Meter
    amount: float
    into: bool


@dataclass(frozen=True, slots=True)
class ParkReport(Common):
    """The whole park. `totals` by utility at the park's edge; `tenants` by id."""

    totals: Mapping[Utility, Entry]
    generated: Figure
    sums: Mapping[str, Figure]
    tenants: Mapping[str, Mapping[str, Entry]]
    losses: tuple[Loss, ...]
    branches: Mapping[str, tuple[Branch, ...]]


async def tenant_report(store: Store, park: Park, tenant: Tenant, period: ReportPeriod, made_on: date) -> TenantReport:
    """Read what the store holds of a tenant and period."""
    use = await reading.daily_use(store, park, period, tenant.id)
    months = await _months(store, park, period, tenant.id)
    daily = await reading.figures(store, park, period, Period.DAY, tenant.id)
    fence = {utility: fence_meters(park, tenant.id, utility) for utility in Utility}
    electricity, made = fence[Utility.ELECTRICITY], generating(park, tenant.id)
    by_utility = {utility: costs(use, meters) for utility, meters in fence.items()}
    return TenantReport(
        park,
        period,
        made_on,
        _bands(period, use, electricity),
        by_column(period, amounts(use, made)),
        _utilities(period, use, fence),
        await reading.hourly_load(store, park, period, [meter.id for meter in electricity]),
        _quality(period, use, [meter for meter in park.meters if meter.tenant == tenant.id]),
        await touched(store, park, period, tenant.id),
        tenant,
        tenant_entries(park, tenant, period, months.get(tenant.id, {}), use),
        daily.get(tenant.id, {}),
        months_of(months.get(tenant.id, {}), period),
        {utility: sum(bands.values()) for utility, bands in by_utility.items() if bands},
        by_utility[Utility.ELECTRICITY],
        await baseline_sums(store, park, period, tenant.id),
    )


async def park_report(store: Store, park: Park, period: ReportPeriod, made_on: date) -> ParkReport:
    """Read what the store holds of a park and period."""
    use = await reading.daily_use(store, park, period)
    past = await reading.daily_use(store, park, period.before)
    months = await _months(store, park, period)
    by_main = await reading.balances(store, park, period)
    edge: dict[Utility, tuple[Meter, ...]] = {
        utility: edge_meters(park, utility) for utility in Utility if utility is not Utility.PRODUCTION
    }
    made = [meter for meter in park.meters if meter.role is Role.GENERATION]
    mains = [meter for meter in park.meters if meter.id in by_main]
    losses = tuple(period_loss(main, by_main[main.id], period.days) for main in mains)
    return ParkReport(
        park,
        period,
        made_on,
        _bands(period, use, edge[Utility.ELECTRICITY]),
        by_column(period, amounts(use, made)),
        _utilities(period, use, edge),
        await reading.hourly_load(store, park, period, [meter.id for meter in edge[Utility.ELECTRICITY]]),
        _quality(period, use, park.meters),
        await touched(store, park, period),
        {utility: _total(utility, meters, period, use, past) for utility, meters in edge.items() if meters},
        amount([use.get(meter.id, {}) for meter in made], period.days, UTILITIES[Utility.ELECTRICITY].unit),
        _sums(park, period, edge, use),
        {tenant.id: tenant_entries(park, tenant, period, months.get(tenant.id, {}), use) for tenant in park.tenants},
        losses,
        {loss.main.id: _branches(park, loss, use) for loss in losses},
    )


def edge_meters(park: Park, utility: Utility) -> tuple[Meter, ...]:
    """Meters at the park's edge: its main meters without one above, else all that have none above."""
    found = [
        meter
        for meter in park.meters
        if meter.utility is utility and meter.parent is None and meter.role is not Role.GENERATION
    ]
    mains = [meter for meter in found if meter.role is Role.MAIN and meter.tenant is None]
    return tuple(mains or found)


async def _months(
    store: Store, park: Park, period: ReportPeriod, tenant: str | None = None
) -> dict[str, dict[date, Fields]]:
    now = await reading.figures(store, park, period, Period.MONTH, tenant)
    before = await reading.figures(store, park, period.before, Period.MONTH, tenant)
    return {name: {**before.get(name, {}), **now.get(name, {})} for name in {*now, *before}}


def _bands(period: ReportPeriod, use: MeterDays, meters: Sequence[Meter]) -> dict[str, Columns]:
    names = {band for meter in meters for day in use.get(meter.id, {}).values() for band in day.amount}
    return {band: by_column(period, amounts(use, meters, band)) for band in sorted(names)}


def _utilities(
    period: ReportPeriod, use: MeterDays, meters: Mapping[Utility, Sequence[Meter]]
) -> dict[Utility, Columns]:
    return {
        utility: by_column(period, amounts(use, found))
        for utility, found in meters.items()
        if found and utility is not Utility.ELECTRICITY
    }


def _quality(period: ReportPeriod, use: MeterDays, meters: Sequence[Meter]) -> tuple[Quality, ...]:
    return tuple(
        Quality(meter, completeness(period, use.get(meter.id, {})), worth([use.get(meter.id, {})], period.days))
        for meter in meters
    )


def _total(utility: Utility, meters: Sequence[Meter], period: ReportPeriod, use: MeterDays, past: MeterDays) -> Entry:
    unit = UTILITIES[utility].unit
    now = [use.get(meter.id, {}) for meter in meters]
    before = [past.get(meter.id, {}) for meter in meters]
    label = UTILITY_LABEL[utility]
    return Entry(
        utility.value,
        label,
        "F1",
        0,
        amount(now, period.days, unit),
        amount(before, period.before.days, unit),
        worth(now, period.days).revised,
    )


def _sums(
    park: Park, period: ReportPeriod, edge: Mapping[Utility, Sequence[Meter]], use: MeterDays
) -> dict[str, Figure]:
    """Emissions and primary energy of what came over the park's edge.

    What the park makes of it and sells on (steam, compressed air, chilled water) is not counted a second time.
    """
    fuels = [meter for utility in park.factors.scope1 for meter in edge.get(utility, ())]
    return {
        "co2e_scope1_kg": _added(use, fuels, period, "co2e_kg", "kg"),
        "co2e_scope2_kg": _added(use, edge[Utility.ELECTRICITY], period, "co2e_kg", "kg"),
        "toe": _added(use, [*fuels, *edge[Utility.ELECTRICITY]], period, "toe", "TOE"),
    }


def _added(use: MeterDays, meters: Sequence[Meter], period: ReportPeriod, field: str, unit: str) -> Figure:
    if not meters:
        return absent(unit, Reason.NO_METER)
    days = [use.get(meter.id, {}) for meter in meters]
    quality = worth(days, period.days)
    measured = [one for each in days for one in each.values() if one.whole is not None]
    values = [getattr(one, field) for one in measured]
    if not values or None in values:
        return absent(unit, Reason.NO_FACTOR if values else Reason.NO_DATA, quality.completeness)
    return figure(sum(values), unit, quality.completeness, quality.estimated)


def _branches(park: Park, loss: Loss, use: MeterDays) -> tuple[Branch, ...]:
    found = []
    for meter in (tenure.meter for tenure in park.children(loss.main.id)):
        by_day = amounts(use, [meter])
        value = sum(by_day.get(day, 0.0) for day in loss.computed)
        found.append(Branch(meter, value, into=meter.role is Role.GENERATION))
    return tuple(found)
