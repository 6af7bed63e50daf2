"""A metering point of the park file: what it measures, who has it when, and which instrument measures there when.

A meter keeps its id when the instrument is replaced or another tenant moves in. `instruments` and `belongs` hold its
history, oldest first and never empty; the short forms of the park file (`tenant`, `model`, `multiplier`, ...) become
one entry without a beginning.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from metering.dated import Limits
from metering.instants import ALWAYS_AFTER, ALWAYS_BEFORE, EVER, QUARTER_MS, Span, milliseconds
from metering.meterlibrary import DriverBlocks
from metering.model import Count, Identifier, Localized, Model, Number, Positive, Printable
from metering.quantities import COUNTERS, UTILITIES, Quantity, Utility
from metering.shortforms import meter_written_out

MAX_INTERVAL_S = 31 * 86_400
"""The longest interval of a meter: read by hand once a month."""


class Role(StrEnum):
    """`main` meters bound a balance; `generation` is the park's own, such as rooftop solar."""

    CONSUMPTION = "consumption"
    GENERATION = "generation"
    MAIN = "main"


class Register(Model):
    """One value that a meter serves.

    `rollover` is the value at which a counter starts again from zero, `resolution` its smallest step, both in the
    quantity's unit. A floating-point register states `floating` instead: its step grows with its value. `kind` is what
    a counter shows: the total (`total`), the amount since local midnight (`daily`), or since the reading before
    (`delta`). A `signed` register also counts down, and below zero, such as import minus export.
    """

    rollover: Positive | None = None
    resolution: Positive = 1.0
    floating: Literal["float32", "float64"] | None = None
    kind: Literal["total", "daily", "delta"] = "total"
    signed: bool = False


class MeterModel(DriverBlocks):
    """What all instruments of one make share.

    `source` is where the facts come from, `unverified` what has not been tried on an instrument.
    """

    registers: dict[str, Register]
    source: str | None = None
    unverified: str | None = None


def _instant(written: Any) -> Any:
    """Milliseconds of an instant of the park file; dates were converted before, in the park's time zone."""
    if isinstance(written, int) and not isinstance(written, bool) and abs(written) >= _FIRST_MS:
        return written
    try:
        instant = datetime.fromisoformat(written) if isinstance(written, str) else written
        return milliseconds(instant)
    except (ValueError, TypeError, AttributeError):
        raise ValueError("an instant is a date, or a time with its offset such as 2026-11-10T09:12:00+07:00") from None


_FIRST_MS = 10**10
"""Smaller numbers cannot be milliseconds; they are probably a year."""


def _on_quarter_hour(ms: int) -> int:
    if ms % QUARTER_MS:
        raise ValueError("a quarter hour belongs to one tenant: write a time at :00, :15, :30 or :45")
    return ms


InstantMs = Annotated[int, BeforeValidator(_instant)]
Edge = Annotated[InstantMs, AfterValidator(_on_quarter_hour)]


class _Lasting(Protocol):
    @property
    def since_ms(self) -> int | None: ...

    @property
    def until_ms(self) -> int | None: ...


def _span(entry: _Lasting) -> Span:
    return Span(
        ALWAYS_BEFORE if entry.since_ms is None else entry.since_ms,
        ALWAYS_AFTER if entry.until_ms is None else entry.until_ms,
    )


class Belonging(Model):
    """Who has a metering point from `since_ms` until `until_ms` (None: no end), and its parent meter.

    `tenant` is absent where the point is the park's own.
    """

    since_ms: Edge | None = Field(None, alias="from")
    until_ms: Edge | None = Field(None, alias="until")
    tenant: Identifier | None = None
    parent: Identifier | None = None
    role: Role = Role.CONSUMPTION

    @property
    def span(self) -> Span:
        """When it holds."""
        return _span(self)

    def clipped(self, span: Span) -> "Belonging | None":
        """Its part within a span; None where there is none."""
        return self if span == EVER else _belonging_within(self, span)


class Instrument(Model):
    """What measures at a point from `since_ms` until `until_ms` (None: no end).

    `multiplier` (transformer ratio) and `sign` (-1 where it is wired the wrong way round) apply to the quantities of
    `multiplier_for`, by default the counters. `accuracy_pct` is the accuracy class. `opening` and `closing` are
    registers by counter, where somebody wrote them down. `continues`: the device was not replaced and counts on; only
    its description differs from the entry before.
    """

    since_ms: InstantMs | None = Field(None, alias="from")
    until_ms: InstantMs | None = Field(None, alias="until")
    model: str | None = None
    serial: Printable | None = None
    registers: dict[str, Register] = Field(default_factory=dict)
    multiplier: Positive = 1.0
    multiplier_for: tuple[str, ...] | None = None
    sign: Literal[1, -1] = 1
    accuracy_pct: Positive = 1.0
    opening: dict[str, Number] = Field(default_factory=dict)
    closing: dict[str, Number] = Field(default_factory=dict)
    continues: bool = False
    source: str = ""

    @property
    def span(self) -> Span:
        """When it holds."""
        return _span(self)

    def clipped(self, span: Span) -> "Instrument | None":
        """Its part within a span; None where there is none."""
        return _clipped(self, span)

    def factor(self, quantity: str) -> float:
        """The factor from a register of this quantity to the true value."""
        if quantity in (COUNTERS if self.multiplier_for is None else self.multiplier_for):
            return self.multiplier * self.sign
        return 1.0


