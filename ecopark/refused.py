"""What was refused: looked up, shown whole, and sent through the front door again.

A refusal counts as replayed when the database has what it held, value for value; that is asked of the database, not
believed of the broker.
"""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import aiomqtt
from pydantic import ValidationError

from metering.errors import OperatorError, UnavailableError
from metering.model import Model
from metering.quantities import Utility
from store.client import Row, Store
from store.lines import point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, REFUSED
from wire.address import BrokerAddress
from wire.messages import Reading
from wire.tls import context

WAIT_S = 10.0
_AT_ONCE = 200
_MEASUREMENTS = ", ".join(f'"{utility.value}"' for utility in Utility)


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
    """Which refusals are meant: these `digests`, or those received in the last `hours`; and what else is given."""

    hours: float = 24.0
    park: str | None = None
    gateway: str | None = None
    reason: str | None = None
    digests: tuple[str, ...] = ()
    replayed: bool = False

    def condition(self, now_ms: int) -> str:
        """Condition in InfluxQL."""
        parts = [f'"received" >= {now_ms - int(self.hours * 3_600_000)}'] if not self.digests else []
        wanted = {"park": self.park, "gateway": self.gateway, "reason": self.reason}
        parts += [f"\"{tag}\" = '{_quoted(value)}'" for tag, value in wanted.items() if value is not None]
        if self.digests:
            parts.append("(" + " OR ".join(f"\"digest\" = '{_quoted(digest)}'" for digest in self.digests) + ")")
        return " AND ".join(parts)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


async def find(store: Store, wanted: Filter) -> list[Refused]:
    """Find refusals, newest first; one that was stored twice counts once."""
    condition = wanted.condition(time.time_ns() // NS_PER_MS)
    rows = await store.query(f'SELECT * FROM "{REFUSED}" WHERE {condition}', OPERATOR_DATABASE)
    latest: dict[str, Refused] = {}
    for row in sorted(rows, key=lambda row: row["received"]):
        found = Refused.model_validate({key: value for key, value in row.items() if value is not None})
        latest[found.digest] = found
    wanted_once = (found for found in latest.values() if wanted.replayed or not found.succeeded)
    return sorted(wanted_once, key=lambda found: -found.received)


async def replay(store: Store, address: BrokerAddress, refused: Sequence[Refused]) -> list[Refused]:
    """Publish what was refused on the topic it came on, and return those that the database then has.

    Raises `UnavailableError` or `OperatorError` where the broker does not take them.
    """
    succeeded: list[Refused] = []
    for start in range(0, len(refused), _AT_ONCE):
        some = refused[start : start + _AT_ONCE]
        await _publish(address, some)
        succeeded += await _stored(store, some)
    now_ms = time.time_ns() // NS_PER_MS
    if succeeded:
        # Not before its receipt, by whatever clock: else it would seem to have been refused again since.
        await store.write([_mark(found, max(now_ms, found.received)) for found in succeeded], OPERATOR_DATABASE)
    return succeeded


async def _publish(address: BrokerAddress, refused: Iterable[Refused]) -> None:
    client = aiomqtt.Client(
        address.host,
        address.port,
        username=address.user,
        password=address.secret,
        identifier=f"ecopark-replay-{uuid.uuid4().hex[:8]}",
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_context=context(address),
    )
    try:
        async with client:
            for found in refused:
                await client.publish(found.topic, found.original(), qos=1)
    except aiomqtt.MqttCodeError as error:
        raise OperatorError(f"{address} refuses the replay: {error}") from error
    except aiomqtt.MqttError as error:
        raise UnavailableError(f"MQTT broker at {address}: {error}") from error


async def _stored(store: Store, refused: Sequence[Refused]) -> list[Refused]:
    """Wait until the database has them, or for a while."""
    waiting = {found.digest: found for found in refused}
    stored: list[Refused] = []
    deadline = time.monotonic() + WAIT_S
    while waiting and time.monotonic() < deadline:
        there = [found for found in waiting.values() if await _has(store, found)]
        stored += there
        for found in there:
            del waiting[found.digest]
        still = await find(store, Filter(digests=tuple(waiting))) if waiting else []
        for again in still:
            if again.received > waiting[again.digest].received:
                del waiting[again.digest]
        if waiting:
            await asyncio.sleep(0.2)
    return stored


async def _has(store: Store, found: Refused) -> bool:
    readings = _readings(found.original())
    if not readings:
        return False
    for reading in readings:
        where = f"\"park\" = '{_quoted(found.park)}' AND \"meter\" = '{_quoted(reading.meter)}'"
        statement = f"SELECT * FROM {_MEASUREMENTS} WHERE {where} AND time = {reading.ms * NS_PER_MS} LIMIT 1"
        rows = await store.query(statement, OPERATOR_DATABASE)
        if not any(_agrees(row, reading) for row in rows):
            return False
    return True


def _agrees(row: Row, reading: Reading) -> bool:
    said = reading.state is None or row.get("state") == reading.state
    return said and all(row.get(name) == value for name, value in reading.values.items())


def _readings(payload: bytes) -> list[Reading]:
    """The readings in what was refused, if it is one or holds some."""
    try:
        content: Any = json.loads(payload)
        items = content.get("readings", [content])
        return [Reading.model_validate_json(json.dumps(item)) for item in items]
    except (ValueError, TypeError, AttributeError, ValidationError):
        return []


def _mark(found: Refused, now_ms: int) -> str:
    tags = {"park": found.park, "gateway": found.gateway, "reason": found.reason, "instance": found.instance}
    return point(series(REFUSED, tags), {"replayed": now_ms}, found.time)
