"""How many readings went in and came out, counted at both ends independently.

The gateways' side is their `status`; the database's side is queried from the database.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from metering.figures import Period
from metering.park import Park
from metering.quantities import UTILITIES, Utility
from store.client import Store
from store.schema import EFFICIENCY, OPERATOR_DATABASE, REFUSED, USAGE, USAGE_CURSOR
from store.select import Of, select, where
from wire.address import BrokerAddress
from wire.client import client_of
from wire.messages import Status
from wire.topics import Channel, parse, topic


class GatewaySide:
    """Listens to the gateways. What the broker retained from an earlier run does not count."""

    def __init__(self, park: Park, address: BrokerAddress) -> None:
        self._park = park
        self._reading = {gateway.id for gateway in park.gateways if park.meters_of(gateway.id)}
        self._address = address
        self._said: dict[str, Status] = {}
        self._changed = asyncio.Event()

    async def run(self, listening: asyncio.Event) -> None:
        """Listen for as long as the task lives."""
        async with client_of(self._address) as client:
            await client.subscribe(topic(self._park.id, "+", Channel.STATUS), qos=1)
            listening.set()
            async for message in client.messages:
                address = parse(str(message.topic))
                if address is None or address.gateway not in self._reading:
                    continue
                if not message.retain and isinstance(message.payload, bytes):
                    self._said[address.gateway] = Status.model_validate_json(message.payload)
                    self._changed.set()

    @property
    def read(self) -> int:
        """Readings that the gateways have read and put on disk."""
        return sum(status.read or 0 for status in self._said.values())

    @property
    def spooled(self) -> int:
        """Messages that they hold until the database has confirmed them."""
        return sum(status.spooled or 0 for status in self._said.values())

    @property
    def undelivered(self) -> list[str]:
        """Of each gateway that is not there, or holds what the database has not confirmed, what it is."""
        found = []
        for gateway in sorted(self._reading):
            status = self._said.get(gateway)
            if status is None or not status.online:
                found.append(f"{gateway} is not there")
            elif status.spooled != 0:
                found.append(f"{gateway} holds {status.spooled} messages that the database has not confirmed")
        return found

    @property
    def all_offline(self) -> bool:
        """Whether every gateway has published that it is offline."""
        return len(self._said) == len(self._reading) and not any(status.online for status in self._said.values())

    def holds_before(self, ms: int) -> bool:
        """Whether a gateway holds readings from before an instant (milliseconds since the epoch)."""
        return any(status.oldest is not None and status.oldest < ms for status in self._said.values())

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, looked at whenever a gateway has spoken."""
        while not holds():
            self._changed.clear()
            await self._changed.wait()


async def stored(store: Store, park: Park, since: datetime) -> int:
    """Readings that the database has from `since` on: each has its main counter."""
    condition = where({"park": park.id}, since=_ms(since))
    total = 0
    for utility in Utility:
        counted = Of("count", UTILITIES[utility].counter, "readings")
        rows = await store.query(select(utility.value, [counted], condition), OPERATOR_DATABASE)
        total += sum(int(row["readings"]) for row in rows)
    return total


async def refused(store: Store, park: Park) -> int:
    """Refusals that the database has of this park's gateways."""
    statement = select(REFUSED, [Of("distinct", "digest")], where({"park": park.id}))
    return len(await store.query(statement, OPERATOR_DATABASE))


async def computed(store: Store, park: Park) -> int:
    """Up to which instant usage is computed and all figures are made of it, ms; 0 where nothing is."""
    statement = select(USAGE_CURSOR, ["computed", "figures"], where({"park": park.id}), newest=1)
    rows = await store.query(statement, OPERATOR_DATABASE)
    return min(int(rows[0][name]) for name in ("computed", "figures")) if rows else 0


async def judged(store: Store, park: Park) -> bool:
    """Whether any tenant's month is compared with a baseline."""
    months = where({"park": park.id, "period": Period.MONTH})
    return bool(await store.query(select(EFFICIENCY, ["enpi"], months, newest=1), OPERATOR_DATABASE))


async def used_today(store: Store, park: Park, midnight: datetime) -> dict[tuple[str, str], float]:
    """What each tenant has used of each utility since local midnight, as far as it is computed."""
    today = where({"park": park.id, "role": "billing"}, since=_ms(midnight))
    statement = select(USAGE, [Of("sum", "amount", "used")], today, ["tenant", "utility"])
    rows = await store.query(statement, OPERATOR_DATABASE)
    return {(row["tenant"], row["utility"]): row["used"] for row in rows}


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
