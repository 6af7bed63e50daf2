"""A compromised gateway: with its account it does all the harm that it can.

It floods with readings of unknown meters and with noise, sends times from the year 2000 on, uses the client ids of an
ingester and of other gateways, and publishes on topics of all kinds. It must not affect anybody else.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Final, NamedTuple

import aiomqtt

from metering.park import Park
from wire.address import BrokerAddress
from wire.client import client_of
from wire.topics import ROOT, Channel, ingester, topic

HOSTILE: Final = "gw-hostile"
"""A gateway of the park file without any meter."""

UNKNOWN: Final = 4_200
"""Readings of a message that is as large as one may be."""

WEEK_MS: Final = 7 * 86_400_000
YEAR_2000_MS: Final = 946_684_800_000
PAUSE_S: Final = 0.05
LIFE_S: Final = 3.0
"""How long it uses a connection before it changes its client id."""


def told_to_end() -> bool:
    """Whether this task was cancelled: where leaving a client fails at that moment, its error hides the cancellation.

    A loop that ignores the errors of clients and connects again must ask.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class HostileMessage(NamedTuple):
    """A harmful message, and what kind of harm it should do."""

    kind: str
    topic: str
    payload: bytes


class Hostile:
    """Does harm on one broker, with the account at `address`, until it is cancelled; `sent` counts what went out."""

    def __init__(self, address: BrokerAddress, park: Park, seed: int) -> None:
        self._address = address
        self._park = park
        self._chance = random.Random(seed)
        self.sent: Counter[str] = Counter()

    async def run(self) -> None:
        """Connect again and again under another name."""
        for identifier in self._identifiers():
            with suppress(aiomqtt.MqttError, TimeoutError):
                async with (
                    asyncio.timeout(2 * LIFE_S),
                    client_of(self._address, identifier, LIFE_S) as client,
                ):
                    await self._harm(client)
            if told_to_end():
                return
            await asyncio.sleep(PAUSE_S)

    async def _harm(self, client: aiomqtt.Client) -> None:
        for share in ("ingest", "ingesters"):
            with suppress(aiomqtt.MqttError):
                await client.subscribe(f"$share/{share}/{topic('+', '+', Channel.READINGS)}", qos=1)
        end = time.monotonic() + LIFE_S
        while time.monotonic() < end:
            for message in self._messages():
                with suppress(aiomqtt.MqttCodeError, ValueError):
                    await client.publish(message.topic, message.payload, qos=1)
                    self.sent[message.kind] += 1
            await asyncio.sleep(PAUSE_S)

    def _messages(self) -> Iterator[HostileMessage]:
        own = topic(self._park.id, HOSTILE, Channel.READINGS)
        now_ms = time.time_ns() // 1_000_000
        flood = [{"meter": f"em-{n}", "ts": now_ms, "values": {"energy_kwh": n}} for n in range(UNKNOWN)]
        yield HostileMessage("flood", own, json.dumps({"readings": flood}).encode())
        old = [
            {"meter": meter.id, "ts": YEAR_2000_MS + week * WEEK_MS, "values": {meter.counter: 1}}
            for week, meter in zip(range(1_400), self._park.meters * 20, strict=False)
        ]
        yield HostileMessage("old", own, json.dumps({"readings": old}).encode())
        for _ in range(20):
            yield HostileMessage("noise", own, self._chance.randbytes(self._chance.choice((1, 100, 10_000))))
        victim = self._chance.choice(self._park.gateways).id
        forged = json.dumps({"meter": self._park.meters[0].id, "ts": now_ms, "values": {"energy_kwh": 1}}).encode()
        for where in (
            topic(self._park.id, victim, Channel.READINGS),
            topic(self._park.id, victim, Channel.STATUS),
            topic(self._park.id, victim, Channel.RECEIPTS),
            ingester("ingest-1"),
            f"{ingester('ingest-1')}/readings",
            f"{ROOT}//{victim}/readings",
            f"{own}/{'x' * 60_000}",
        ):
            yield HostileMessage("odd", where, forged)

    def _identifiers(self) -> Iterator[str]:
        others = [f"{self._park.id}.{gateway.id}" for gateway in self._park.gateways]
        names = ["ecopark-ingest/ingest-1", "ecopark-ingest/ingest-2", *others, *(f"ecopark-{name}" for name in others)]
        return (names[number % len(names)] for number in count())
