"""Use of several meters together by quarter hour: sums first, never means of ratios.

A meter counts only while it belongs to the figure's subject: other quarter hours of it are neither missing nor known.
Two sums are divided over the quarter hours in which both are fully known, and over no others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from efficiency.indicators.figure import Figure, absent, figure
from efficiency.usage.intervals import Bools, Floats
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.valued import NOTHING, ValueReason


@dataclass(frozen=True, slots=True)
class Portion:
    """Quarter hours of one meter over a period, and in which of them (`mine`) it counts."""

    hours: QuarterHours
    mine: Bools

    @classmethod
    def whole(cls, hours: QuarterHours) -> "Portion":
        """A meter that counts all the time."""
        return cls(hours, np.ones(len(hours), dtype=np.bool_))

    def column(self, name: str) -> "Portion":
        """The same quarter hours with a further column in place of the amount."""
        values = self.hours.columns.get(name)
        return self.with_amount(np.full(len(self.hours), np.nan) if values is None else values)

    def with_amount(self, amount: Floats) -> "Portion":
        """The same quarter hours with other amounts; NaN where nothing is known."""
        hours = self.hours
        return Portion(QuarterHours.of(hours.start, amount, hours.completeness, hours.estimated), self.mine)

    def missing(self, name: str) -> Bools:
        """Quarter hours with known use but without a further number, such as a price."""
        values = self.hours.columns.get(name)
        lacking = np.ones(len(self.hours), dtype=np.bool_) if values is None else np.isnan(values)
        return np.asarray(lacking & np.isfinite(self.hours.amount) & self.mine)


@dataclass(frozen=True, slots=True)
class UseSeries:
    """Sum of meters per quarter hour.

    `amount`: NaN where nothing is known. `completeness` and `estimated`: means over the meters that count then.
    `error`: how far the amount may be off because counters count in steps. `expected`: whether any meter counts.
    """

    amount: Floats
    completeness: Floats
    estimated: Floats
    error: Floats
    expected: Bools

    @property
    def whole(self) -> Bools:
        """Quarter hours in which every meter that counts is complete."""
        return np.asarray(self.expected & (self.completeness == 1) & np.isfinite(self.amount))

    @property
    def complete(self) -> float:
        """Completeness over the time in which anything is expected; 0 where nothing ever is."""
        return float(self.completeness[self.expected].mean()) if self.expected.any() else 0.0

    @property
    def spread(self) -> float:
        """Estimated share of the time in which anything is expected."""
        return float(self.estimated[self.expected].mean()) if self.expected.any() else 0.0

    def figure(self, unit: str, missing: ValueReason = NOTHING) -> Figure:
        """Sum over all quarter hours; those without data lower the completeness.

        `missing`, such as a missing price, leaves it without a value: the sum of the others would be wrong.
        """
        known = np.isfinite(self.amount)
        if missing:
            return Figure(None, unit, self.complete, self.spread, missing)
        if not known.any():
            return absent(unit, ValueReason.NO_DATA, self.complete)
        return figure(float(self.amount[known].sum()), unit, self.complete, self.spread)

    def where(self, chosen: Bools) -> "UseSeries":
        """Some of the quarter hours."""
        return UseSeries(
            self.amount[chosen],
            self.completeness[chosen],
            self.estimated[chosen],
            self.error[chosen],
            self.expected[chosen],
        )

    def positive(self) -> "UseSeries":
        """What came in, ignoring what went back."""
        return UseSeries(np.maximum(self.amount, 0.0), self.completeness, self.estimated, self.error, self.expected)

    def plus(self, other: "UseSeries | None", sign: float = 1.0) -> "UseSeries":
        """The sum of both; `sign` -1 subtracts. A meter of one side that does not count adds nothing."""
        if other is None:
            return self
        mine, theirs = (np.where(np.isfinite(each.amount), each.amount, 0.0) for each in (self, other))
        known = np.isfinite(self.amount) | np.isfinite(other.amount)
        return UseSeries(
            np.where(known, mine + sign * theirs, np.nan),
            _least(self, other),
            np.maximum(self.estimated, other.estimated),
            np.hypot(self.error, other.error),
            self.expected | other.expected,
        )


def _least(one: UseSeries, other: UseSeries) -> Floats:
    """Completeness of a sum of two: that of the worse side that counts."""
    return np.minimum(
        np.where(one.expected, one.completeness, 1.0), np.where(other.expected, other.completeness, 1.0)
    ) * np.where(one.expected | other.expected, 1.0, 0.0)


def together(portions: Sequence[Portion]) -> UseSeries | None:
    """The sum of meters; None where there is none."""
    if not portions:
        return None
    if len(portions) == 1:  # nearly always
        return _alone(portions[0])
    mine = np.stack([portion.mine for portion in portions])
    amounts = np.stack([portion.hours.amount for portion in portions])
    known = np.isfinite(amounts) & mine
    count = np.maximum(mine.sum(axis=0), 1)

    def shares(values: Floats) -> Floats:
        return np.asarray(np.where(mine, values, 0.0).sum(axis=0) / count)

    error = np.stack([portion.hours.error for portion in portions])
    return UseSeries(
        np.where(known.any(axis=0), np.where(known, amounts, 0.0).sum(axis=0), np.nan),
        shares(np.stack([portion.hours.completeness for portion in portions])),
        shares(np.stack([portion.hours.estimated for portion in portions])),
        np.sqrt((np.where(mine, error, 0.0) ** 2).sum(axis=0)),
        np.asarray(mine.any(axis=0)),
    )


def _alone(portion: Portion) -> UseSeries:
    """One meter."""
    hours, mine = portion.hours, portion.mine
    if mine.all():
        return UseSeries(hours.amount, hours.completeness, hours.estimated, hours.error, mine)
    return UseSeries(
        np.where(mine, hours.amount, np.nan),
        np.where(mine, hours.completeness, 0.0),
        np.where(mine, hours.estimated, 0.0),
        np.where(mine, hours.error, 0.0),
        mine,
    )


def quotient(
    above: UseSeries | None, below: UseSeries | None, unit: str, *, none: ValueReason = NOTHING, factor: float = 1.0
) -> Figure:
    """F3 and F4: sum over sum, each over the quarter hours in which both are fully known.

    Completeness is the share of these among the quarter hours in which either is expected. `none` is why a side does
    not exist; `factor` converts between the units of both sides.
    """
    if above is None or below is None:
        return absent(unit, none or ValueReason.NO_METER)
    expected = above.expected | below.expected
    both = above.whole & below.whole
    if not both.any():
        known = np.isfinite(above.amount).any() and np.isfinite(below.amount).any()
        return absent(unit, none or (ValueReason.INCOMPLETE if known else ValueReason.NO_DATA))
    completeness = float(both.sum() / expected.sum())
    if none:
        return absent(unit, none, completeness)
    under = float(below.amount[both].sum())
    if under == 0:
        return absent(unit, ValueReason.ZERO_DENOMINATOR, completeness)
    estimated = max(float(each.estimated[both].mean()) for each in (above, below))
    over = float(above.amount[both].sum())
    return figure(over * factor / under, unit, completeness, estimated, over=under / factor)
