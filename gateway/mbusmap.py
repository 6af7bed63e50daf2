"""Decodes the answers of M-Bus meters: records by their own codes (DIF and VIF), mapped to quantities.

Pure. A record that says "not available" is never a measurement.
"""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from gateway.modbusmap import NoMeasurementError, not_zero
from metering.model import Count, Model, Number

_NEGATIVE: Final = 0xF  # the first digit of a negative BCD number
_DIGITS: Final = 10


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of record: its M-Bus name, the unit of its values, and the factor of each unit on the bus."""

    vif: frozenset[str]
    unit: str
    units: dict[str, Decimal]


def _kind(vif: str, unit: str, **units: str) -> _Kind:
    names = {"m3": "m^3", "m3_h": "m^3/h", "m3_min": "m^3/min", "m3_s": "m^3/s", "J_h": "J/h", "kg_h": "kg/h"}
    factors = {
        names.get(name, name): Decimal(factor.partition("/")[0]) / Decimal(factor.partition("/")[2] or 1)
        for name, factor in units.items()
    }
    return _Kind(frozenset(vif.split()), unit, factors)


KINDS: Final = {
    "energy": _kind("ENERGY_WH ENERGY_J", "kWh", Wh="0.001", kWh="1", J="1/3600000"),
    "volume": _kind("VOLUME", "m³", m3="1", l="0.001"),
    "mass": _kind("MASS", "t", kg="0.001"),
    "power": _kind("POWER_W POWER_J_H", "kW", W="0.001", J_h="1/3600000"),
    "volume_flow": _kind("VOLUME_FLOW VOLUME_FLOW_EXT VOLUME_FLOW_EXT_S", "m³/h", m3_h="1", m3_min="60", m3_s="3600"),
    "mass_flow": _kind("MASS_FLOW", "t/h", kg_h="0.001"),
    "supply_temperature": _kind("FLOW_TEMPERATURE", "°C", C="1"),
    "return_temperature": _kind("RETURN_TEMPERATURE", "°C", C="1"),
    "external_temperature": _kind("EXTERNAL_TEMPERATURE", "°C", C="1"),
    "pressure": _kind("PRESSURE", "bar", bar="1"),
    "voltage": _kind("VOLTS", "V", V="1"),
    "current": _kind("AMPERE", "A", A="1"),
}
_FUNCTIONS: Final = {
    "INSTANTANEOUS_VALUE": "instantaneous",
    "MAXIMUM_VALUE": "maximum",
    "MINIMUM_VALUE": "minimum",
    "ERROR_STATE_VALUE": "error",
}


class RecordMap(Model):
    """Which record of an answer holds a quantity.

    `unit` is the sub-unit of the device, not a unit of measurement. Values come in the units of `KINDS`; `scale`
    multiplies them: Nm³ per m³ where a gas meter does not convert.
    """

    kind: Literal[
        "energy",
        "volume",
        "mass",
        "power",
        "volume_flow",
        "mass_flow",
        "supply_temperature",
        "return_temperature",
        "external_temperature",
        "pressure",
        "voltage",
        "current",
    ]
    function: Literal["instantaneous", "maximum", "minimum"] = "instantaneous"
    storage: Count = 0
    tariff: Count = 0
    unit: Count = 0
    scale: Annotated[Number, AfterValidator(not_zero)] | None = None


class Records(Model):
    """The records of a kind of meter, by quantity."""

    registers: dict[str, RecordMap] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One record of an answer: the codes that identify it, and its value in the unit of its kind.

    `value` is None where the record holds no number; `why` then gives the reason.
    """

    kind: str
    function: str
    storage: int
    tariff: int
    unit: int
    value: float | None
    why: str = ""

    def matches(self, wanted: RecordMap) -> bool:
        """Whether this is the record that the map asks for."""
        own = (self.kind, self.function, self.storage, self.tariff, self.unit)
        return own == (wanted.kind, wanted.function, wanted.storage, wanted.tariff, wanted.unit)

    def __str__(self) -> str:
        further = {"storage": self.storage, "tariff": self.tariff, "unit": self.unit}
        named = "".join(f", {name}: {number}" for name, number in further.items() if number)
        function = f", function: {self.function}" if self.function != "instantaneous" else ""
        return f"{{kind: {self.kind}{function}{named}}}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A meter's answer: its secondary address (16 digits), and its records of known kinds."""

    secondary: str
    manufacturer: str
    records: tuple[Record, ...]


