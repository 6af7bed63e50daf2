"""The driver for wired M-Bus (EN 13757): a level converter on a serial port or behind TCP.

A meter is addressed by its primary or its secondary address. Its records become quantities by their own codes (DIF and
VIF), which give kind, unit, storage, tariff and function. A meter that does not answer is asked last and less often.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, NamedTuple

import serial
from pydantic import BeforeValidator

from gateway.lines import (
    PORT_ERRORS,
    Bus,
    LineAddress,
    PolledMeter,
    Scheme,
    block_faults,
    by_line,
    line_faults,
    misfits,
)
from gateway.mbusmap import KINDS, Answer, NoAnswerError, Records, understood, value_of
from gateway.modbusmap import NoMeasurementError
from gateway.polling import PolledLine, Rounds
from metering.lenient import Broken
from metering.meters import Meter
from metering.park import Gateway, Park
from running.patience import Patience, Pause
from running.trouble import Trouble
from wire.messages import Reading

_LOG = logging.getLogger(__name__)
BUS: Final = Bus(
    "M-Bus",
    "mbus",
    (
        Scheme(
            "mbus",
            "mbus://10.0.0.9:10001 or mbus:///dev/ttyUSB1?baud=2400",
            serial={"parity": "even"},  # EN 13757-2 leaves no choice
        ),
    ),
    "ECOPARK_MBUS_URL",
)
_LONGEST_PAUSE_S: Final = 300.0
_MOST_TELEGRAMS: Final = 10  # of one answer
_SELECTED: Final = 253  # the primary address of a meter selected by its secondary one
_ACKNOWLEDGED: Final = b"\xe5"
_SECONDARY: Final = 16  # digits of a secondary address


def _address(value: Any) -> str:
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    if re.fullmatch(r"\d{1,3}", text) and int(text) <= 250:  # noqa: PLR2004 (as the standard has it)
        return str(int(text))
    if isinstance(value, str) and re.fullmatch(r"\d{8}|[0-9A-Fa-f]{16}", text):
        return text.upper().ljust(16, "F")
    raise ValueError('must be a primary address (0 to 250), or in quotes the 8 digits on the meter: "12345678"')


BusAddress = Annotated[str, BeforeValidator(_address)]
"""A primary address in decimal digits, or a secondary address of 16 hexadecimal digits, F for any."""


class MbusMeterBlock(Records):
    """A meter's block: its address, and its line where that is not the gateway's.

    The address is a primary one (0 to 250), the identification number of 8 digits, or the whole secondary address of 16
    hexadecimal digits.
    """

    address: BusAddress
    line: str | None = None


def faults(park: Park) -> Iterator[Broken]:
    """What is wrong with the park's blocks for this driver: where, and what would be right."""
    return block_faults(BUS, park, model=partial(misfits, Records), meter=_meter_faults)


def _meter_faults(meter: Meter) -> Iterator[Broken]:
    for path, right in _in_block(meter):
        yield Broken(("mbus", *path), right)


def _in_block(meter: Meter) -> Iterator[Broken]:
    if meter.mbus is None:
        return
    found = [*misfits(MbusMeterBlock, meter.mbus), *line_faults(BUS, meter.mbus.get("line"))]
    yield from found
    if found:
        return
    block = MbusMeterBlock.model_validate(meter.mbus)
    if not block.registers:
        yield Broken((), "names no registers; add registers, or a model that has them")
    for name, quantity in meter.quantities.items():
        record = block.registers.get(name)
        if record is not None and record.scale is None and KINDS[record.kind].unit != quantity.unit:
            yield Broken(
                ("registers", name),
                f"{record.kind} comes in {KINDS[record.kind].unit}, not in {quantity.unit or 'this unit'}: give scale",
            )


class _Answered(NamedTuple):
    """An answer, and the primary address in it."""

    answer: Answer
    primary: str


