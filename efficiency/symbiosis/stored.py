"""Matches as points of the store: those of months from quarter hours, those of years from their months."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from efficiency.indicators.figure import Figure, fields_of, figures_in
from efficiency.indicators.joining import joined_figures
from efficiency.stored.days import elapsed
from efficiency.stored.fields import PointStore, SeriesPoints
from efficiency.stored.usagestore import UsageStore
from efficiency.symbiosis.matching import partners, proposals
from efficiency.symbiosis.reading import observed_of
from efficiency.valuation.localtime import period_span
from metering.figures import MATCH_FIGURES, Period
from metering.months import months_in
from metering.park import Park
from metering.streams import Stream
from store.client import Store
from store.schema import SYMBIOSIS

DISTANCE = "distance_m"


@dataclass(frozen=True, slots=True)
class MatchStore:
    """Computes the matches of a park and knows how they are stored."""

    store: Store
    usage: UsageStore
    points: PointStore

    async def months(self, park: Park, months: Iterable[date], now_ms: int) -> list[SeriesPoints]:
        """Matches of the part of each month that is over; none where the park has no streams."""
        found: list[SeriesPoints] = []
        for month in sorted(months) if park.streams else ():
            whole = period_span(park, Period.MONTH, month)
            span = elapsed(whole, now_ms)
            if span.start < span.end:
                for match in proposals(park, await observed_of(self.store, self.usage, park, span)):
                    fields = fields_of(match.figures)
                    if match.distance_m is not None:
                        fields[DISTANCE] = match.distance_m
                    tags = match_tags(park, match.giver, match.taker, Period.MONTH)
                    found.append(SeriesPoints(SYMBIOSIS, tags, None, {whole.start: fields}))
        return found

    async def years(self, park: Park, years: Iterable[int], now_ms: int) -> list[SeriesPoints]:
        """Matches of years from what is stored of their months, by how long each was there."""
        found: list[SeriesPoints] = []
        for year in sorted(years):
            whole = period_span(park, Period.YEAR, date(year, 1, 1))
            for giver, taker in partners(park.streams):
                tags = match_tags(park, giver, taker, Period.MONTH)
                stored = await self.points.stored(SYMBIOSIS, tags, whole.start, whole.end - 1)
                if not stored:
                    continue
                units = match_units(giver)
                spans = {first: elapsed(period_span(park, Period.MONTH, first), now_ms) for first in months_in(year)}
                parts: dict[date, Mapping[str, Figure]] = {
                    first: figures_in(stored[span.start], MATCH_FIGURES, units)
                    for first, span in spans.items()
                    if span.start in stored
                }
                lengths = {first: float(span.end - span.start) for first, span in spans.items() if first in parts}
                fields = fields_of(joined_figures(parts, lengths, MATCH_FIGURES))
                newest = stored[max(stored)]
                if DISTANCE in newest:
                    fields[DISTANCE] = newest[DISTANCE]
                tags = match_tags(park, giver, taker, Period.YEAR)
                found.append(SeriesPoints(SYMBIOSIS, tags, None, {whole.start: fields}))
        return found


def match_tags(park: Park, giver: Stream, taker: Stream, period: Period) -> dict[str, str]:
    """Tags of a match."""
    kind = giver.kind.value
    return {"park": park.id, "giver": giver.id, "taker": taker.id, "kind": kind, "period": period.value}


def match_units(giver: Stream) -> dict[str, str]:
    """Units of the figures of a match."""
    return {name: spec.unit or giver.spec.unit for name, spec in MATCH_FIGURES.items()}
