"""One meter of the park file: what it measures, where it hangs, what its registers mean and what happened to it."""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, Field

from metering.dated import Factors, Limits
from metering.model import Count, Identifier, Localized, Model, NotNegative, Positive
from metering.quantities import UTILITIES, Quantity, Utility


class Role(StrEnum):
    """`main` meters bound a balance; `generation` is the park's own, such as rooftop solar."""

    CONSUMPTION = "consumption"
    GENERATION = "generation"
    MAIN = "main"


class Register(Model):
    """One value that a meter serves.

    `rollover` is the value at which a counter starts again from zero, `resolution` the smallest step that it shows,
    both in the quantity's unit. A floating-point register says `floating` instead: its step grows with its value.
    """

    rollover: Positive | None = None
    resolution: Positive = 1.0
    floating: Literal["float32", "float64"] | None = None


Block = dict[str, Any]
"""What a driver of the gateway needs to know; only the driver understands it (see `gateway.sources`)."""


class Driven(Model):
    """What drivers read has a block for each driver. Its `registers` name the quantities that the driver reads."""

    modbus: Block | None = None
    mbus: Block | None = None


DRIVERS: Final = tuple(Driven.model_fields)
"""The drivers that have a block."""


class Swap(Model):
    """The instrument was replaced at `at`: its last register and the first of the new one, in the counter's unit."""

    at: AwareDatetime
    closing: NotNegative
    opening: NotNegative


class MeterModel(Driven):
    """What all instruments of one make share.

    `source` says where the facts come from, `unverified` what of them nobody has tried on an instrument.
    """

    registers: dict[str, Register]
    source: str | None = None
    unverified: str | None = None


class Meter(Driven):
    """A point of measurement. It keeps its id when the instrument is replaced.

    `tenant` is absent where the meter is the park's own. `rated` is the most that can pass, in the counter's unit per
    hour. `accuracy_pct` is the accuracy class. `multiplier` (transformer ratio) applies to counters only. `limits` are
    permitted ranges by quantity. `output_unit` names what a production meter counts.
    """

    id: Identifier
    name: Localized
    tenant: Identifier | None = None
    gateway: Identifier
    utility: Utility
    role: Role = Role.CONSUMPTION
    parent: Identifier | None = None
    interval_s: Annotated[int, Field(strict=True, ge=1, le=3600)]
    model: str | None = None
    registers: dict[str, Register] = Field(default_factory=dict)
    multiplier: Factors = ()
    accuracy_pct: Positive = 1.0
    rated: Positive
    export: bool = False
    limits: dict[str, Limits] = Field(default_factory=dict)
    swaps: tuple[Swap, ...] = ()
    output_unit: str | None = None

    @property
    def counter(self) -> str:
        """Name of the register that use is computed from."""
        return UTILITIES[self.utility].counter

    @property
    def unit(self) -> str:
        """Unit of an amount used."""
        return self.output_unit or UTILITIES[self.utility].unit

    @property
    def quantities(self) -> dict[str, Quantity]:
        """What this meter may send."""
        known = UTILITIES[self.utility].quantities
        return {name: known[name] for name in self.registers}


class Thresholds(Model):
    """When to wake somebody, where the park's own defaults do not fit a tenant."""

    night_flow_ratio: Positive = 0.35
    continuous_flow_ratio: Positive = 0.4
    above_baseline_ratio: Positive = 0.05
    demand_warning_ratio: Positive = 0.9
    power_factor: Positive = 0.9
    silent_s: Count = 900
    solar_ratio: Positive = 0.6
    toe_per_year: Positive | None = None
