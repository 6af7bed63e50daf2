"""Refusals: looked up, shown in full, and sent through the front door again.

A refusal counts as replayed when the database has its content, value for value; that is read from the database, the
broker's word does not suffice. What strangers wrote may be anything: it is read page by page, and shown as printable
text.
"""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import aiomqtt
from pydantic import ValidationError

from metering.errors import OperatorError, UnavailableError
from metering.instants import HOUR_MS, QUARTER_MS
from metering.model import Model
from metering.quantities import UTILITIES, Utility
from store.answers import Row
from store.client import Store
from store.lines import point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, REFUSED
from store.select import earlier, either, select, where
from wire.address import BrokerAddress
from wire.client import client_of
from wire.messages import Reading

WAIT_S = 10.0
"""How long the database may take between two replayed readings."""

PAGE = 2_000
"""Refusals that are read, or sent again, at once."""

_ON_THEIR_WAY = 100
"""Messages that the broker has not acknowledged yet."""

CLOCKS_MS = 60_000
"""How far an ingester's clock may be behind ours."""


class Refused(Model):
    """A refusal as it is stored. `received` and `replayed` are milliseconds since the epoch; `time` is nanoseconds."""

    digest: str
    park: str = ""
    gateway: str = ""
    reason: str
    instance: str = ""
    meter: str = ""
    quantity: str = ""
    detail: str = ""
    topic: str = ""
    payload: str = ""
    encoding: str = "utf-8"
    size: int
    received: int
    time: int
    replayed: int | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the database has it now: it was replayed, and not refused again since."""
        return self.replayed is not None and self.replayed >= self.received

    def original(self) -> bytes:
        """What was received, as far as it was kept."""
        return base64.b64decode(self.payload) if self.encoding == "base64" else self.payload.encode()


class Filter(Model):
    """Which refusals are meant: these `digests`, or those received in the last `hours`; with further conditions."""

    hours: float = 24.0
    park: str | None = None
    gateway: str | None = None
    reason: str | None = None
    digests: tuple[str, ...] = ()
    replayed: bool = False


def printable(text: str) -> str:
    """A stranger's text, without characters that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


async def find(store: Store, wanted: Filter) -> AsyncGenerator[Refused, None]:
    """Find refusals, newest first; duplicates are found once."""
    tags = {"park": wanted.park, "gateway": wanted.gateway, "reason": wanted.reason}
    since = None if wanted.digests else time.time_ns() // NS_PER_MS - round(wanted.hours * HOUR_MS)
    given = {tag: value for tag, value in tags.items() if value is not None}
    also = [either("digest", wanted.digests)] if wanted.digests else []
    seen: set[str] = set()
    end: list[str] = []
    while True:
        condition = where(given, since, also=[*also, *end])
        rows = await store.query(select(REFUSED, "*", condition, newest=PAGE), OPERATOR_DATABASE)
        for row in rows:
            found = Refused.model_validate({key: value for key, value in row.items() if value is not None})
            if found.digest not in seen and (wanted.replayed or not found.succeeded):
                yield found
            seen.add(found.digest)
        if len(rows) < PAGE:
            return
        end = [earlier(rows[-1]["time"])]


class Replayed(Model):
    """How many refusals were sent again, and how many of them the database has now."""

    sent: int
    stored: int


async def replay(store: Store, address: BrokerAddress, wanted: Filter) -> Replayed:
    """Publish what was refused on the topic it came on, and mark what the database then has.

    Raises `UnavailableError` or `OperatorError` where the broker does not take them.
    """
    sent = stored = 0
    some: list[Refused] = []
    try:
        async with client_of(address, f"ecopark-replay-{uuid.uuid4().hex[:8]}") as client:
            client.pending_calls_threshold = 2 * _ON_THEIR_WAY  # the window: this many may be in flight
            async with aclosing(find(store, wanted)) as all_found:
                async for found in all_found:
                    some.append(found)
                    if len(some) == PAGE:
                        stored += await _replay(store, client, some)
                        sent += len(some)
                        some = []
            if some:
                stored += await _replay(store, client, some)
    except aiomqtt.MqttCodeError as error:
        raise OperatorError(f"{address} refuses the replay: {error}") from error
    except aiomqtt.MqttError as error:
        raise UnavailableError(f"MQTT broker at {address}: {error}") from error
    return Replayed(sent=sent + len(some), stored=stored)


