"""Use of several meters together, and the figure of a period: sums first, never means of ratios."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from efficiency.indicators.figure import Figure, absent, period_sum
from efficiency.usage.intervals import Bools, Floats
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.valued import Reason, Valued


@dataclass(frozen=True, slots=True)
class Series:
    """Use per quarter hour of one or more meters: `amount` is NaN where none is known; shares are of all meters."""

    amount: Floats
    completeness: Floats
    estimated: Floats

    def figure(self, unit: str) -> Figure:
        """Sum over the whole of it."""
        return period_sum(self.amount, self.completeness, self.estimated, unit)

    def where(self, chosen: Bools) -> "Series":
        """Some of the quarter hours."""
        return Series(self.amount[chosen], self.completeness[chosen], self.estimated[chosen])

    @property
    def whole(self) -> Bools:
        """Quarter hours in which every meter is complete."""
        return np.asarray((self.completeness == 1) & np.isfinite(self.amount))


def together(uses: Sequence[QuarterHours]) -> Series | None:
    """The sum of meters; None where there is none."""
    if not uses:
        return None
    amounts = np.stack([use.amount for use in uses])
    known = np.isfinite(amounts)
    amount = np.where(known, amounts, 0.0).sum(axis=0)
    return Series(
        np.where(known.any(axis=0), amount, np.nan),
        np.stack([use.completeness for use in uses]).mean(axis=0),
        np.stack([use.estimated for use in uses]).mean(axis=0),
    )


def valued_sum(parts: Sequence[tuple[QuarterHours, Valued]], unit: str) -> Figure:
    """Sum of money, carbon or energy over meters and intervals.

    Where use is known but its price or factor is not, there is no sum.
    """
    if not parts:
        return absent(unit, Reason.NO_METER)
    missing = 0
    for use, valued in parts:
        asked = np.isfinite(use.amount)
        missing |= int(np.bitwise_or.reduce(valued.reasons[asked], initial=0)) & ~int(Reason.NO_DATA)
    return period_sum(
        np.concatenate([valued.value for _, valued in parts]),
        np.concatenate([use.completeness for use, _ in parts]),
        np.concatenate([use.estimated for use, _ in parts]),
        unit,
        missing,
    )
