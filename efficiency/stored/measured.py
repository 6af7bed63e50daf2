"""The stored quarter hours of meters laid on a span of time, so that they can be added up."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from efficiency.stored.usage import SUPERSEDED, StoredUsage
from efficiency.usage.intervals import QUARTER_MS, Floats, Span, Times, quarters_in
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.rows import NUMBERS


@dataclass(frozen=True, slots=True)
class Laid:
    """What was measured of some meters over a span."""

    span: Span
    meters: Mapping[str, QuarterHours]

    def cut(self, span: Span) -> dict[str, QuarterHours]:
        """Over a part of the span."""
        if span.start >= span.end:
            return {}
        part = slice((span.start - self.span.start) // QUARTER_MS, (span.end - self.span.start) // QUARTER_MS)
        return {meter: one.cut(part) for meter, one in self.meters.items()}


def measured(stored: StoredUsage, span: Span) -> QuarterHours:
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


def joined(parts: Sequence[QuarterHours]) -> QuarterHours:
    """One meter's quarter hours over spans that follow each other."""
    return QuarterHours(
        start=np.concatenate([part.start for part in parts]),
        amount=np.concatenate([part.amount for part in parts]),
        estimated=np.concatenate([part.estimated for part in parts]),
        completeness=np.concatenate([part.completeness for part in parts]),
        error=np.concatenate([part.error for part in parts]),
        rules=np.concatenate([part.rules for part in parts]),
        columns={name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
    )


def with_column(hours: QuarterHours, name: str) -> QuarterHours:
    """The same with one further column only, and apart from the others in memory."""
    return replace(hours, amount=hours.amount.copy(), columns={name: hours.columns[name].copy()})


def _of_numbers(start: Times, numbers: Mapping[str, Floats]) -> QuarterHours:
    complete, guess, error = (np.nan_to_num(numbers[name]) for name in ("completeness", "estimated", "error"))
    hours = QuarterHours.of(start, numbers["amount"], complete, guess)
    columns = {name: values for name, values in numbers.items() if name not in _OWN}
    return replace(hours, error=error, columns=columns)


_OWN = frozenset({"amount", "completeness", "estimated", "error"})
"""Numbers that `QuarterHours` has by name."""
_SHARES = [NUMBERS.index("completeness"), NUMBERS.index("estimated")]


Held = Mapping[str, tuple[Span, QuarterHours]]
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
