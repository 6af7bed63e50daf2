"""The stored quarter hours of meters laid on a span of time, so that they can be added up."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from efficiency.stored.usage import SUPERSEDED, Stored
from efficiency.usage.intervals import QUARTER_MS, Floats, Span, Times, quarters_in
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.rows import NUMBERS
from efficiency.valuation.valued import Reason, Valued


@dataclass(frozen=True, slots=True)
class Measured:
    """The stored quarter hours of one meter over a span: its use, and each further number, NaN where none."""

    use: QuarterHours
    numbers: Mapping[str, Floats]

    def valued(self, name: str, missing: Reason) -> Valued:
        """Money, carbon or energy; `missing` is the reason where use is known but this is not."""
        value = self.numbers[name]
        reasons = np.where(np.isfinite(self.use.amount) & np.isnan(value), int(missing), 0)
        return Valued(value, reasons.astype(np.uint32))

    def cut(self, part: slice) -> "Measured":
        """Some of the quarter hours."""
        return Measured(self.use.cut(part), {name: values[part] for name, values in self.numbers.items()})

    def only(self, name: str) -> "Measured":
        """With one further number only, and apart from the others in memory."""
        use = QuarterHours.of(self.use.start, self.use.amount.copy(), self.use.completeness, self.use.estimated)
        return Measured(use, {name: self.numbers[name].copy()})

    def further(self, name: str) -> QuarterHours:
        """Use of a further register."""
        return QuarterHours.of(self.use.start, self.numbers[name], self.use.completeness, self.use.estimated)


@dataclass(frozen=True, slots=True)
class Laid:
    """What was measured of some meters over a span."""

    span: Span
    meters: Mapping[str, Measured]

    def cut(self, span: Span) -> dict[str, Measured]:
        """Over a part of the span."""
        if span.start >= span.end:
            return {}
        part = slice((span.start - self.span.start) // QUARTER_MS, (span.end - self.span.start) // QUARTER_MS)
        return {meter: one.cut(part) for meter, one in self.meters.items()}


def measured(stored: Stored, span: Span) -> Measured:
    """Lay stored rows on the quarter hours of a span; bands are added up."""
    start = quarters_in(span)
    numbers = np.full((len(start), len(NUMBERS)), np.nan)
    taken = np.zeros(len(start), dtype=np.bool_)
    for content in stored.within(span).content.values():
        holds = content.where(content.rules != SUPERSEDED)
        place, added = (holds.start - span.start) // QUARTER_MS, holds.numbers
        again = taken[place]
        if again.any():  # a quarter hour that straddles a band's edge
            before, more = numbers[place[again]], added[again]
            unknown = np.isnan(more)
            total = np.where(unknown | np.isnan(before), np.where(unknown, before, more), before + more)
            total[:, _SHARES] = np.where(unknown, before, more)[:, _SHARES]
            added = added.copy()
            added[again] = total
        numbers[place] = added
        taken[place] = True
    return _of_numbers(start, {name: numbers[:, column] for column, name in enumerate(NUMBERS)})


def joined(parts: Sequence[Measured]) -> Measured:
    """One meter's quarter hours over spans that follow each other."""
    numbers = {name: np.concatenate([part.numbers[name] for part in parts]) for name in NUMBERS}
    return _of_numbers(np.concatenate([part.use.start for part in parts]), numbers)


def _of_numbers(start: Times, numbers: Mapping[str, Floats]) -> Measured:
    complete, guess = (np.nan_to_num(numbers[name]) for name in ("completeness", "estimated"))
    return Measured(QuarterHours.of(start, numbers["amount"], complete, guess), numbers)


_SHARES = [NUMBERS.index("completeness"), NUMBERS.index("estimated")]


Held = Mapping[str, tuple[Span, Measured]]
"""Meters with what the store has of them, or will have once all is written, in a span of each."""


def at_hand(held: Held, meters: Collection[str]) -> Laid | None:
    """What is held of some meters where it is held of all of them; None where there is no such time."""
    if not meters or not held.keys() >= set(meters):
        return None
    spans = [held[meter][0] for meter in meters]
    common = Span(max(span.start for span in spans), min(span.end for span in spans))
    if common.start >= common.end:
        return None
    return Laid(common, {meter: Laid(held[meter][0], {meter: held[meter][1]}).cut(common)[meter] for meter in meters})
