"""What is published on a broker and how Ecopark could read it: shapes of topics, presets that fit, devices, a draft.

Pure except `hear`. What a source of the park file reads already is not proposed again; only its new devices are.
Unknown messages are guessed at (`ecopark.guessing`), and each guess is shown with what was received.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any, Final

import aiomqtt

from ecopark.guessing import Guess, guess, is_number
from ecopark.spelling import GuessedPart, Leaf, leaves_of, numbered, quoted, values_of
from ingest.mapping import Decoded, PayloadReader
from ingest.sparkplug import Sparkplug, SparkplugError, parse_topic
from metering.errors import UnavailableError
from metering.model import IDENTIFIER
from metering.park import Park
from metering.quantities import UTILITIES
from metering.sources import MessageMap, TimeMap, preset, preset_names
from wire.address import BrokerAddress
from wire.client import client_of

MOST_MESSAGES: Final = 20_000
EXAMPLES: Final = 50
"""Payloads kept for each shape."""

MOST_OTHERS: Final = 20
"""How many unrecognised numbers of a message are shown."""

_NO_TEXTS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Texts that YAML would read as something else."""

_GENERIC: Final = ("plain-number", "home-assistant-state", "influx-line")
"""Presets with freely chosen topics: proposed only where the payload has their form, and after all others."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message and when it came, ms."""

    topic: str
    payload: bytes
    ms: int = 0


