"""Amounts of a month's quarter hours: 8 to 16 bytes each, where stored rows take about 100.

The figures of a balance need the meters of all tenants at once. While a month is computed group by group, their amounts
are kept here until the last group is done: otherwise each quarter hour would be read back from the database.
"""

from collections.abc import Collection
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from efficiency.stored.days import load
from efficiency.stored.spanhours import SpanHours, aligned
from efficiency.stored.usagestore import UsageStore
from efficiency.usage.intervals import QUARTER_MS, Span, Times, quarters_in
from efficiency.usage.quarterhours import QuarterHours

Scalar = TypeVar("Scalar", bound=np.generic)


class KeptAmounts:
    """Amounts of one park, and the further `columns`, in front of the stored usage."""

    def __init__(self, usage: UsageStore, columns: Collection[str]) -> None:
        self._usage = usage
        self._columns = columns
        self._kept: dict[str, QuarterHours] = {}

    def keep(self, meters: Collection[str], span: Span) -> None:
        """Keep those of some meters in a span, as far as what is stored of them is in memory."""
        starts: dict[Span, Times] = {}
        for meter in meters:
            if (part := self._usage.at_hand(meter, span)) is not None:
                start = starts.setdefault(part.span, quarters_in(part.span))
                self._kept[meter] = self._compact(aligned(part.usage, part.span), start)

    async def load(self, meters: Collection[str], span: Span) -> SpanHours:
        """Quarter hours of some meters over exactly a span: those that are kept, or else what is stored."""
        kept = {meter: self._kept[meter].within(span) for meter in meters if self._has(meter, span)}
        read = await load(self._usage, [meter for meter in meters if meter not in kept], span)
        return SpanHours(span, {**read.meters, **kept})

    def _has(self, meter: str, span: Span) -> bool:
        kept = self._kept.get(meter)
        if kept is None or not len(kept):
            return False
        return bool(kept.start[0] <= span.start < span.end <= kept.start[-1] + QUARTER_MS)

    def __bool__(self) -> bool:
        return bool(self._kept)

    def _compact(self, hours: QuarterHours, start: Times) -> QuarterHours:
        """The same at the same starts, without memory for what is the same all the time."""
        more = {name: values for name in self._columns if (values := hours.columns.get(name)) is not None}
        return QuarterHours(
            start,
            _once(hours.amount),
            _once(hours.estimated),
            completeness=_once(hours.completeness),
            error=_once(hours.error),
            rules=_once(hours.rules),
            columns={name: _once(values) for name, values in more.items() if not np.isnan(values).all()},
        )


def _once(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """The same values in an array of their own; in memory once where all are equal."""
    if len(values) and (values == values[0]).all():
        return np.broadcast_to(values[:1].copy(), values.shape)
    return values.copy()
