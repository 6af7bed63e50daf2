"""F31: proposals, the best first; what one match takes is gone for the next, so that nothing is promised twice.

Piped kinds are matched quarter hour by quarter hour, without storage; by-products are carried, and matched by the day.
A pair that cannot be matched has reasons in place of numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import NamedTuple

import numpy as np

from efficiency.indicators.figure import Figure, absent, figure
from efficiency.symbiosis.flow import Observed, flow_of
from efficiency.symbiosis.pairing import Pair, pair_of
from efficiency.symbiosis.worth import worth_of
from efficiency.usage.intervals import Floats
from efficiency.valuation.localtime import Slots, runs
from efficiency.valuation.valued import NOTHING, ValueReason
from metering.figures import MATCH_FIGURES
from metering.park import Park
from metering.streams import Side, Stream

MET, SAVED = "met", "saved_vnd"


@dataclass(frozen=True, slots=True)
class Match:
    """A possible match of a surplus with a demand: `MATCH_FIGURES` by name; `distance_m` in a straight line."""

    giver: Stream
    taker: Stream
    figures: Mapping[str, Figure]
    distance_m: float | None

    @property
    def met(self) -> Figure:
        """How much of the demand could be met."""
        return self.figures[MET]

    @property
    def rank(self) -> tuple[bool, float, float, str, str]:
        """Sort key: largest saving first, no number last."""
        money, met = self.figures[SAVED].value, self.met.value
        return met is None, -(money or 0.0), -(met or 0.0), self.giver.id, self.taker.id


class Partners(NamedTuple):
    """A surplus and a demand of one kind, and of one material, of different companies."""

    giver: Stream
    taker: Stream


def partners(streams: Sequence[Stream]) -> Iterator[Partners]:
    """Each surplus with each demand that it might meet."""
    for giver in streams:
        for taker in streams:
            sides = giver.side is Side.SURPLUS and taker.side is Side.DEMAND
            if sides and giver.tenant != taker.tenant and (giver.kind, giver.material) == (taker.kind, taker.material):
                yield Partners(giver, taker)


def alone(streams: Sequence[Stream]) -> tuple[Stream, ...]:
    """Streams without a counterpart in the park."""
    paired = {stream.id for pair in partners(streams) for stream in pair}
    return tuple(stream for stream in streams if stream.id not in paired)


def proposals(park: Park, observed: Observed) -> tuple[Match, ...]:
    """All pairs of a park in the quarter hours of `observed`: what saves most comes first, what cannot be met last."""
    when = observed.when
    flows = {stream.id: flow_of(park, stream, observed) for stream in park.streams}
    pairs = [pair_of(flows[giver.id], flows[taker.id], when) for giver, taker in partners(park.streams)]
    left = _Left(when)
    ranked = sorted((pair for pair in pairs if pair.there.any()), key=lambda pair: _match(park, pair, left).rank)
    found = []
    for pair in ranked:
        found.append(_match(park, pair, left))
        left.take(pair)
    return tuple(sorted(found, key=lambda match: match.rank))


@dataclass(frozen=True, slots=True)
class _Exchange:
    """What a pair could exchange in each quarter hour, 0 where that is not known; `stored` with a day's storage."""

    offered: Floats
    asked: Floats
    met: Floats
    stored: Floats


