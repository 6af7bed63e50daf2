"""F8: the power factor of a period, from its sums of active and reactive energy; and the surcharge on it."""

import numpy as np

from efficiency.indicators.figure import Figure, absent, figure
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.valued import Reason
from metering.tariffs import ReactiveRule


def power_factor(active: QuarterHours, reactive: QuarterHours) -> Figure:
    """F8: power factor of a period from its sums of kWh and kvarh, over the intervals in which both are known."""
    both = np.isfinite(active.amount) & np.isfinite(reactive.amount)
    if not both.any():
        return absent("cosφ", Reason.NO_DATA)
    real, blind = float(active.amount[both].sum()), float(reactive.amount[both].sum())
    completeness = float(np.minimum(active.completeness, reactive.completeness).mean())
    estimated = float(np.maximum(active.estimated, reactive.estimated).mean())
    apparent = float(np.hypot(real, blind))
    if apparent == 0:
        return absent("cosφ", Reason.ZERO_DENOMINATOR, completeness)
    return figure(real / apparent, "cosφ", completeness, estimated)


def reactive_surcharge(rule: ReactiveRule | None, factor: Figure, buyer_kw: float | None, cost: Figure) -> Figure:
    """VND on top of the `cost` of a billing cycle whose power factor is `factor`.

    Nothing for buyers under the rule's size; a buyer whose size is unknown is taken to be large enough.
    """
    if rule is None:
        return absent("VND", Reason.NO_RULE)
    if cost.value is None or factor.value is None:
        return absent("VND", (cost.reasons | factor.reasons) & ~Reason.INDICATIVE, cost.completeness)
    percent = 0.0
    if buyer_kw is None or buyer_kw >= rule.min_kw:
        percent = surcharge_percent(rule, factor.value)
    completeness = min(cost.completeness, factor.completeness)
    return figure(cost.value * percent / 100, "VND", completeness, max(cost.estimated, factor.estimated))


def surcharge_percent(rule: ReactiveRule, factor: float) -> float:
    """Percent on top at a power factor (Circular 15/2014, the values from the park file)."""
    if factor < rule.floor_power_factor:
        return rule.floor_percent
    return max(0.0, (rule.min_power_factor / factor - 1) * 100)