P = TypeVar("P", Belonging, Instrument)


def _closed(entries: Sequence[P]) -> tuple[P, ...]:
    """The entries, each with its end: by default the beginning of the next. Rules check their order."""
    if not entries:
        raise ValueError("at least one entry is needed")
    closed: list[P] = []
    for entry, later in pairwise(entries):
        known = (
            entry.until_ms is not None
            or later.since_ms is None
            or later.since_ms <= (entry.since_ms or later.since_ms - 1)
        )
        closed.append(entry if known else entry.model_copy(update={"until_ms": later.since_ms}))
    closed.extend(entries[-1:])
    return tuple(closed)


def _clipped(entry: P, span: Span) -> P | None:
    own = entry.span
    if not own.overlaps(span):
        return None
    part = own.within(span)
    return entry if part == own else entry.model_copy(update={"since_ms": part.start, "until_ms": part.end})


@lru_cache(maxsize=2**13)
def _belonging_within(entry: Belonging, span: Span) -> Belonging | None:
    """Cached, because figures of a day ask the same of each point a dozen times, and pydantic copies slowly."""
    return _clipped(entry, span)


def _at(entries: Sequence[P], ms: int) -> P | None:
    for entry in reversed(entries):
        if entry.since_ms is None or entry.since_ms <= ms:
            return entry if entry.until_ms is None or ms < entry.until_ms else None
    return None


EXPORT_REGISTER = "energy_export_kwh"


class Bounds(Model):
    """The range of a quantity of one meter, where it is narrower than that of any instrument."""

    low: Number | None = None
    high: Number | None = None


class Meter(DriverBlocks):
    """A metering point. It exists from `since_ms` until `until_ms` (None: no end).

    `alias` is the device's name in its messages. `rated` is the highest possible rate, in the counter's unit per hour.
    `interval_s` is how often it is read. `export`: electricity may flow back. `limits` are permitted ranges,
    `ranges` what the instrument can show. `output_unit` is the unit that a production meter counts. The blocks of
    drivers are those of the newest instrument: no other is read.
    """

    id: Identifier
    name: Localized
    since_ms: InstantMs | None = Field(None, alias="from")
    until_ms: InstantMs | None = Field(None, alias="until")
    alias: Printable | None = None
    gateway: Identifier
    utility: Utility
    belongs: Annotated[tuple[Belonging, ...], AfterValidator(_closed)]
    instruments: Annotated[tuple[Instrument, ...], AfterValidator(_closed)]
    interval_s: Annotated[int, Field(strict=True, ge=1, le=MAX_INTERVAL_S)]
    rated: Positive
    export: bool = False
    limits: dict[str, Limits] = Field(default_factory=dict)
    ranges: dict[str, Bounds] = Field(default_factory=dict)
    output_unit: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, raw: Any) -> Any:
        return meter_written_out(raw) if isinstance(raw, dict) else raw

    @property
    def span(self) -> Span:
        """When the point exists."""
        return _span(self)

    @property
    def counter(self) -> str:
        """Name of the register that use is computed from."""
        return UTILITIES[self.utility].counter

    @property
    def unit(self) -> str:
        """Unit of an amount used."""
        return self.output_unit or UTILITIES[self.utility].unit

    def counts_down(self, instrument: Instrument, register: str) -> bool:
        """Whether a counter of an instrument may fall, even below zero.

        It does where it is `signed`, or where electricity flows back (`export`) and has no register of its own.
        """
        net = self.export and register == self.counter and EXPORT_REGISTER not in instrument.registers
        return instrument.registers[register].signed or net

    @cached_property
    def quantities(self) -> dict[str, Quantity]:
        """What this meter may send, by any of its instruments."""
        known = UTILITIES[self.utility].quantities
        return {name: known[name] for instrument in self.instruments for name in instrument.registers}

    def belonging_at(self, ms: int) -> Belonging | None:
        """Who has the point at an instant; None outside its existence."""
        return _at(self.belongs, ms)

    def belongings_in(self, span: Span) -> tuple[Belonging, ...]:
        """Who has the point within a span, in order, each clipped to the span."""
        return tuple(part for entry in self.belongs if (part := entry.clipped(span)) is not None)

    def instrument_at(self, ms: int) -> Instrument | None:
        """What measures at an instant; None where nothing does."""
        return _at(self.instruments, ms)

    def instruments_in(self, span: Span) -> tuple[Instrument, ...]:
        """What measures within a span, in order, each clipped to the span."""
        return tuple(part for entry in self.instruments if (part := entry.clipped(span)) is not None)


class Thresholds(Model):
    """Thresholds of alerts, where a tenant's differ from the park's."""

    night_flow_ratio: Positive = 0.35
    continuous_flow_ratio: Positive = 0.4
    above_baseline_ratio: Positive = 0.05
    demand_warning_ratio: Positive = 0.9
    power_factor: Positive = 0.9
    silent_s: Count = 900
    solar_ratio: Positive = 0.6
    toe_per_year: Positive | None = None
    co2e_t_per_year: Positive | None = None
    unclosed_days: Count = 10
