"""Sparkplug B: births give metrics names and types, later data carries aliases only.

An edge node is known by its births. Data of an alias that was never born is not guessed at: the node is asked for a
rebirth and the message is refused, kept whole for a replay. A `bdSeq` that does not match a death, and a gap in the
sequence numbers, also lead to a request for a rebirth. Messages and sequence numbers follow the Eclipse Sparkplug
Specification 3.0, chapters 4 to 6.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

NAMESPACE: Final = "spBv1.0"
REBIRTH: Final = "Node Control/Rebirth"
BIRTHS: Final = ("NBIRTH", "DBIRTH", "NDEATH", "DDEATH")
"""Kinds of messages that say what a node and its devices have."""

DATA: Final = ("NDATA", "DDATA")
BOOLEAN: Final = 11
_SIGNED: Final = {1: 8, 2: 16, 3: 32, 4: 64}
"""Data types Int8 to Int64 and their bits: they are sent as unsigned numbers."""

ASK_AGAIN_MS: Final = 30_000
"""A node that does not answer a request for a rebirth is asked again after this time."""

_SEQUENCES: Final = 256

_Field = descriptor_pb2.FieldDescriptorProto


def _payload_class() -> type[Message]:
    """The `Payload` message, built from its published field numbers; fields that Ecopark does not read are left out."""
    file = descriptor_pb2.FileDescriptorProto(
        name="ecopark/sparkplug.proto", package="ecopark.sparkplug", syntax="proto2"
    )
    payload = file.message_type.add(name="Payload")
    metric = payload.nested_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    for name, number, kind in (
        ("name", 1, _Field.TYPE_STRING),
        ("alias", 2, _Field.TYPE_UINT64),
        ("timestamp", 3, _Field.TYPE_UINT64),
        ("datatype", 4, _Field.TYPE_UINT32),
        ("is_historical", 5, _Field.TYPE_BOOL),
        ("is_transient", 6, _Field.TYPE_BOOL),
        ("is_null", 7, _Field.TYPE_BOOL),
    ):
        metric.field.add(name=name, number=number, type=kind, label=_Field.LABEL_OPTIONAL)
    for name, number, kind in (
        ("int_value", 10, _Field.TYPE_UINT32),
        ("long_value", 11, _Field.TYPE_UINT64),
        ("float_value", 12, _Field.TYPE_FLOAT),
        ("double_value", 13, _Field.TYPE_DOUBLE),
        ("boolean_value", 14, _Field.TYPE_BOOL),
        ("string_value", 15, _Field.TYPE_STRING),
    ):
        metric.field.add(name=name, number=number, type=kind, label=_Field.LABEL_OPTIONAL, oneof_index=0)
    payload.field.add(name="timestamp", number=1, type=_Field.TYPE_UINT64, label=_Field.LABEL_OPTIONAL)
    payload.field.add(
        name="metrics",
        number=2,
        type=_Field.TYPE_MESSAGE,
        label=_Field.LABEL_REPEATED,
        type_name=".ecopark.sparkplug.Payload.Metric",
    )
    payload.field.add(name="seq", number=3, type=_Field.TYPE_UINT64, label=_Field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("ecopark.sparkplug.Payload"))


PAYLOAD: Final = _payload_class()
"""The protobuf message of every Sparkplug B payload, as far as Ecopark reads it."""


@dataclass(frozen=True, slots=True)
class NodeTopic:
    """A Sparkplug topic: `spBv1.0/{group}/{kind}/{node}[/{device}]`."""

    group: str
    kind: str
    node: str
    device: str | None

    @property
    def name(self) -> str:
        """The sender's name in the park file: `node/device`, or `node` for metrics of the node itself."""
        return self.node if self.device is None else f"{self.node}/{self.device}"

    @property
    def command(self) -> str:
        """The topic on which the node takes commands."""
        return f"{NAMESPACE}/{self.group}/NCMD/{self.node}"


def parse_topic(topic: str) -> NodeTopic | None:
    """Take a topic apart; None where it is not one of a node or device."""
    match topic.split("/"):
        case [first, group, kind, node, *device] if first == NAMESPACE and len(device) <= 1 and kind[:1] in {"N", "D"}:
            return NodeTopic(group, kind, node, device[0] if device else None)
        case _:
            return None


class SparkplugError(ValueError):
    """A message that cannot be read, in words."""


class UnbornError(SparkplugError):
    """Data of an alias without a birth so far: the node was asked for a rebirth."""


@dataclass(frozen=True, slots=True)
class _Born:
    name: str
    datatype: int


@dataclass(slots=True)
class _Node:
    """What an edge node has sent since its birth."""

    bd_seq: int | None = None
    seq: int | None = None
    alive: bool = False
    metrics: dict[str, dict[int | str, _Born]] = field(default_factory=dict)
    asked_ms: int | None = None


class _NamedValue(NamedTuple):
    """A metric under its name; `ms` is None where it has no time of its own."""

    name: str
    value: Any
    ms: int | None
    historical: bool


