"""One Modbus TCP host: its connection, the devices behind it, and which of them are due.

A read that fails or times out closes the connection before the next request. A device that does not answer is asked
last and more and more seldom, so that it delays nobody.
"""

import logging
import math
from collections.abc import Callable, Iterable, Sequence

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from gateway.registers import Request, decode, plan
from metering.errors import OperatorError
from metering.meters import Meter
from running.trouble import Trouble
from wire.messages import Reading

_LOG = logging.getLogger(__name__)
_PORT = 502
_HOST_PAUSE_S = 10.0
_DEVICE_PAUSE_S = 60.0


class _SilentError(Exception):
    """No answer: the connection or the device behind it is gone."""


class _ErrorAnswerError(Exception):
    """The device answers, but not with what was asked for."""


class _Pause:
    """After a failure, none; after each further one twice as long, from a second up to `longest`."""

    def __init__(self, clock: Callable[[], float], longest: float) -> None:
        self._clock = clock
        self._longest = longest
        self._until = 0.0
        self.failures = 0

    @property
    def over(self) -> bool:
        """Whether it is time to try; a clock that was set back does not prolong the pause."""
        return not 0.0 < self._until - self._clock() <= self._longest

    def failed(self) -> None:
        self.failures += 1
        pause = 0.0 if self.failures == 1 else min(self._longest, 2.0 ** min(self.failures - 2, 16))
        self._until = self._clock() + pause

    def worked(self) -> None:
        self.failures = 0
        self._until = 0.0


class _Device:
    """One unit identifier and the meters it serves."""

    def __init__(self, number: int, meters: Sequence[Meter], host: str, clock: Callable[[], float]) -> None:
        self.number = number
        self.pause = _Pause(clock, _DEVICE_PAUSE_S)
        self.trouble = Trouble(_LOG, f"device {number} at {host} ({', '.join(m.id for m in meters)})", clock)
        self._meters = meters
        self._round = {meter.id: math.floor(clock() / meter.interval_s) for meter in meters}
        self._plans: dict[tuple[str, ...], tuple[Request, ...]] = {}

    def next_round(self, now: float) -> float:
        """The next multiple of an interval at which one of the meters is due."""
        for meter in self._meters:  # a clock that was set back does not stop the polling
            self._round[meter.id] = min(self._round[meter.id], math.floor(now / meter.interval_s))
        return min((self._round[meter.id] + 1) * meter.interval_s for meter in self._meters)

    def due(self, now: float) -> tuple[Request, ...]:
        """Requests for the meters that are due, which then are not due any more."""
        meters = [m for m in self._meters if math.floor(now / m.interval_s) > self._round[m.id]]
        self._round |= {meter.id: math.floor(now / meter.interval_s) for meter in meters}
        key = tuple(meter.id for meter in meters)
        if key not in self._plans:
            self._plans[key] = plan(meters)
        return self._plans[key]


class Host:
    """Where a connection leads: `name` is `host[:port]`; `clock` gives seconds since the epoch."""

    def __init__(self, name: str, meters: Iterable[Meter], *, clock: Callable[[], float], timeout_s: float) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._address, _, port = name.partition(":")
        self._port = int(port or _PORT)
        by_device: dict[int, list[Meter]] = {}
        for meter in meters:
            if meter.modbus is not None:
                by_device.setdefault(meter.modbus.device, []).append(meter)
        self._devices = [_Device(number, those, name, clock) for number, those in sorted(by_device.items())]
        self._pause = _Pause(clock, _HOST_PAUSE_S)
        self._trouble = Trouble(_LOG, f"host {name}", clock)
        self._client: AsyncModbusTcpClient | None = None

    def next_round(self) -> float:
        """When something is due next, in seconds since the epoch."""
        now = self._clock()
        return min(device.next_round(now) for device in self._devices)

    async def read(self) -> list[Reading]:
        """Read what is due; devices that did not answer the last time come last."""
        now = self._clock()
        asked = [(device, device.due(now)) for device in self._devices]
        readings: list[Reading] = []
        for device, requests in sorted(asked, key=lambda pair: pair[0].pause.failures):
            if requests and self._pause.over and device.pause.over:
                readings += await self._read_device(device, requests)
        return readings

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _read_device(self, device: _Device, requests: Sequence[Request]) -> list[Reading]:
        values: dict[str, dict[str, float]] = {}
        sampled: dict[str, int] = {}
        fault = None
        for request in requests:
            try:
                words = await self._request(device, request)
            except _SilentError as error:
                self.close()
                device.pause.failed()
                fault = str(error)
                break
            except _ErrorAnswerError as error:
                self.close()
                fault = f"answers registers {request.address} to {request.address + request.words - 1} with {error}"
                continue
            instant = int(self._clock() * 1000)
            for meter, found in decode(request, words).items():
                values.setdefault(meter, {}).update(found)
                sampled.setdefault(meter, instant)
            device.pause.worked()
        if fault is None:
            device.trouble.over()
        elif self._pause.over:
            device.trouble.happened(fault)
        return [Reading(meter=meter, ts=sampled[meter], values=found) for meter, found in values.items()]

    async def _request(self, device: _Device, request: Request) -> Sequence[int]:
        client = self._client or await self._connect()
        try:
            answer = await client.read_holding_registers(request.address, count=request.words, device_id=device.number)
        except (ModbusException, OSError) as error:
            raise _SilentError(f"does not answer within {self._timeout_s:g} s") from error
        if answer.isError():
            raise _ErrorAnswerError(f"error {getattr(answer, 'exception_code', '?')}")
        if len(answer.registers) != request.words:
            raise _ErrorAnswerError(f"{len(answer.registers)} words instead of {request.words}")
        return answer.registers

    async def _connect(self) -> AsyncModbusTcpClient:
        # A new client for each connection: nothing of the old one, such as a late answer, can get into it.
        client = AsyncModbusTcpClient(
            self._address, port=self._port, timeout=self._timeout_s, retries=0, reconnect_delay=0
        )
        if not await client.connect():
            client.close()
            self._pause.failed()
            self._trouble.happened("cannot be connected")
            raise _SilentError("cannot be connected")
        self._pause.worked()
        self._trouble.over()
        self._client = client
        return client


def hosts(meters: Iterable[Meter], *, line: str | None, clock: Callable[[], float], timeout_s: float) -> list[Host]:
    """The hosts behind which the meters answer; `line` for those that name none. Others publish by themselves."""
    by_host: dict[str, list[Meter]] = {}
    for meter in meters:
        if meter.modbus is None or not meter.registers:
            continue
        name = meter.modbus.host or line
        if name is None:
            raise OperatorError(f"Meter {meter.id} names no Modbus host, and the gateway was given no line for it.")
        by_host.setdefault(name, []).append(meter)
    return [Host(name, those, clock=clock, timeout_s=timeout_s) for name, those in by_host.items()]
