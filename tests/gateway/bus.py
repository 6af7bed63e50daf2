"""An M-Bus with meters on it, behind a TCP converter or on a serial port; its telegrams are those of real meters."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

CASES = Path(__file__).parents[1] / "cases" / "mbus"


def telegram(name: str) -> bytes:
    """A telegram of tests/cases/mbus."""
    lines = (CASES / f"{name}.hex").read_text(encoding="utf-8").splitlines()
    return bytes.fromhex("".join(line for line in lines if not line.startswith("#")))


EXAMPLE, HEAT, WATER, GAS = map(telegram, ("example", "kamstrup-multical-601", "siemens-water", "itron-gas"))


def readdressed(data: bytes, primary: int) -> bytes:
    """The same telegram from a meter with another primary address."""
    body = bytearray(data)
    body[-2] = (body[-2] - body[5] + primary) % 256
    body[5] = primary
    return bytes(body)


def with_data(identification: str, records: str) -> bytes:
    """A telegram of a water meter with an identification number and records."""
    body = bytes.fromhex("080572") + bytes.fromhex(identification)[::-1] + bytes.fromhex("2440010755000000")
    body += bytes.fromhex(records)
    return bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) % 256, 0x16])


@dataclass
class Bus:
    """A bus with meters by primary address and by identification number; `log` has the frames that were sent to it."""

    primary: dict[int, list[bytes]] = field(default_factory=dict)
    secondary: dict[str, list[bytes]] = field(default_factory=dict)
    selected: list[bytes] | None = None
    log: list[bytes] = field(default_factory=list)
    toggled: dict[int, int] = field(default_factory=dict)

    def answer(self, frame: bytes) -> bytes:
        self.log.append(frame)
        if frame[0] == 0x68:
            wanted = frame[7:11][::-1].hex().upper()
            self.selected = self.secondary.get(wanted)
            return b"\xe5" if self.selected else b""
        control, address = frame[1], frame[2]
        meter = self.selected if address == 253 else self.primary.get(address)
        if meter is None:
            return b""
        if control == 0x40:
            self.toggled[address] = 0
            return b"\xe5"
        part = self.toggled.get(address, 0)
        self.toggled[address] = part + 1
        return meter[part % len(meter)]

    def take(self, waiting: bytearray) -> bytes:
        """Answers to what came in whole; the rest stays."""
        answers = b""
        while waiting:
            length = waiting[1] + 6 if waiting[0] == 0x68 and len(waiting) > 1 else 5
            if len(waiting) < length:
                break
            answers += self.answer(bytes(waiting[:length]))
            del waiting[:length]
        return answers


@asynccontextmanager
async def behind_tcp(bus: Bus) -> AsyncIterator[str]:
    """The bus behind a converter, as the URL of a line."""
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting = bytearray()
        while data := await reader.read(300):
            waiting += data
            writer.write(bus.take(waiting))
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"mbus://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await left.wait()


@asynccontextmanager
async def on_a_serial_port(bus: Bus) -> AsyncIterator[str]:
    master, slave = os.openpty()
    tty.setraw(slave)
    waiting = bytearray()

    def come() -> None:
        waiting.extend(os.read(master, 300))
        os.write(master, bus.take(waiting))

    asyncio.get_running_loop().add_reader(master, come)
    try:
        yield f"mbus://{os.ttyname(slave)}?baud=2400&timeout=0.5"
    finally:
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)
        os.close(slave)
