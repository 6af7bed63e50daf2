"""Reads back lines of line protocol that `store.lines` wrote."""

import re
from typing import NamedTuple

from store.lines import FieldValue


class Point(NamedTuple):
    """A line; the time in nanoseconds."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, FieldValue]
    ns: int


_PARTS = re.compile(r"(.+?)(?<!\\) (.+) (-?\d+)", re.DOTALL)
_COMMA = re.compile(r"(?<!\\),")
_FIELD = re.compile(r'([^=,]+)=("(?:[^"\\]|\\.)*"|[^,]*)', re.DOTALL)
_UNESCAPE = re.compile(r"\\([,= ])")


def parse(line: str) -> Point:
    """Read back a line that `point` wrote."""
    match = _PARTS.fullmatch(line)
    if match is None:
        msg = f"not a line of line protocol: {line[:80]!r}"
        raise ValueError(msg)
    name, *tags = _COMMA.split(match[1])
    pairs = (re.split(r"(?<!\\)=", tag, maxsplit=1) for tag in tags)
    return Point(
        _UNESCAPE.sub(r"\1", name),
        {_UNESCAPE.sub(r"\1", key): _UNESCAPE.sub(r"\1", value) for key, value in pairs},
        {key: _value(text) for key, text in _FIELD.findall(match[2])},
        int(match[3]),
    )


def _value(text: str) -> FieldValue:
    if text.startswith('"'):
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if text in {"true", "false"}:
        return text == "true"
    return int(text[:-1]) if text.endswith("i") else float(text)
