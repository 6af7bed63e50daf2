"""Registers as an instrument holds them: whole counts of its resolution, and the 16-bit words that carry them.

Words are big-endian, the most significant first.
"""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from metering.meters import Register

_FINE = 0.001  # resolution of a counter that no integer type describes
_NEARLY = 1e-6  # a count that floating point left just short is complete


def resolution(register: Register) -> float:
    """The smallest step of a counter, in the quantity's unit."""
    return _FINE if register.type is None or register.type.startswith("float") else register.scale


def from_counts(register: Register, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Value of whole counts, as the nearest number that prints shortest."""
    step = resolution(register)
    inverse = round(1.0 / step)
    return counts / inverse if inverse and abs(inverse * step - 1.0) < _NEARLY else counts * step


def from_count(register: Register, count: int) -> float:
    """Value of one whole count."""
    return float(from_counts(register, np.array(count, dtype=np.float64)))


def counter(register: Register, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a counter shows of a total: complete steps only, from zero again at its roll-over."""
    counts = np.floor(value / resolution(register) + _NEARLY)
    if register.rollover is not None:
        counts = np.mod(counts, round(register.rollover / resolution(register)))
    shown = from_counts(register, counts)
    return _as_float32(register, shown) if register.type == "float32" else shown


def gauge(register: Register, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a register that is not a counter shows of a value: the nearest step inside its range."""
    if register.type == "float64":
        return value
    if register.type == "float32":
        return _as_float32(register, value)
    counts = np.rint(value / resolution(register))
    if register.type is not None:
        bounds = np.iinfo(register.type)
        counts = np.clip(counts, bounds.min, bounds.max)
    return from_counts(register, counts + 0.0)


def encode(register: Register, value: float) -> list[int]:
    """Words of a value. Raises `ValueError` for a register without a Modbus type, `struct.error` beyond its range."""
    if register.type is None:
        raise ValueError("a register without a type has no words")
    raw = value / register.scale
    whole = raw if register.type.startswith("float") else round(raw)
    packed = struct.pack(register.format, whole)
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


def decode(register: Register, received: Sequence[int]) -> float:
    """Value of words, the inverse of `encode`."""
    if register.type is None:
        raise ValueError("a register without a type has no words")
    (raw,) = struct.unpack(register.format, struct.pack(f">{len(received)}H", *received))
    if register.type.startswith("float"):
        return float(raw * register.scale)
    return from_count(register, raw)


def _as_float32(register: Register, value: NDArray[np.float64]) -> NDArray[np.float64]:
    shown: NDArray[np.float64] = (value / register.scale).astype(np.float32).astype(np.float64) * register.scale
    return shown
