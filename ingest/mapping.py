"""Reads payloads of devices that do not speak Ecopark's format, by the mappings of the park file. Pure, never raises.

The result goes through the same accept step as Ecopark's own messages. Nothing is guessed: what a mapping does not find
is absent; what it finds and cannot read is a fault of that one value, and the record's other values are taken.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import jmespath
from jmespath.exceptions import JMESPathError

from ingest.lineprotocol import LineError, read_lines
from metering.instants import milliseconds, unit_of
from metering.quantities import QUANTITIES
from metering.sources import MessageMap, TimeMap, ValueMap
from metering.units import conversion
from wire.messages import MAX_READINGS, Reason

DETAIL = 200
_PER_MS: Final = {"s": 1000.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
_NUMBER = re.compile(r"\s*([+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?)\s*\*?\s*(\S.*?)?\s*")
_LIST_OF_ONE = re.compile(r"\s*\[([^\[\],]*)\]\s*")
_UNIT_NAMES: Final = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


@dataclass(frozen=True, slots=True)
class ValueFault:
    """One value, or with an empty `quantity` the record or the message, that cannot be used."""

    reason: Reason
    detail: str
    quantity: str = ""


@dataclass(slots=True)
class Decoded:
    """One record: what a device showed at one instant. `ms` is None where only the time of arrival is known."""

    device: str
    ms: int | None
    values: dict[str, float]
    faults: list[ValueFault] = field(default_factory=list)
    bad_reads: int = 0


def unreadable(reason: Reason, detail: str) -> Decoded:
    """The result for a message that cannot be read at all."""
    return Decoded("", None, {}, [ValueFault(reason, detail[:DETAIL])])


class PayloadError(ValueError):
    """A payload, a record or a value that cannot be read, in words."""


class NoValueError(ValueError):
    """What the device sends in place of a value that it does not have."""


class SentNumber(NamedTuple):
    """A number as it was sent, and the unit that was written after it."""

    value: float
    unit: str | None


class PayloadReader:
    """Reads the payloads of one mapped topic. Expressions are compiled once."""

    def __init__(self, message: MessageMap) -> None:
        self.message = message
        self._levels = message.topic.split("/")

    def matches(self, topic: str) -> bool:
        """Whether the topic matches this mapping's filter."""
        levels = topic.split("/")
        if self._levels[-1] == "#":
            ours = self._levels[:-1]
            return len(levels) >= len(ours) and all(map(_same, ours, levels))
        return len(levels) == len(self._levels) and all(map(_same, self._levels, levels))

    def decode(self, topic: str, payload: bytes) -> list[Decoded]:
        """Read one payload, record by record. A message that cannot be read is one record with its fault."""
        try:
            found = list(self._records(topic, self._content(topic, payload)))
        except (PayloadError, LineError) as error:
            return [unreadable(Reason.MALFORMED, str(error))]
        if len(found) > MAX_READINGS:
            return [unreadable(Reason.TOO_LARGE, f"{len(found)} readings; a message has at most {MAX_READINGS}")]
        return found

    def read_content(self, topic: str, content: Any) -> list[Decoded]:
        """Read what another decoder has made of a payload, such as the metrics of Sparkplug."""
        try:
            return list(self._records(topic, content))
        except PayloadError as error:
            return [unreadable(Reason.MALFORMED, str(error))]

    def _content(self, topic: str, payload: bytes) -> Any:
        content: Any
        match self.message.payload:
            case "json":
                try:
                    content = json.loads(payload)
                except (ValueError, RecursionError) as error:
                    raise PayloadError(f"not JSON: {error}") from error
            case "number":
                content = payload.decode(errors="replace")
            case "influx":
                content = read_lines(payload)
            case _:
                raise PayloadError("Sparkplug payloads are read by their own decoder")
        if self.message.name_level is not None:
            content = {_level(topic, self.message.name_level): content}
        return content

    def _records(self, topic: str, content: Any) -> Iterator[Decoded]:
        """Find each record, with the device it is keyed by, if any, and read it."""
        if self._paths.each is not None:
            content = _search(self._paths.each, content, "each")
            if content is None:
                raise PayloadError(f"nothing found at {self.message.each}")
        if self.message.device.key:
            if not isinstance(content, dict):
                raise PayloadError("devices are the keys of an object, but there is none")
            for key, records in content.items():
                for record in records if isinstance(records, list) else [records]:
                    yield from self._record(topic, key, record)
        elif isinstance(content, list) and (self._paths.each is not None or self.message.payload == "influx"):
            for record in content:
                yield from self._record(topic, topic, record)
        else:
            yield from self._record(topic, topic, content)

    def _record(self, topic: str, key: str, record: Any) -> Iterator[Decoded]:
        device, faults = "", list[ValueFault]()
        try:
            record = self._paired(record)
            device = self._device(topic, key, record)
            ms = self._instant(record)
        except PayloadError as error:
            reason = Reason.BAD_TIME if device else Reason.MALFORMED
            yield Decoded(device, None, {}, [ValueFault(reason, str(error)[:DETAIL])])
            return
        values: dict[str, float] = {}
        series: dict[str, list[float]] = {}
        missing = 0
        for quantity in self.message.values:
            try:
                found = self._first(quantity, record)
            except NoValueError:
                missing += 1
                continue
            except PayloadError as error:
                faults.append(ValueFault(Reason.NOT_A_NUMBER, str(error)[:DETAIL], quantity))
                continue
            if isinstance(found, list):
                series[quantity] = found
            elif found is not None:
                values[quantity] = found
        missing += self._named(record, values, faults)
        errors = _search(self._paths.errors, record, "errors") if self._paths.errors is not None else None
        bad_reads = missing + (len(errors) if isinstance(errors, dict | list) else 0)
        if series:
            if ms is None:
                faults.append(ValueFault(Reason.BAD_TIME, "a series of values needs the instant of the newest one"))
            else:
                yield from self._series(device, ms, series)
        yield Decoded(device, ms, values, faults, bad_reads)

    def _series(self, device: str, ms: int, series: dict[str, list[float]]) -> Iterator[Decoded]:
        step_ms = (self.message.step_s or 0) * 1000
        at: dict[int, dict[str, float]] = {}
        for quantity, numbers in series.items():
            ordered = numbers if self.message.newest == "last" else numbers[::-1]
            for back, number in enumerate(reversed(ordered)):
                at.setdefault(ms - back * step_ms, {})[quantity] = number
        yield from (Decoded(device, instant, values) for instant, values in sorted(at.items()))

    def _paired(self, record: Any) -> Any:
        if self.message.pairs is None or not isinstance(record, dict):
            return record
        found = _search(self._paths.pairs, record, "pairs")
        pairs = {}
        for item in found if isinstance(found, list) else [found]:
            name = _search(self._paths.pair_name, item, "pairs")
            if isinstance(name, str):
                pairs[name] = _search(self._paths.pair_value, item, "pairs")
        return record | {"pairs": pairs}

    def _device(self, topic: str, key: str, record: Any) -> str:
        mapped = self.message.device
        found: Any
        if mapped.key:
            found = key
        elif mapped.fixed is not None:
            found = mapped.fixed
        elif mapped.level is not None:
            found = _level(topic, mapped.level)
        else:
            found = _search(self._paths.device, record, "device")
        if isinstance(found, int) and not isinstance(found, bool):
            found = str(found)
        if not isinstance(found, str) or not found:
            raise PayloadError(f"no device's name at {mapped.path}")
        return found + mapped.suffix

    def _instant(self, record: Any) -> int | None:
        mapped = self.message.time
        if mapped.path is None:
            return None
        found = _search(self._paths.time, record, "time")
        if found is None:
            if mapped.or_arrival:
                return None
            raise PayloadError(f"time: nothing at {mapped.path}")
        ms = _instant(found, mapped)
        return ms if mapped.floor_s is None else ms - ms % (mapped.floor_s * 1000)

    def _first(self, quantity: str, record: Any) -> float | list[float] | None:
        for mapped, paths in zip(self.message.values[quantity], self._paths.values[quantity], strict=True):
            found = self._value(quantity, mapped, paths, record)
            if found is not None:
                return found
        return None

    def _value(self, quantity: str, mapped: ValueMap, paths: "_ValuePaths", record: Any) -> float | list[float] | None:
        found = _search(paths.path, record, quantity)
        if found is None or found == []:
            return None
        if paths.increments is not None:
            base = self._number(quantity, mapped, found)
            steps = _search(paths.increments, record, quantity)
            if base is None or not isinstance(steps, list):
                return None
            added = [self._number(quantity, mapped, step) for step in steps]
            if None in added:
                raise PayloadError(f"{quantity}: an increment is missing in {json.dumps(steps)[:60]}")
            total = [base]
            for step in added:
                total.append(round(total[-1] + (step or 0.0), 9))
            return total
        if isinstance(found, list):
            numbers = [number for one in found if (number := self._number(quantity, mapped, one)) is not None]
            if mapped.sum:
                return float(f"{math.fsum(numbers):.15g}") if len(numbers) == len(found) else None
            if self.message.step_s is None:
                raise PayloadError(
                    f"{quantity}: {mapped.path} is a list; choose one ({mapped.path}[0]), sum, or step_s"
                )
            if len(numbers) < len(found):
                raise PayloadError(f"{quantity}: a value of the series is null")
            return numbers
        return self._number(quantity, mapped, found)

    def _number(self, quantity: str, mapped: ValueMap, sent: Any) -> float | None:
        if sent is None:
            return None
        if not isinstance(sent, bool) and sent in self.message.unavailable:
            raise NoValueError
        number, unit = _number_and_unit(quantity, mapped, sent)
        into = conversion(unit if unit is not None else mapped.unit, QUANTITIES[quantity])
        if into is None:
            raise PayloadError(f"{quantity}: {sent!r} is in {unit}, which cannot become {QUANTITIES[quantity].unit}")
        converted = into.of(number) * mapped.scale if mapped.scale != 1.0 else into.of(number)
        if not math.isfinite(converted):
            raise PayloadError(f"{quantity}: {sent!r} is not a finite number")
        return converted

    def _named(self, record: Any, values: dict[str, float], faults: list[ValueFault]) -> int:
        """Take values that are named like quantities; return how many of them the device reports as unavailable."""
        if self._paths.named is None:
            return 0
        missing = 0
        found = _search(self._paths.named, record, "named")
        for name, sent in found.items() if isinstance(found, dict) else ():
            if name in QUANTITIES and name not in self.message.values and sent is not None:
                try:
                    number = self._number(name, _AS_IS, sent)
                except NoValueError:
                    missing += 1
                except PayloadError as error:
                    faults.append(ValueFault(Reason.NOT_A_NUMBER, str(error)[:DETAIL], name))
                else:
                    if number is not None:
                        values[name] = number
        return missing

    @cached_property
    def _paths(self) -> "_Paths":
        message = self.message
        return _Paths(
            each=_compiled(message.each),
            device=_compiled(message.device.path),
            time=_compiled(message.time.path),
            named=_compiled(message.named),
            errors=_compiled(message.errors),
            pairs=_compiled(message.pairs.path if message.pairs else None),
            pair_name=_compiled(message.pairs.name if message.pairs else None),
            pair_value=_compiled(message.pairs.value if message.pairs else None),
            values={
                name: [_ValuePaths(_compiled(each.path or each.base), _compiled(each.increments)) for each in value]
                for name, value in message.values.items()
            },
        )


