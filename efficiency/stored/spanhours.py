"""Stored quarter hours of meters, aligned to a span so that they can be added up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from efficiency.stored.usage import SUPERSEDED, StoredUsage
from efficiency.usage.intervals import QUARTER_MS, Floats, Span, Times, quarters_in
from efficiency.usage.quarterhours import Masks, QuarterHours
from efficiency.valuation.rows import COMPLETENESS, ESTIMATED, NUMBERS


@dataclass(frozen=True, slots=True)
class SpanHours:
    """Quarter hours of some meters, each over exactly `span`."""

    span: Span
    meters: Mapping[str, QuarterHours]

    def cut(self, span: Span) -> "SpanHours":
        """The part within `span`, which must lie inside; no meters if it is empty."""
        if span.start >= span.end:
            return SpanHours(span, {})
        part = slice((span.start - self.span.start) // QUARTER_MS, (span.end - self.span.start) // QUARTER_MS)
        return SpanHours(span, {meter: one.cut(part) for meter, one in self.meters.items()})


def aligned(stored: StoredUsage, span: Span) -> QuarterHours:
    """Stored rows of one meter, aligned to the quarter hours of a span, with all bands added up."""
    start = quarters_in(span)
    numbers = np.full((len(start), len(NUMBERS)), np.nan)
    filled = np.zeros(len(start), dtype=np.bool_)
    rules = np.zeros(len(start), dtype=np.uint32)
    for whole in stored.series.values():
        rows = whole.within(span)
        if (rows.rules == SUPERSEDED).any():
            rows = rows.where(rows.rules != SUPERSEDED)
        place, added = (rows.start - span.start) // QUARTER_MS, rows.numbers
        again = filled[place]
        if again.any():  # a quarter hour across a band's edge has a row in each band
            before, more = numbers[place[again]], added[again]
            unknown = np.isnan(more)
            total = np.where(unknown | np.isnan(before), np.where(unknown, before, more), before + more)
            total[:, _SHARES] = np.where(unknown, before, more)[:, _SHARES]
            added = added.copy()
            added[again] = total
        numbers[place] = added
        filled[place] = True
        rules[place] |= rows.rules.astype(np.uint32)
    return _of_numbers(start, {name: numbers[:, column] for column, name in enumerate(NUMBERS)}, rules)


def _of_numbers(start: Times, numbers: Mapping[str, Floats], rules: Masks) -> QuarterHours:
    complete, guess, error = (np.nan_to_num(numbers[name]) for name in ("completeness", "estimated", "error"))
    hours = QuarterHours.of(start, numbers["amount"], complete, guess)
    columns = {name: values for name, values in numbers.items() if name not in _OWN}
    return replace(hours, error=error, rules=rules, columns=columns)


_OWN = frozenset({"amount", "completeness", "estimated", "error"})
"""Numbers that `QuarterHours` has by name."""
_SHARES = [COMPLETENESS, ESTIMATED]
