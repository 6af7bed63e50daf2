"""The greenhouse gas inventory of a year, line by line with factor and source, and the legal thresholds.

Metered carriers: the stored use of each day times the factor of the day. Fuels: the months entered in the park file.
The park as a whole is what came in at its edge plus all entered fuels; its tenants are included.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from efficiency.indicators.greenhouse import Burnt, YearEnd, burnt, forecast
from efficiency.indicators.park import edge_points
from efficiency.reports import reading
from efficiency.reports.counted import counted, fence_counted
from efficiency.reports.periods import ReportPeriod
from efficiency.reports.reading import MeterDays, PeriodUse
from metering.dated import DatedValue, at
from metering.figures import Period
from metering.fuels import Gases, GasFactor, WarmingPotential
from metering.model import Localized
from metering.park import Park, Tenant
from metering.quantities import UTILITIES, Utility
from metering.tariffs import BoughtFactor, Factors
from store.client import Store

LOCATION, MARKET = "location", "market"
_ORDER = (Utility.NATURAL_GAS, *(utility for utility in Utility if utility is not Utility.NATURAL_GAS))
"""Scope 1 first."""


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One line: what was burnt or bought while one factor held.

    `subject` is a tenant, or None for the park as a whole; `basis` distinguishes location-based and market-based
    scope 2. `completeness` is None for entered amounts. `gases` are those of a fuel.
    """

    subject: Tenant | None
    scope: int
    basis: str
    what: Localized
    amount: float
    unit: str
    per_unit_kg: float
    co2e_kg: float
    since: date
    standing: str
    source: str
    completeness: float | None
    gases: Gases | None = None


@dataclass(frozen=True, slots=True)
class _Days:
    """The days of a period before `until`, and what is stored of them."""

    period: ReportPeriod
    use: PeriodUse
    until: date

    @property
    def over(self) -> Iterator[date]:
        """The days themselves."""
        return (day for day in self.period.days if day < self.until)


def _taken(use: MeterDays, day: date) -> float:
    """What came in through some meters on a day."""
    return sum(max(days[day].whole or 0.0, 0.0) for days in use.values() if day in days)


def tenant_rows(
    park: Park, tenant: Tenant, period: ReportPeriod, use: PeriodUse, until: date
) -> Iterator[InventoryRow]:
    """Lines of one tenant, of the days before `until`."""
    days = _Days(period, use, until)
    yield from _burnt(tenant, burnt(park, period.months, [tenant.id]))
    fence = fence_counted(park, tenant.id, use.over)
    for utility in _ORDER:
        yield from _metered(park, tenant, utility, use.of(fence[utility]), days)


def whole_park_rows(park: Park, period: ReportPeriod, use: PeriodUse, until: date) -> Iterator[InventoryRow]:
    """Lines of the park as a whole; what tenants buy under contracts of their own counts as market-based."""
    days = _Days(period, use, until)
    yield from _burnt(None, burnt(park, period.months, [None, *park.tenant]))
    for utility in (*park.factors.scope1, Utility.ELECTRICITY):
        edge = counted(edge_points(park, utility, use.over), use.over)
        yield from _metered(park, None, utility, use.of(edge), days)


_Contract = tuple[Sequence[DatedValue], MeterDays]
"""The factors of a tenant's own electricity contract, and what passes through its meters."""


def _metered(
    park: Park, tenant: Tenant | None, utility: Utility, taken: MeterDays, days: _Days
) -> Iterator[InventoryRow]:
    if utility in park.factors.scope1:
        yield from _fuel_lines(tenant, utility, _by_fuel(park.factors, utility, taken, days))
    elif utility in park.factors.scope2:
        bought = park.factors.scope2[utility]
        owners = [tenant] if tenant is not None else park.tenants
        contracts = [
            (each.contract.co2e_kg_per_kwh, days.use.of(fence_counted(park, each.id, days.use.over)[utility]))
            for each in owners
            if utility is Utility.ELECTRICITY and each.contract.co2e_kg_per_kwh
        ]
        yield from _bought_lines(tenant, utility, LOCATION, _by_factor(bought, (), taken, days))
        yield from _bought_lines(tenant, utility, MARKET, _by_factor(bought, contracts, taken, days))


@dataclass(slots=True)
class _Sum:
    """What meters measured while a factor held; `complete` of `expected` quarter hours are known."""

    amount: float = 0.0
    complete: float = 0.0
    expected: int = 0

    def add(self, amount: float, use: MeterDays, day: date) -> None:
        """Count a day."""
        self.amount += amount
        for days in use.values():
            if day in days:
                self.complete += days[day].completeness * days[day].expected
                self.expected += days[day].expected

    @property
    def completeness(self) -> float:
        """The share of quarter hours that are known."""
        return self.complete / self.expected


@dataclass(frozen=True, slots=True)
class _Burning:
    """The factor and warming potentials that hold on a day on which a metered fuel is burnt."""

    factor: GasFactor
    gwp: WarmingPotential


