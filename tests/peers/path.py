"""The path from meter to database with kills, and what devices that keep nothing lose when a broker restarts."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiomqtt

from metering.park import Park
from proving.chaos.run import Chaos
from proving.chaos.trial import Trial
from proving.demo.crew import Crew
from proving.demo.plan import EXAMPLE
from proving.servers import Servers
from store.client import Store
from store.schema import OPERATOR_DATABASE
from store.select import Of, select, where
from tests.peers.cell import Cell, Judgement, cell
from wire.client import client_of
from wire.topics import Channel, topic

SEED = 7
DEVICES = 6
MESSAGES = 1_000
"""Of each device."""
PAUSE_S = 0.004
CAME_S = 60.0


@dataclass(frozen=True, slots=True)
class Blows:
    """How long everything is killed and paused, and the seed that chooses what and when."""

    seconds: float
    seed: int


async def chaos(servers: Servers, folder: Path, blows: Blows, *, guarded: bool) -> Cell:
    """Everything but the plant is killed and paused, and then counted."""
    run = Chaos(folder, blows.seconds, blows.seed, servers=servers, guarded=guarded)
    verdict = await run.run()
    kills = sum(count for (deed, _), count in run.done.items() if deed == "kill")
    faults = [*verdict.faults] if verdict.read else ["nothing was read"]
    said = f"{verdict.stored:,} of {verdict.read:,} readings, {kills} kills in {blows.seconds:.0f} s, seed {blows.seed}"
    return cell(said, faults)


async def restart(servers: Servers, folder: Path) -> Cell:
    """The broker is asked to end and started again, and no ingester is there for a while after that.

    Meanwhile devices publish that repeat only what was not acknowledged. The figure is the broker's own: nobody but a
    gateway can send again what it had acknowledged.
    """
    trial = Trial(folder, EXAMPLE.read_text(), SEED, servers)
    crew, park = trial.crew, trial.park
    try:
        await crew.start()
        async with crew.database.store() as store:
            return await _restarted(crew, park, store)
    finally:
        await crew.stop()


async def _restarted(crew: Crew, park: Park, store: Store) -> Cell:
    meter = park.meters[0]
    since = time.time_ns() // 1_000_000 - DEVICES * MESSAGES
    async with asyncio.TaskGroup() as tasks:
        for device in range(DEVICES):
            instants = range(since + device * MESSAGES, since + (device + 1) * MESSAGES)
            tasks.create_task(_device(crew, topic(park.id, meter.gateway, Channel.READINGS), meter.id, instants))
        await asyncio.sleep(MESSAGES * PAUSE_S / 4)
        for ingester in crew.ingesters:
            ingester.kill()
        await asyncio.to_thread(crew.broker.process.stop)
        await crew.broker.start()
    for ingester in crew.ingesters:
        ingester.start()
    due, deadline, count = DEVICES * MESSAGES, time.monotonic() + CAME_S, -1
    counted = select(
        meter.utility.value,
        [Of("count", meter.counter, "n")],
        where({"meter": meter.id}, since=since, before=since + due),
    )
    while count != due and time.monotonic() < deadline:
        await asyncio.sleep(1)
        rows = await store.query(counted, OPERATOR_DATABASE)
        count = int(rows[0]["n"]) if rows else 0
    return Cell(Judgement.NOTED if count < due else Judgement.SAME, f"{count:,} of {due:,}")


async def _device(crew: Crew, where_to: str, meter: str, instants: range) -> None:
    """Publishes at QoS 1 and keeps nothing but what is under way."""
    waiting = iter(instants)
    current = next(waiting, None)
    while current is not None:
        with suppress(aiomqtt.MqttError, TimeoutError):
            async with client_of(crew.broker.address) as client:
                while current is not None:
                    reading = {"meter": meter, "ts": current, "values": {"energy_kwh": float(current % 1_000_000)}}
                    await client.publish(where_to, json.dumps({"readings": [reading]}), qos=1)
                    current = next(waiting, None)
                    await asyncio.sleep(PAUSE_S)
        await asyncio.sleep(0.05)
