"""What the park pays for its intake at the edge, day by day, and what losses cost at that price (F38).

The surcharge for a low power factor is that of a whole month: it is in the month's account, not in these figures.
"""

from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import or_

import numpy as np

from efficiency.indicators.balance import LOSS, balance_of_days, complete_over, edge_mains, park_balance
from efficiency.indicators.figure import Figure, absent, figure
from efficiency.indicators.series import Portion, UseSeries, together
from efficiency.usage.intervals import Span, starts_in
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import Slots, on_days, slots_over
from efficiency.valuation.money import Tariff, band_prices, band_shares, electricity_cost, flat_cost
from efficiency.valuation.valued import NOTHING, Valued, ValueReason
from metering.park import Park
from metering.quantities import Utility

BOUGHT, BOUGHT_WITH_VAT, BOUGHT_PRICE, LOSS_COST = "bought_vnd", "bought_with_vat_vnd", "bought_price_vnd", "loss_vnd"

PURCHASE_FIGURES = (BOUGHT, BOUGHT_WITH_VAT, BOUGHT_PRICE, LOSS_COST)
"""Figures of the park's edge in ₫ before VAT, except the second; the third is per unit."""


def edge_figures(park: Park, utility: Utility, by_meter: Mapping[str, QuarterHours], span: Span) -> dict[str, Figure]:
    """The balance of the park's edge over exactly the span of `by_meter`, and what it costs."""
    found = park_balance(park, utility, by_meter, span)
    return found | _with_loss(found, _bought(park, utility, by_meter, span)) if found else {}


def edge_of_days(
    days: Mapping[date, Mapping[str, Figure]], lengths: Mapping[date, float], running: date | None = None
) -> dict[str, Figure]:
    """The same of a longer period from its days; `lengths` and `running` as for `balance_of_days`."""
    found = balance_of_days(days, lengths, running)
    due = {day: length for day, length in lengths.items() if length > 0}
    priced = {day: days[day] for day in due if BOUGHT in days.get(day, {})}
    bought = {
        name: _joined({day: each[name] for day, each in priced.items()}, due, running)
        for name in (BOUGHT, BOUGHT_WITH_VAT)
    }
    prices = [each[BOUGHT_PRICE] for each in priced.values() if each[BOUGHT_PRICE].value is not None]
    over = sum(each.over or 0.0 for each in prices)
    price = absent("₫", bought[BOUGHT].absent_for or ValueReason.NO_DATA, bought[BOUGHT].completeness)
    if over:
        weighed = sum((each.value or 0.0) * (each.over or 0.0) for each in prices)
        price = figure(weighed / over, "₫", bought[BOUGHT].completeness, bought[BOUGHT].estimated, over=over)
    return found | _with_loss(found, {**bought, BOUGHT_PRICE: price})


def _with_loss(balance: Mapping[str, Figure], bought: dict[str, Figure]) -> dict[str, Figure]:
    loss, price = balance[LOSS], bought[BOUGHT_PRICE]
    completeness = min(loss.completeness, price.completeness)
    cost = absent("₫", loss.absent_for | price.absent_for, completeness)
    if loss.value is not None and price.value is not None:
        estimated, reasons = max(loss.estimated, price.estimated), loss.reasons & ~ValueReason.INDICATIVE
        cost = figure(loss.value * price.value, "₫", completeness, estimated, reasons)
    return {**bought, LOSS_COST: cost}


def _joined(parts: Mapping[date, Figure], due: Mapping[date, float], running: date | None) -> Figure:
    """Sum over the days that have a value; without a price on one of them there is none."""
    known = {day: each for day, each in parts.items() if each.value is not None}
    completeness = complete_over(known, due)
    reasons = reduce(or_, (each.absent_for for each in parts.values()), NOTHING)
    unpriced = reasons & ~(ValueReason.NO_DATA | ValueReason.NOT_COMPUTED)
    if unpriced or not known:
        return absent("₫", unpriced or reasons or ValueReason.NO_DATA, completeness)
    partly = ValueReason.PARTLY if due.keys() - known.keys() - {running} else NOTHING
    estimated = max(each.estimated for each in known.values())
    return figure(sum(each.value or 0.0 for each in known.values()), "₫", completeness, estimated, partly)


def _bought(park: Park, utility: Utility, by_meter: Mapping[str, QuarterHours], span: Span) -> dict[str, Figure]:
    mains = [tap for tap in edge_mains(park, utility, span) if tap.into]
    if any(tap.meter.id not in by_meter for tap in mains):
        return dict.fromkeys((BOUGHT, BOUGHT_WITH_VAT, BOUGHT_PRICE), absent("₫", ValueReason.NO_DATA))
    when = slots_over(span, park.zone)
    use = [Portion(by_meter[tap.meter.id], starts_in(when.start, tap.span)) for tap in mains]
    valued = [_cost(park, utility, portion.hours, when) for portion in use]
    missing = reduce(or_, (_missing(one, portion) for one, portion in zip(valued, use, strict=True)), NOTHING)
    costs = [portion.with_amount(one.value) for portion, one in zip(use, valued, strict=True)]
    cost, taken = together(costs), together(use)
    rate = on_days(park.tariffs.vat.get(utility, ()), lambda entry: entry.value, when.day)
    paid = together([portion.with_amount(portion.hours.amount * (1 + rate)) for portion in costs])
    if cost is None or taken is None or paid is None:
        return dict.fromkeys((BOUGHT, BOUGHT_WITH_VAT, BOUGHT_PRICE), absent("₫", ValueReason.NO_METER))
    untaxed = ValueReason.NO_VAT if (np.isnan(rate) & np.isfinite(cost.amount)).any() else NOTHING
    return {
        BOUGHT: cost.figure("₫", missing),
        BOUGHT_WITH_VAT: paid.figure("₫", missing | untaxed),
        BOUGHT_PRICE: _price(cost, taken.positive(), missing),
    }


def _price(cost: UseSeries, taken: UseSeries, missing: ValueReason) -> Figure:
    """F23: the average cost of a unit of the intake."""
    whole = cost.figure("₫", missing)
    known = np.isfinite(cost.amount)
    over = float(taken.amount[known].sum())
    if whole.value is None or not over:
        return absent("₫", whole.absent_for or ValueReason.ZERO_DENOMINATOR, whole.completeness)
    return figure(whole.value / over, "₫", whole.completeness, whole.estimated, over=over)


def _cost(park: Park, utility: Utility, use: QuarterHours, when: Slots) -> Valued:
    purchase, tariff = park.tariffs.purchase, park.tariffs.electricity
    if utility is not Utility.ELECTRICITY:
        return flat_cost(use, purchase.prices.get(utility, ()), when)
    shares = band_shares(tariff.bands if tariff is not None else (), park.calendar, when)
    return electricity_cost(use, Tariff(shares, band_prices(purchase.electricity, when))).total


def _missing(cost: Valued, portion: Portion) -> ValueReason:
    """Why known use has no cost."""
    lacking = np.isnan(cost.value) & np.isfinite(portion.hours.amount) & portion.mine
    return ValueReason(int(np.bitwise_or.reduce(cost.reasons[lacking], initial=np.uint32(0))))
