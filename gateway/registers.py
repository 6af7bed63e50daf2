"""Modbus registers into values: which requests read a device, and what the words that come back mean.

Words and bytes are big-endian, as the Modbus specification has them on the wire.
"""

import math
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from metering.meters import Meter, Register

MAX_WORDS = 125
"""Registers in one response, by the Modbus specification (function 03)."""


class Field(NamedTuple):
    """One register of one meter: where it begins and how many words it has."""

    meter: str
    quantity: str
    address: int
    words: int
    register: Register


class Request(NamedTuple):
    """One request: `words` words from `address`, and the fields within."""

    address: int
    words: int
    fields: tuple[Field, ...]


def plan(meters: Iterable[Meter]) -> tuple[Request, ...]:
    """Fewest requests for all registers of these meters of one device, none with a word that no register has.

    Words in between are not asked for: many devices answer a range with a hole in it by an error.
    """
    fields = sorted(
        (
            Field(meter.id, quantity, register.address, register.words, register)
            for meter in meters
            for quantity, register in meter.registers.items()
            if register.address is not None
        ),
        key=lambda field: (field.address, field.words),
    )
    requests: list[Request] = []
    for field in fields:
        end = field.address + field.words
        if requests:
            last = requests[-1]
            until = max(end, last.address + last.words)
            if field.address <= last.address + last.words and until - last.address <= MAX_WORDS:
                requests[-1] = Request(last.address, until - last.address, (*last.fields, field))
                continue
        requests.append(Request(field.address, field.words, (field,)))
    return tuple(requests)


def decode(request: Request, words: Sequence[int]) -> dict[str, dict[str, float]]:
    """Values by meter and quantity, in canonical units; a float register that holds no number is left out."""
    data = struct.pack(f">{len(words)}H", *words)
    found: dict[str, dict[str, float]] = {}
    for field in request.fields:
        raw = struct.unpack_from(field.register.format, data, 2 * (field.address - request.address))[0]
        if math.isfinite(raw):
            found.setdefault(field.meter, {})[field.quantity] = _scaled(raw, field.register.scale)
    return found


def _scaled(raw: float, scale: float) -> float:
    """Raw times scale; for a scale such as 0.001 the decimal number that is meant, not its neighbour."""
    divisor = round(1 / scale) if scale < 1 else 1
    return raw / divisor if divisor > 1 and scale == 1 / divisor else raw * scale
