"""Reads one device once, for whoever connects it: content and meaning of each register, and what looks wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, get_args

from gateway import mbus
from gateway.lines import LineAddress
from gateway.mbusmap import Answer, NoAnswerError, Records, value_of
from gateway.modbusclient import ErrorAnswerError, ModbusConnection, SilentError, find_start
from gateway.modbusmap import Map, NoMeasurementError, Order, Request, Value, decode, plan
from metering.errors import UnavailableError
from metering.quantities import COUNTERS, QUANTITIES

_USUAL: Final[dict[str, tuple[float, float]]] = {
    "frequency_hz": (45.0, 65.0),
    "power_factor": (-1.0, 1.0),
    "voltage_v": (50.0, 500_000.0),
    "current_a": (-20_000.0, 20_000.0),
    "power_kw": (-500_000.0, 500_000.0),
    "temperature_c": (-40.0, 400.0),
    "pressure_bar": (-1.0, 200.0),
}
"""What is usual in a park; a value beyond it is conceivable, but probably read wrongly."""

_MOST_COUNTED: Final = 1e10
_TINY: Final = 1e-20  # a float in the wrong word order is often such a number


@dataclass(frozen=True, slots=True)
class Probed:
    """One quantity: its place, the words or record as received, its value if any, and what looks wrong."""

    quantity: str
    place: str
    raw: str
    value: float | None
    unit: str
    remark: str = ""


async def probe_modbus(line: LineAddress, device: int, chart: Map) -> list[Probed]:
    """Read each register of a map separately, so that a missing one does not hide the others.

    Raises `UnavailableError` where the line cannot be connected, or nothing answers.
    """
    connection = ModbusConnection(line)
    try:
        if not await connection.open():
            raise UnavailableError(f"{line}: cannot be connected")
        start = await find_start(connection, device, chart.sunspec) if chart.sunspec else 0
        found = []
        for name in chart.registers:
            alone = chart.model_copy(update={"registers": {name: chart.registers[name]}})
            (request,) = plan({name: alone}, {name: start})
            found.append(await _probed(connection, device, request, alone))
    except (SilentError, ErrorAnswerError) as error:
        raise UnavailableError(f"device {device} on {line}: {error}") from error
    finally:
        connection.close()
    if not any(one.raw for one in found):
        said = "; ".join(dict.fromkeys(one.remark for one in found))
        raise UnavailableError(f"device {device} on {line}: {said}. Check its number, the wiring and the line.")
    return found


async def _probed(connection: ModbusConnection, device: int, request: Request, chart: Map) -> Probed:
    (value,) = request.values
    place = f"{chart.first + request.address} ({value.places[0].type}, function {request.function:02d})"
    unit = unit_of(value.quantity)
    try:
        if not await connection.open():
            return Probed(value.quantity, place, "", value=None, unit=unit, remark="the line was lost")
        words = await connection.words(device, request)
    except (SilentError, ErrorAnswerError) as error:
        return Probed(value.quantity, place, "", value=None, unit=unit, remark=str(error))
    raw = " ".join(f"{word:04X}" for word in words)
    decoded = decode(request, words)
    if decoded.missing:
        return Probed(value.quantity, place, raw, value=None, unit=unit, remark=decoded.missing[0].why)
    found = decoded.values[value.meter][value.quantity]
    return Probed(value.quantity, place, raw, value=found, unit=unit, remark=_remark(value, found, request, words))


def _remark(value: Value, found: float, request: Request, words: Sequence[int]) -> str:
    if is_usual(value.quantity, found):
        return ""
    others = {
        order: other
        for order, other in _in_other_orders(value, request, words).items()
        if is_usual(value.quantity, other)
    }
    if not others:
        return "is not what this quantity usually is; check address, type and scale"
    said = " or ".join(f"{other:g} with order: {order}" for order, other in others.items())
    return f"is not what this quantity usually is; it would be {said}"


def _in_other_orders(value: Value, request: Request, words: Sequence[int]) -> dict[Order, float]:
    found: dict[Order, float] = {}
    for order in get_args(Order):
        if order == (value.places[0].order or value.order):
            continue
        places = tuple(place.model_copy(update={"order": order}) for place in value.places)
        turned = replace(value, order=order, places=places)
        decoded = decode(Request(request.function, request.address, request.words, (turned,)), words)
        if decoded.values:
            found[order] = decoded.values[value.meter][value.quantity]
    return found


def is_usual(quantity: str, value: float) -> bool:
    """Whether a value is usual for meters of a park."""
    if 0 < abs(value) < _TINY:
        return False
    low, high = _USUAL.get(quantity, (0.0, _MOST_COUNTED) if quantity in COUNTERS else (-_MOST_COUNTED, _MOST_COUNTED))
    return low <= value <= high


def unit_of(quantity: str) -> str:
    """The unit of a quantity; empty for an unknown one."""
    return QUANTITIES[quantity].unit if quantity in QUANTITIES else ""


def probe_mbus(line: LineAddress, address: str) -> Answer:
    """The answer of an M-Bus meter. Blocking.

    Raises `UnavailableError` where the line cannot be connected, or the meter does not answer.
    """
    connection = mbus.MbusConnection(line)
    try:
        if not connection.open():
            raise UnavailableError(f"{line}: cannot be connected")
        return connection.ask(address)
    except NoAnswerError as error:
        raise UnavailableError(f"M-Bus {address} on {line}: {error}") from error
    finally:
        connection.close()


def probed_records(answer: Answer, chart: Records) -> list[Probed]:
    """The records of a map in an M-Bus meter's answer."""
    found = []
    for quantity, wanted in chart.registers.items():
        value, remark = None, ""
        try:
            value = value_of(answer, wanted)
        except NoMeasurementError as why:
            remark = str(why)
        else:
            remark = "" if is_usual(quantity, value) else "is not what this quantity usually is"
        record = next((str(one) for one in answer.records if one.matches(wanted)), "")
        found.append(Probed(quantity, wanted.kind, record, value=value, unit=unit_of(quantity), remark=remark))
    return found
