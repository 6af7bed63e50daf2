"""F29: what a month's electricity costs under the tariff in force, and under the one it is compared with.

Each tenant, and the park at its main meters, is charged twice for the same stored quarter hours: energy by band, demand
charge and surcharge, before VAT. If one side cannot be charged, the reason is reported and there is no cost.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from efficiency.closing.account import bought_at
from efficiency.closing.amounts import billed, total
from efficiency.closing.billing import Billing
from efficiency.closing.monthuse import MonthUse, Passed, points_charged
from efficiency.closing.statement import Charge, ChargeKind, Peak
from efficiency.indicators.balance import edge_mains
from efficiency.valuation.valued import REASON_TEXT, ValueReason
from metering.dated import entries_between
from metering.errors import OperatorError
from metering.model import Localized
from metering.months import next_month
from metering.park import Park, Tenant
from metering.quantities import Utility
from metering.words import text

COMPARED_KINDS = (ChargeKind.USE, ChargeKind.DEMAND, ChargeKind.REACTIVE)
_NOT_COMPARED = text(
    "tariffs.electricity.compared gives no other tariff for the voltage level",
    "chưa khai báo biểu giá để so sánh cho cấp điện áp này (tariffs.electricity.compared)",
)


@dataclass(frozen=True, slots=True)
class TariffCost:
    """VND before VAT by kind of charge; `missing`: the reasons if there is no cost."""

    by_kind: Mapping[ChargeKind, int]
    missing: tuple[Localized, ...] = ()

    @property
    def total(self) -> int | None:
        """The sum; None if any of it is not known."""
        return None if self.missing else sum(self.by_kind.values())


@dataclass(frozen=True, slots=True)
class ComparedMonth:
    """A month of a tenant (None: the park itself) under the tariff in force (`holding`) and under the `other` one.

    `completeness` is that of the quarter hours: in an incomplete month, use and peak may have been higher.
    """

    month: date
    tenant: str | None
    kwh: float
    completeness: float
    estimated: float
    peak: Peak | None
    holding: TariffCost
    other: TariffCost

    @property
    def difference(self) -> int | None:
        """How much more the other tariff costs."""
        two, one = self.other.total, self.holding.total
        return None if one is None or two is None else two - one


def with_other_tariffs(park: Park) -> Park:
    """The park file with every electricity tariff replaced by the one it is compared with.

    Raises `OperatorError` if there is none to compare with.
    """
    electricity, purchase = park.tariffs.electricity, park.tariffs.purchase
    if electricity is None or not (electricity.compared or purchase.compared):
        raise OperatorError(
            f"the park file of {park.id} gives no tariff to compare with: see tariffs.electricity.compared in "
            "docs/parkfile.md"
        )
    tenants = []
    for tenant in park.tenants:
        levels = tuple(
            entry.model_copy(update={"value": electricity.other(entry.value) or ""})
            for entry in tenant.contract.voltage
        )
        contract = tenant.contract.model_copy(update={"voltage": levels})
        tenants.append(tenant.model_copy(update={"contract": contract}))
    other = purchase.model_copy(update={"electricity": purchase.compared})
    return park.with_parts(tenants=tuple(tenants), tariffs=park.tariffs.model_copy(update={"purchase": other}))


def compared(month: MonthUse) -> Iterator[ComparedMonth]:
    """The tenants in the order of the park file, then the park; those without electricity are left out."""
    other = replace(month, park=with_other_tariffs(month.park))
    for tenant in month.park.tenants:
        found = _of_tenant(month, other, tenant)
        if found is not None:
            yield found
    found = _of_park(month, other)
    if found is not None:
        yield found


def _of_tenant(month: MonthUse, other: MonthUse, tenant: Tenant) -> ComparedMonth | None:
    points = [
        month.passed(point)
        for point in points_charged(month.park, tenant.id, month.span)
        if point.meter.utility is Utility.ELECTRICITY
    ]
    if not points:
        return None
    sides = [_charged(side, side.park.tenant[tenant.id]) for side in (month, other)]
    if not _has_other(month, tenant):
        sides[1] = TariffCost({}, (_NOT_COMPARED,))
    return _month(month, tenant.id, points, *sides)


def _has_other(month: MonthUse, tenant: Tenant) -> bool:
    """Whether every voltage level at which a tenant buys in the month is compared with another one."""
    tariff = month.park.tariffs.electricity
    levels = entries_between(tenant.contract.voltage, month.first, next_month(month.first))
    return tariff is not None and all(entry is None or tariff.other(entry.value) for entry in levels)


def _charged(side: MonthUse, tenant: Tenant) -> TariffCost:
    billing = Billing(side)
    statement = billing.statement(tenant, frozenset({Utility.ELECTRICITY}))
    return _cost(statement.charges if statement is not None else (), billing)


def _of_park(month: MonthUse, other: MonthUse) -> ComparedMonth | None:
    mains = edge_mains(month.park, Utility.ELECTRICITY, month.span)
    purchase = month.park.tariffs.purchase
    if not mains or not purchase.electricity or not purchase.compared:
        return None
    points: tuple[Passed, ...] = ()
    sides = []
    for side in (month, other):
        billing = Billing(side)
        bought = bought_at(mains, side, Utility.ELECTRICITY, billing)
        points = bought.points
        sides.append(_cost(bought.charges, billing))
    return _month(month, None, points, *sides)


def _cost(charges: Iterable[Charge], billing: Billing) -> TariffCost:
    found = dict.fromkeys(COMPARED_KINDS, 0)
    for charge in charges:
        found[charge.kind] += charge.net_vnd
    return TariffCost(found, tuple(dict.fromkeys(obstacle.text for obstacle in billing.obstacles)))


def _month(
    month: MonthUse, tenant: str | None, points: Sequence[Passed], holding: TariffCost, other: TariffCost
) -> ComparedMonth:
    series = month.series(points, month.span)
    if series is None or not series.complete:
        holding = other = TariffCost({}, (REASON_TEXT[ValueReason.NO_DATA],))
    return ComparedMonth(
        month=month.first,
        tenant=tenant,
        kwh=billed(sum(sum(each.bands.values()) for each in points)),
        completeness=series.complete if series is not None else 0.0,
        estimated=series.spread if series is not None else 0.0,
        peak=month.peak(points, month.span),
        holding=holding,
        other=other,
    )


@dataclass(frozen=True, slots=True)
class ComparedSum:
    """The sum of the months of a tenant (None: the park) that could be charged under both tariffs.

    These are `compared` of `months`. `peak_kw` is the highest of them, `completeness` that of the least complete one.
    """

    tenant: str | None
    compared: int
    months: int
    kwh: float
    completeness: float
    peak_kw: float
    holding: int
    other: int

    @property
    def percent(self) -> float | None:
        """How much more the other tariff costs, in percent; None if nothing was to be paid."""
        return None if not self.holding else 100 * (self.other - self.holding) / self.holding


def summed(months: Iterable[ComparedMonth]) -> Iterator[ComparedSum]:
    """Sums of each tenant, in the order of their first appearance."""
    by_tenant: dict[str | None, list[ComparedMonth]] = {}
    for month in months:
        by_tenant.setdefault(month.tenant, []).append(month)
    for tenant, every in by_tenant.items():
        known = [each for each in every if each.difference is not None]
        yield ComparedSum(
            tenant=tenant,
            compared=len(known),
            months=len(every),
            kwh=total(each.kwh for each in known),
            completeness=min((each.completeness for each in known), default=0.0),
            peak_kw=max((each.peak.kw for each in known if each.peak is not None), default=0.0),
            holding=sum(each.holding.total or 0 for each in known),
            other=sum(each.other.total or 0 for each in known),
        )
