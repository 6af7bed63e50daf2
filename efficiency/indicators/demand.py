"""F9: demand as 30-minute block averages, and what follows from it."""

from dataclasses import dataclass

import numpy as np

from efficiency.indicators.figure import Figure, absent, figure
from efficiency.indicators.series import Series
from efficiency.usage.intervals import QUARTER_MS, Floats, Times
from efficiency.valuation.valued import Reason

BLOCK_MS = 2 * QUARTER_MS
_BLOCKS_PER_HOUR = 2
_BASE_PERCENTILE = 5.0
"""Base load is what demand exceeds 95 % of the time: the minimum itself would be a matter of chance."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Figures of one period, kW and a share."""

    mean: Figure
    highest: Figure
    base: Figure
    load_factor: Figure


def blocks(start: Times, electricity: Series) -> tuple[Times, Floats]:
    """Starts of the half hours that lie whole in the series, and their mean power, kW; NaN unless it is all known."""
    first = int(np.searchsorted(start, -(-int(start[0]) // BLOCK_MS) * BLOCK_MS)) if len(start) else 0
    last = first + (len(start) - first) // 2 * 2
    amount = np.where(electricity.whole, electricity.amount, np.nan)[first:last]
    return start[first:last:2], (amount[::2] + amount[1::2]) * _BLOCKS_PER_HOUR


def demand(start: Times, electricity: Series) -> Demand:
    """Demand of a period; `start` are its quarter hours, without holes."""
    _, power = blocks(start, electricity)
    known = power[np.isfinite(power)]
    if not len(known):
        none, no_share = absent("kW", Reason.NO_DATA), absent("", Reason.NO_DATA)
        return Demand(none, none, none, no_share)
    completeness, estimated = len(known) / len(power), float(electricity.estimated.mean())

    def of(value: float, unit: str = "kW") -> Figure:
        return figure(value, unit, completeness, estimated)

    highest, mean = float(known.max()), float(known.mean())
    load = of(mean / highest, "") if highest > 0 else absent("", Reason.ZERO_DENOMINATOR, completeness)
    return Demand(of(mean), of(highest), of(float(np.percentile(known, _BASE_PERCENTILE))), load)