class MbusConnection:
    """A bus, opened on first use. Blocking: call it from one thread at a time."""

    def __init__(self, address: LineAddress) -> None:
        self._address = address
        self._port: serial.Serial | None = None

    def open(self) -> bool:
        """Open the port unless it is open; returns whether it is."""
        if self._port is None:
            where = self._address
            try:
                if where.serial is not None:
                    self._port = serial.Serial(
                        where.serial.path, where.serial.baud, parity=serial.PARITY_EVEN, timeout=where.timeout
                    )
                else:
                    self._port = serial.serial_for_url(f"socket://{where.host}:{where.port}", timeout=where.timeout)
            except PORT_ERRORS:
                return False
        return True

    def close(self) -> None:
        """Close the port, if it is open."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def ask(self, address: str) -> Answer:
        """The answer of the meter with this address. Call `open` first.

        Raises `NoAnswerError`, also where another meter answers.
        """
        try:
            answered = self._ask(address)
        except OSError as error:
            self.close()
            raise NoAnswerError(f"the line fails: {error}") from error
        meant = answered.answer.secondary if len(address) == _SECONDARY else answered.primary
        if any(own not in {other, "F"} for own, other in zip(address, meant, strict=False)) or len(address) != len(
            meant
        ):
            raise NoAnswerError(f"a meter with the address {meant} answers in its place")
        return answered.answer

    def _ask(self, address: str) -> _Answered:
        import meterbus  # noqa: PLC0415 (see `understood`)

        port = self._port
        if port is None:
            raise NoAnswerError("is not connected")
        primary = int(address) if len(address) < _SECONDARY else _SELECTED
        port.reset_input_buffer()
        meterbus.send_ping_frame(port, primary)
        meterbus.recv_frame(port, 1)
        if primary == _SELECTED:
            meterbus.send_select_frame(port, address)
            if meterbus.recv_frame(port, 1) != _ACKNOWLEDGED:
                raise NoAnswerError(f"no meter answers to {address}")
        telegrams: list[bytes] = []
        request = meterbus.TelegramShort()
        request.header.aField.parts = [primary]
        control = meterbus.CONTROL_MASK_REQ_UD2 | meterbus.CONTROL_MASK_DIR_M2S | meterbus.CONTROL_MASK_FCV
        for turn in range(_MOST_TELEGRAMS):
            request.header.cField.parts = [control if turn % 2 else control | meterbus.CONTROL_MASK_FCB]
            meterbus.send_request_frame(port, req=request)
            telegram = meterbus.recv_frame(port, 1)
            if not telegram:
                raise NoAnswerError(
                    f"does not answer within {self._address.timeout:g} s"
                    if telegram is None
                    else "its answer is damaged"
                )
            telegrams.append(telegram)
            if not getattr(meterbus.load(telegram), "more_records_follow", False):
                break
        return _Answered(understood(telegrams), str(telegrams[0][5]) if primary != _SELECTED else "")


@dataclass(slots=True)
class _BusDevice:
    """One meter of the bus."""

    meter: Meter
    block: MbusMeterBlock
    rounds: Rounds
    pause: Pause
    trouble: Trouble


class MBusLine:
    """The meters on one bus; `clock` gives seconds since the epoch."""

    def __init__(
        self, address: LineAddress, meters: Iterable[PolledMeter[MbusMeterBlock]], clock: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._connection = MbusConnection(address)
        self._patience = Patience(f"line {address}", _LOG, time.monotonic)
        self._devices = [
            _BusDevice(
                meter,
                block,
                Rounds((meter,), clock),
                Pause(time.monotonic, _LONGEST_PAUSE_S),
                Trouble(_LOG, f"M-Bus {block.address} on {address} ({meter.id})", time.monotonic),
            )
            for meter, block in meters
        ]
        self.bad_values = 0

    def next_round(self) -> float:
        """When something is due next, in seconds since the epoch."""
        return min(device.rounds.next() for device in self._devices)

    def close(self) -> None:
        """Close the port, if it is open."""
        self._connection.close()

    async def read(self) -> list[Reading]:
        """Read what is due; meters that did not answer the last time come last."""
        due = [device for device in self._devices if device.rounds.due()]
        readings = []
        for device in sorted(due, key=lambda device: device.pause.failures):
            if not self._patience.over or not device.pause.over:
                continue
            if not await asyncio.to_thread(self._connection.open):
                self._patience.failed("cannot be connected")
                continue
            self._patience.succeeded()
            try:
                answer = await asyncio.to_thread(self._connection.ask, device.block.address)
            except NoAnswerError as error:
                device.pause.failed()
                device.trouble.happened(str(error))
                self.bad_values += len(device.block.registers)
                continue
            device.pause.succeeded()
            readings += self._taken(device, answer)
        return readings

    def _taken(self, device: _BusDevice, answer: Answer) -> list[Reading]:
        values: dict[str, float] = {}
        missing: list[str] = []
        for quantity, wanted in device.block.registers.items():
            try:
                values[quantity] = value_of(answer, wanted)
            except NoMeasurementError as why:
                missing.append(f"{quantity}: {why}")
        self.bad_values += len(missing)
        if missing:
            device.trouble.happened("; ".join(missing))
        else:
            device.trouble.over()
        return [Reading(meter=device.meter.id, ts=int(self._clock() * 1000), values=values)] if values else []


def lines(
    gateway: Gateway, meters: Iterable[Meter], *, where: str | None, clock: Callable[[], float]
) -> list[PolledLine]:
    """The buses of a gateway's meters; `where` overrides the gateway's line in the park file.

    Raises `OperatorError` for a meter without a line, and for a line that cannot be read.
    """
    polled = (
        PolledMeter(meter, MbusMeterBlock.model_validate(meter.mbus)) for meter in meters if meter.mbus is not None
    )
    return [MBusLine(address, those, clock) for address, those in by_line(BUS, gateway, where, polled).items()]
