"""The park's own account of a month: what it bought, what it sold on, what it used itself and what was lost.

Quantities add up: intake + generated = exported + sold + own use + losses, where losses are the remainder. So does
money: the sum of the tenants' statements equals what the park sold, allocated and corrected, to the last dong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Self

import numpy as np
from pydantic import model_validator

from efficiency.closing.amounts import billed, dong, total
from efficiency.closing.billing import Billing, Charged
from efficiency.closing.monthuse import MonthUse, Passed, PointSpan
from efficiency.closing.statement import Charge, ChargeKind, Correction, Peak, PowerFactor, Statement
from efficiency.indicators.balance import Tap, class_errors, edge_mains, edge_taps
from efficiency.indicators.demandcharge import demand_pieces
from metering.dated import Sourced
from metering.model import Model
from metering.quantities import UTILITIES, Utility


class EdgeFlow(Model):
    """Quantities of a utility at the park's edge, and what was paid for them.

    `band` is the uncertainty of the losses, as in F14; `error` that of the intake. F23: own use and losses cost the
    average of a unit of the intake, with the demand charge, before VAT.
    """

    intake: float
    generated: float
    exported: float
    sold: float
    own: float
    losses: float
    band: float
    error: float
    purchase: tuple[Charge, ...] = ()
    power_factor: PowerFactor | None = None
    peak: Peak | None = None
    purchase_vnd: int | None = None
    own_vnd: int | None = None
    losses_vnd: int | None = None

    def worth(self, quantity: float) -> int | None:
        """F23: what a quantity cost; None if no purchase price is known."""
        use = sum(charge.net_vnd for charge in self.purchase if charge.kind is not ChargeKind.REACTIVE)
        return dong(quantity, use / self.intake) if use and self.intake else None


class UtilityAccount(Model):
    """One utility: its `flow` if the park has main meters of it, and what tenants are charged before VAT.

    F27: the margin is what they are charged less what was paid; None if that is not known.
    """

    utility: Utility
    unit: str
    flow: EdgeFlow | None = None
    use_vnd: int = 0
    demand_vnd: int = 0
    reactive_vnd: int = 0
    allocated_vnd: int = 0
    corrections_vnd: int = 0
    margin_vnd: int | None = None

    @property
    def sales_vnd(self) -> int:
        """All that tenants are charged of it."""
        return self.use_vnd + self.demand_vnd + self.reactive_vnd + self.allocated_vnd + self.corrections_vnd


class ParkAccount(Model):
    """All utilities, and the sums of the statements."""

    utilities: tuple[UtilityAccount, ...]
    net_vnd: int
    vat_vnd: int
    total_vnd: int

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if sum(each.sales_vnd for each in self.utilities) != self.net_vnd:
            raise ValueError("the utilities do not add up to what the tenants are charged")
        return self


def account_of(flows: Sequence[UtilityAccount], statements: Sequence[Statement]) -> ParkAccount:
    """The park's account from its flows and the statements."""
    lines = [line for each in statements for line in each.lines]
    missing = {line.utility for line in lines} - {each.utility for each in flows}
    every = [*flows, *(UtilityAccount(utility=each, unit=UTILITIES[each].unit) for each in Utility if each in missing)]
    return ParkAccount(
        utilities=tuple(_with_sales(each, [line for line in lines if line.utility is each.utility]) for each in every),
        net_vnd=sum(each.net_vnd for each in statements),
        vat_vnd=sum(each.vat_vnd for each in statements),
        total_vnd=sum(each.total_vnd for each in statements),
    )


def _with_sales(account: UtilityAccount, lines: Iterable[Charge | Correction]) -> UtilityAccount:
    sums = {"use": 0, "demand": 0, "reactive": 0, "allocated": 0, "corrections": 0}
    for line in lines:
        allocated = line.kind in {ChargeKind.LOSSES, ChargeKind.COMMON}
        name = "corrections" if isinstance(line, Correction) else "allocated" if allocated else line.kind.value
        sums[name] += line.net_vnd
    paid = account.flow.purchase_vnd if account.flow is not None else None
    margin = None if paid is None else sum(sums.values()) - paid
    return account.model_copy(update={f"{name}_vnd": each for name, each in sums.items()} | {"margin_vnd": margin})


