"""The driver for Modbus: TCP, RTU over a serial port, and RTU frames over TCP.

A block of registers without an answer does not affect the others. A device that does not answer is asked last and less
and less often, so that it delays no other.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import Field

from gateway.lines import Bus, LineAddress, PolledMeter, Scheme, block_faults, by_line, line_faults, misfits
from gateway.modbusclient import ErrorAnswerError, ModbusConnection, SilentError, find_start
from gateway.modbusmap import DecodedWords, Map, Request, decode, highest, plan, resolution, wrong_in
from gateway.polling import PolledLine, Rounds
from metering.lenient import Broken, as_far_as_read
from metering.meters import Meter
from metering.park import Gateway, Park
from running.patience import Patience, Pause
from running.trouble import Trouble
from wire.messages import Reading

_LOG = logging.getLogger(__name__)
BUS: Final = Bus(
    "Modbus",
    "modbus",
    (
        Scheme("modbus", "modbus://10.0.0.7:502", port=502),
        Scheme(
            "modbus-rtu", "modbus-rtu://10.0.0.8:4001 or modbus-rtu:///dev/ttyUSB0?baud=9600&parity=even", serial={}
        ),
    ),
    "ECOPARK_MODBUS_URL",
)
_LONGEST_PAUSE_S: Final = 60.0
_SILENT_ENOUGH: Final = 2  # consecutive blocks without an answer until a device counts as silent
_NEARLY: Final = 1e-9


class ModbusMeterBlock(Map):
    """A meter's block: its unit identifier, and its line where that is not the gateway's."""

    device: Annotated[int, Field(strict=True, ge=0, le=255)]
    line: str | None = None


def faults(park: Park) -> Iterator[Broken]:
    """What is wrong with the park's blocks for this driver: where, and what would be right."""
    return block_faults(BUS, park, model=_model_faults, meter=_meter_faults)


def _model_faults(raw: dict[str, Any]) -> Iterator[Broken]:
    return _under((), raw, _map_faults(raw, Map))


def _meter_faults(meter: Meter) -> Iterator[Broken]:
    if meter.modbus is None:
        return
    found = list(_under(("modbus",), meter.modbus, _map_faults(meter.modbus, ModbusMeterBlock)))
    yield from found
    yield from _under(("modbus",), meter.modbus, line_faults(BUS, meter.modbus.get("line")))
    if not found:
        block = ModbusMeterBlock.model_validate(meter.modbus)
        if not block.registers:
            yield Broken(("modbus",), "names no registers; add registers, or a model that has them")
        yield from as_far_as_read(_counter_faults(meter, block))


def _map_faults(raw: dict[str, Any], kind: type[Map]) -> Iterator[Broken]:
    found = list(misfits(kind, raw))
    yield from found or wrong_in(kind.model_validate(raw))


def _counter_faults(meter: Meter, block: ModbusMeterBlock) -> Iterator[Broken]:
    """A counter in the park file must fit the registers that it is read from: those of the newest instrument."""
    newest = meter.instruments[-1].registers
    for name, quantity in meter.quantities.items():
        if not quantity.counter or name not in block.registers or name not in newest:
            continue
        places, stated = block.registers[name], newest[name]
        floating = next((place.type for place in places if place.type.startswith("float")), None)
        if stated.floating != floating:
            right = f"is read as {floating}; write floating: {floating}" if floating else "is read as a whole number"
            yield Broken(("registers", name, "floating"), right)
        step = resolution(places)
        if floating is None and step is not None and abs(step / stated.resolution - 1) > _NEARLY:
            yield Broken(("registers", name, "resolution"), f"is read in steps of {step:g}; write resolution: {step:g}")
        if stated.rollover is not None and stated.rollover > highest(places) * (1 + _NEARLY):
            yield Broken(("registers", name, "rollover"), f"its registers roll over at {highest(places):g}")


def _under(path: tuple[str | int, ...], raw: dict[str, Any], found: Iterable[Broken]) -> Iterator[Broken]:
    """Faults below the path of their block; a single place has no list index there."""
    for below, right in found:
        match below:
            case ("registers", str(name), 0, *rest) if isinstance(raw.get("registers", {}).get(name), dict):
                yield Broken((*path, "registers", name, *rest), right)
            case _:
                yield Broken((*path, *below), right)


@dataclass(slots=True)
class _Device:
    """One unit identifier, and the meters that it serves."""

    number: int
    charts: dict[str, Map]
    rounds: Rounds
    pause: Pause
    trouble: Trouble
    blocks: dict[str, Pause] = field(default_factory=dict)
    plans: dict[tuple[str, ...], tuple[Request, ...]] = field(default_factory=dict)
    starts: dict[str, int] | None = field(default_factory=dict)
    """Where the SunSpec models of its meters start; None until they are found."""

    def __post_init__(self) -> None:
        self.forget()

    def requests(self, meters: tuple[str, ...]) -> tuple[Request, ...]:
        """The requests that read some of its meters."""
        if meters not in self.plans:
            self.plans[meters] = plan({meter: self.charts[meter] for meter in meters}, self.starts)
        return self.plans[meters]

    def forget(self) -> None:
        """Search for its SunSpec models again, if it has any: another device may have taken its place."""
        if any(chart.sunspec for chart in self.charts.values()):
            self.starts = None

    def found(self, starts: dict[str, int]) -> None:
        """Note where SunSpec models start."""
        self.starts = starts
        self.plans.clear()


