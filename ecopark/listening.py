"""What is published on a broker and how Ecopark could read it: shapes of topics, presets that fit, devices, a draft.

Pure but for `hear`. A proposal is a proposal: names of values are recognised by their spelling, so every proposed value
is shown beside an example of what it would become.
"""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import aiomqtt

from ingest.mapping import Decoded, PayloadReader
from ingest.sparkplug import Sparkplug, SparkplugError, parse_topic
from metering.errors import UnavailableError
from metering.model import IDENTIFIER
from metering.park import Park
from metering.quantities import UTILITIES
from metering.sources import MessageMap, TimeMap, preset, preset_names
from wire.address import BrokerAddress
from wire.tls import context

MOST_MESSAGES: Final = 20_000
_DEPTH: Final = 5
EXAMPLES: Final = 50
"""Payloads kept of each shape."""

_GENERIC: Final = ("plain-number", "home-assistant-state", "influx-line")
"""Presets whose topics are everybody's own: proposed only where the payload has their form, and after all others."""

_GUESSES: Final[Sequence[tuple[str, str, str | None]]] = (
    (r"(import|active)?_?(total)?_?energy_?(kwh)?|e(nergy)?_?total|kwh(_total)?", "energy_kwh", None),
    (r".*energy.*_?wh|.*act_energy|wh", "energy_kwh", "Wh"),
    (r".*mwh", "energy_kwh", "MWh"),
    (r"(active_?)?power(_kw)?|kw|p_?total", "power_kw", None),
    (r".*power_?w|watt(s)?", "power_kw", "W"),
    (r".*(volume|total|water|counter|count|meter)_?(m3|m³)|volume", "volume_m3", None),
    (r".*(volume|total|water|counter|liter|litre)s?_?(l|liters?|litres?)|lit(er|re)s", "volume_m3", "L"),
    (r".*flow.*_?m3_?h", "flow_m3h", None),
    (r".*flow.*_?l_?h", "flow_m3h", "L/h"),
    (r"volt(age)?(_v)?|u", "voltage_v", None),
    (r"current(_a)?|amps?|i", "current_a", None),
    (r"freq(uency)?(_hz)?", "frequency_hz", None),
    (r"(power_?factor|pf|cos_?phi)", "power_factor", None),
    (r"pressure(_bar)?", "pressure_bar", None),
    (r"(water_)?temp(erature)?(_c)?", "temperature_c", None),
    (r"ph", "ph", None),
)
"""Spellings of values' names, the quantity each may be, and the unit where it is not the canonical one."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message."""

    topic: str
    payload: bytes


async def hear(address: BrokerAddress, pattern: str, seconds: float) -> list[Heard]:
    """Listen to a broker for some seconds; retained messages are left out, since they may be of any age.

    Raises `UnavailableError` where the broker cannot be reached or turns us away.
    """
    heard: list[Heard] = []
    try:
        async with aiomqtt.Client(
            address.host,
            address.port,
            username=address.user,
            password=address.secret,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=context(address),
        ) as client:
            await client.subscribe(pattern, qos=1)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    async for message in client.messages:
                        if not message.retain and isinstance(message.payload, bytes):
                            heard.append(Heard(str(message.topic), message.payload))
                        if len(heard) >= MOST_MESSAGES:
                            break
    except aiomqtt.MqttError as error:
        raise UnavailableError(f"the broker at {address}: {error}") from error
    return heard


@dataclass
class Shape:
    """Messages that are read alike. `preset` is empty where none fits; `devices` as far as they can be made out."""

    topic: str
    preset: str = ""
    messages: int = 0
    examples: list[Heard] = field(default_factory=list)

    @cached_property
    def proposal(self) -> dict[str, dict[str, Any]]:
        """Values by quantity as an entry of `values`, recognised by the spelling of their names."""
        found: dict[str, dict[str, Any]] = {}
        for heard in self.examples:
            for path, name, number in _numbers(_json(heard.payload)):
                for pattern, quantity, unit in _GUESSES:
                    if quantity not in found and re.fullmatch(pattern, name.lower()):
                        found[quantity] = {"path": path, "example": number} | ({"unit": unit} if unit else {})
                        break
        return found


def shapes(heard: Iterable[Heard]) -> list[Shape]:
    """Sort messages by how they can be read; Ecopark's own are left out."""
    found: dict[tuple[str, str], Shape] = {}
    for one in heard:
        if one.topic.startswith("ecopark/"):
            continue
        name, pattern = next(_fitting(one), ("", _pattern(one.topic)))
        shape = found.setdefault((name, pattern), Shape(pattern, name))
        shape.messages += 1
        if len(shape.examples) < EXAMPLES:
            shape.examples.append(one)
    return sorted(found.values(), key=lambda shape: (not shape.preset, -shape.messages, shape.topic))


def devices(shape: Shape) -> dict[str, dict[str, float]]:
    """Devices of a shape and the newest values that its preset finds without being told more."""
    if not shape.preset:
        return {}
    found: dict[str, dict[str, float]] = {}
    births = Sparkplug()
    reader = PayloadReader(_mapped(shape))
    for one in shape.examples:
        for read in _read(reader, one, births):
            if read.device:
                found.setdefault(read.device, {}).update(read.values)
    return found