class Sparkplug:
    """Reads Sparkplug messages of all nodes.

    `ask` is called with the topic and payload of a request for a rebirth. `ordered` is whether every message of a node
    comes here: where ingesters share them, sequence numbers have gaps. `births` counts the births that were read.
    """

    def __init__(self) -> None:
        self.ask: Callable[[str, bytes], None] = _nobody
        self.ordered: Callable[[], bool] = _always
        self.births = 0
        self._nodes: dict[tuple[str, str], _Node] = {}

    def read(self, topic: str, payload: bytes, now_ms: int) -> list[dict[str, Any]]:
        """Records of a message: device, time (ms, absent where none was sent), historical, and metrics by name.

        Raises `SparkplugError` where it cannot be read; a rebirth is asked for where that helps.
        """
        address = parse_topic(topic)
        if address is None:
            raise SparkplugError("not a Sparkplug topic: spBv1.0/GROUP/KIND/NODE, with /DEVICE for a device")
        message = _parsed(payload, address.name)
        node = self._nodes.setdefault((address.group, address.node), _Node())
        match address.kind:
            case "NBIRTH" | "DBIRTH":
                self._birth(address, node, message, now_ms)
            case "NDATA" | "DDATA":
                self._in_sequence(address, node, message, now_ms)
            case "NDEATH":
                self._death(node, message)
                return []
            case "DDEATH":
                self._in_sequence(address, node, message, now_ms)
                node.metrics.pop(address.name, None)
                return []
            case _:
                return []
        return list(_by_instant(address.name, self._values(address, node, message, now_ms), message))

    def _birth(self, address: NodeTopic, node: _Node, message: Any, now_ms: int) -> None:
        if address.kind == "NBIRTH":
            node.metrics.clear()
            node.seq = message.seq if message.HasField("seq") else None
            node.alive, node.asked_ms = True, None
            node.bd_seq = next((_number(metric, 0) for metric in message.metrics if metric.name == "bdSeq"), None)
        else:
            self._in_sequence(address, node, message, now_ms)
        born: dict[int | str, _Born] = {}
        for metric in message.metrics:
            known = _Born(metric.name, metric.datatype)
            born[metric.name] = known
            if metric.HasField("alias"):
                born[metric.alias] = known
        node.metrics[address.name] = born
        self.births += 1

    def _death(self, node: _Node, message: Any) -> None:
        """Process a death; one of an earlier session, which the broker sends late, does not concern this one."""
        bd_seq = next((_number(metric, 0) for metric in message.metrics if metric.name == "bdSeq"), None)
        if bd_seq == node.bd_seq:
            node.alive = False
            node.metrics.clear()

    def _in_sequence(self, address: NodeTopic, node: _Node, message: Any, now_ms: int) -> None:
        if not message.HasField("seq"):
            return
        skipped = node.seq is not None and message.seq != (node.seq + 1) % _SEQUENCES
        node.seq = message.seq
        if skipped and self.ordered():
            self.request_rebirth(address, now_ms)

    def _values(self, address: NodeTopic, node: _Node, message: Any, now_ms: int) -> Iterator[_NamedValue]:
        born = node.metrics.get(address.name, {})
        unborn = sorted({m.alias for m in message.metrics if not m.name and m.HasField("alias")} - born.keys())
        if unborn:
            self.request_rebirth(address, now_ms)
            aliases = ", ".join(map(str, unborn[:5]))
            raise UnbornError(f"alias {aliases} of {address.name} was never born; asked the node for a rebirth")
        for metric in message.metrics:
            known = born.get(metric.name or metric.alias)
            name = metric.name or (known.name if known else "")
            datatype = metric.datatype or (known.datatype if known else 0)
            instant = metric.timestamp if metric.HasField("timestamp") else None
            if not metric.is_null and metric.WhichOneof("value") is not None and name != "bdSeq":
                yield _NamedValue(name, _number(metric, datatype), instant, metric.is_historical)

    def request_rebirth(self, address: NodeTopic, now_ms: int) -> None:
        """Ask a node for a rebirth, unless it was just asked."""
        node = self._nodes.setdefault((address.group, address.node), _Node())
        if node.asked_ms is not None and now_ms - node.asked_ms < ASK_AGAIN_MS:
            return
        node.asked_ms = now_ms
        request: Any = PAYLOAD()
        request.timestamp = now_ms
        request.metrics.add(name=REBIRTH, timestamp=now_ms, datatype=BOOLEAN, boolean_value=True)
        self.ask(address.command, request.SerializeToString())


def _nobody(_topic: str, _payload: bytes) -> None:
    """Asks nobody."""


def _always() -> bool:
    return True


def _parsed(payload: bytes, sender: str) -> Any:
    try:
        return PAYLOAD.FromString(payload)
    except DecodeError as error:
        raise SparkplugError(f"what {sender} sent is not a Sparkplug B payload: {error}") from error


def _number(metric: Any, datatype: int) -> Any:
    """The metric's value. Signed integers travel as two's complement: of their own width, or of the field's 32 bits."""
    kind = metric.WhichOneof("value")
    value = getattr(metric, kind) if kind is not None else None
    bits = _SIGNED.get(datatype)
    if bits is not None and isinstance(value, int) and not isinstance(value, bool):
        width = bits if value < 1 << bits else 32
        return value - (1 << width) if value >= 1 << (width - 1) else value
    return value


def _by_instant(device: str, values: Iterator[_NamedValue], message: Any) -> Iterator[dict[str, Any]]:
    """One record for each instant; a metric without a time has that of its message."""
    sent = message.timestamp if message.HasField("timestamp") else None
    found: dict[int | None, dict[str, Any]] = {}
    for name, value, instant, historical in values:
        at = instant if instant is not None else sent
        record = found.setdefault(at, {"device": device, "time": at, "historical": False, "metrics": {}})
        record["metrics"][name] = value
        record["historical"] = record["historical"] or historical
    yield from found.values()
