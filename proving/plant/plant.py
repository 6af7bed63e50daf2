"""The plant: what every meter shows at any instant since its start, with what happens in the field played in.

Everything follows from (park, seed, start, events); nothing depends on what was asked before. Instants are milliseconds
since the epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from metering.instants import Span, milliseconds
from metering.meters import Meter
from metering.park import Park
from proving.plant.clock import MINUTE_MS, QUARTER_MS, LocalDays, fraction
from proving.plant.counters import Array, Counters, DayCount, Instants, first_device
from proving.plant.events import (
    FIELD_EVENTS,
    Delayed,
    FieldEvent,
    Gap,
    Lasting,
    Leak,
    LeakAtNight,
    MovesOut,
    Reset,
    Restored,
    Rollover,
    Spike,
    Stuck,
    Swap,
)
from proving.plant.gauges import FlowGauge, gauge
from proving.plant.load import LoadModel
from proving.plant.registers import counter as shown_counter
from proving.plant.registers import faces
from proving.plant.registers import gauge as shown_gauge

E = TypeVar("E", bound=FieldEvent)

_UNDISTURBED_H = 120 * 24
"""A counter starts so low that it does not roll over by itself within so many hours, where its range allows."""


@dataclass(frozen=True, slots=True)
class Segment:
    """From `start_ms` on, each counter shows its `opening` and what the instrument counted since `base`.

    `scale` is the first instrument's transformer ratio over that of the one that counts now.
    """

    start_ms: int
    opening: dict[str, float]
    base: dict[str, float]
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """The instrument is replaced at `ms`: last register of the main counter and first of the new one, both ratios."""

    ms: int
    closing: float
    opening: float
    old_ratio: float
    new_ratio: float


class Plant:
    """A simulated park of meters, from `start` on."""

    def __init__(self, park: Park, *, seed: int, start: datetime, events: Sequence[FieldEvent] = FIELD_EVENTS) -> None:
        self.park = park
        self.seed = seed
        self.start_ms = milliseconds(start)
        self.events = tuple(event for event in events if event.meter in park.meter)
        self.days = LocalDays.of(park.zone, start)
        leaks = [
            Leak(event.meter, self.span(event), event.flow) for event in self.events if isinstance(event, LeakAtNight)
        ]
        self._moves = {
            tenant: self.at(event) // QUARTER_MS * QUARTER_MS
            for event in self.events
            if isinstance(event, MovesOut) and (tenant := park.meter[event.meter].belongs[0].tenant) is not None
        }
        self.load = LoadModel(park, seed, self.days, leaks, self._moves)
        self.counters = Counters(park, self.load, self.days, self.days.day(self.start_ms))
        self._faces = {meter.id: faces(meter) for meter in park.meters}
        self._segments = {meter.id: self._segments_of(meter) for meter in park.meters}
        self._lasting = {meter.id: self._of(Lasting, meter.id) for meter in park.meters}

    def at(self, event: FieldEvent) -> int:
        """The instant at which an event happens or begins."""
        return self.start_ms + round(event.after.total_seconds() * 1000)

    def span(self, event: Lasting) -> Span:
        """When an event lasts."""
        begin = self.at(event)
        return Span(begin, begin + round(event.lasting.total_seconds() * 1000))

    def registers(self, meter_id: str, ms: int) -> dict[str, float] | None:
        """Return what a meter shows at an instant, before the multiplier; None where it does not answer.

        Raises `KeyError` for an unknown meter, `ValueError` for an instant before the plant's first day.
        """
        instants = np.array([ms], dtype=np.int64)
        if not self.answers(meter_id, instants)[0]:
            return None
        return {name: float(values[0]) for name, values in self.columns(meter_id, instants).items()}

    def columns(self, meter_id: str, instants: Instants) -> dict[str, Array]:
        """What a meter shows at each of the instants, by quantity, whether or not it answers then."""
        meter = self.park.meter[meter_id]
        effective = instants
        spikes = np.zeros(len(instants))
        for event in self._lasting[meter_id]:
            span = self.span(event)
            inside = (instants >= span.start) & (instants < span.end)
            if isinstance(event, Stuck):
                effective = np.where(inside, span.start, effective)
            elif isinstance(event, Spike):
                spikes = spikes + np.where(inside, event.by, 0.0)
        shown: dict[str, Array] = {}
        for name, quantity in meter.quantities.items():
            face = self._faces[meter_id][name]
            if quantity.counter:
                total = self._counted(meter_id, name, effective)
                shown[name] = shown_counter(face, total + spikes if name == meter.counter else total)
            else:
                shown[name] = shown_gauge(face, self._gauge(meter, name, effective))
        return shown

    def answers(self, meter_id: str, instants: Instants) -> NDArray[np.bool_]:
        """Whether the meter can be read at each instant."""
        there = np.ones(len(instants), dtype=np.bool_)
        for event in self._lasting[meter_id]:
            if isinstance(event, Gap):
                span = self.span(event)
                there &= (instants < span.start) | (instants >= span.end)
        return there

    def delivered(self, meter_id: str, instants: Instants) -> Instants:
        """When a reading taken at each instant would be delivered."""
        arrival = instants
        for event in self._lasting[meter_id]:
            if isinstance(event, Delayed):
                span = self.span(event)
                late = span.end + round(event.delay.total_seconds() * 1000)
                arrival = np.where((instants >= span.start) & (instants < span.end), late, arrival)
        return arrival

    def exchanges(self) -> dict[str, Exchange]:
        """Return the meters whose instrument is exchanged, with the exact registers."""
        exchanged: dict[str, Exchange] = {}
        for event in self.events:
            if isinstance(event, Swap):
                ms, meter = self.at(event), self.park.meter[event.meter]
                before = [segment for segment in self._segments[meter.id] if segment.start_ms < ms][-1]
                total = self._counted_in(before, meter.id, meter.counter, np.array([ms], dtype=np.int64))
                closing = float(shown_counter(self._faces[meter.id][meter.counter], total)[0])
                ratio = meter.instruments[0].multiplier
                exchanged[meter.id] = Exchange(
                    ms, closing, event.opening, old_ratio=ratio, new_ratio=event.multiplier or ratio
                )
        return exchanged

    def _counted(self, meter_id: str, quantity: str, instants: Instants) -> Array:
        segments = self._segments[meter_id]
        result = self._counted_in(segments[0], meter_id, quantity, instants)
        for segment in segments[1:]:
            result = np.where(
                instants >= segment.start_ms, self._counted_in(segment, meter_id, quantity, instants), result
            )
        return result

    def _counted_in(self, segment: Segment, meter_id: str, quantity: str, instants: Instants) -> Array:
        since: Array = self.counters.raw(meter_id, quantity, instants) - segment.base[quantity]
        return segment.opening[quantity] + since * segment.scale

    def _gauge(self, meter: Meter, quantity: str, instants: Instants) -> Array:
        result = np.empty(len(instants))
        for part in self.counters.by_day(instants):
            result[part.chosen] = gauge(quantity, self._flow_at(meter, part.day, part.ms))
        return result

    def _flow_at(self, meter: Meter, day: DayCount, ms: Instants) -> FlowGauge:
        whole = self.counters.flow(meter, day.flows)
        minute = ms // MINUTE_MS
        return FlowGauge(meter, whole.net[minute], whole.wobble[minute], whole.air_c[minute], whole.full_power_factor)

    def _segments_of(self, meter: Meter) -> tuple[Segment, ...]:
        names = [name for name, quantity in meter.quantities.items() if quantity.counter]
        opening = {name: self._opening(meter, name) for name in names}
        for event in self._of(Rollover, meter.id):
            rollover = meter.instruments[0].registers[meter.counter].rollover
            if rollover is None:
                raise ValueError(f"{meter.id} cannot roll over: its register says no value at which it would")
            opening[meter.counter] = (rollover - self._raw_at(meter.id, meter.counter, self.at(event))) % rollover
        segments = [Segment(self.days.start(self.counters.first_day), opening, dict.fromkeys(names, 0.0))]
        for change in sorted(self._of_any((Reset, Swap, Restored), meter.id), key=self.at):
            ms, last = self.at(change), segments[-1]
            opening, scale = dict.fromkeys(names, 0.0), last.scale
            if isinstance(change, Swap):
                opening[meter.counter] = change.opening
                ratio = meter.instruments[0].multiplier
                scale = ratio / (change.multiplier or ratio)
            elif isinstance(change, Restored):
                then = np.array([ms - round(change.back.total_seconds() * 1000)], dtype=np.int64)
                opening = {name: float(self._counted_in(last, meter.id, name, then)[0]) for name in names}
            base = {name: self._raw_at(meter.id, name, ms) for name in names}
            segments.append(Segment(ms, opening, base, scale))
        return tuple(segments)

    def _opening(self, meter: Meter, quantity: str) -> float:
        """What the counter shows at first: some years of use, and room to its roll-over."""
        share = fraction(self.seed, f"{meter.id} {quantity}")
        per_hour = meter.rated / max(entry.multiplier for entry in first_device(meter))
        most = (0.05 + share) * 2.5 * 8760 * 0.5 * per_hour
        rollover = meter.instruments[0].registers[quantity].rollover
        if rollover is None:
            return most
        room = max(rollover - _UNDISTURBED_H * per_hour, 0.02 * rollover)
        return min(most, share * room)

    def _raw_at(self, meter_id: str, quantity: str, ms: int) -> float:
        return float(self.counters.raw(meter_id, quantity, np.array([ms], dtype=np.int64))[0])

    def _of_any(self, kinds: tuple[type[FieldEvent], ...], meter_id: str) -> list[FieldEvent]:
        return [event for event in self.events if isinstance(event, kinds) and event.meter == meter_id]

    def moves(self) -> dict[str, int]:
        """When each tenant that moves out does, ms."""
        return self._moves

    def _of(self, kind: type[E], meter_id: str) -> list[E]:
        return [event for event in self.events if isinstance(event, kind) and event.meter == meter_id]