def flows_of(month: MonthUse, statements: Sequence[Statement], billing: Billing) -> tuple[UtilityAccount, ...]:
    """Flows of every utility for which the park has a main meter; a missing purchase price is an obstacle."""
    found = []
    for utility in Utility:
        mains = edge_mains(month.park, utility, month.span)
        if mains:
            flow = _flow(month, utility, mains, statements, billing)
            found.append(UtilityAccount(utility=utility, unit=UTILITIES[utility].unit, flow=flow))
    return tuple(found)


def _flow(
    month: MonthUse, utility: Utility, mains: Sequence[Tap], statements: Sequence[Statement], billing: Billing
) -> EdgeFlow:
    taps = (*mains, *edge_taps(month.park, utility, month.span))
    sizes = [_size(month, tap) for tap in taps]
    bought = bought_at(mains, month, utility, billing)
    sums = {"intake": 0.0, "generated": 0.0, "exported": 0.0, "own": 0.0}
    for place, (tap, size) in enumerate(zip(taps, sizes, strict=True)):
        side = ("intake" if tap.into else "exported") if place < len(mains) else "generated" if tap.into else "own"
        sums[side] += size.amount if side != "own" or tap.tenant is None else 0.0
    flows = {name: billed(amount) for name, amount in sums.items()}
    energy = [charge for charge in bought.charges if charge.kind is ChargeKind.USE]
    flows["intake"] = total(charge.quantity for charge in energy) or flows["intake"]
    resold = {tap.meter.id for tap in taps if tap.tenant is not None and not tap.into}
    sold = total(point.quantity for each in statements for point in each.points if point.point in resold)
    out = (flows["exported"], sold, flows["own"])
    flow = EdgeFlow(
        **flows,
        sold=sold,
        losses=total((flows["intake"], flows["generated"], *(-each for each in out))),
        band=billed(hypot(*(size.error for size in sizes))),
        error=billed(hypot(*(size.error for size in sizes[: len(mains)]))),
        purchase=bought.charges,
        power_factor=bought.power_factor,
        peak=month.peak(bought.points, month.span) if utility is Utility.ELECTRICITY else None,
        purchase_vnd=sum(charge.net_vnd for charge in bought.charges) if bought.charges else None,
    )
    return flow.model_copy(update={"own_vnd": flow.worth(flow.own), "losses_vnd": flow.worth(flow.losses)})


@dataclass(frozen=True, slots=True)
class Bought:
    """What came in at the main meters, and its cost."""

    points: tuple[Passed, ...]
    charges: tuple[Charge, ...]
    power_factor: PowerFactor | None


def bought_at(mains: Iterable[Tap], month: MonthUse, utility: Utility, billing: Billing) -> Bought:
    """The purchase of a utility: use by band, the demand charge of all mains together, the surcharge."""
    charged = [
        Charged(passed, tuple(billing.charges(passed, _prices(month, utility))))
        for passed in (month.passed(_point(tap)) for tap in mains if tap.into)
    ]
    points, energy = tuple(each.passed for each in charged), [charge for each in charged for charge in each.charges]
    factor = billing.power_factor(charged) if energy else None
    demand: Iterable[Charge] = ()
    if utility is Utility.ELECTRICITY and points:
        entries = month.park.tariffs.purchase.electricity
        pieces = demand_pieces(entries, month.span, month.span, month.park.zone)
        demand = billing.demand(pieces, points, month.park.id)
    return Bought(points, (*energy, *demand, *billing.surcharge(factor)), factor)


def _prices(month: MonthUse, utility: Utility) -> Sequence[Sourced]:
    purchase = month.park.tariffs.purchase
    return purchase.electricity if utility is Utility.ELECTRICITY else purchase.prices.get(utility, ())


def _point(tap: Tap) -> PointSpan:
    return PointSpan(tap.meter, tap.tenant or "", tap.span)


@dataclass(frozen=True, slots=True)
class _Size:
    """The amount that a tap counted, and its uncertainty by the accuracy class of the instruments."""

    amount: float
    error: float


def _size(month: MonthUse, tap: Tap) -> _Size:
    hours = month.passed(_point(tap)).hours
    amount = np.nan_to_num(hours.amount if tap.register == tap.meter.counter else hours.columns[tap.register])
    return _Size(float(amount.sum()), hypot(*class_errors(tap.meter, hours.start, amount)))
