"""A meter's quarter hours: one type for everything that computes, stores or adds up use by the quarter hour.

Columns are arrays of one length. What is not known is NaN, never zero; `completeness` says how much of a quarter hour
is known, `estimated` how much of it had to be spread, `error` by how much the resolution of the counter can be off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from efficiency.usage.intervals import Bools, Floats, Span, Times

Masks = NDArray[np.uint32]
"""Masks of `Rule`."""

_NO_COLUMNS: Mapping[str, Floats] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class QuarterHours:
    """Quarter hours of one meter.

    `start`: ms, ascending. `amount`: in the meter's unit, NaN where nothing is known. `estimated`, `completeness`:
    shares of the quarter hour's time, 0 to 1. `error`: how far `amount` may be off because the counter counts in steps,
    in the meter's unit. `rules`: masks of `Rule`. `columns`: further numbers by name (`reactive_kvarh`,
    `energy_export_kwh`, `cost_vnd` and so on), NaN where there is none.
    """

    start: Times
    amount: Floats
    estimated: Floats
    completeness: Floats
    error: Floats
    rules: Masks
    columns: Mapping[str, Floats] = field(default_factory=lambda: _NO_COLUMNS)

    @classmethod
    def of(
        cls, start: Times, amount: Floats, completeness: Floats | None = None, estimated: Floats | None = None
    ) -> "QuarterHours":
        """Amounts that no rule has touched; where they are finite they are complete and measured unless given."""
        known = np.isfinite(amount)
        whole = known.astype(np.float64) if completeness is None else np.where(known, completeness, 0.0)
        spread = np.zeros(len(start)) if estimated is None else np.where(known, estimated, 0.0)
        return cls(
            start,
            amount,
            spread,
            completeness=whole,
            error=np.zeros(len(start)),
            rules=np.zeros(len(start), dtype=np.uint32),
        )

    @classmethod
    def joined(cls, some: Sequence["QuarterHours"]) -> "QuarterHours":
        """All of them, one after the other, without further columns."""
        return cls(
            np.concatenate([each.start for each in some]),
            np.concatenate([each.amount for each in some]),
            np.concatenate([each.estimated for each in some]),
            completeness=np.concatenate([each.completeness for each in some]),
            error=np.concatenate([each.error for each in some]),
            rules=np.concatenate([each.rules for each in some]),
        )

    def __len__(self) -> int:
        return len(self.start)

    @property
    def measured(self) -> Bools:
        """Whether each was measured whole: nothing of it is unknown or spread."""
        return np.asarray((self.estimated == 0) & (self.completeness == 1) & np.isfinite(self.amount))

    def cut(self, piece: slice | Bools | NDArray[np.intp]) -> "QuarterHours":
        """Some of the quarter hours."""
        return QuarterHours(
            self.start[piece],
            self.amount[piece],
            self.estimated[piece],
            completeness=self.completeness[piece],
            error=self.error[piece],
            rules=self.rules[piece],
            columns={name: values[piece] for name, values in self.columns.items()} if self.columns else _NO_COLUMNS,
        )

    def within(self, span: Span) -> "QuarterHours":
        """Those that start in a span."""
        first, last = np.searchsorted(self.start, (span.start, span.end))
        return self.cut(slice(int(first), int(last)))