def draft(shape: Shape, gateway: str, park: Park | None) -> str:
    """Entries of `sources` and `meters` ready to paste, with what is guessed said in comments."""
    known = {name for meter in park.meters for name in (meter.id, meter.alias)} if park is not None else set()
    lines = ["sources:", f"  - id: {shape.preset or 'devices'}", f"    gateway: {gateway}"]
    lines += _source_lines(shape)
    new = [name for name in devices(shape) if name not in known]
    if not shape.preset:
        lines.append("# meters: name the devices once device is said, one meter each, with the device's name as alias")
    else:
        lines.append("meters:" if new else "# every device that was heard is in the park file")
    for number, name in enumerate(sorted(new), 1):
        lines += _meter_lines(name, number, gateway, set(devices(shape)[name]) | set(shape.proposal))
    return "\n".join(lines)


def _source_lines(shape: Shape) -> list[str]:
    values = [
        f"      {name}: {{path: {json.dumps(each['path'])}"
        + (f", unit: {each['unit']}" if "unit" in each else "")
        + f"}}  # heard {each['example']!r}"
        for name, each in shape.proposal.items()
    ]
    if shape.preset:
        mapped = preset(shape.preset).messages
        own = any(message.values or message.named for message in mapped)
        local = ["    zone: Asia/Ho_Chi_Minh  # the zone of the devices' clocks: check it"] if _is_local(mapped) else []
        topics = [] if shape.preset not in _GENERIC else [f"    topics: [{json.dumps(shape.topic)}]"]
        return [
            f"    preset: {shape.preset}",
            *topics,
            *local,
            *(() if own or not values else ["    values:", *values]),
        ]
    return [
        "    messages:",
        f"      - topic: {json.dumps(shape.topic)}",
        "        device: {level: 0}  # which level of the topic, or {path: ...}: say where the device's name is",
        "        # time: {path: ..., unit: ms}  # without it, the time of arrival counts",
        "        values:" if values else "        values: {}  # say which quantity is where",
        *(f"    {line}" for line in values),
    ]


def _meter_lines(name: str, number: int, gateway: str, quantities: set[str]) -> list[str]:
    utility = next((u for u, spec in UTILITIES.items() if spec.counter in quantities), None)
    spec = UTILITIES[utility] if utility is not None else None
    serves = sorted(quantities & set(spec.quantities)) if spec is not None else []
    plain = name if IDENTIFIER.fullmatch(name) else f"meter-{number}"
    return [
        f"  - id: {plain}",
        *([f"    alias: {json.dumps(name, ensure_ascii=False)}"] if plain != name else []),
        f"    name: {{en: {json.dumps(name, ensure_ascii=False)}, vi: {json.dumps(name, ensure_ascii=False)}}}",
        f"    gateway: {gateway}",
        f"    utility: {utility.value}" if utility is not None else "    utility: ...  # what it measures",
        "    interval_s: 900  # how often it sends",
        "    rated: 100.0  # the most that can pass, in the counter's unit per hour",
        f"    registers: {{{', '.join(f'{quantity}: {{}}' for quantity in serves)}}}",
    ]


def _fitting(one: Heard) -> Iterator[tuple[str, str]]:
    """Presets, and the topic filter, by which a message can be read."""
    for name in sorted(preset_names(), key=_GENERIC.__contains__):
        for message in preset(name).messages:
            zoned = _zoned(message)
            reader = PayloadReader(zoned)
            if reader.matches(one.topic) and any(read.device for read in _readable(reader, one, name)):
                yield name, message.topic


def _readable(reader: PayloadReader, one: Heard, name: str) -> list[Decoded]:
    if reader.message.payload == "sparkplug":
        address = parse_topic(one.topic)
        return [Decoded(address.name, None, {})] if address is not None else []
    found = [read for read in reader.decode(one.topic, one.payload) if not read.faults]
    needs_values = name in _GENERIC or bool(reader.message.values) or reader.message.named is not None
    return [read for read in found if read.values or read.bad_reads or not needs_values]


def _read(reader: PayloadReader, one: Heard, births: Sparkplug) -> list[Decoded]:
    if reader.message.payload != "sparkplug":
        return reader.decode(one.topic, one.payload)
    try:
        records = births.read(one.topic, one.payload, 0)
    except SparkplugError:
        return []
    return [read for record in records for read in reader.read_content(one.topic, record)]


def _mapped(shape: Shape) -> MessageMap:
    message = next(each for each in preset(shape.preset).messages if each.topic == shape.topic)
    return _zoned(message)


def _zoned(message: MessageMap) -> MessageMap:
    """A preset's message that can be tried: local times count as UTC, which is enough to see that they are times."""
    if message.time.unit != "local":
        return message
    return message.model_copy(update={"time": TimeMap(path=message.time.path, unit="local", zone="UTC")})


def _is_local(messages: Iterable[MessageMap]) -> bool:
    return any(message.time.unit == "local" for message in messages)


def _pattern(topic: str) -> str:
    """The topic with every level replaced that looks like a device's name: digits in it, or an EUI."""
    return "/".join(
        "+" if re.search(r"\d", level) and not re.fullmatch(r"v\d+", level) else level for level in topic.split("/")
    )


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


def _numbers(content: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str, float]]:
    """Numbers of a JSON object, each with its JMESPath and its name."""
    if not isinstance(content, dict) or depth > _DEPTH:
        return
    for key, value in content.items():
        here = key if re.fullmatch(r"[A-Za-z_]\w*", key) else json.dumps(key)
        whole = f"{path}.{here}" if path else here
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield whole, key, value
        else:
            yield from _numbers(value, whole, depth + 1)
