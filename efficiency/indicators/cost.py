"""Cost of a tenant's use over a period: before and after surcharge and VAT, and against its budget.

F10 gives the cost of each quarter hour; here they are added up, with reasons where there is no sum. F18: a month's
budget is spread evenly over its quarter hours, so that of a month that has just begun is what may have been spent by
now; cost is compared with the budget of the quarter hours of which the cost is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from efficiency.indicators.figure import Figure, absent, figure
from efficiency.indicators.series import Portion, UseSeries, together
from efficiency.usage.intervals import QUARTER_MS, Bools, Floats
from efficiency.valuation.localtime import Slots, day_of, on_days, period_span
from efficiency.valuation.money import band_shares
from efficiency.valuation.valued import NOTHING, ValueReason
from metering.dated import at, value_on
from metering.figures import Period
from metering.park import Park, Tenant
from metering.quantities import Utility

COST = "cost_vnd"


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a tenant over a period, before surcharge and VAT: as a figure, by quarter hour, and by utility."""

    figure: Figure
    series: UseSeries | None
    by_utility: Mapping[Utility, UseSeries]
    missing: ValueReason


def cost_of(park: Park, tenant: Tenant, use: Mapping[Utility, Sequence[Portion]], when: Slots) -> Cost:
    """Cost of all that has a price: electricity by its tariff, and each other utility that the park file prices."""
    priced = {
        utility: portions
        for utility, portions in use.items()
        if portions and (utility is Utility.ELECTRICITY or utility in park.tariffs.prices)
    }
    missing = NOTHING
    by_utility: dict[Utility, UseSeries] = {}
    costs: list[Portion] = []
    for utility, portions in priced.items():
        each = [portion.column(COST) for portion in portions]
        costs += each
        lacking = np.logical_or.reduce([portion.missing(COST) for portion in portions])
        missing |= _why(park, tenant, utility, when, lacking)
        series = together(each)
        if series is not None:
            by_utility[utility] = series
    whole = together(costs)
    if whole is None:
        return Cost(absent("₫", ValueReason.NO_METER), None, {}, ValueReason.NO_METER)
    return Cost(whole.figure("₫", missing), whole, by_utility, missing)


def _why(park: Park, tenant: Tenant, utility: Utility, when: Slots, lacking: Bools) -> ValueReason:
    """Why use of these quarter hours has no cost; empty where all has one."""
    if not lacking.any():
        return NOTHING
    tariff = park.tariffs.electricity
    if utility is not Utility.ELECTRICITY or tariff is None:
        return ValueReason.NO_PRICE
    if np.isnan(band_shares(tariff.bands, park.calendar, when)[lacking]).any():
        return ValueReason.NO_BANDS
    days = [day_of(int(day)) for day in np.unique(when.day[lacking])]
    voltages = [value_on(tenant.contract.voltage, day) for day in days]
    return ValueReason.NO_VOLTAGE if any(each not in tariff.prices for each in voltages) else ValueReason.NO_PRICE


def payable(park: Park, cost: Cost, demand: Figure, reactive: Figure | None, when: Slots) -> dict[str, Figure]:
    """F19: VAT of each utility by the rate of the day, and what is to be paid with demand charge, surcharge and VAT.

    Demand charge and surcharge are taxed at the rate of the last day. Where there is none yet (a day), or none can be
    computed, the sum is without it and says so.
    """
    if cost.series is None or cost.figure.value is None:
        none = absent("₫", cost.figure.absent_for or ValueReason.NO_DATA, cost.figure.completeness)
        return {"vat_vnd": none, "payable_vnd": none}
    tax, undated = 0.0, False
    for utility, series in cost.by_utility.items():
        rates = on_days(park.tariffs.vat.get(utility, ()), lambda entry: entry.value, when.day)
        known = np.isfinite(series.amount)
        undated |= bool((known & np.isnan(rates)).any())
        tax += float(np.nansum(series.amount * rates))
    surcharge = reactive.value if reactive is not None else None
    extra = (surcharge or 0.0) + (demand.value or 0.0)
    if extra:
        last = at(park.tariffs.vat.get(Utility.ELECTRICITY, ()), day_of(int(when.day[-1])))
        undated |= last is None
        tax += extra * (last.value if last is not None else 0.0)
    quality = cost.figure.completeness, cost.figure.estimated
    if undated:
        none = absent("₫", ValueReason.NO_VAT, cost.figure.completeness)
        return {"vat_vnd": none, "payable_vnd": none}
    caution = NOTHING if surcharge is not None else ValueReason.NO_SURCHARGE
    caution |= without_demand(demand) if demand.value is None else demand.reasons & ValueReason.PEAK_NOT_SURE
    paid = cost.figure.value + extra + tax
    return {"vat_vnd": figure(tax, "₫", *quality, caution), "payable_vnd": figure(paid, "₫", *quality, caution)}


def without_demand(demand: Figure) -> ValueReason:
    """Remarks on an amount that excludes the demand charge; empty where the tariff has none."""
    return NOTHING if demand.reasons & ValueReason.ONE_COMPONENT else ValueReason.NO_DEMAND_CHARGE


def budget_figures(park: Park, tenant: Tenant, when: Slots, cost: Cost, accrued: Floats) -> dict[str, Figure]:
    """F18: the budget of the quarter hours `when`, all of one month, and `cost` as a share of it.

    Those count in which the tenant had anything to pay for. `accrued` is the part of the demand charge for each.
    """
    month = period_span(park, Period.MONTH, day_of(int(when.day[0])))
    monthly = on_days(tenant.budget_vnd_per_month, lambda entry: entry.value, when.day)
    each = monthly / ((month.end - month.start) // QUARTER_MS)
    if np.isnan(each).any():
        none = absent("₫", ValueReason.NO_BUDGET, 1.0)
        return {"budget_vnd": none, "budget_share": absent("1", cost.figure.absent_for | ValueReason.NO_BUDGET)}
    if cost.series is None or not np.isfinite(cost.series.amount).any():  # such a month is not computed again each day
        why = cost.figure.absent_for | ValueReason.NO_DATA
        return {"budget_vnd": absent("₫", why), "budget_share": absent("1", why)}
    mine, everywhere = cost.series.expected, np.ones(len(each))
    allowed = UseSeries(np.where(mine, each, np.nan), everywhere, 0 * everywhere, 0 * everywhere, mine)
    return {"budget_vnd": allowed.figure("₫"), "budget_share": _share(cost, accrued, each)}


def _share(cost: Cost, accrued: Floats, budget: Floats) -> Figure:
    """Cost over the budget of the quarter hours in which any cost is known, as complete as the cost is.

    Not only of those in which every meter is complete: with one dead meter of many there would be no figure all month.
    """
    if cost.series is None or cost.missing:
        return absent("1", cost.missing or ValueReason.NO_METER)
    known = np.isfinite(cost.series.amount)
    under = float(budget[known].sum())
    if not under:
        return absent("1", ValueReason.ZERO_DENOMINATOR, cost.series.complete)
    share = float((cost.series.amount + accrued)[known].sum()) / under
    return figure(share, "1", cost.series.complete, cost.series.spread, over=under)
