"""What must be known of one counter to turn its registers into use: taken from the park file, ready for arrays."""

from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from efficiency.usage.intervals import Floats, Times
from metering.dated import Dated
from metering.instants import midnight_ms
from metering.meters import Meter

PLAUSIBLE_FACTOR = 1.2
"""F2: how far beyond its rating a supply may be driven."""

FURTHER_REGISTERS = ("reactive_kvarh", "energy_export_kwh")
"""Counters of an electricity meter that are kept beside its amount."""


def dated_steps(entries: tuple[Dated, ...], values: list[float], zone: ZoneInfo) -> tuple[Times, Floats]:
    """Instants from which each value holds, ms; NaN from an `until` that nothing follows."""
    starts = [midnight_ms(entry.since, zone) for entry in entries]
    if entries and entries[-1].until is not None:
        starts.append(midnight_ms(entries[-1].until, zone))
        values = [*values, np.nan]
    return np.array(starts, dtype=np.int64), np.array(values, dtype=np.float64)


def value_at(steps: tuple[Times, Floats], times: Times) -> Floats:
    """Value that holds at each instant, NaN before the first."""
    starts, values = steps
    padded = np.concatenate(([np.nan], values))
    return padded[np.searchsorted(starts, times, side="right")]


@dataclass(frozen=True, slots=True)
class Swapped:
    """The instrument was replaced: instant in ms, last register of the old, first of the new one (NaN if unknown)."""

    at: int
    closing: float
    opening: float


@dataclass(frozen=True, slots=True)
class Counter:
    """One counting register of one meter.

    `rated` is in real units per hour, `rollover` in register units. `count` is one step of an integer register, in
    register units, and `relative` that of a floating-point one as a share of its value: what the resolution can fake on
    top of the physical bound. `multiplier` gives instants and factors; with none at all the factor is 1.
    """

    interval_ms: int
    rated: float
    rollover: float | None = None
    count: float = 0.0
    relative: float = 0.0
    export: bool = False
    multiplier: tuple[Times, Floats] | None = None
    swaps: tuple[Swapped, ...] = ()

    def factor(self, times: Times) -> Floats:
        """Multiplier at each instant; NaN where the park file dates none."""
        if self.multiplier is None:
            return np.ones(len(times))
        starts, values = self.multiplier
        if len(times):
            first, last = np.searchsorted(starts, (times.min(), times.max()), side="right")
            if first == last:  # nearly always: one multiplier for all
                return np.full(len(times), values[first - 1] if first else np.nan)
        return value_at(self.multiplier, times)

    def most(self, times: Times, elapsed_ms: Times, values: Floats) -> Floats:
        """F2: the most that the register can rise to `values` within each time up to `times`, in register units."""
        raw = PLAUSIBLE_FACTOR * self.rated * (elapsed_ms / 3.6e6)
        if self.multiplier is not None:
            # At a change of the multiplier either may hold within the step: the smaller one allows more.
            factors = np.fmin(self.factor(times), self.factor(times - elapsed_ms))
            raw = raw / np.where(np.isnan(factors), 1.0, factors)
        return np.asarray(raw + self.step(values), dtype=np.float64)

    def step(self, values: Floats) -> Floats:
        """The least that the register can rise by where it shows `values`, in register units."""
        return np.asarray(self.count + self.relative * np.abs(values), dtype=np.float64)


_EXPORT = "energy_export_kwh"
"""Where this register is served, the one of what was bought never falls; without it, export turns that one back."""

_RELATIVE = {"float32": float(np.finfo(np.float32).eps), "float64": float(np.finfo(np.float64).eps)}


def counter_of(meter: Meter, register: str) -> Counter:
    """The counter `register` of `meter`."""
    own = meter.instruments[-1].registers[register]
    main = register == meter.counter
    starts = [instrument.span.start for instrument in meter.instruments]
    factors = [instrument.factor(register) for instrument in meter.instruments]
    exchanges = [pair for pair in pairwise(meter.instruments) if not pair[1].continues]
    return Counter(
        interval_ms=meter.interval_s * 1000,
        rated=meter.rated,
        rollover=own.rollover,
        count=0.0 if own.floating else own.resolution,
        relative=_RELATIVE[own.floating] if own.floating else 0.0,
        export=meter.export and main and _EXPORT not in meter.registers,
        multiplier=None if set(factors) == {1.0} else (np.array(starts, dtype=np.int64), np.array(factors)),
        swaps=tuple(
            Swapped(later.span.start, earlier.closing.get(register, np.nan), later.opening.get(register, np.nan))
            for earlier, later in exchanges
        ),
    )


def counting(meter: Meter) -> tuple[str, ...]:
    """The registers of a meter that use is kept of; the main one first."""
    return meter.counter, *(name for name in FURTHER_REGISTERS if name in meter.registers)
