"""One counter of a metering point, prepared for arrays: its instruments, and the range and step of each.

Everything after this module computes in the point's own unit: registers are multiplied by the transformer ratio and the
sign of the instrument that they were read from.
"""

from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from efficiency.usage.intervals import ALWAYS_AFTER, ALWAYS_BEFORE, HOUR_MS, Floats, Span, Times
from metering.meters import Meter

PLAUSIBLE_FACTOR = 1.2
"""How far beyond its rating a supply may be driven."""

FURTHER_REGISTERS = ("reactive_kvarh", "energy_export_kwh")
"""Counters of an electricity meter that are kept beside its amount."""


class Counts(IntEnum):
    """What a register shows: the total, the use since local midnight, or since the message before."""

    TOTAL = 0
    DAILY = 1
    DELTA = 2


@dataclass(frozen=True, slots=True)
class FittedInstrument:
    """A counter of one instrument, fitted from `since` until `until`, ms.

    `factor` turns registers into the point's unit: transformer ratio times sign. `rollover`, `count` (one step of an
    integer register), `opening` and `closing` (NaN where nobody wrote them down) are in register units; `relative` is
    one step of a floating-point register as a share of its value. `seen`: nobody says how finely it counts; `count` is
    only assumed, and the decimals of the readings tell. `signed`: it may fall. `continues`: no exchange, the same
    device counts on, and only what is said of it differs.
    """

    since: int = ALWAYS_BEFORE
    until: int = ALWAYS_AFTER
    counts: Counts = Counts.TOTAL
    factor: float = 1.0
    rollover: float | None = None
    count: float = 0.0
    relative: float = 0.0
    seen: bool = False
    signed: bool = False
    opening: float = np.nan
    closing: float = np.nan
    continues: bool = False


@dataclass(frozen=True)
class Counter:
    """A counter of a metering point: its instruments, oldest first.

    `interval_ms` is how often it is read, `rated` the most that can pass, in the point's unit per hour. `zone` tells
    where a register that starts again each day has its midnight. `doubt`: when its unit is in doubt.
    """

    interval_ms: int
    rated: float
    instruments: tuple[FittedInstrument, ...] = (FittedInstrument(),)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    doubt: tuple[Span, ...] = ()

    @cached_property
    def most_per_ms(self) -> float:
        """The most that can physically pass, in the point's unit."""
        return PLAUSIBLE_FACTOR * self.rated / HOUR_MS

    @cached_property
    def since(self) -> Times:
        """Instants from which each instrument was fitted."""
        return np.array([fitted.since for fitted in self.instruments], dtype=np.int64)

    @cached_property
    def factor(self) -> Floats:
        """Of each instrument."""
        return np.array([fitted.factor for fitted in self.instruments])

    @cached_property
    def rollover(self) -> Floats:
        """Of each instrument, in the point's unit; infinite where it does not roll over."""
        return np.array(
            [np.inf if each.rollover is None else each.rollover * abs(each.factor) for each in self.instruments]
        )

    @cached_property
    def count(self) -> Floats:
        """One step of each integer register, in the point's unit."""
        return np.array([fitted.count * abs(fitted.factor) for fitted in self.instruments])

    @cached_property
    def relative(self) -> Floats:
        """One step of each floating-point register, as a share of its value."""
        return np.array([fitted.relative for fitted in self.instruments])

    @cached_property
    def may_fall(self) -> NDArray[np.bool_]:
        """Whether the register of each instrument may fall."""
        return np.array([fitted.signed for fitted in self.instruments], dtype=np.bool_)

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Of each instrument, whether only its readings tell how finely it counts."""
        return np.array([fitted.seen for fitted in self.instruments], dtype=np.bool_)

    @cached_property
    def signed(self) -> bool:
        """Whether any instrument's register may fall."""
        return bool(self.may_fall.any())

    @cached_property
    def rolls(self) -> bool:
        """Whether any instrument's register rolls over."""
        return any(fitted.rollover is not None for fitted in self.instruments)

    @cached_property
    def simple(self) -> bool:
        """Whether all readings are of one register that counts the total."""
        return len(self.instruments) == 1 and self.instruments[0].counts is Counts.TOTAL

    @cached_property
    def plain(self) -> bool:
        """Whether all readings since the newest instrument was fitted are of one register that counts the total.

        And nobody doubts in which unit.
        """
        last = self.instruments[-1]
        doubted = any(span.end > last.since for span in self.doubt)
        return last.counts is Counts.TOTAL and last.until == ALWAYS_AFTER and not doubted

    @cached_property
    def newest(self) -> "Counter":
        """The same of the newest instrument only."""
        return self if len(self.instruments) == 1 else replace(self, instruments=self.instruments[-1:])

    @cached_property
    def one_to_one(self) -> bool:
        """Whether registers are in the point's unit."""
        return all(fitted.factor == 1 for fitted in self.instruments)

    def step(self, values: Floats, instrument: Times) -> Floats:
        """The least that each register can rise by where it shows `values`, both in the point's unit."""
        if len(self.instruments) == 1:
            only = self.instruments[0]
            if not only.relative:
                return np.full(len(values), self.count[0])
        return np.asarray(self.count[instrument] + self.relative[instrument] * np.abs(values), dtype=np.float64)


_RELATIVE = {"float32": float(np.finfo(np.float32).eps), "float64": float(np.finfo(np.float64).eps)}
_COUNTS = {"total": Counts.TOTAL, "daily": Counts.DAILY, "delta": Counts.DELTA}


def counter_of(meter: Meter, register: str, zone: ZoneInfo) -> Counter:
    """The counter `register` of `meter`.

    Where the park file does not say how finely it counts, one unit is assumed for what is plausible, and the decimals
    of its readings tell how far a quarter hour may be off.
    """
    fitted: list[FittedInstrument] = []
    for instrument in meter.instruments:
        own = instrument.registers.get(register)
        if own is None:
            continue
        fitted.append(
            FittedInstrument(
                since=instrument.span.start,
                until=instrument.span.end,
                counts=_COUNTS[own.kind],
                factor=instrument.factor(register),
                rollover=own.rollover,
                count=0.0 if own.floating else own.resolution,
                relative=_RELATIVE[own.floating] if own.floating else 0.0,
                seen=not own.floating and "resolution" not in own.model_fields_set,
                signed=meter.counts_down(instrument, register),
                opening=instrument.opening.get(register, np.nan),
                closing=instrument.closing.get(register, np.nan),
                continues=instrument.continues,
            )
        )
    return Counter(interval_ms=meter.interval_s * 1000, rated=meter.rated, instruments=tuple(fitted), zone=zone)


def counting(meter: Meter) -> tuple[str, ...]:
    """The registers of a meter that use is kept of; the main one first."""
    served = meter.quantities
    return meter.counter, *(name for name in FURTHER_REGISTERS if name in served)