async def hear(address: BrokerAddress, pattern: str, seconds: float) -> list[Heard]:
    """Listen to a broker for some seconds; retained messages are left out, since they may be of any age.

    Raises `UnavailableError` where the broker cannot be reached or turns us away.
    """
    heard: list[Heard] = []
    try:
        async with client_of(address) as client:
            await client.subscribe(pattern, qos=1)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    async for message in client.messages:
                        if not message.retain and isinstance(message.payload, bytes):
                            heard.append(Heard(str(message.topic), message.payload, time.time_ns() // 1_000_000))
                        if len(heard) >= MOST_MESSAGES:
                            break
    except aiomqtt.MqttError as error:
        raise UnavailableError(f"the broker at {address}: {error}") from error
    return heard


@dataclass
class Shape:
    """Messages that are read alike, by `mapped`; empty where unknown.

    `source` is the id of the park file's source that reads them already, `preset` what fits otherwise. `trouble` is why
    a source of the park file that is meant for the topic cannot read them.
    """

    topic: str
    preset: str = ""
    source: str = ""
    mapped: tuple[MessageMap, ...] = ()
    trouble: str = ""
    messages: int = 0
    examples: list[Heard] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)

    @cached_property
    def proposal(self) -> dict[str, GuessedPart]:
        """Values by quantity as entries of `values`, recognised by the spelling of their names."""
        if not self.mapped:
            return self.guess.values
        leaves = [leaf for one in self.examples for leaf in _leaves(self.mapped[0], one)]
        return values_of(leaves).known

    @cached_property
    def guess(self) -> Guess:
        """How unknown messages could be mapped; their values are collected from all of them."""
        found = [guess(self.topic, one.topic, one.payload, one.ms) for one in self.examples]
        first = found[0]
        for other in found[1:]:
            first.values.update({name: part for name, part in other.values.items() if name not in first.values})
            known = {part.entry.get("path") for part in first.values.values()}
            first.others.update({path: heard for path, heard in other.others.items() if path not in known})
        return first


def shapes(heard: Iterable[Heard], parks: Sequence[Park] = ()) -> list[Shape]:
    """Sort messages by how they can be read; Ecopark's own are left out."""
    found: dict[tuple[str, str, str], Shape] = {}
    for one in heard:
        if one.topic.startswith("ecopark/"):
            continue
        made = _shape_of(one, parks)
        shape = found.setdefault((made.source, made.preset, made.topic), made)
        shape.trouble = shape.trouble or made.trouble
        shape.messages += 1
        shape.topics.add(one.topic)
        if len(shape.examples) < EXAMPLES:
            shape.examples.append(one)
    known = [shape for shape in found.values() if shape.mapped]
    told = {topic for shape in known for topic in shape.topics}
    # What else a device publishes on a topic that is read, such as the state of its radio, is no unknown message.
    unknown = [shape for shape in found.values() if not (shape.mapped or (shape.topics <= told and not shape.trouble))]
    return sorted([*known, *_merged(unknown)], key=lambda shape: (not shape.mapped, -shape.messages, shape.topic))


def _shape_of(one: Heard, parks: Sequence[Park]) -> Shape:
    """How one message is read: by a source of the park files, by a preset, or not yet."""
    trouble = ""
    for park in parks:
        for source in park.sources:
            for message in source.read_as:
                reader = PayloadReader(message)
                if reader.matches(one.topic):
                    if _readable(reader, one, needs_values=False):
                        return Shape(message.topic, source=source.id, mapped=_alike(source.read_as, message.topic))
                    trouble = f"source {source.id} is meant for this topic and cannot read it{_why(reader, one)}"
    for name in sorted(preset_names(), key=_GENERIC.__contains__):
        zoned = [_zoned(message) for message in preset(name).messages]
        for message in zoned:
            reader = PayloadReader(message)
            needed = name in _GENERIC or _says_values(message)
            if reader.matches(one.topic) and _readable(reader, one, needs_values=needed):
                return Shape(message.topic, preset=name, mapped=_alike(zoned, message.topic), trouble=trouble)
    return Shape(_pattern(one), trouble=trouble)


def _alike(messages: Iterable[MessageMap], topic: str) -> tuple[MessageMap, ...]:
    """What is read of the messages on one topic together: a device may have several meters."""
    return tuple(message for message in messages if message.topic == topic)


def _leaves(mapped: MessageMap, one: Heard) -> list[Leaf]:
    if mapped.payload != "number" or mapped.name_level is None:
        return leaves_of(one.payload)
    name = one.topic.split("/")[mapped.name_level]
    return [Leaf(quoted(name), name, one.payload.decode(errors="replace").strip())]


def _says_values(message: MessageMap) -> bool:
    return bool(message.values) or message.named is not None


def devices(shape: Shape) -> dict[str, dict[str, float]]:
    """Devices of a shape and the newest values that its mapping, or the guess, finds."""
    found: dict[str, dict[str, float]] = {}
    for mapped in shape.mapped or (shape.guess.mapped,):
        births, reader = Sparkplug(), PayloadReader(mapped)
        for one in shape.examples:
            for read in _read(reader, one, births):
                if read.device and (read.values or read.bad_reads or len(shape.mapped) <= 1):
                    found.setdefault(read.device, {}).update(read.values)
    return found


def draft(found: Sequence[Shape], gateway: str, parks: Sequence[Park] = ()) -> str:
    """Entries of `sources` and `meters` ready to paste, with guesses marked in comments."""
    sources = [line for shape in found for line in _notes(shape)]
    taken = {source.id for park in parks for source in park.sources}
    presets = dict.fromkeys(shape.preset for shape in found if shape.preset)
    entries = [(name, _preset_lines([one for one in found if one.preset == name])) for name in presets]
    entries += [("devices", _guessed_lines(shape.guess)) for shape in found if not shape.mapped]
    for name, lines in entries:
        own = next(each for each in numbered(name) if each not in taken)
        taken.add(own)
        sources += [f"  - id: {own}", f"    gateway: {gateway}", *lines]
    meters = _new_meters(found, gateway, parks)
    lines = (["sources:"] if entries else []) + sources
    return "\n".join(
        [*lines, *(["meters:", *meters] if meters else ["# every device that was heard is in the park file"])]
    )


def _notes(shape: Shape) -> list[str]:
    read = [f"  # {shape.topic} is read already by the source {shape.source}"] if shape.source else []
    return read + ([f"  # {shape.topic}: {shape.trouble}"] if shape.trouble else [])


def _new_meters(found: Sequence[Shape], gateway: str, parks: Sequence[Park]) -> list[str]:
    """Entries of meters for the devices that no park file has."""
    known = {name for park in parks for meter in park.meters for name in (meter.id, meter.alias)}
    gateways = {source.id: source.gateway for park in parks for source in park.sources}
    carried: dict[str, str] = {}
    shown: dict[str, set[str]] = {}
    for shape in found:
        for name, values in devices(shape).items():
            if name not in known:
                carried.setdefault(name, gateways.get(shape.source, gateway))
                proposed = () if shape.source or not _needs_values(shape) else shape.proposal
                shown.setdefault(name, set()).update(values, proposed)
    ids = known | set()
    lines = []
    for name in sorted(shown):
        made = name if IDENTIFIER.fullmatch(name) else next(each for each in numbered("meter-1") if each not in ids)
        ids.add(made)
        lines += _meter_lines(made, name, carried[name], shown[name])
    return lines


def _needs_values(shape: Shape) -> bool:
    """Whether values must be proposed: for a preset that names none, or for unknown messages."""
    mapped = preset(shape.preset).messages if shape.preset else ()
    return not any(map(_says_values, mapped))


def _value_lines(values: Mapping[str, GuessedPart]) -> list[str]:
    return [f"{name}: {_flow(part.entry)}  # check: heard {_short(part.heard)}" for name, part in values.items()]


def _preset_lines(found: Sequence[Shape]) -> list[str]:
    """Remarks on a preset that reads these shapes."""
    name = found[0].preset
    local = ["    zone: Asia/Ho_Chi_Minh  # check: the zone of the devices' clocks"]
    lines = [f"    preset: {name}", *(local if _is_local(preset(name).messages) else [])]
    values = _value_lines({key: part for shape in found for key, part in shape.proposal.items()})
    return lines + (
        ["    values:", *(f"      {line}" for line in values)] if _needs_values(found[0]) and values else []
    )


def _guessed_lines(made: Guess) -> list[str]:
    time = ["# time: {path: ..., unit: ms}  # nothing in it looks like a time, so the time of arrival counts"]
    if made.time is not None:
        time = [f"time: {_flow(made.time.entry)}  # check: heard {_short(made.time.heard)}"]
    lines = [
        f"- topic: {json.dumps(made.topic, ensure_ascii=False)}",
        *(f"  {name}: {_flow(value)}" for name, value in made.further.items()),
        f"  device: {_flow(made.device.entry)}  # check: heard {_short(made.device.heard)}",
        *(f"  {line}" for line in time),
        "  values:" if made.values else "  values: {}  # say which quantity is where",
        *(f"    {line}" for line in _value_lines(made.values)),
        *(
            f"    # not recognised: {path}, heard {_short(heard)}"
            for path, heard in [*made.others.items()][:MOST_OTHERS]
        ),
    ]
    return ["    messages:", *(f"      {line}" for line in lines)]


def _flow(value: Any) -> str:
    """A value as YAML on one line: JSON without needless quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w./]*", value, re.ASCII)
    return str(value) if plain and value.lower() not in _NO_TEXTS else json.dumps(value, ensure_ascii=False)


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:60]


def _meter_lines(made: str, name: str, gateway: str, quantities: set[str]) -> list[str]:
    """One meter with the id that was made for a device's name."""
    utility = next((u for u, spec in UTILITIES.items() if spec.counter in quantities), None)
    spec = UTILITIES[utility] if utility is not None else None
    serves = sorted(quantities & set(spec.quantities)) if spec is not None else []
    return [
        f"  - id: {made}",
        *([f"    alias: {json.dumps(name, ensure_ascii=False)}"] if made != name else []),
        f"    name: {{en: {json.dumps(name, ensure_ascii=False)}, vi: {json.dumps(name, ensure_ascii=False)}}}",
        f"    gateway: {gateway}",
        f"    utility: {utility.value}  # check" if utility is not None else "    utility: ...  # what it measures",
        "    interval_s: 900  # check: how often it sends",
        "    rated: 100.0  # check: the most that can pass, in the counter's unit per hour",
        f"    registers: {{{', '.join(f'{quantity}: {{}}' for quantity in serves)}}}",
    ]


def _readable(reader: PayloadReader, one: Heard, *, needs_values: bool) -> bool:
    if reader.message.payload == "sparkplug":
        return parse_topic(one.topic) is not None
    found = [read for read in reader.decode(one.topic, one.payload) if read.device and not read.faults]
    return any(read.values or read.bad_reads or not needs_values for read in found)


def _why(reader: PayloadReader, one: Heard) -> str:
    faults = [fault.detail for read in reader.decode(one.topic, one.payload) for fault in read.faults]
    return f": {faults[0]}" if faults else ""


def _read(reader: PayloadReader, one: Heard, births: Sparkplug) -> list[Decoded]:
    if reader.message.payload != "sparkplug":
        return reader.decode(one.topic, one.payload)
    try:
        records = births.read(one.topic, one.payload, 0)
    except SparkplugError:
        return []
    return [read for record in records for read in reader.read_content(one.topic, record)]


def _zoned(message: MessageMap) -> MessageMap:
    """A preset's message that can be tried: local times count as UTC, which suffices to recognise times."""
    if message.time.unit != "local":
        return message
    return message.model_copy(update={"time": TimeMap(path=message.time.path, unit="local", zone="UTC")})


def _is_local(messages: Iterable[MessageMap]) -> bool:
    return any(message.time.unit == "local" for message in messages)


def _pattern(one: Heard) -> str:
    """The topic with every level replaced, except the first, that looks like a device's name: with digits in it.

    Where each value has its own topic, the last two levels are the device and the value.
    """
    first, *levels = one.topic.split("/")
    if is_number(one.payload):
        return "/".join([first, *levels[:-2], *["+"] * min(2, len(levels))])
    named = ("+" if re.search(r"\d", level) and not re.fullmatch(r"v\d+", level) else level for level in levels)
    return "/".join([first, *named])


def _merged(unknown: Sequence[Shape]) -> list[Shape]:
    """Join shapes that differ in one level of the topic only: devices with names without digits."""
    left = list(unknown)
    for one, other in combinations(unknown, 2):
        joined = _joined_topic(one.topic, other.topic)
        if one in left and other in left and joined is not None and _keys(one) == _keys(other):
            one.topic = joined
            one.messages += other.messages
            one.examples = [*one.examples, *other.examples][:EXAMPLES]
            left.remove(other)
    return left


def _joined_topic(one: str, other: str) -> str | None:
    """The filter for both topics, where they differ in one level."""
    ours, theirs = one.split("/"), other.split("/")
    if len(ours) != len(theirs) or sum(map(str.__ne__, ours, theirs)) != 1:
        return None
    return "/".join(level if level == theirs[place] else "+" for place, level in enumerate(ours))


def _keys(shape: Shape) -> frozenset[str]:
    """Where the values of a shape are; a shape without any is like no other."""
    found = frozenset(leaf.path for leaf in leaves_of(shape.examples[0].payload))
    return found or frozenset({shape.topic})