_AS_IS = ValueMap(path="@")


@dataclass(frozen=True, slots=True)
class _ValuePaths:
    path: Any
    increments: Any


@dataclass(frozen=True, slots=True)
class _Paths:
    each: Any
    device: Any
    time: Any
    named: Any
    errors: Any
    pairs: Any
    pair_name: Any
    pair_value: Any
    values: dict[str, list[_ValuePaths]]


def _compiled(path: str | None) -> Any:
    return None if path is None else jmespath.compile(path)


def _search(path: Any, record: Any, what: str) -> Any:
    try:
        return path.search(record)
    except JMESPathError as error:
        raise PayloadError(f"{what}: {str(error).splitlines()[0]}") from error


def _same(ours: str, theirs: str) -> bool:
    return ours in {"+", theirs}


def _level(topic: str, level: int) -> str:
    levels = topic.split("/")
    if level >= len(levels):
        raise PayloadError(f"the topic has {len(levels)} levels, so none at {level} (counted from 0)")
    return levels[level]


def _number_and_unit(quantity: str, mapped: ValueMap, sent: Any) -> SentNumber:
    if isinstance(sent, bool) or not isinstance(sent, int | float | str):
        raise PayloadError(f"{quantity}: {json.dumps(sent)[:60]} is not a number")
    if not isinstance(sent, str):
        return SentNumber(float(sent), None)
    alone = _LIST_OF_ONE.fullmatch(sent)  # a list of one number, written as a text
    found = _NUMBER.fullmatch(alone[1] if alone else sent)
    if found is None or (("," in found[1]) and mapped.decimal != ","):
        hint = '; where the comma is the decimal mark, say decimal: ","' if found else ""
        raise PayloadError(f"{quantity}: the text {sent[:60]!r} is not a number{hint}")
    if "." in found[1] and mapped.decimal == ",":
        raise PayloadError(f"{quantity}: {sent[:60]!r} has a point, but the decimal mark is a comma")
    return SentNumber(float(found[1].replace(",", ".")), found[2])


