"""The accounts on a real broker: what the rules forbid does not happen, and what they allow does."""

import contextlib
import socket
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import pytest

from ecopark.broker.accounts import INGEST, OPERATOR, rules, source_topics
from ecopark.broker.certificates import write_certificates
from metering.parkfile import load_park
from tests.ecopark.broker.conftest import Fort, heard
from tests.ingest.conftest import PARK, park_file
from wire.topics import shared

END = "end"


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_gateway_cannot_publish_as_another_nor_answer_itself(fort: Fort, qos: int) -> None:
    async with fort.client(OPERATOR) as listening, fort.client("demo.gw-1") as gateway:
        await listening.subscribe("ecopark/v1/#", qos=1)
        for topic in (
            "demo/gw-2/readings",
            "demo/gw-2/status",
            "other/gw-1/readings",
            "demo/gw-1/receipts",
            "demo/gw-1/refusals",
            "demo/gw-2/receipts",
            "ingesters/one",
            "demo/gw-1/readings/more",
        ):
            await gateway.publish(f"ecopark/v1/{topic}", b"forged", qos=qos)
        await gateway.publish("ecopark/v1/demo/gw-1/status", b"own status", qos=1)
        await gateway.publish("ecopark/v1/demo/gw-1/readings", END, qos=1)
        assert await heard(listening, END) == [("ecopark/v1/demo/gw-1/status", b"own status")]


async def test_a_gateway_cannot_leave_a_will_in_anothers_name(fort: Fort) -> None:
    will = aiomqtt.Will("ecopark/v1/demo/gw-2/status", b"gone", qos=1)
    own = aiomqtt.Will("ecopark/v1/demo/gw-1/readings", END, qos=1)
    async with fort.client(OPERATOR) as listening:
        await listening.subscribe("ecopark/v1/#", qos=1)
        for last in (will, own):
            with contextlib.suppress(aiomqtt.MqttError):  # a broker may refuse the first one at once
                async with fort.client("demo.gw-1", will=last) as gateway:
                    connection = gateway._client.socket()  # noqa: SLF001 (aiomqtt offers no way to fall silent)
                    assert isinstance(connection, socket.socket)
                    connection.shutdown(socket.SHUT_RDWR)
        assert await heard(listening, END) == []


async def test_a_gateway_reads_its_own_answers_and_nothing_else(fort: Fort) -> None:
    async with fort.client(INGEST) as ingester, fort.client("demo.gw-2") as gateway, fort.client("demo.gw-1") as first:
        await first.publish("ecopark/v1/demo/gw-1/status", b"retained", qos=1, retain=True)
        for pattern in ("#", "$SYS/#", "ecopark/v1/+/+/receipts", "ecopark/v1/demo/gw-1/receipts", "ecopark/v1/#"):
            await gateway.subscribe(pattern, qos=0)
        await first.publish("ecopark/v1/demo/gw-1/readings", b"anothers", qos=1)
        await ingester.publish("ecopark/v1/demo/gw-1/receipts", b"anothers", qos=1)
        await ingester.publish("ecopark/v1/other/gw-2/refusals", b"anothers", qos=1)
        await ingester.publish("ecopark/v1/ingesters/one", b"life", qos=1, retain=True)
        await ingester.publish("ecopark/v1/demo/gw-2/refusals", b"own", qos=1)
        await ingester.publish("ecopark/v1/demo/gw-2/receipts", END, qos=1)
        assert set(await heard(gateway, END)) == {("ecopark/v1/demo/gw-2/refusals", b"own")}


async def test_an_anonymous_client_and_a_wrong_password_get_nothing(fort: Fort) -> None:
    with pytest.raises(aiomqtt.MqttError, match=r"Not authorized|Bad user name"):
        async with fort.client(None):
            pass
    with pytest.raises(aiomqtt.MqttError, match=r"Not authorized|Bad user name"):
        async with aiomqtt.Client("127.0.0.1", fort.server.port, username="demo.gw-1", password="guess"):  # noqa: S106 (of nobody)
            pass