class _Left:
    """What no match has taken yet: a share of each surplus, an amount of each demand."""

    def __init__(self, when: Slots) -> None:
        self.when = when
        self._taken: dict[str, Floats] = {}
        self._met: dict[str, Floats] = {}

    def untouched(self, pair: Pair) -> bool:
        """Whether no match has taken any of it."""
        return pair.giver.stream.id not in self._taken and pair.taker.stream.id not in self._met

    def exchange(self, pair: Pair) -> _Exchange:
        """Of what remains."""
        offered = pair.offered * (1.0 - self._taken.get(pair.giver.stream.id, 0.0))
        asked = np.minimum(pair.asked * pair.share, pair.asked - self._met.get(pair.taker.stream.id, 0.0))
        offered, asked = (np.where(pair.known, np.maximum(each, 0.0), 0.0) for each in (offered, asked))
        stored = _by_day(offered, asked, self.when)
        met = stored if pair.giver.stream.spec.carried else np.minimum(offered, asked)
        return _Exchange(offered, asked, met, stored)

    def take(self, pair: Pair) -> None:
        """What the pair would exchange is no longer left."""
        found, giver, taker = self.exchange(pair), pair.giver.stream, pair.taker.stream
        if not found.met.any():
            return
        met, offered = found.met, found.offered
        if giver.spec.carried:
            met, offered = _of_days(met, self.when), _of_days(offered, self.when)
        rest = 1.0 - self._taken.get(giver.id, 0.0)
        self._taken[giver.id] = 1.0 - rest * np.clip(1.0 - met / np.maximum(offered, _TINY), 0.0, 1.0)
        self._met[taker.id] = self._met.get(taker.id, 0.0) + found.met


def _match(park: Park, pair: Pair, left: _Left) -> Match:
    giver, taker, known = pair.giver.stream, pair.taker.stream, pair.known
    distance, complete = _distance(giver, taker), float(known.sum() / pair.there.sum())
    found = left.exchange(pair)
    against = _against(pair, found, left)
    if against:
        none = {name: absent(spec.unit or giver.spec.unit, against, complete) for name, spec in MATCH_FIGURES.items()}
        return Match(giver, taker, none, distance)
    spread = float(max(each.estimated[known].mean() for each in (pair.giver, pair.taker)))
    said = ValueReason.STATED if pair.giver.stated or pair.taker.stated else NOTHING
    said |= ValueReason.NO_PLACE if distance is None else NOTHING
    said |= NOTHING if found.met.any() else ValueReason.NO_OVERLAP
    said |= NOTHING if left.untouched(pair) else ValueReason.TAKEN

    def of(values: Floats, over: Floats | None = None) -> Figure:
        value, unit = float(values[known].sum()), giver.spec.unit
        if over is None:
            return figure(value, unit, complete, spread, said)
        whole = float(over[known].sum())
        return figure(value / whole, "1", complete, spread, said, over=whole)

    saved = worth_of(park, taker, np.where(known, found.met, np.nan), left.when)
    return Match(
        giver,
        taker,
        {
            MET: of(found.met),
            "met_by_day": of(found.stored),
            "offered": of(pair.offered),
            "asked": of(pair.asked),
            "met_share": of(found.met, pair.asked),
            "used_share": of(found.met, pair.offered),
            **{name: figure(one.value, one.unit, complete, spread, one.reasons) for name, one in saved.items()},
        },
        distance,
    )


def _against(pair: Pair, found: _Exchange, left: _Left) -> ValueReason:
    """Why a pair cannot be matched; empty where it can."""
    if pair.reasons or found.stored.any():
        return pair.reasons
    if not pair.known.any():
        return ValueReason.NO_DATA
    return ValueReason.NO_OVERLAP if left.untouched(pair) else ValueReason.TAKEN


_TINY = 1e-12


def _of_days(values: Floats, when: Slots) -> Floats:
    """The sum of its day for every quarter hour."""
    found = np.zeros(len(values))
    for _, part in runs(when.day):
        found[part] = values[part].sum()
    return found


def _by_day(offered: Floats, asked: Floats, when: Slots) -> Floats:
    """How much of each day's demand the day's surplus meets, spread over the quarter hours like the demand."""
    whole = _of_days(asked, when)
    return asked * np.minimum(_of_days(offered, when), whole) / np.maximum(whole, _TINY)


def _distance(giver: Stream, taker: Stream) -> float | None:
    """Metres in a straight line; a pipe is longer."""
    if giver.place_m is None or taker.place_m is None:
        return None
    return hypot(giver.place_m.east - taker.place_m.east, giver.place_m.north - taker.place_m.north)
