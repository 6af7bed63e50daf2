"""One meter of the park file: what it measures, where it hangs, what its registers mean and what happened to it."""

import struct
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from metering.dated import Factors, Limits
from metering.model import Count, Identifier, Localized, Model, NotNegative, Positive
from metering.quantities import UTILITIES, Quantity, Utility


class Role(StrEnum):
    """`main` meters bound a balance; `generation` is the park's own, such as rooftop solar."""

    CONSUMPTION = "consumption"
    GENERATION = "generation"
    MAIN = "main"


RegisterType = Literal["uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]


_FORMATS: dict[RegisterType, str] = {
    "uint16": ">H",
    "int16": ">h",
    "uint32": ">I",
    "int32": ">i",
    "uint64": ">Q",
    "int64": ">q",
    "float32": ">f",
    "float64": ">d",
}


class Register(Model):
    """One value that a meter serves.

    `rollover` is the value, in the quantity's unit, at which a counter starts again from zero. `address` (counted from
    zero, as on the wire), `type` and `scale` (canonical unit per raw count) say where Modbus finds it; a meter that
    publishes by itself leaves them out.
    """

    rollover: Positive | None = None
    address: Annotated[int, Field(strict=True, ge=0, le=65535)] | None = None
    type: RegisterType | None = None
    scale: Positive = 1.0

    @property
    def format(self) -> str:
        """Its words as `struct` reads them, big-endian; empty where it is not on Modbus."""
        return "" if self.type is None else _FORMATS[self.type]

    @property
    def words(self) -> int:
        """How many 16-bit words it takes."""
        return struct.calcsize(self.format) // 2


class Modbus(Model):
    """Where the meter answers: unit identifier, and `host[:port]` unless it hangs on the gateway's own line."""

    device: Annotated[int, Field(strict=True, ge=0, le=255)]
    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]+(:\d{1,5})?$")] | None = None


class Swap(Model):
    """The instrument was replaced at `at`: its last register and the first of the new one, in the counter's unit."""

    at: AwareDatetime
    closing: NotNegative
    opening: NotNegative


class MeterModel(Model):
    """Registers that all instruments of one make share."""

    registers: dict[str, Register]


class Meter(Model):
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
    modbus: Modbus | None = None
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
