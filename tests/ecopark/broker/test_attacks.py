"""Attacks from a gateway that was taken over, on the real broker: no acknowledged reading is lost.

The ingester, the accounts and the rules are those of operators; the attacker has the account of one gateway, and any
MQTT client.
"""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ecopark.broker import configuration
from ecopark.broker.accounts import INGEST
from gateway.publisher import Link
from gateway.service import GatewaySettings, run_gateway
from metering.park import Park
from proving.processes import Child
from proving.servers import Influxd, Mosquitto
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.conftest import ECOPARK
from tests.ecopark.broker.conftest import Fort

MESSAGES = 200
READINGS = "ecopark/v1/demo/gw-2/readings"
SHARE = "$share/ingest/ecopark/v1/+/+/readings"
ATTACKER = "demo.gw-1"

Started = Callable[[], Coroutine[Any, Any, Child]]


def week() -> Properties:
    """A session that outlives its connection."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types for it
    properties.SessionExpiryInterval = 7 * 24 * 3600
    return properties


@pytest.fixture
def started(fort: Fort, influx: Influxd, park_files: Path, tmp_path: Path) -> Iterator[Started]:
    """Starts an ingester with the account file that was made for it, and waits until it has subscribed."""
    children: list[Child] = []

    async def start() -> Child:
        environment = {
            "ECOPARK_ENV_FILE": str(fort.folder / "accounts" / f"{INGEST}.env"),
            "ECOPARK_PARK": str(park_files),
            "ECOPARK_INFLUX_URL": influx.url,
            "ECOPARK_INSTANCE": "one",
        }
        log = tmp_path / f"ingester-{len(children)}.log"
        child = Child("ingester", [str(ECOPARK), "--verbose", "ingest"], log, environment)
        children.append(child)
        child.start()
        await connected(child)
        return child

    yield start
    for child in children:
        child.kill()


async def connected(child: Child) -> None:
    async with asyncio.timeout(180):
        while "connected; session" not in child.log.read_text():
            assert child.running, child.last_words()
            await asyncio.sleep(0.02)


async def publish(fort: Fort, first: int, count: int = MESSAGES) -> None:
    """Readings of a device that keeps nothing: what the broker acknowledged must reach the database."""
    async with fort.client("demo.gw-2") as device:
        for at in range(first, first + count):
            reading = {"meter": "wm-2", "ts": START_MS + at, "values": {"volume_m3": at}}
            await device.publish(READINGS, json.dumps(reading), qos=1)


START_MS = time.time_ns() // 1_000_000 - 10_000


async def stored(store: Store, count: int) -> None:
    async with asyncio.timeout(180):
        while True:
            rows = await store.query('SELECT count("volume_m3") FROM "water"', OPERATOR_DATABASE)
            if rows and rows[0]["count"] == count:
                return
            await asyncio.sleep(0.05)


async def test_an_attacker_with_the_ingesters_client_id_does_not_disturb_it(
    fort: Fort, started: Started, store: Store
) -> None:
    ingester = await started()
    for _ in range(3):
        async with fort.client(ATTACKER, identifier="ecopark-ingest/one", clean_start=True):
            await publish(fort, 0)
    await stored(store, MESSAGES)
    assert ingester.running
    assert ingester.log.read_text().count("connected; session") == 1


async def test_an_attacker_does_not_get_messages_that_wait_for_an_absent_ingester(
    fort: Fort, started: Started, store: Store
) -> None:
    await asyncio.to_thread((await started()).stop)
    await publish(fort, 0)
    for clean in (False, True):
        async with fort.client(
            ATTACKER, identifier="ecopark-ingest/one", clean_start=clean, properties=week()
        ) as thief:
            await thief.subscribe(SHARE, qos=1)
    await started()
    await stored(store, MESSAGES)


async def test_sessions_of_a_gateway_take_nothing_from_the_share(fort: Fort, started: Started, store: Store) -> None:
    await started()
    await join(fort)
    await publish(fort, 0)
    await stored(store, MESSAGES)


async def join(fort: Fort) -> None:
    """As many sessions of one account as the broker allows join the share, and go away without leaving it."""
    async with AsyncExitStack() as stack:
        for number in range(20):
            thief = await stack.enter_async_context(
                fort.client(ATTACKER, identifier=f"thief-{number}", clean_start=False, properties=week())
            )
            await thief.subscribe(SHARE, qos=1)
            stack.pop_all()  # without DISCONNECT: a client that leaves properly sends one
            thief._client.loop_stop()  # noqa: SLF001 (aiomqtt offers no way to fall silent)


async def test_a_pruned_account_is_disconnected_at_once(
    fort: Fort, started: Started, store: Store, parks: list[Park]
) -> None:
    await started()
    async with fort.client(ATTACKER) as thief:
        await thief.subscribe(SHARE, qos=1)
        fort.prune(without_the_attackers(parks))
        with pytest.raises(aiomqtt.MqttError):  # the broker ends the connection
            async with asyncio.timeout(180):
                await anext(thief.messages)
    with pytest.raises(aiomqtt.MqttError):
        async with fort.client(ATTACKER):
            pass
    await publish(fort, 0)
    await stored(store, MESSAGES)


async def test_a_certificate_of_a_pruned_account_is_refused(identity_fort: Fort, parks: list[Park]) -> None:
    fort = identity_fort
    certificate = fort.folder.parent / "kept-by-the-thief.pem"
    certificate.write_bytes(fort.certificate(ATTACKER).read_bytes())
    assert await fort.admits(ATTACKER, certificate)
    fort.prune(without_the_attackers(parks))
    async with asyncio.timeout(180):
        while await fort.admits(ATTACKER, certificate):
            pass  # the broker has not read the list yet
    assert await fort.admits("demo.gw-2", fort.certificate("demo.gw-2"))
    assert not await fort.admits(ATTACKER, certificate)


def without_the_attackers(parks: list[Park]) -> list[Park]:
    return [
        park
        if park.id != "demo"
        else park.model_copy(update={"gateways": tuple(gateway for gateway in park.gateways if gateway.id != "gw-1")})
        for park in parks
    ]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """The most connections on the gateways' listener of a broker that is made after this."""
    monkeypatch.setattr(configuration, "FEWEST", 20)
    return 20


