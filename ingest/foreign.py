"""Messages of devices that do not speak Ecopark's format: found by topic, decoded by mapping, checked like all others.

Each source of a park file belongs to a gateway, so its readings are of that gateway's meters, by id or alias. Several
sources may read the same topic: what a device of one source sends is no fault in the other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ingest.decode import DecodedMessage
from ingest.lookup import Carrier, Sendable
from ingest.mapping import Decoded, PayloadReader, unreadable
from ingest.refusal import refusal
from ingest.sparkplug import BIRTHS, DATA, Sparkplug, SparkplugError, UnbornError
from metering.park import Park
from metering.sources import MessageMap
from wire.messages import MAX_BYTES, Reading, Reason

KNOWN_TOPICS: Final = 10_000
"""Topics whose source is cached; there are as many as devices."""


@dataclass(frozen=True, slots=True)
class MappedSource:
    """A source of a park file: its readers, and the gateway that its readings are booked under."""

    id: str
    readers: tuple[PayloadReader, ...]
    carrier: Carrier


@dataclass(frozen=True, slots=True)
class Foreign:
    """The sources of all parks."""

    sources: tuple[MappedSource, ...] = ()
    births: Sparkplug = field(default_factory=Sparkplug)
    _known: dict[str, Carrier | None] = field(default_factory=dict)

    def carrier(self, topic: str) -> Carrier | None:
        """Who brings a message on this topic; None where no source reads it."""
        if topic not in self._known:
            if len(self._known) >= KNOWN_TOPICS:
                self._known.clear()
            self._known[topic] = self._find(topic)
        return self._known[topic]

    @property
    def shared(self) -> frozenset[str]:
        """Topic filters whose messages are divided among the ingesters."""
        return frozenset(pattern for message in self._messages() for pattern in shared_filters(message))

    @property
    def everybody(self) -> frozenset[str]:
        """Topic filters that every ingester hears: births and deaths of Sparkplug nodes, which say what data mean."""
        return frozenset(pattern for message in self._messages() for pattern in common_filters(message))

    def _messages(self) -> Iterator[MessageMap]:
        return (reader.message for source in self.sources for reader in source.readers)

    def decoder(self, topic: str) -> "ForeignDecoder | None":
        """What decodes the messages on a topic; None where no source reads it."""
        found = [source for source in self.sources if any(reader.matches(topic) for reader in source.readers)]
        return ForeignDecoder(topic, found, self.births) if found else None

    def _find(self, topic: str) -> Carrier | None:
        decoder = self.decoder(topic)
        return None if decoder is None else decoder.carrier


def sources_of(park: Park, carriers: Mapping[str, Carrier]) -> Iterator[MappedSource]:
    """Make the sources of a park; `carriers` are those of its gateways by id."""
    for source in park.sources:
        yield MappedSource(source.id, tuple(map(PayloadReader, source.read_as)), carriers[source.gateway])


class SourceRecords(NamedTuple):
    """What one source finds in a message; `waits`: it cannot be understood before a birth comes."""

    source: str
    mapped: MessageMap
    records: list[Decoded]
    waits: bool = False


class ForeignDecoder:
    """Decodes the messages of one topic by all sources that read it; the meters of their gateways count together."""

    def __init__(self, topic: str, sources: Sequence[MappedSource], births: Sparkplug) -> None:
        self._readers = [
            (source.id, reader) for source in sources for reader in source.readers if reader.matches(topic)
        ]
        self._meters: dict[str, Sendable] = {}
        for source in reversed(sources):
            self._meters |= source.carrier.meters
        self._births = births
        ids = ", ".join(source.id for source in sources)
        self.carrier = sources[0].carrier._replace(
            meters=self._meters, answers=None, decode=self.decode, sources=f"source {ids}: "
        )

    def decode(self, topic: str, payload: bytes, now_ms: int) -> DecodedMessage:
        """Readings and refusals of a message; one that waits for a birth is to be decoded again later."""
        return self.message_of(self.records(topic, payload, now_ms), payload, now_ms)

    def records(self, topic: str, payload: bytes, now_ms: int) -> list[SourceRecords]:
        """What each source finds in a message."""
        if len(payload) > MAX_BYTES:
            detail = f"{len(payload)} bytes; a message has at most {MAX_BYTES}"
            source, reader = self._readers[0]
            return [SourceRecords(source, reader.message, [unreadable(Reason.TOO_LARGE, detail)])]
        found = []
        for source, reader in self._readers:
            try:
                records = self._read(reader, topic, payload, now_ms)
            except UnbornError as error:
                records = [unreadable(Reason.MALFORMED, str(error))]
                found.append(SourceRecords(source, reader.message, records, waits=True))
            else:
                found.append(SourceRecords(source, reader.message, records))
        return found

    def message_of(self, found: Sequence[SourceRecords], payload: bytes, now_ms: int) -> DecodedMessage:
        """Readings and refusals of what the sources found in a payload."""
        readings: list[Reading] = []
        refusals = []
        arrived, bad_reads = False, 0
        for source, _, records, _ in found:
            for one in records:
                bad_reads += one.bad_reads
                refusals += [
                    refusal(
                        fault.reason,
                        f"source {source}: {fault.detail}",
                        payload,
                        meter=one.device or None,
                        ts=one.ms,
                        quantity=fault.quantity or None,
                    )
                    for fault in one.faults
                ]
                if one.values:
                    arrived = arrived or one.ms is None
                    ms = now_ms if one.ms is None else one.ms
                    readings.append(
                        Reading.model_construct(meter=one.device, ts=ms, values=self._served(one), state=None)
                    )
        return DecodedMessage(
            None, readings, refusals, arrived=arrived, waits=any(each.waits for each in found), bad_reads=bad_reads
        )

    def _read(self, reader: PayloadReader, topic: str, payload: bytes, now_ms: int) -> list[Decoded]:
        if reader.message.payload != "sparkplug":
            return reader.decode(topic, payload)
        try:
            records: list[dict[str, Any]] = self._births.read(topic, payload, now_ms)
        except UnbornError:
            raise
        except SparkplugError as error:
            return [unreadable(Reason.MALFORMED, str(error))]
        return [one for record in records for one in reader.read_content(topic, record)]

    def _served(self, one: Decoded) -> dict[str, float | None]:
        """Values that the meter serves: a preset may find more than the park file asks for.

        Where it serves none of them all stay, so that somebody notices.
        """
        meter = self._meters.get(one.device)
        served = {name: value for name, value in one.values.items() if meter is None or name in meter.ranges}
        return {**(served or one.values)}


def shared_filters(message: MessageMap) -> Iterator[str]:
    """Topic filters of a mapping whose messages are divided among the ingesters."""
    if message.payload != "sparkplug":
        yield message.topic
    else:
        yield from _kinds(message.topic, DATA)


def common_filters(message: MessageMap) -> Iterator[str]:
    """Topic filters of a mapping that every ingester subscribes to for itself."""
    if message.payload == "sparkplug":
        yield from _kinds(message.topic, BIRTHS)


def command_filters(message: MessageMap) -> Iterator[str]:
    """Topics on which the senders of a mapping take commands from ingesters, such as a request for a rebirth."""
    if message.payload == "sparkplug":
        yield from _kinds(message.topic, ["NCMD"])


def _kinds(pattern: str, kinds: Iterable[str]) -> Iterator[str]:
    """The filter for each kind of message: `spBv1.0/GROUP/KIND/NODE`, with a device where the kind has one."""
    levels = [*pattern.split("/"), "+", "+", "+"]
    group, node = (level if level != "#" else "+" for level in (levels[1], levels[3]))
    for kind in kinds:
        device = "/+" if kind.startswith("D") else ""
        yield f"{levels[0]}/{group}/{kind}/{node}{device}"
