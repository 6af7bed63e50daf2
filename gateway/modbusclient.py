"""A Modbus client on one line: TCP, RTU over a serial port, or RTU frames over TCP; also finds SunSpec models.

After a request without an answer the connection is closed, so that a late answer is never taken for that of the next
request. An answer from another device is detected.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType

from gateway.lines import PORT_ERRORS, LineAddress
from gateway.modbusmap import Request

_HOLDING: Final = 3
_NOBODY_THERE: Final = frozenset({10, 11})  # exceptions of a Modbus gateway: the device behind it does not answer
_SUNSPEC_AT: Final = (40_000, 50_000, 0)
_SUNSPEC: Final = [0x5375, 0x6E53]  # "SunS"
_NO_MORE: Final = 0xFFFF
_MOST_MODELS: Final = 64


class SilentError(Exception):
    """No answer: the connection or the device behind it is gone."""


class ErrorAnswerError(Exception):
    """The device answers with an error or with something else than was asked for."""


class ModbusConnection:
    """A client on a line, connected on first use. A request is answered or fails; nothing is repeated."""

    def __init__(self, address: LineAddress) -> None:
        self.address = address
        self._client: AsyncModbusTcpClient | AsyncModbusSerialClient | None = None
        self._unquiet = False
        self._asked: int | None = None
        self._answered_by: int | None = None
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # failures are logged here, and less often

    async def open(self) -> bool:
        """Connect, unless connected; returns whether it is."""
        if self._client is not None:
            return True
        if self._unquiet:  # frames of a serial line have no number: let a late answer pass before the next request
            await asyncio.sleep(self.address.timeout)
            self._unquiet = False
        client = self._make()
        try:
            connected = await client.connect()
        except PORT_ERRORS:
            connected = False
        if not connected:
            client.close()
            return False
        self._client = client
        return True

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def words(self, device: int, request: Request) -> Sequence[int]:
        """Read the requested registers. Call `open` first.

        Raises `SilentError` and `ErrorAnswerError`.
        """
        client = self._client
        if client is None:
            raise SilentError("is not connected")
        ask = client.read_holding_registers if request.function == _HOLDING else client.read_input_registers
        self._asked, self._answered_by = device, None
        try:
            answer = await ask(request.address, count=request.words, device_id=device)
        except (ModbusException, OSError) as error:
            self.close()
            self._unquiet = self.address.rtu
            if self._answered_by is not None:
                raise SilentError(f"device {self._answered_by} answers in its place") from error
            raise SilentError(f"does not answer within {self.address.timeout:g} s") from error
        if answer.isError():
            code = getattr(answer, "exception_code", 0)
            if code in _NOBODY_THERE:
                raise SilentError(f"cannot be reached by the gateway before it (exception {code})")
            raise ErrorAnswerError(f"exception {code}")
        if answer.function_code != request.function or len(answer.registers) != request.words:
            self.close()
            self._unquiet = self.address.rtu
            raise ErrorAnswerError(f"{len(answer.registers)} words instead of {request.words}")
        return answer.registers

    def _make(self) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
        # A new client for each connection, so that nothing of the old one, such as a late answer, can get into it.
        where, framer = self.address, FramerType.RTU if self.address.rtu else FramerType.SOCKET
        if where.serial is None:
            return AsyncModbusTcpClient(
                where.host,
                port=where.port or 0,
                framer=framer,
                timeout=where.timeout,
                retries=0,
                reconnect_delay=0,
                trace_packet=self._look,
            )
        return AsyncModbusSerialClient(
            where.serial.path,
            framer=framer,
            baudrate=where.serial.baud,
            parity=where.serial.parity[0].upper(),
            stopbits=where.serial.stop,
            timeout=where.timeout,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._look,
        )

    def _look(self, sending: bool, data: bytes) -> bytes:
        """Note which device an answer comes from: pymodbus silently drops those of others."""
        place = 0 if self.address.rtu else 6
        if not sending and len(data) > place and data[place] != self._asked:
            self._answered_by = data[place]
        return data


async def find_start(connection: ModbusConnection, device: int, wanted: Sequence[int]) -> int:
    """Where the first of some SunSpec models starts on a device, counted from 0.

    Raises `SilentError`, and `ErrorAnswerError` where the device has none of them.
    """
    models = await _models(connection, device)
    start = next((models[number] for number in wanted if number in models), None)
    if start is None:
        raise ErrorAnswerError(f"has the models {', '.join(map(str, models))}, none of {', '.join(map(str, wanted))}")
    return start


async def _models(connection: ModbusConnection, device: int) -> dict[int, int]:
    for base in _SUNSPEC_AT:
        try:
            if list(await connection.words(device, Request(_HOLDING, base, 2, ()))) != _SUNSPEC:
                continue
        except ErrorAnswerError:
            continue
        models: dict[int, int] = {}
        at = base + 2
        for _ in range(_MOST_MODELS):
            number, length = await connection.words(device, Request(_HOLDING, at, 2, ()))
            if number == _NO_MORE:
                break
            models.setdefault(number, at)
            at += 2 + length
        return models
    raise ErrorAnswerError("no SunSpec models at 40000, 50000 or 0")
