"""Line protocol.

The series part (measurement and tags) is made once per meter; each reading only adds fields and time. Times are
milliseconds since the epoch here and nanoseconds on the wire.
"""

from collections.abc import Mapping

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