@pytest.mark.usefixtures("few")
async def test_strangers_who_fill_the_gateways_listener_keep_no_ingester_out(
    fort: Fort, started: Started, few: int
) -> None:
    """Connections are bounded on each listener; services have a separate one."""
    strangers = [await asyncio.open_connection("127.0.0.1", fort.server.port) for _ in range(few + 20)]
    ended = [asyncio.create_task(reader.read()) for reader, _ in strangers]
    try:
        async with asyncio.timeout(180):
            await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        await started()
        async with fort.client("operator") as operator:
            await operator.publish("ecopark/v1/demo/gw-1/readings", b"{}", qos=1)
        assert "max_connections exceeded" in (fort.folder / "mosquitto.log").read_text()
    finally:
        for task in ended:
            task.cancel()
        for _, writer in strangers:
            writer.transport.abort()


@pytest.mark.parametrize("account", [ATTACKER, INGEST])
async def test_accounts_are_of_one_listener_only(fort: Fort, account: str) -> None:
    inside = account == INGEST
    user, _, rest = fort.url(account).removeprefix("mqtt://").partition(":")
    password = rest.partition("@")[0]
    other = fort.server.port if inside else fort.server.inner_port
    with pytest.raises(aiomqtt.MqttError, match=r"Not authorized|Bad user name"):
        async with aiomqtt.Client("127.0.0.1", other, username=user, password=password):
            pass


async def test_what_waits_for_an_ingester_outlives_a_restart_of_the_broker(
    fort: Fort, started: Started, store: Store
) -> None:
    # Not what is published after the restart and before an ingester is back: see docs/administration.md.
    await asyncio.to_thread((await started()).stop)
    await publish(fort, 0)
    await asyncio.to_thread(fort.server.process.stop)
    await fort.server.start()
    await started()
    await stored(store, MESSAGES)


async def test_the_broker_logs_no_warning_while_an_ingester_works(fort: Fort, started: Started, store: Store) -> None:
    """mosquitto 2.1 logs a line for each message beyond the window that it thinks it has."""
    await started()
    await publish(fort, 0)
    await stored(store, MESSAGES)
    log = fort.server.process.log.read_text()
    assert "receive-maximum" not in log
    assert "Error" not in log


async def test_gateways_whose_names_read_alike_have_sessions_of_their_own(broker: Mosquitto, tmp_path: Path) -> None:
    stop = asyncio.Event()

    async def nothing() -> Any:
        await stop.wait()
        return
        yield

    async with asyncio.TaskGroup() as tasks, aiomqtt.Client("127.0.0.1", broker.port) as screen:
        await screen.subscribe("ecopark/v1/+/+/status", qos=1)
        for park, gateway in (("a", "b-c"), ("a-b", "c")):
            link = Link(broker.address, park, gateway, status_every_s=0.1)
            tasks.create_task(run_gateway(GatewaySettings(link, tmp_path / f"{park}.spool"), nothing(), stop=stop))
        heard: dict[str, int] = {}
        async with asyncio.timeout(180):
            async for message in screen.messages:
                heard[message.topic.value] = heard.get(message.topic.value, 0) + 1
                if len(heard) == 2 and min(heard.values()) >= 5:
                    break
        stop.set()
    assert "already connected" not in broker.process.log.read_text()
