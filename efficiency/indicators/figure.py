"""A number never travels alone: value, unit, completeness, estimated share, and what speaks against it by name."""

import numpy as np

from efficiency.usage.intervals import Bools, Floats
from efficiency.valuation.valued import NOTHING, Reason
from metering.model import Model

INDICATIVE_UNDER = 0.95
"""F17: a figure with less data is shown as indicative."""


class Figure(Model):
    """One number: `value` in `unit`, or None and the reason; `completeness` and `estimated` are shares 0..1."""

    value: float | None
    unit: str
    completeness: float = 1.0
    estimated: float = 0.0
    reasons: Reason = NOTHING


def figure(value: float | None, unit: str, completeness: float, estimated: float, reasons: Reason = NOTHING) -> Figure:
    """A figure that says by itself when it is only indicative."""
    if value is None or not np.isfinite(value):
        return Figure(value=None, unit=unit, completeness=completeness, estimated=estimated, reasons=reasons)
    if completeness < INDICATIVE_UNDER:
        reasons |= Reason.INDICATIVE
    return Figure(value=value, unit=unit, completeness=completeness, estimated=estimated, reasons=reasons)


def absent(unit: str, reasons: Reason, completeness: float = 0.0) -> Figure:
    """No value, and why."""
    return Figure(value=None, unit=unit, completeness=completeness, reasons=reasons)


def ratio(above: Figure, below: Figure, unit: str, *, empty: Reason = Reason.ZERO_DENOMINATOR) -> Figure:
    """Sum over sum, F3 and F4: no denominator, no value. As complete as the worse, as estimated as the worse."""
    completeness = min(above.completeness, below.completeness)
    estimated = max(above.estimated, below.estimated)
    reasons = (above.reasons | below.reasons) & ~Reason.INDICATIVE
    if above.value is None or below.value is None:
        return absent(unit, reasons, completeness)
    if below.value == 0:
        return absent(unit, reasons | empty, completeness)
    return figure(above.value / below.value, unit, completeness, estimated, reasons)


def change(now: Figure, base: Figure) -> Figure:
    """F4: how far a figure has moved from its base, as a share: now / base - 1."""
    moved = ratio(now, base, "")
    return moved if moved.value is None else moved.model_copy(update={"value": moved.value - 1})


def total(figures: list[Figure], unit: str, *, none: Reason = Reason.NO_METER) -> Figure:
    """Sum of figures of one unit: without value as soon as one has none; completeness and estimates are averaged."""
    if not figures:
        return absent(unit, none)
    reasons = NOTHING
    for one in figures:
        reasons |= one.reasons & ~Reason.INDICATIVE
    completeness = sum(one.completeness for one in figures) / len(figures)
    estimated = sum(one.estimated for one in figures) / len(figures)
    values = [one.value for one in figures if one.value is not None]
    if len(values) < len(figures):
        return absent(unit, reasons, completeness)
    return figure(sum(values), unit, completeness, estimated, reasons)


def period_sum(value: Floats, completeness: Floats, estimated: Floats, unit: str, missing: int = 0) -> Figure:
    """Sum over the intervals of a period.

    Intervals without data lower the completeness. `missing` (a mask of reasons, such as a price that nobody entered)
    takes the value away: the sum of the rest would be a wrong number.
    """
    if not len(value):
        return absent(unit, Reason.NO_DATA)
    known: Bools = np.isfinite(value)
    share = float(completeness.mean())
    guessed = float(estimated.mean())
    if missing:
        return Figure(value=None, unit=unit, completeness=share, estimated=guessed, reasons=Reason(missing))
    if not known.any():
        return absent(unit, Reason.NO_DATA, share)
    return figure(float(value[known].sum()), unit, share, guessed)
