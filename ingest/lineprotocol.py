"""Reads InfluxDB line protocol as other programs send it over MQTT (such as Telegraf) into plain records.

`store.lines` reads back what the store wrote; here the text may come from anywhere, so every line is checked and the
first faulty one is named.
"""

import re
from typing import Any

_WORD = r"(?:[^,=\\ ]|\\.)+"
_HEAD = re.compile(rf"(?P<measurement>(?:[^, \\]|\\.)+)(?P<tags>(?:,{_WORD}={_WORD})*) +")
_TAG = re.compile(rf"({_WORD})=({_WORD})")
_FIELD = re.compile(rf'({_WORD})=("(?:[^"\\]|\\.)*"|[^,\s"]+)')
_ESCAPED = re.compile(r"\\([,= \"\\])")


class LineError(ValueError):
    """Text that is not line protocol, with the number of the line."""


def read_lines(payload: bytes) -> list[dict[str, Any]]:
    """Records with measurement, tags, fields and, where it was sent, time in nanoseconds.

    Raises `LineError` at the first faulty line.
    """
    lines = payload.decode(errors="replace").splitlines()
    return [_record(line, number) for number, line in enumerate(lines, 1) if line.strip()]


def _record(line: str, number: int) -> dict[str, Any]:
    head = _HEAD.match(line)
    fields: dict[str, Any] = {}
    at = head.end() if head else 0
    while head and (match := _FIELD.match(line, at)):
        fields[_plain(match[1])] = _value(match[2], number)
        at = match.end() + (line[match.end() : match.end() + 1] == ",")
    stamp = line[at:].strip()
    if head is None or not fields or not re.fullmatch(r"(-?\d+)?", stamp):
        raise LineError(f"line {number} is not line protocol: {line[:60]!r}")
    record: dict[str, Any] = {
        "measurement": _plain(head["measurement"]),
        "tags": {_plain(key): _plain(value) for key, value in _TAG.findall(head["tags"])},
        "fields": fields,
    }
    return record | ({"time": int(stamp)} if stamp else {})


def _value(text: str, number: int) -> Any:
    if text.startswith('"'):
        return _plain(text[1:-1])
    if text.lower() in {"t", "true", "f", "false"}:
        return text.lower().startswith("t")
    try:
        return int(text[:-1]) if text[-1] in "iu" else float(text)
    except ValueError as error:
        raise LineError(f"line {number}: {text[:60]!r} is not a value") from error


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