def _instant(found: Any, mapped: TimeMap) -> int:
    """The payload's time in milliseconds since the epoch.

    Raises `PayloadError` where it is no time in the unit of the mapping.
    """
    if mapped.unit in _PER_MS:
        if isinstance(found, str) and found.replace(".", "", 1).isdigit():
            found = float(found) if "." in found else int(found)
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            raise PayloadError(f"time: {found!r} is not a number of {mapped.unit} since 1970")
        looks = unit_of(found)
        if looks not in {None, _UNIT_NAMES[mapped.unit]}:
            raise PayloadError(f"time: {found!r} looks like {looks}; the mapping says {mapped.unit}")
        if isinstance(found, int) and mapped.unit in {"us", "ns"}:
            return found // (1000 if mapped.unit == "us" else 1_000_000)
        return round(found * _PER_MS[mapped.unit])
    if not isinstance(found, str):
        raise PayloadError(f"time: {found!r} is not a text with date and time")
    try:
        when = datetime.strptime(found, mapped.format) if mapped.format else datetime.fromisoformat(found)  # noqa: DTZ007 (the zone is that of the mapping)
    except ValueError as error:
        raise PayloadError(f"time: {found[:60]!r} cannot be read: {error}") from error
    if when.tzinfo is None:
        if mapped.zone is None:
            raise PayloadError(f"time: {found[:60]!r} has no zone; say unit: local and the zone")
        when = when.replace(tzinfo=ZoneInfo(mapped.zone))
    return milliseconds(when)
