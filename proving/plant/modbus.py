"""A plant's meters on Modbus over TCP: one server for each gateway, one device for each meter.

Registers are computed when they are asked for. Words between two registers of a meter answer zero, so a gateway may
read across them in one request.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, cast

import numpy as np
from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.lines import own_line, parse_line
from gateway.modbus import BUS, ModbusMeterBlock
from metering.errors import OperatorError
from metering.meters import Meter
from metering.park import Park
from proving.plant.plant import Plant
from proving.plant.readlog import ReadLog
from proving.plant.registers import encode, faces, whole_steps

if TYPE_CHECKING:
    import asyncio

    from pymodbus.pdu import ModbusPDU

_READ = frozenset({3, 4})  # holding and input registers are the same here
Clock = Callable[[], int]
"""Milliseconds since the epoch."""

_ASKED_IN: ContextVar[int] = ContextVar("asked_in")
"""The epoch of the connection on which the request came that is being answered."""


def scheme_of(park: Park, gateway: str) -> str:
    """What the line of a gateway speaks: `modbus`, or `modbus-rtu` where the park file says so."""
    line = own_line(BUS, next(one for one in park.gateways if one.id == gateway), None)
    return parse_line(line, BUS.schemes).scheme if line else "modbus"


class PlantLine:
    """What the meters of one gateway hang on: counts the connections and sees every read."""

    def __init__(self, plant: Plant, gateway: str, clock: Clock, log: ReadLog | None, *, tally: bool) -> None:
        self.plant = plant
        self.gateway = gateway
        self.clock = clock
        self.log = log
        self.tally = tally
        self._epochs = 0

    def connection(self) -> Callable[[bool, "ModbusPDU"], "ModbusPDU"]:
        """Begin another epoch; what is returned is shown each message of the new connection.

        pymodbus answers a request in the context in which it was shown, so the answer knows its connection. A slow
        plant may have two of a gateway at a time: one that the gateway gave up, and its next.
        """
        self._epochs += 1
        epoch = self._epochs

        def shown(sending: bool, message: "ModbusPDU") -> "ModbusPDU":
            if not sending:
                _ASKED_IN.set(epoch)
            return message

        return shown

    def devices(self) -> list[SimDevice]:
        """Return the meters of this gateway that are on Modbus."""
        meters = self.plant.park.meters_of(self.gateway)
        return [device for meter in meters if (device := MeterDevice(self, meter).device()) is not None]


class MeterDevice:
    """One meter on the line."""

    def __init__(self, line: PlantLine, meter: Meter) -> None:
        self._line = line
        self._meter = meter
        self._reads = 0
        self._device: int | None = None
        self._faces = faces(meter)
        self._places: dict[str, range] = {}
        if meter.modbus is not None:
            block = ModbusMeterBlock.model_validate(meter.modbus)
            self._device = block.device
            for name, (place, *_) in block.registers.items():
                first = place.address - (block.addresses_from or 0)
                self._places[name] = range(first, first + place.words)

    def device(self) -> SimDevice | None:
        """Its registers for pymodbus; None where the meter is not on Modbus."""
        if self._device is None:
            return None
        first = min(place.start for place in self._places.values())
        end = max(place.stop for place in self._places.values())
        block = SimData(address=first, count=end - first, values=0, datatype=DataType.REGISTERS)
        return SimDevice(id=self._device, simdata=[block], action=self.answer)

    async def answer(
        self,
        function: int,
        first: int,
        address: int,
        count: int,
        registers: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Put what the meter shows now into `registers`, which begin at address `first`; called by pymodbus."""
        if function not in _READ or written is not None:
            return ExcCodes.ILLEGAL_FUNCTION
        now = self._line.clock()
        shown = self._line.plant.registers(self._meter.id, now)
        if shown is None:
            return ExcCodes.GATEWAY_NO_RESPONSE
        wanted = range(address, address + count)
        whole = {
            name: shown[name] for name, place in self._places.items() if place[0] in wanted and place[-1] in wanted
        }
        if self._line.tally and self._meter.counter in whole:
            self._reads += 1
            counted = whole_steps(self._faces[self._meter.counter].step, np.array(float(self._reads)))
            whole[self._meter.counter] = shown[self._meter.counter] = float(counted)
        for name, place in self._places.items():
            if place.start < wanted.stop and wanted.start < place.stop:
                registers[place.start - first : place.stop - first] = encode(self._faces[name], shown[name])
        if self._line.log is not None:
            self._line.log.append(_ASKED_IN.get(), self._line.gateway, self._meter.id, now, whole)
        return None


class _Server(ModbusTcpServer):
    """The meters of a line, on a port."""

    def __init__(self, line: PlantLine, host: str, port: int) -> None:
        self._line = line
        rtu = scheme_of(line.plant.park, line.gateway) != "modbus"
        super().__init__(line.devices(), address=(host, port), framer=FramerType.RTU if rtu else FramerType.SOCKET)

    def callback_new_connection(self) -> ServerRequestHandler:
        """Called by pymodbus for each connection that it accepts."""
        handler: Callable[..., ServerRequestHandler] = ServerRequestHandler  # pymodbus does not say what it takes
        return handler(self, None, self._line.connection(), None)


@asynccontextmanager
async def serving(
    plant: Plant,
    ports: Mapping[str, int],
    *,
    clock: Clock,
    host: str = "127.0.0.1",
    log: ReadLog | None = None,
    tally: bool = False,
) -> AsyncIterator[dict[str, int]]:
    """Serve the meters of the named gateways while the block runs; gives the ports, chosen where 0 was asked for.

    With `tally` the main counter of each meter counts the reads that it answered, one resolution step each, so that
    every read is unique. Raises `OperatorError` where a gateway is unknown or a port is taken.
    """
    _check(ports, (gateway.id for gateway in plant.park.gateways))
    async with AsyncExitStack() as stack:
        chosen: dict[str, int] = {}
        for gateway, port in ports.items():
            line = PlantLine(plant, gateway, clock, log, tally=tally)
            server = _Server(line, host, port)
            try:
                await server.serve_forever(background=True)
            except RuntimeError as error:
                raise OperatorError(
                    f"{gateway}: cannot listen on {host}:{port}; choose a free port, or 0 to have one chosen"
                ) from error
            stack.push_async_callback(server.shutdown)
            listening = cast("asyncio.Server", server.transport)  # pymodbus declares a transport, but keeps the server
            chosen[gateway] = listening.sockets[0].getsockname()[1]
        yield chosen


def _check(ports: Mapping[str, int], gateways: Iterable[str]) -> None:
    known = sorted(gateways)
    for gateway in ports:
        if gateway not in known:
            raise OperatorError(f"{gateway}: no such gateway in the park file, which has {', '.join(known)}")
