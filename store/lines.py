"""Line protocol: writes points, and reads back what was written.

The series part (measurement and tags) is made once per meter; each reading only adds fields and time. Times are
milliseconds since the epoch here and nanoseconds on the wire.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

FieldValue = float | int | bool | str

_KEY_ESCAPES = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": "\\n"})
_MEASUREMENT_ESCAPES = str.maketrans({",": "\\,", " ": "\\ ", "\n": "\\n"})
_TEXT_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\"})


def series(measurement: str, tags: Mapping[str, str | None]) -> str:
    r"""Measurement and tags, sorted by key as InfluxDB prefers; tags without a value are left out.

    Line protocol has no way to write a backslash at the end of a tag, nor a line feed in one: the first is cut off, the
    second written as `\n`.
    """
    values = ((key, value.rstrip("\\").translate(_KEY_ESCAPES)) for key, value in sorted(tags.items()) if value)
    pairs = (f"{key.translate(_KEY_ESCAPES)}={value}" for key, value in values if value)
    return ",".join((measurement.translate(_MEASUREMENT_ESCAPES), *pairs))


def point(series_text: str, fields: Mapping[str, FieldValue], ns: int) -> str:
    """One line; `ns` is the time in nanoseconds since the epoch. `fields` must not be empty."""
    return f"{series_text} {','.join(f'{key}={_field(value)}' for key, value in fields.items())} {ns}"


def _field(value: FieldValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value}i"
        case float():
            return repr(value)
        case str():
            return f'"{value.translate(_TEXT_ESCAPES)}"'


class Point(NamedTuple):
    """A parsed line; the time in nanoseconds."""

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