async def _replay(store: Store, client: aiomqtt.Client, some: Sequence[Refused]) -> int:
    began_ms = time.time_ns() // NS_PER_MS
    sendable = [found for found in some if found.topic and "+" not in found.topic and "#" not in found.topic]
    for at in range(0, len(sendable), _ON_THEIR_WAY):
        part = sendable[at : at + _ON_THEIR_WAY]
        await asyncio.gather(*(client.publish(found.topic, found.original(), qos=1) for found in part))
    succeeded = await _stored(store, some, began_ms)
    now_ms = time.time_ns() // NS_PER_MS
    if succeeded:
        # Not before its receipt, by whatever clock: else it would seem to have been refused again since.
        await store.write([_mark(found, max(now_ms, found.received)) for found in succeeded], OPERATOR_DATABASE)
    return len(succeeded)


async def _stored(store: Store, refused: Sequence[Refused], began_ms: int) -> list[Refused]:
    """Wait until the database has them, or they were refused again, or nothing happens for a while."""
    waiting = {found.digest: found for found in refused}
    stored: list[Refused] = []
    deadline = time.monotonic() + WAIT_S
    while waiting and time.monotonic() < deadline:
        there = await _there(store, list(waiting.values()))
        stored += there
        # All that was refused since: asking for each by its digest would compare each with each.
        condition = where({}, began_ms - CLOCKS_MS)
        again = await store.query(select(REFUSED, ["digest", "received"], condition), OPERATOR_DATABASE)
        refused_again = {
            row["digest"]
            for row in again
            if row.get("received") and row["digest"] in waiting and row["received"] > waiting[row["digest"]].received
        }
        for digest in {found.digest for found in there} | refused_again:
            waiting.pop(digest, None)
            deadline = time.monotonic() + WAIT_S
        if waiting:
            await asyncio.sleep(0.2)
    return stored


async def _there(store: Store, refused: Sequence[Refused]) -> list[Refused]:
    """Those of which the database has every value; in few queries, however many there are."""
    held = {found.digest: _readings(found.original()) for found in refused}
    wanted: dict[tuple[Utility, str], list[Reading]] = {}
    for found in refused:
        for each in held[found.digest]:
            for utility in Utility:
                if each.values.keys() <= UTILITIES[utility].quantities.keys():
                    wanted.setdefault((utility, found.park), []).append(each)
    by_place: dict[tuple[str, str, int], list[Row]] = {}
    for (utility, park), readings in wanted.items():
        for some in _runs(readings):
            meters = sorted({each.meter for each in some})
            condition = where({"park": park, "meter": meters}, some[0].ms, some[-1].ms + 1)
            for row in await store.query(select(utility.value, "*", condition), OPERATOR_DATABASE):
                by_place.setdefault((row["park"], row["meter"], row["time"] // NS_PER_MS), []).append(row)
    return [
        found
        for found in refused
        if held[found.digest]
        and all(
            any(_agrees(row, each) for row in by_place.get((found.park, each.meter, each.ms), ()))
            for each in held[found.digest]
        )
    ]


def _runs(readings: Iterable[Reading]) -> Iterator[list[Reading]]:
    """Readings in order of time, split at longer pauses, which are not queried."""
    run: list[Reading] = []
    for each in sorted(readings, key=lambda reading: reading.ms):
        if run and each.ms - run[-1].ms > QUARTER_MS:
            yield run
            run = []
        run.append(each)
    if run:
        yield run


def _agrees(row: Row, reading: Reading) -> bool:
    said = reading.state is None or row.get("state") == reading.state
    return said and all(value is None or row.get(name) == value for name, value in reading.values.items())


def _readings(payload: bytes) -> list[Reading]:
    """The readings in a refusal, where it is one or contains some."""
    try:
        content: Any = json.loads(payload)
        items = content.get("readings", [content])
        return [Reading.model_validate_json(json.dumps(item)) for item in items]
    except (ValueError, TypeError, AttributeError, ValidationError):
        return []


def _mark(found: Refused, now_ms: int) -> str:
    tags = {"park": found.park, "gateway": found.gateway, "reason": found.reason, "instance": found.instance}
    return point(series(REFUSED, tags), {"replayed": now_ms}, found.time)
