"""Mappings for devices that do not speak Ecopark's format: payloads to quantities, as data.

A source belongs to a gateway of the park file: its readings count as carried by that gateway, so its meters are those
of the gateway. A preset (`metering/presets/*.yaml`) describes what a make sends; the park file states what differs.
Paths are JMESPath expressions on one record of the payload.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import jmespath
import ryaml
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from metering.model import Identifier, Model, Number, Zone
from metering.quantities import QUANTITIES, Quantity
from metering.units import conversion, units_of

PRESETS: Final = Path(__file__).parent / "presets"


def _compiles(text: str) -> str:
    try:
        jmespath.compile(text)
    except JMESPathError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"is not a JMESPath expression ({reason}); a name with other characters than letters goes in double quotes"
        ) from error
    return text


def _is_a_filter(text: str) -> str:
    levels = text.split("/")
    if (
        any(("+" in level and level != "+") or ("#" in level and level != "#") for level in levels)
        or "#" in levels[:-1]
    ):
        raise ValueError("+ stands for one whole level of a topic and # for all that is left at its end")
    if text.startswith(("$", "ecopark/")):
        raise ValueError(
            "topics below $ and ecopark/ are not for other devices; give the topic on which the device publishes"
        )
    return text


Expression = Annotated[str, StringConstraints(min_length=1), AfterValidator(_compiles)]
TopicFilter = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_is_a_filter)]
Level = Annotated[int, Field(strict=True, ge=0, le=31)]


class ValueMap(Model):
    """Where to find one quantity in a record, and how to convert it to its canonical unit.

    `path` yields a number, a text that is one (perhaps followed by a unit), or a list of either. A list is a series of
    values `step_s` apart, unless `sum` adds it up (one value per phase). `unit` is the one sent. `scale` multiplies
    after the conversion. `base` and `increments` replace `path`: a register, and what was added to it in each step
    since.
    """

    path: Expression | None = None
    base: Expression | None = None
    increments: Expression | None = None
    unit: str | None = None
    scale: Number = 1.0
    sum: bool = False
    decimal: Literal[".", ","] = "."

    @model_validator(mode="after")
    def _one_way(self) -> "ValueMap":
        if (self.path is None) == (self.base is None) or (self.base is None) != (self.increments is None):
            raise ValueError("give path, or base and increments together")
        if self.scale == 0:
            raise ValueError("scale must not be 0")
        return self


def _long(value: Any) -> Any:
    """A path alone is a mapping; one mapping is a list of one."""
    alternatives = value if isinstance(value, list | tuple) else [value]
    return [{"path": each} if isinstance(each, str) else each for each in alternatives]


Alternatives = Annotated[tuple[ValueMap, ...], Field(min_length=1), BeforeValidator(_long)]
"""Where a quantity may be; the first that is present counts. Devices of several makes can share one source."""


class TimeMap(Model):
    """Where to find the time of a record: its unit, and the zone of local times. Without a path: on arrival.

    `or_arrival` takes the time of arrival where a record has none. `format` is that of `strptime`, for local times that
    are not ISO 8601. `floor_s` rounds down.
    """

    path: Expression | None = None
    unit: Literal["s", "ms", "us", "ns", "rfc3339", "local", "arrival"] = "arrival"
    or_arrival: bool = False
    zone: Zone | None = None
    format: str | None = None
    floor_s: Annotated[int, Field(strict=True, ge=1, le=86_400)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "TimeMap":
        if (self.path is None) != (self.unit == "arrival"):
            raise ValueError("give path and unit (s, ms, us, ns, rfc3339, local), or neither for the time of arrival")
        if self.format is not None and self.unit != "local":
            raise ValueError("format is for unit: local")
        return self


class DeviceMap(Model):
    """Where to find the device's name: in the record, in a topic level (from 0), fixed, or the key of each record.

    `suffix` is appended to the name, where one device has several meters.
    """

    path: Expression | None = None
    level: Level | None = None
    fixed: str | None = None
    key: bool = False
    suffix: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> "DeviceMap":
        if sum((self.path is not None, self.level is not None, self.fixed is not None, self.key)) != 1:
            raise ValueError("give one of path, level, fixed and key: true")
        return self


class PairMap(Model):
    """A list of named values, such as `[{"name": "E1", "value": 3}]`: paths of the list, its names and its values."""

    path: Expression
    name: Expression
    value: Expression


class MessageMap(Model):
    """What is published on one topic and how it is read.

    `payload`: `json`; `number`, where the whole payload is one; `influx`, line protocol, of which a record has
    measurement, tags, fields and time (ns); `sparkplug`, of which a record has device, time (ms) and metrics by name.
    `name_level` puts a bare payload under the name at that level of the topic. `pairs` adds an object `pairs`, name to
    value to each record. `each` yields the records: a list, or, with `device: {key: true}`, an object of records by
    device. `values` by quantity; `named` yields an object whose keys are quantities already. `errors` yields what the
    device could not read; `unavailable` are texts or numbers that it sends in place of a value. `step_s` is how far the
    values of a series are apart; `newest` says where in the series the record's instant is.
    """

    topic: TopicFilter
    payload: Literal["json", "number", "influx", "sparkplug"] = "json"
    name_level: Level | None = None
    each: Expression | None = None
    pairs: PairMap | None = None
    device: DeviceMap
    time: TimeMap = TimeMap()
    values: dict[str, Alternatives] = Field(default_factory=dict)
    named: Expression | None = None
    errors: Expression | None = None
    unavailable: tuple[Number | str, ...] = ()
    step_s: Annotated[int, Field(strict=True, ge=1, le=86_400)] | None = None
    newest: Literal["first", "last"] = "last"


class Preset(Model):
    """What a make sends; `source` is where its format is documented, `unverified` what was not tried."""

    name: str
    source: str
    unverified: str
    messages: tuple[MessageMap, ...]


def preset_names() -> list[str]:
    """Names of all presets."""
    return sorted(file.stem for file in PRESETS.glob("*.yaml"))


@cache
def preset(name: str) -> Preset:
    """Read a preset. Raises `ValueError` where there is none of that name."""
    file = PRESETS / f"{name}.yaml"
    if name not in preset_names():
        raise ValueError(f"no such preset; there are {', '.join(preset_names())}")
    return Preset.model_validate(ryaml.loads(file.read_text(encoding="utf-8")))


def _known_preset(name: str) -> str:
    preset(name)
    return name


class Source(Model):
    """Messages of devices that are read by mapping, carried by `gateway`.

    Either `preset` or `messages`. Of a preset, `topics` replaces the topics: in their order, or any number where all
    are read alike. `device` says where the device's name is, `values` replaces or completes what is mapped, and `zone`
    is that of its local times.
    """

    id: Identifier
    gateway: Identifier
    preset: Annotated[str, AfterValidator(_known_preset)] | None = None
    messages: tuple[MessageMap, ...] = ()
    topics: tuple[TopicFilter, ...] = ()
    device: DeviceMap | None = None
    values: dict[str, Alternatives] = Field(default_factory=dict)
    zone: Zone | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> "Source":
        if (self.preset is None) == (not self.messages):
            raise ValueError("give preset, or messages")
        known = self._known
        if self.topics and len(self.topics) != len(known) and not _differ_in_topics_only(known):
            raise ValueError(
                f"topics: the preset has {len(known)} topics ({', '.join(m.topic for m in known)}); give as many"
            )
        for message in self.read_as:
            _check(message)
        return self

    @property
    def _known(self) -> tuple[MessageMap, ...]:
        return preset(self.preset).messages if self.preset is not None else self.messages

    @property
    def read_as(self) -> tuple[MessageMap, ...]:
        """The messages, with the park file's changes to the preset applied."""
        known = self._known
        if self.topics and _differ_in_topics_only(known):
            known = (known[0],) * len(self.topics)
        made = []
        for index, message in enumerate(known):
            changes: dict[str, Any] = {"values": message.values | self.values}
            if self.topics:
                changes["topic"] = self.topics[index]
            if self.device is not None:
                changes["device"] = self.device.model_copy(
                    update={"suffix": message.device.suffix or self.device.suffix}
                )
            if self.zone is not None and message.time.unit == "local":
                changes["time"] = message.time.model_copy(update={"zone": self.zone})
            made.append(message.model_copy(update=changes))
        return tuple(made)