def _by_fuel(factors: Factors, utility: Utility, taken: MeterDays, days: _Days) -> dict[_Burning, _Sum]:
    found: dict[_Burning, _Sum] = {}
    for day in days.over:
        factor, gwp = at(factors.scope1[utility], day), at(factors.gwp, day)
        if factor is not None and gwp is not None:
            found.setdefault(_Burning(factor, gwp), _Sum()).add(_taken(taken, day), taken, day)
    return found


def _fuel_lines(tenant: Tenant | None, utility: Utility, found: Mapping[_Burning, _Sum]) -> Iterator[InventoryRow]:
    for held, measured in found.items():
        if measured.complete and measured.amount:
            gases = held.factor.gases(measured.amount)
            yield InventoryRow(
                subject=tenant,
                scope=1,
                basis="",
                what=UTILITIES[utility].label,
                amount=measured.amount,
                unit=UTILITIES[utility].unit,
                per_unit_kg=held.factor.gases(1.0).co2e_kg(held.gwp),
                co2e_kg=gases.co2e_kg(held.gwp),
                since=max(held.factor.since, held.gwp.since),
                standing=held.factor.standing,
                source=_sources(held.factor, held.gwp),
                completeness=measured.completeness,
                gases=gases,
            )


def _sources(factor: GasFactor, gwp: WarmingPotential, *further: str) -> str:
    return "; ".join((factor.source, f"{gwp.name}: {gwp.source}", *further))


def _by_factor(
    factors: Sequence[BoughtFactor], contracts: Sequence[_Contract], taken: MeterDays, days: _Days
) -> dict[DatedValue, _Sum]:
    found: dict[DatedValue, _Sum] = {}
    for day in days.over:
        rest = _taken(taken, day)
        for entries, own in contracts:
            contract = at(entries, day)
            if contract is not None:
                amount = _taken(own, day)
                found.setdefault(contract, _Sum()).add(amount, own, day)
                rest = max(rest - amount, 0.0)
        entry = at(factors, day)
        if entry is not None:
            found.setdefault(entry, _Sum()).add(rest, taken, day)
    return found


def _bought_lines(
    tenant: Tenant | None, utility: Utility, basis: str, found: Mapping[DatedValue, _Sum]
) -> Iterator[InventoryRow]:
    for entry, measured in found.items():
        if measured.complete and measured.amount:
            yield InventoryRow(
                subject=tenant,
                scope=2,
                basis=basis,
                what=UTILITIES[utility].label,
                amount=measured.amount,
                unit=UTILITIES[utility].unit,
                per_unit_kg=entry.value,
                co2e_kg=measured.amount * entry.value,
                since=entry.since,
                standing=entry.standing if isinstance(entry, BoughtFactor) else "own_contract",
                source=entry.source,
                completeness=measured.completeness,
            )


def _burnt(tenant: Tenant | None, fuels: Iterable[Burnt]) -> Iterator[InventoryRow]:
    for each in fuels:
        yield InventoryRow(
            subject=tenant,
            scope=1,
            basis="",
            what=each.fuel.name,
            amount=each.amount,
            unit=each.fuel.unit,
            per_unit_kg=each.co2e_kg / each.amount if each.amount else 0.0,
            co2e_kg=each.co2e_kg,
            since=each.factor.since,
            standing=each.factor.standing,
            source=_sources(each.factor, each.gwp, each.entered.source),
            completeness=None,
            gases=each.gases,
        )


@dataclass(frozen=True, slots=True)
class Watched:
    """A tenant and a legal threshold: the `limit` in `unit` per year, and the forecast for the year if any."""

    tenant: Tenant
    unit: str
    limit: float
    end: YearEnd | None

    @property
    def verdict(self) -> str:
        """The key of the words that compare the forecast with the limit."""
        if self.end is None:
            return "forecast_none"
        if self.end.known >= self.limit:
            return "forecast_over"
        if self.end.low >= self.limit:
            return "forecast_will"
        return "forecast_may" if self.end.high >= self.limit else "forecast_under"


_LINES = (("TOE", "toe", 1.0), ("t CO₂e", "co2e_kg", 1e-3))


async def watched(store: Store, park: Park, period: ReportPeriod, until: date) -> tuple[Watched, ...]:
    """Every tenant and the yearly thresholds that are given for it or for the whole park."""
    months = await reading.figures(store, park, period, Period.MONTH)
    found = []
    for tenant in park.tenants:
        own = park.thresholds_of(tenant.id, min(period.last, until))
        limits = (
            own.toe_per_year or park.park.thresholds.toe_per_year,
            own.co2e_t_per_year or park.park.thresholds.co2e_t_per_year,
        )
        ends = forecast(park, tenant.id, period.year, months.get(tenant.id, {}), until)
        for (unit, name, scale), limit in zip(_LINES, limits, strict=True):
            if limit is not None:
                end = ends[name]
                found.append(Watched(tenant, unit, limit, None if end is None else end.scaled(scale)))
    return tuple(found)
