"""Computes the use of one meter in a window, with as many readings around it and before long gaps as that takes.

Readings that were loaded for many meters at once are used if they suffice; otherwise more are read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from efficiency.stored.readings import RegisterReader, Registers
from efficiency.usage.affected import affected
from efficiency.usage.counters import Counter, counter_of, counting
from efficiency.usage.fromsteps import MARGIN_MS, enough, history_needed, usage_of
from efficiency.usage.gaps import NO_PAST, Past, joined, past_of
from efficiency.usage.intervals import ALWAYS_AFTER, ALWAYS_BEFORE, DAY_MS, QUARTER_MS, Span, merged
from efficiency.usage.line import Readings
from efficiency.usage.plain import plain_hours
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.steps import REACH_MS, Steps, steps_of
from metering.meters import Meter

NEAR_MS = REACH_MS + MARGIN_MS + 5 * QUARTER_MS
"""How much is loaded around a window at first: enough if readings come at least once an hour."""
_WIDER_MS = (NEAR_MS, DAY_MS, 8 * DAY_MS, 64 * DAY_MS)


@dataclass(frozen=True, slots=True)
class MeterRegister:
    """A counting register of a meter, ready to be read and computed."""

    meter: Meter
    name: str
    counter: Counter


def in_reach(spans: list[Span]) -> list[Span]:
    """The spans, merged where they lie within each other's reach: those are computed together."""
    found = merged([Span(span.start - NEAR_MS, span.end + NEAR_MS) for span in spans])
    return [Span(span.start + NEAR_MS, span.end - NEAR_MS) for span in found]


def touched(register: MeterRegister, steps: Steps, changed: Span, *, only_new: bool = False) -> Span:
    """The span around `changed` to compute again; right only if `steps` are `enough` for it."""
    return next(
        span for span in affected(register.counter, steps, changed, only_new=only_new) if span.overlaps(changed)
    )


class MeterUse:
    """Computes use from what `reader` finds; nothing can have been measured after `now_ms`.

    `doubts` returns the spans in which the unit of a meter's main register is in doubt.
    """

    def __init__(
        self,
        reader: RegisterReader,
        now_ms: int,
        zone: ZoneInfo,
        doubts: Callable[[Meter], tuple[Span, ...]] = lambda _: (),
    ) -> None:
        self._reader = reader
        self._doubts = doubts
        self._zone = zone
        self._now_ms = now_ms
        self._prepared: dict[tuple[str, str], tuple[Readings, Steps]] = {}

    def registers(self, meter: Meter) -> list[MeterRegister]:
        """The counting registers whose use is stored, the main one first. Future exchanges are ignored."""
        past = [each for each in meter.instruments if each.span.start <= self._now_ms] or [*meter.instruments[:1]]
        if len(past) < len(meter.instruments):
            past[-1] = past[-1].model_copy(update={"until_ms": None, "closing": {}})
            meter = meter.model_copy(update={"instruments": tuple(past)})
        return [MeterRegister(meter, name, self._counter(meter, name)) for name in counting(meter)]

    def _counter(self, meter: Meter, name: str) -> Counter:
        known = self._reader.counters.get((meter.id, name))
        doubt = self._doubts(meter) if name == meter.counter else ()
        if known is None or known[0] is not meter or known[1].doubt != doubt:
            known = meter, replace(counter_of(meter, name, self._zone), doubt=doubt)
            self._reader.counters[(meter.id, name)] = known
        return known[1]

    async def of_steps(self, register: MeterRegister, window: Span, steps: Steps) -> QuarterHours:
        """Use of the quarter hours of `window`, from `steps` that suffice for it."""
        past = await self._past(register, steps, window)
        return usage_of(register.counter, steps, window, past)

    async def affected(self, register: MeterRegister, changed: Span) -> Span:
        """The span to compute again after readings within `changed` came, went or were corrected.

        It does not include later gaps whose shape is taken from there.
        """
        edges = [await self._around(register, edge) for edge in sorted({changed.start, changed.end - 1})]
        return Span(edges[0].start, edges[-1].end)

    async def _around(self, register: MeterRegister, edge: int) -> Span:
        window = Span(edge, edge + 1)
        while True:
            steps = await self.steps(register, window, None)
            found = touched(register, steps, Span(edge, edge + 1))
            if window.start <= found.start and found.end <= window.end:
                return found
            window = Span(min(found.start, window.start), max(found.end, window.end))

    def prepare(self, register: MeterRegister, loaded: Readings) -> Steps:
        """Steps from what is loaded; the next call of `steps` for the register reuses them."""
        steps = steps_of(register.counter, loaded)
        self._prepared[(register.meter.id, register.name)] = loaded, steps
        return steps

    async def steps(self, register: MeterRegister, window: Span, loaded: Readings | None) -> Steps:
        """Steps that suffice for `window`, from what is loaded, or from as much more as it takes."""
        if loaded is not None:
            known = self._prepared.pop((register.meter.id, register.name), None)
            steps = known[1] if known is not None and known[0] is loaded else steps_of(register.counter, loaded)
            if enough(steps, window).both:
                return steps
        before, after = iter(_WIDER_MS), iter(_WIDER_MS)
        span = Span(window.start - next(before), window.end + next(after))
        while True:
            found = await self._reader.load([register.meter], span, self._now_ms)
            readings = found[register.name][register.meter.id]
            steps = steps_of(register.counter, readings)
            if not len(steps.start) and readings.span.end == ALWAYS_AFTER and readings.span.start == ALWAYS_BEFORE:
                return steps
            suffices = enough(steps, window)
            left = suffices.before or readings.span.start == ALWAYS_BEFORE
            right = suffices.after or readings.span.end == ALWAYS_AFTER
            if left and right:
                return steps
            span = Span(
                span.start if left else next((window.start - wider for wider in before), ALWAYS_BEFORE),
                span.end if right else next((window.end + wider for wider in after), ALWAYS_AFTER),
            )

    async def _past(self, register: MeterRegister, steps: Steps, window: Span) -> Past:
        pasts = []
        for span in history_needed(register.counter, steps, window):
            known = steps if enough(steps, span).both else await self.steps(register, span, None)
            pasts.append(past_of(usage_of(register.counter, known, span, NO_PAST)))
        return joined(pasts)


def around(window: Span) -> Span:
    """The span to load for a window if readings come regularly."""
    return Span(window.start - NEAR_MS, window.end + NEAR_MS)


def plain_uses(
    meter_use: MeterUse, meters: Sequence[Meter], loaded: Registers, window: Span
) -> dict[str, dict[str, QuarterHours]]:
    """Use in a window of those meters that are plain, by meter and register; other meters are missing."""
    registers = [register for meter in meters for register in meter_use.registers(meter)]
    hours = plain_hours(
        [each.counter for each in registers], [loaded[each.name][each.meter.id] for each in registers], window
    )
    found: dict[str, dict[str, QuarterHours]] = {}
    odd = set()
    for place, each in enumerate(registers):
        one = hours.get(place)
        if one is None or one.rules.any():
            odd.add(each.meter.id)
        else:
            found.setdefault(each.meter.id, {})[each.name] = one
    return {meter: uses for meter, uses in found.items() if meter not in odd}