async def test_the_ingester_cannot_invent_readings_and_the_operator_cannot_answer(fort: Fort) -> None:
    async with fort.client(INGEST) as ingester, fort.client(OPERATOR) as operator, fort.client("demo.gw-1") as gateway:
        await operator.subscribe("ecopark/v1/#", qos=0)
        await ingester.publish("ecopark/v1/demo/gw-1/readings", b"invented", qos=1)
        await ingester.publish("ecopark/v1/demo/gw-1/status", b"invented", qos=1)
        for topic in ("demo/gw-1/receipts", "demo/gw-1/status", "ingesters/one"):
            await operator.publish(f"ecopark/v1/{topic}", b"invented", qos=1)
        await operator.publish("ecopark/v1/demo/gw-1/readings", b"replayed", qos=1)
        await gateway.publish("ecopark/v1/demo/gw-1/readings", END, qos=1)
        assert await heard(operator, END) == [("ecopark/v1/demo/gw-1/readings", b"replayed")]


async def test_a_gateway_that_subscribes_to_shares_of_any_name_reads_nothing(fort: Fort) -> None:
    async with fort.client("demo.gw-2") as thief, fort.client("demo.gw-1") as gateway, fort.client(INGEST) as ingester:
        await thief.subscribe("$share/ingest/ecopark/v1/+/+/readings", qos=1)
        await thief.subscribe("$share/other/ecopark/v1/+/+/readings", qos=1)
        await gateway.publish("ecopark/v1/demo/gw-1/readings", b"anothers", qos=1)
        await ingester.publish("ecopark/v1/demo/gw-2/receipts", END, qos=1)
        await thief.subscribe("ecopark/v1/demo/gw-2/receipts", qos=1)
        await ingester.publish("ecopark/v1/demo/gw-2/receipts", END, qos=1)
        assert await heard(thief, END) == []


@pytest.mark.parametrize("secure", [False, True])
async def test_a_gateway_cannot_push_another_off_by_its_client_id(fort: Fort, *, secure: bool) -> None:
    async with fort.client("demo.gw-1", secure=secure, identifier="demo.gw-1") as first:
        async with fort.client("demo.gw-2", secure=secure, identifier="demo.gw-1"):
            pass
        await first.subscribe("ecopark/v1/demo/gw-1/receipts", qos=1)
        async with fort.client(INGEST) as ingester:
            await ingester.publish("ecopark/v1/demo/gw-1/receipts", END, qos=1)
        assert await heard(first, END) == []


async def test_a_client_certificate_is_an_identity_and_nothing_else_is(identity_fort: Fort) -> None:
    fort = identity_fort
    assert not await fort.admits("demo.gw-1"), "a password is none here"
    strangers = fort.folder.parent / "strangers"
    write_certificates(strangers, ["localhost"], ["demo.gw-1"], datetime.now(UTC))
    forged = strangers / "accounts" / "demo.gw-1.pem"
    assert not await fort.admits("demo.gw-1", forged), "nor a certificate of another authority, whatever it says"
    assert await fort.admits("demo.gw-1", fort.certificate("demo.gw-1"))
    async with fort.client(OPERATOR) as listening:
        await listening.subscribe("ecopark/v1/#", qos=1)
        async with fort.client("demo.gw-1", certificate=fort.certificate("demo.gw-1")) as gateway:
            await gateway.publish("ecopark/v1/demo/gw-2/readings", b"forged", qos=1)
            await gateway.publish("ecopark/v1/demo/gw-1/readings", END, qos=1)
        assert await heard(listening, END) == []


def test_topics_of_sources_belong_to_the_gateway_that_carries_them(tmp_path: Path) -> None:
    sources = """
sources:
  - {id: plugs, gateway: gw-1, preset: zigbee2mqtt}
  - {id: nodes, gateway: gw-2, preset: sparkplug-b}
"""
    park = load_park(park_file(tmp_path, text=PARK + sources))
    topics = source_topics([park])

    def may(account: str) -> set[str]:
        return {f"{rule.access} {rule.pattern}" for rule in rules(account, "secret", topics)}

    assert "write zigbee2mqtt/+" in may("demo.gw-1")
    assert not {text for text in may("demo.gw-2") if "zigbee" in text}
    assert {"write spBv1.0/+/DDATA/+/+", "write spBv1.0/+/NBIRTH/+", "read spBv1.0/+/NCMD/+"} <= may("demo.gw-2")
    assert {"read zigbee2mqtt/+", "read spBv1.0/+/DBIRTH/+/+", "write spBv1.0/+/NCMD/+"} <= may("ingest")
    assert {f"read {shared('secret', 'zigbee2mqtt/+')}"} <= may("ingest")
