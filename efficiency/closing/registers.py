"""Registers at the ends of a month, and of each instrument within it, from the readings around these instants.

Readings that the usage service sets aside do not count here either. If nothing was read at the instant itself, the
register is interpolated, provided that use continued between the readings around it; otherwise the nearest reading
inside the stretch counts.
"""

import numpy as np

from efficiency.closing.monthuse import PointSpan
from efficiency.closing.statement import RegisterAt, Stretch
from efficiency.stored.meteruse import MeterRegister, MeterUse
from efficiency.usage.intervals import Span
from efficiency.usage.judging import StepMeaning
from efficiency.usage.steps import Steps
from metering.instants import local_time
from metering.meters import Instrument
from metering.park import Park

_DECIMALS = 6
_GOES_ON = (StepMeaning.GOOD, StepMeaning.EXPORT, StepMeaning.AMBIGUOUS, StepMeaning.SPLIT)


class StretchReader:
    """Reads the stretches of a park's points."""

    def __init__(self, park: Park, use: MeterUse) -> None:
        self._zone = park.zone
        self._use = use

    async def of(self, point: PointSpan) -> tuple[Stretch, ...]:
        """The stretches of a point's registers that count a total, in order of registers and time."""
        found = []
        for register in self._use.registers(point.meter):
            for instrument in register.meter.instruments_in(point.span):
                shown = instrument.registers.get(register.name)
                if shown is not None and shown.kind == "total" and register.name != "energy_export_kwh":
                    found.append(await self._stretch(register, instrument))
        return tuple(found)

    async def _stretch(self, register: MeterRegister, instrument: Instrument) -> Stretch:
        span = instrument.span
        opening = self._register(await self._around(register, span.start), span.start, opens=True)
        closing = self._register(await self._around(register, span.end - 1), span.end, opens=False)
        factor, use = instrument.factor(register.name), None
        if opening is not None and closing is not None:
            rollover = instrument.registers[register.name].rollover or 0.0
            turned = rollover if closing.shown < opening.shown and not instrument.sign < 0 else 0.0
            use = (closing.shown - opening.shown + turned) * factor
        return Stretch(
            counter=register.name,
            serial=instrument.serial,
            since=local_time(span.start, self._zone),
            until=local_time(span.end, self._zone),
            opening=opening,
            closing=closing,
            multiplier=factor,
            use=None if use is None else round(use, _DECIMALS),
        )

    async def _around(self, register: MeterRegister, ms: int) -> Steps:
        return await self._use.steps(register, Span(ms, ms + 1), None)

    def _register(self, steps: Steps, ms: int, *, opens: bool) -> RegisterAt | None:
        """The register at an instant that opens or closes a stretch; None if nothing was read on that side."""
        place = int(np.searchsorted(steps.start if opens else steps.end, ms, side="right" if opens else "left"))
        place -= opens
        if not 0 <= place < len(steps.start):
            return None
        start, end = int(steps.start[place]), int(steps.end[place])
        before, after = float(steps.before[place]), float(steps.after[place])
        if not start <= ms <= end:
            return None
        within = start < ms < end
        if within and steps.kind[place] in _GOES_ON:
            return self._read(ms, before + (after - before) * (ms - start) / (end - start), interpolated=True)
        if within:
            return self._read(end, after) if opens else self._read(start, before)
        return self._read(ms, before if ms == start else after)

    def _read(self, ms: int, shown: float, *, interpolated: bool = False) -> RegisterAt:
        return RegisterAt(at=local_time(ms, self._zone), shown=round(shown, _DECIMALS), interpolated=interpolated)
