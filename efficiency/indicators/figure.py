"""A figure: value, unit, completeness, estimated share, and named reasons against it; never the number alone.

A figure is stored whole and read back the same (`fields_of`, `figures_in`), so that whoever shows it computes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from efficiency.valuation.valued import NOTHING, ValueReason, named, reasons_named
from metering.figures import (
    FIGURES,
    INDICATIVE_BELOW,
    OF_ALL_DATA,
    completeness_field,
    estimated_field,
    over_field,
    reasons_field,
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: `value` in `unit`, or None and the reasons; `completeness` and `estimated` are shares, 0 to 1.

    `over`: the divisor of a ratio, over the time in which both sides are known; None where the value is no ratio.
    """

    value: float | None
    unit: str
    completeness: float = 1.0
    estimated: float = 0.0
    reasons: ValueReason = NOTHING
    over: float | None = None

    @property
    def indicative(self) -> bool:
        """Whether too little data makes the value indicative only."""
        return bool(self.reasons & ValueReason.INDICATIVE)

    @property
    def absent_for(self) -> ValueReason:
        """Why there is no value; empty where there is one."""
        return NOTHING if self.value is not None else self.reasons & ~ValueReason.INDICATIVE

    def noting(self, reasons: ValueReason) -> "Figure":
        """The same with further remarks on its value; unchanged where there is none."""
        return self if self.value is None else replace(self, reasons=self.reasons | reasons)

    def scaled(self, factor: float, unit: str) -> "Figure":
        """The same in another unit."""
        return replace(self, value=None if self.value is None else self.value * factor, unit=unit)


def figure(
    value: float | None,
    unit: str,
    completeness: float = 1.0,
    estimated: float = 0.0,
    reasons: ValueReason = NOTHING,
    *,
    over: float | None = None,
) -> Figure:
    """A figure that marks itself as indicative where it is (F17)."""
    if value is None or not np.isfinite(value):
        return Figure(None, unit, completeness, estimated, reasons or ValueReason.NO_DATA)
    if completeness < INDICATIVE_BELOW:
        reasons |= ValueReason.INDICATIVE
    return Figure(
        value=float(value), unit=unit, completeness=completeness, estimated=estimated, reasons=reasons, over=over
    )


def absent(unit: str, reasons: ValueReason, completeness: float = 0.0) -> Figure:
    """A figure without a value, and why."""
    return Figure(None, unit, completeness, reasons=reasons)


def ratio(above: Figure, below: Figure, unit: str) -> Figure:
    """One figure over another of the same time: no denominator, no value; its quality is the worse of both.

    Sums of quarter hours that may be known at different times are divided by `series.quotient` instead.
    """
    completeness = min(above.completeness, below.completeness)
    reasons = (above.reasons | below.reasons) & ~ValueReason.INDICATIVE
    if above.value is None or below.value is None:
        return absent(unit, above.absent_for | below.absent_for, completeness)
    if below.value == 0:
        return absent(unit, reasons | ValueReason.ZERO_DENOMINATOR, completeness)
    estimated = max(above.estimated, below.estimated)
    return figure(above.value / below.value, unit, completeness, estimated, reasons, over=below.value)


def change(now: Figure, base: Figure) -> float | None:
    """F4: the change of a figure against its base, as a share: now / base - 1.

    None unless both come from enough data: like is compared with like.
    """
    if now.value is None or not base.value or now.indicative or base.indicative:
        return None
    return now.value / base.value - 1


def total(figures: Sequence[Figure], unit: str) -> Figure:
    """Sum of figures of one unit; no value if any has none. Completeness and estimated share are averaged."""
    if not figures:
        return absent(unit, ValueReason.NO_METER)
    reasons = NOTHING
    for one in figures:
        reasons |= one.reasons & ~ValueReason.INDICATIVE
    completeness = sum(one.completeness for one in figures) / len(figures)
    values = [one.value for one in figures if one.value is not None]
    if len(values) < len(figures):
        return absent(unit, reasons, completeness)
    estimated = sum(one.estimated for one in figures) / len(figures)
    return figure(sum(values), unit, completeness, estimated, reasons)


def judged(saving: Figure, band: float) -> Figure:
    """F21: a saving, marked where zero lies within its uncertainty."""
    if saving.value is None:
        return saving
    plain = saving.reasons & ~ValueReason.NOT_SIGNIFICANT
    within = ValueReason.NOT_SIGNIFICANT if abs(saving.value) <= band else NOTHING
    return replace(saving, reasons=plain | within)


FigureValue = float | str


def fields_of(figures: Mapping[str, Figure]) -> dict[str, FigureValue]:
    """Figures by name as fields of the store, with all that belongs to each, and those without a value too."""
    found: dict[str, FigureValue] = {}
    for name, one in figures.items():
        if one.value is not None:
            found[name] = one.value
        if name in OF_ALL_DATA:
            continue
        found[completeness_field(name)] = one.completeness
        found[estimated_field(name)] = one.estimated
        found[reasons_field(name)] = named(one.reasons)
        if one.over is not None:
            found[over_field(name)] = one.over
    return found


def figures_in(
    fields: Mapping[str, object], names: Iterable[str] = FIGURES, units: Mapping[str, str] | None = None
) -> dict[str, Figure]:
    """Figures by name from the fields of the store; one with no fields is not computed yet.

    `units` holds units that `metering.figures` does not know, such as that of a tenant's output.
    """
    found = {}
    for name in names:
        unit = (units or {}).get(name, FIGURES[name].unit if name in FIGURES else "")
        value, reasons = fields.get(name), fields.get(reasons_field(name))
        if name in OF_ALL_DATA:
            found[name] = figure(_number(value), unit)
        elif reasons is None and value is None:
            found[name] = absent(unit, ValueReason.NOT_COMPUTED)
        else:
            found[name] = Figure(
                value=_number(value),
                unit=unit,
                completeness=_number(fields.get(completeness_field(name))) or 0.0,
                estimated=_number(fields.get(estimated_field(name))) or 0.0,
                reasons=reasons_named(str(reasons or "")),
                over=_number(fields.get(over_field(name))),
            )
    return found


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