@dataclass(slots=True)
class _Round:
    """The result so far of one round of a device."""

    values: dict[str, dict[str, float]] = field(default_factory=dict)
    sampled: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    answers: int = 0
    silent: int = 0

    @property
    def hopeless(self) -> bool:
        """Whether asking for more would waste the line's time."""
        return self.silent >= _SILENT_ENOUGH and not self.answers

    def readings(self) -> list[Reading]:
        return [Reading(meter=meter, ts=self.sampled[meter], values=found) for meter, found in self.values.items()]


class ModbusLine:
    """The devices on one line; `clock` gives seconds since the epoch."""

    def __init__(
        self, address: LineAddress, meters: Iterable[PolledMeter[ModbusMeterBlock]], clock: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._connection = ModbusConnection(address)
        self._patience = Patience(f"line {address}", _LOG, time.monotonic)
        by_device: dict[int, list[PolledMeter[ModbusMeterBlock]]] = {}
        for each in meters:
            by_device.setdefault(each.block.device, []).append(each)
        self._devices = [
            _Device(
                number,
                {meter.id: block for meter, block in those},
                Rounds((meter for meter, _ in those), clock),
                Pause(time.monotonic, _LONGEST_PAUSE_S),
                Trouble(
                    _LOG, f"device {number} on {address} ({', '.join(meter.id for meter, _ in those)})", time.monotonic
                ),
            )
            for number, those in sorted(by_device.items())
        ]
        self.bad_values = 0

    def next_round(self) -> float:
        """When something is due next, in seconds since the epoch."""
        return min(device.rounds.next() for device in self._devices)

    def close(self) -> None:
        """Close the connection, if there is one."""
        self._connection.close()

    async def read(self) -> list[Reading]:
        """Read what is due; devices that did not answer the last time come last."""
        due = [(device, device.rounds.due()) for device in self._devices]
        for device, meters in due:
            if meters and device.starts is None and device.pause.over and self._patience.over:
                await self._find_models(device)
        located = ((device, meters) for device, meters in due if device.starts is not None)
        asked = [(device, request) for device, meters in located for request in device.requests(meters)]
        rounds: dict[int, _Round] = {}
        for device, request in sorted(asked, key=lambda pair: _failures(*pair)):
            block = device.blocks.setdefault(str(request), Pause(time.monotonic, _LONGEST_PAUSE_S))
            if self._patience.over and device.pause.over and block.over:
                so_far = rounds.setdefault(device.number, _Round())
                if not so_far.hopeless:
                    await self._read_block(device, request, so_far)
        for device in self._devices:
            if device.number in rounds:
                self._judge(device, rounds[device.number])
        return [reading for so_far in rounds.values() for reading in so_far.readings()]

    async def _find_models(self, device: _Device) -> None:
        wanted = {meter: chart.sunspec for meter, chart in device.charts.items() if chart.sunspec}
        if not await self._connection.open():
            self._patience.failed("cannot be connected")
            return
        self._patience.succeeded()
        try:
            starts = {
                numbers: await find_start(self._connection, device.number, numbers) for numbers in set(wanted.values())
            }
            device.found({meter: starts[numbers] for meter, numbers in wanted.items()})
        except (SilentError, ErrorAnswerError) as error:
            device.pause.failed()
            device.trouble.happened(f"SunSpec: {error}")
            self.bad_values += sum(len(device.charts[meter].registers) for meter in wanted)

    async def _read_block(self, device: _Device, request: Request, so_far: _Round) -> None:
        if not await self._connection.open():
            self._patience.failed("cannot be connected")
            return
        self._patience.succeeded()
        block = device.blocks[str(request)]
        try:
            words = await self._connection.words(device.number, request)
        except SilentError as error:
            block.failed()
            so_far.silent += 1
            so_far.faults.append(f"{request}: {error}")
        except ErrorAnswerError as error:
            so_far.answers += 1
            so_far.faults.append(f"{request}: answers with {error}")
        else:
            block.succeeded()
            so_far.answers += 1
            self._take(decode(request, words), so_far)
            return
        self.bad_values += len(request.values)

    def _take(self, found: DecodedWords, so_far: _Round) -> None:
        instant = int(self._clock() * 1000)
        for meter, values in found.values.items():
            so_far.values.setdefault(meter, {}).update(values)
            so_far.sampled.setdefault(meter, instant)
        so_far.faults += [f"{value.meter} {value.quantity}: {why}" for value, why in found.missing]
        self.bad_values += len(found.missing)

    def _judge(self, device: _Device, so_far: _Round) -> None:
        if so_far.answers:
            device.pause.succeeded()
        elif so_far.silent:
            device.pause.failed()
            device.forget()
        if so_far.faults:
            device.trouble.happened("; ".join(so_far.faults))
        elif so_far.answers:
            device.trouble.over()


def _failures(device: _Device, request: Request) -> int:
    block = device.blocks.get(str(request))
    return max(device.pause.failures, block.failures if block else 0)


def lines(
    gateway: Gateway, meters: Iterable[Meter], *, where: str | None, clock: Callable[[], float]
) -> list[PolledLine]:
    """The lines of a gateway's meters; `where` overrides the gateway's line in the park file.

    Raises `OperatorError` for a meter without a line, and for a line that cannot be read.
    """
    polled = (
        PolledMeter(meter, ModbusMeterBlock.model_validate(meter.modbus))
        for meter in meters
        if meter.modbus is not None
    )
    return [ModbusLine(address, those, clock) for address, those in by_line(BUS, gateway, where, polled).items()]