def _differ_in_topics_only(messages: Sequence[MessageMap]) -> bool:
    return all(message.model_copy(update={"topic": messages[0].topic}) == messages[0] for message in messages)


def _check(message: MessageMap) -> None:
    """What a message lacks, if it cannot be read as it is."""
    if not message.values and message.named is None:
        raise ValueError(
            "values: say which quantity is where, for instance {volume_m3: {path: object.volume_l, unit: L}}"
        )
    if message.time.unit == "local" and message.time.zone is None:
        raise ValueError(f"zone: the times on {message.topic} are local; say in which zone, such as Asia/Ho_Chi_Minh")
    for name, alternatives in message.values.items():
        quantity = QUANTITIES.get(name)
        if quantity is None:
            raise ValueError(f"values: {name!r} is not a quantity; there are {', '.join(sorted(QUANTITIES))}")
        for value in alternatives:
            _check_value(message, name, value, quantity)


def _check_value(message: MessageMap, name: str, value: ValueMap, quantity: Quantity) -> None:
    if conversion(value.unit, quantity) is None:
        known = ", ".join(units_of(quantity))
        raise ValueError(f"values.{name}: {value.unit!r} cannot become {quantity.unit}; known are {known}")
    if value.increments is not None and message.step_s is None:
        raise ValueError(f"values.{name}: increments need step_s, the seconds between two of them")
