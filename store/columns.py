"""One field of many points as arrays: what `/query` answers in MessagePack (1.x and 2.x) or JSON (3.x), read fast.

In MessagePack every row of a time and a float has the same 19 bytes of layout, so a whole series is one look at memory.
"""

import json
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MEDIA_TYPE = "application/x-msgpack"


class Column(NamedTuple):
    """One series: the tags it was grouped by, times in ms since the epoch, and a field's values."""

    tags: dict[str, str]
    times: NDArray[np.int64]
    values: NDArray[np.float64]


_ROW = np.dtype([("row", "u1"), ("int64", "u1"), ("time", ">i8"), ("float64", "u1"), ("value", ">f8")])
_PATTERN = (0x92, 0xD3, 0xCB)


def columns_of(body: bytes, media_type: str) -> list[Any]:
    """Results of a query, in order; the values of each series are rows, or an array where every row is alike.

    Raises `ValueError` for what is neither MessagePack nor JSON.
    """
    answer = _Reader(body).value() if media_type == MEDIA_TYPE else json.loads(body)
    results: list[Any] = answer["results"]
    return results


def column(series: dict[str, Any]) -> Column:
    """A series of `columns_of` that has one field of numbers."""
    rows = series["values"]
    tags = series.get("tags") or {}
    if isinstance(rows, np.ndarray):
        return Column(tags, rows["time"].astype(np.int64), rows["value"].astype(np.float64))
    times = np.array([row[0] for row in rows], dtype=np.int64)
    return Column(tags, times, np.array([row[1] for row in rows], dtype=np.float64))


class _Reader:
    """MessagePack, as much of it as InfluxDB writes."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def value(self) -> Any:
        code = self._body[self._at]
        self._at += 1
        for codes, kind in _SMALL:
            if code in codes:
                return kind(self, code - codes.start)
        if code in _NUMBERS:
            return self._number(_NUMBERS[code])
        if code in _SIZED:
            size, kind = _SIZED[code]
            return kind(self, self._number(size))
        if code in _CONSTANTS:
            return _CONSTANTS[code]
        raise ValueError(f"MessagePack code {code:#x} is not expected of InfluxDB")

    def _number(self, layout: struct.Struct) -> Any:
        (number,) = layout.unpack_from(self._body, self._at)
        self._at += layout.size
        return number

    def _text(self, size: int) -> str:
        self._at += size
        return self._body[self._at - size : self._at].decode()

    def _map(self, size: int) -> dict[Any, Any]:
        return {self.value(): self.value() for _ in range(size)}

    def _array(self, size: int) -> Any:
        if size and self._body[self._at : self._at + 2] == bytes(_PATTERN[:2]):
            end = self._at + size * _ROW.itemsize
            if end <= len(self._body):
                rows = np.frombuffer(self._body, _ROW, size, self._at)
                if all((rows[name] == code).all() for name, code in zip(_CODES, _PATTERN, strict=True)):
                    self._at = end
                    return rows
        return [self.value() for _ in range(size)]


_CODES = ("row", "int64", "float64")
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = {
    code: struct.Struct(f">{layout}")
    for code, layout in zip((0xCA, 0xCB, *range(0xCC, 0xD4)), "fdBHIQbhiq", strict=True)
}
_Kind = Callable[[_Reader, int], Any]
_text: _Kind = _Reader._text  # noqa: SLF001 (the same class, by code)
_array: _Kind = _Reader._array  # noqa: SLF001
_map: _Kind = _Reader._map  # noqa: SLF001
_SMALL: tuple[tuple[range, _Kind], ...] = (
    (range(0x80), lambda _, number: number),
    (range(0x80, 0x90), _map),
    (range(0x90, 0xA0), _array),
    (range(0xA0, 0xC0), _text),
    (range(0xE0, 0x100), lambda _, number: number - 32),
)
_SIZED: dict[int, tuple[struct.Struct, _Kind]] = {
    code: (struct.Struct(f">{layout}"), kind)
    for code, layout, kind in (
        (0xD9, "B", _text),
        (0xDA, "H", _text),
        (0xDB, "I", _text),
        (0xDC, "H", _array),
        (0xDD, "I", _array),
        (0xDE, "H", _map),
        (0xDF, "I", _map),
    )
}
