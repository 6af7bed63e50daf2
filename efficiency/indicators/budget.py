"""F18: what a tenant's budget allows for the part of a month that has passed, and how much of that was spent.

A month's budget falls evenly on its quarter hours. So the budgets of its days add up to that of the month, and one that
has just begun is compared with what it may have cost by now, not with the whole.
"""

from collections.abc import Sequence

import numpy as np

from efficiency.indicators.figure import Figure, absent, figure, ratio
from efficiency.valuation.localtime import Slots, on_days
from efficiency.valuation.valued import Reason
from metering.dated import HistoryEntry


def budget_figures(
    monthly: Sequence[HistoryEntry[float]], when: Slots, quarters: int, cost: Figure
) -> dict[str, Figure]:
    """Budget of the quarter hours `when`, all of one month that has `quarters` of them, and `cost` over it."""
    each = on_days(monthly, lambda entry: entry.value, when.day) / quarters
    known = len(each) > 0 and not np.isnan(each).any()
    allowed = figure(float(each.sum()), "VND", 1.0, 0.0) if known else absent("VND", Reason.NO_BUDGET, 1.0)
    return {"budget_vnd": allowed, "budget_share": ratio(cost, allowed, "")}
