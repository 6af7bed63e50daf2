"""The whole path with the accounts that the command makes: real ingester and gateway, with passwords and with TLS."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from ecopark.broker.accounts import INGEST, INSIDE, OPERATOR
from gateway.publisher import Link
from gateway.service import GatewaySettings, run_gateway
from proving.processes import Child
from proving.servers import Influxd
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.ecopark.broker.conftest import Fort
from tests.ingest.conftest import ECOPARK
from wire.address import BrokerAddress
from wire.messages import Reading

NEW_METER = """\
  - {id: wm-new, name: {en: New, vi: Mới}, gateway: gw-2, utility: water, interval_s: 60, rated: 50,
     registers: {volume_m3: {}}}
"""


class Operators:
    """What an operator does on one machine: start commands with the account files that `ecopark broker` wrote."""

    def __init__(self, fort: Fort, influx: Influxd, park_files: Path, tmp_path: Path, way: str) -> None:
        self.fort = fort
        self.way = way
        self._influx = influx
        self._parks = park_files
        self._tmp = tmp_path
        self.children: list[Child] = []

    def environment(self, account: str) -> dict[str, str]:
        env = {
            "ECOPARK_ENV_FILE": str(self.fort.folder / "accounts" / f"{account}.env"),
            "ECOPARK_PARK": str(self._parks),
            "ECOPARK_INFLUX_URL": self._influx.url,
            "ECOPARK_INSTANCE": "one",
            "ECOPARK_SPOOL": str(self._tmp / f"{account}.spool"),
        }
        if self.way != "plain" and account not in INSIDE:
            env["ECOPARK_MQTT_URL"] = self.fort.url(account, secure=True)
            env["SSL_CERT_FILE"] = str(self.fort.authority)
        if self.way == "certificate" and account not in INSIDE:
            env["ECOPARK_MQTT_URL"] = f"mqtts://127.0.0.1:{self.fort.tls_port}"
            env["ECOPARK_MQTT_CERTIFICATE"] = str(self.fort.certificate(account))
        return env

    def run(self, account: str, *arguments: str) -> Child:
        log = self._tmp / f"{len(self.children)}-{account}.log"
        child = Child(account, [str(ECOPARK), "--verbose", *arguments], log, self.environment(account))
        self.children.append(child)
        child.start()
        return child

    def link(self, account: str, gateway: str) -> Link:
        env = self.environment(account)
        address = BrokerAddress.parse(env.get("ECOPARK_MQTT_URL") or self.fort.url(account))
        if "ECOPARK_MQTT_CERTIFICATE" in env:
            address = address.model_copy(update={"certificate": Path(env["ECOPARK_MQTT_CERTIFICATE"])})
        return Link(address, "demo", gateway)


@pytest.fixture(params=["plain", "tls", "certificate"])
def operators(
    request: pytest.FixtureRequest,
    influx: Influxd,
    park_files: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Operators]:
    fort: Fort = request.getfixturevalue("identity_fort" if request.param == "certificate" else "fort")
    monkeypatch.setenv("SSL_CERT_FILE", str(fort.authority))
    made = Operators(fort, influx, park_files, tmp_path, request.param)
    yield made
    for child in made.children:
        child.kill()


async def once(readings: Sequence[Reading]) -> AsyncIterator[Sequence[Reading]]:
    yield readings


def reading(meter: str, **values: float) -> Reading:
    return Reading(meter=meter, ts=time.time_ns() // 1_000_000, values=values)


async def said(client: aiomqtt.Client, topic: str) -> Any:
    """The next message on a topic."""
    async with asyncio.timeout(20):
        async for message in client.messages:
            if message.topic.value == topic:
                return json.loads(message.payload) if str(topic).endswith("status") else message.payload
    return None


async def logged(child: Child, words: str) -> None:
    async with asyncio.timeout(20):
        while words not in child.log.read_text():
            assert child.running, child.last_words()
            await asyncio.sleep(0.02)


async def deliver(operators: Operators, gateway: str, readings: Sequence[Reading], tmp_path: Path) -> None:
    """Readings of a gateway until receipts confirm them; it ends when they do."""
    settings = GatewaySettings(
        operators.link(f"demo.{gateway}", gateway), tmp_path / f"{gateway}-once.spool", drain=True
    )
    async with asyncio.timeout(20):
        await run_gateway(settings, once(readings), stop=asyncio.Event())


async def test_the_whole_path_works_with_the_accounts(operators: Operators, store: Store, tmp_path: Path) -> None:
    fort = operators.fort
    async with fort.client(OPERATOR) as screen:
        await screen.subscribe("ecopark/v1/#", qos=1)
        ingester = operators.run(INGEST, "ingest")
        assert await said(screen, "ecopark/v1/ingesters/one"), ingester.last_words()

        await deliver(operators, "gw-1", [reading("em-1", energy_kwh=1.0)], tmp_path)
        rows = await store.query('SELECT "energy_kwh" FROM "electricity"', OPERATOR_DATABASE)
        assert [row["energy_kwh"] for row in rows] == [1.0]

        # The broker lets a gateway publish anything under its own topic; the ingester still checks whose meter it is.
        await deliver(operators, "gw-2", [reading("em-1", energy_kwh=2.0), reading("wm-2", volume_m3=3.0)], tmp_path)
        rows = await store.query('SELECT "meter" FROM "refused" GROUP BY "reason", "gateway"', OPERATOR_DATABASE)
        assert [(row["reason"], row["gateway"], row["meter"]) for row in rows] == [("wrong_gateway", "gw-2", "em-1")]
        assert (await store.query('SELECT "volume_m3" FROM "water"', OPERATOR_DATABASE))[0]["volume_m3"] == 3.0


async def test_a_gateway_that_dies_leaves_its_will(operators: Operators) -> None:
    topic = "ecopark/v1/demo/gw-1/status"
    async with operators.fort.client(OPERATOR) as screen:
        await screen.subscribe(topic, qos=1)
        gateway = operators.run("demo.gw-1", "gateway", "run", "demo/gw-1")
        assert (await said(screen, topic))["online"], gateway.last_words()
        gateway.kill()
        while (await said(screen, topic))["online"]:
            pass


async def test_what_was_refused_is_replayed_by_the_operators_account(
    operators: Operators, store: Store, park_files: Path, tmp_path: Path
) -> None:
    ingester = operators.run(INGEST, "ingest")
    await logged(ingester, "connected; session")
    await deliver(operators, "gw-2", [reading("wm-new", volume_m3=4.0)], tmp_path)
    file = park_files / "demo.yaml"
    file.write_text(file.read_text(encoding="utf-8") + NEW_METER, encoding="utf-8")
    await logged(ingester, "taken in")
    replay = operators.run(OPERATOR, "refused", "replay", "--json")
    async with asyncio.timeout(20):
        while replay.running:  # noqa: ASYNC110 (another process sets no event of ours)
            await asyncio.sleep(0.02)
    assert '{"sent":1,"stored":1}' in replay.last_words()
    assert (await store.query('SELECT "volume_m3" FROM "water"', OPERATOR_DATABASE))[0]["volume_m3"] == 4.0
