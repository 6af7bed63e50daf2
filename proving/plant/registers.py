"""Registers as an instrument holds them: whole counts of its resolution, and the 16-bit words that carry them.

The words are made without the gateway's code, so that one proves the other.
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.modbus import ModbusMeterBlock
from gateway.modbusmap import Order, RegisterPlace
from metering.meters import Meter, Register

_FINE: Final = 0.001  # resolution of a counter that no integer type describes
_NEARLY: Final = 1e-6  # a count that floating point left just short is complete
_FORMATS: Final = {
    "uint16": "H",
    "int16": "h",
    "uint32": "I",
    "int32": "i",
    "uint64": "Q",
    "int64": "q",
    "float32": "f",
    "float64": "d",
}
_WORDS_TURNED: Final[frozenset[Order]] = frozenset({"CDAB", "DCBA"})
"""The words come in the other order."""
_BYTES_TURNED: Final[frozenset[Order]] = frozenset({"BADC", "DCBA"})
"""The bytes of each word come in the other order."""


@dataclass(frozen=True, slots=True)
class Face:
    """How an instrument shows one quantity; `place` and the map's `order` where it is on Modbus."""

    register: Register
    place: RegisterPlace | None = None
    order: Order = "ABCD"

    @property
    def step(self) -> float:
        """The smallest step, in the quantity's unit."""
        said = self.place is not None or "resolution" in self.register.model_fields_set
        if self.register.floating is not None or not said:
            return _FINE
        return self.register.resolution

    @property
    def kind(self) -> str:
        """The type on Modbus; nothing where it is not on Modbus."""
        return self.place.type if self.place is not None else ""

    @property
    def scale(self) -> float:
        """Units for each count on Modbus."""
        return self.place.scale if self.place is not None else _FINE


def faces(meter: Meter) -> dict[str, Face]:
    """How a meter shows each quantity that it serves."""
    if meter.modbus is None:
        return {name: Face(register) for name, register in meter.instruments[-1].registers.items()}
    block = ModbusMeterBlock.model_validate(meter.modbus)
    return {
        name: Face(register, block.registers[name][0], block.registers[name][0].order or block.order)
        for name, register in meter.instruments[-1].registers.items()
    }


def whole_steps(step: float, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Value of whole counts, as the nearest number that prints shortest."""
    inverse = round(1.0 / step)
    return counts / inverse if inverse and abs(inverse * step - 1.0) < _NEARLY else counts * step


def counter(face: Face, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a counter shows of a total: complete steps only, from zero again at its roll-over."""
    counts = np.floor(value / face.step + _NEARLY)
    if face.register.rollover is not None:
        counts = np.mod(counts, round(face.register.rollover / face.step))
    shown = whole_steps(face.step, counts)
    return _as_float32(face, shown) if face.kind == "float32" else shown


def gauge(face: Face, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a register that is not a counter shows of a value: the nearest step inside its range."""
    if face.kind == "float64":
        return value
    if face.kind == "float32":
        return _as_float32(face, value)
    counts = np.rint(value / face.scale)
    if face.kind:
        bounds = np.iinfo(face.kind)
        counts = np.clip(counts, bounds.min, bounds.max)
    return whole_steps(face.scale, counts + 0.0)


def encode(face: Face, value: float) -> list[int]:
    """Words of a value in the order of the map. Raises `struct.error` beyond the type's range."""
    raw = value / face.scale
    packed = struct.pack(f">{_FORMATS[face.kind]}", raw if face.kind.startswith("float") else round(raw))
    words = list(struct.unpack(f">{len(packed) // 2}H", packed))
    if face.order in _BYTES_TURNED:
        words = [word >> 8 | (word & 0xFF) << 8 for word in words]
    return words[::-1] if face.order in _WORDS_TURNED else words


def _as_float32(face: Face, value: NDArray[np.float64]) -> NDArray[np.float64]:
    shown: NDArray[np.float64] = (value / face.scale).astype(np.float32).astype(np.float64) * face.scale
    return shown