class NoAnswerError(Exception):
    """The meter did not answer, or its answer cannot be decoded."""


def understood(telegrams: Sequence[bytes]) -> Answer:
    """Decode the telegrams of one answer.

    Raises `NoAnswerError` where they cannot be decoded.
    """
    import meterbus  # noqa: PLC0415 (it sets up logging when it is imported, so that has to be done before)

    try:
        frames = [meterbus.load(telegram) for telegram in telegrams]
        if not frames or any(not isinstance(frame, meterbus.TelegramLong) for frame in frames):
            raise NoAnswerError("the answer is no telegram with data")
        records = tuple(record for frame in frames for raw in frame.records for record in _records(raw))
        return Answer(frames[0].secondary_address, frames[0].manufacturer, records)
    except (meterbus.exceptions.MBusError, IndexError, KeyError, ValueError) as error:
        raise NoAnswerError(f"the answer cannot be read ({type(error).__name__})") from error


def _records(raw: Any) -> Iterator[Record]:
    try:
        said, unit = raw.interpreted, raw.unit
    except (IndexError, KeyError, ValueError, TypeError, ArithmeticError):  # a code that the library does not know
        return
    vif = said["type"].rpartition(".")[2]
    kind = next((name for name, kind in KINDS.items() if vif in kind.vif), None)
    function = _FUNCTIONS.get(said["function"].rpartition(".")[2])
    if kind is None or function is None or "unit_enh" in said or unit not in KINDS[kind].units:
        return
    why = _no_number(raw)
    # The library multiplies in floating point; rounding to 15 digits restores the decimal number.
    value = None if why else float(Decimal(f"{float(said['value']):.15g}") * KINDS[kind].units[unit])
    yield Record(
        kind=kind,
        function=function,
        storage=said["storage_number"],
        tariff=said.get("tariff", 0),
        unit=said.get("device", 0),
        value=value,
        why=why,
    )


def _no_number(raw: Any) -> str:
    """Why the data of a record is no number; empty where it is one. The library accepts any digit."""
    data = bytes(raw.dataField.parts[::-1])  # the most significant first
    length, encoding = raw.dib.length_encoding
    digits = [int(digit, 16) for digit in data.hex()]
    said = f"0x{data.hex().upper()} says that there is no value"
    if len(data) != length:
        return "the answer ends too early"
    match encoding.name:
        case "ENCODING_INTEGER":
            return said if data[0] == 0x80 and not any(data[1:]) else ""  # noqa: PLR2004 (the smallest number)
        case "ENCODING_BCD":
            first = digits[1:] if digits[0] == _NEGATIVE else digits
            return said if any(digit >= _DIGITS for digit in first) else ""
        case "ENCODING_REAL":
            return "" if math.isfinite(struct.unpack(">f", data)[0]) else said
        case _:
            return "the record holds no number"


def value_of(answer: Answer, wanted: RecordMap) -> float:
    """The value of the record that a map asks for.

    Raises `NoMeasurementError`.
    """
    found = [record for record in answer.records if record.matches(wanted)]
    if len(found) != 1:
        raise NoMeasurementError(f"{len(found) or 'no'} records are {wanted.kind} with these codes")
    value = found[0].value
    if value is None:
        raise NoMeasurementError(found[0].why)
    return value if wanted.scale is None else float(Decimal(repr(value)) * Decimal(repr(wanted.scale)))
