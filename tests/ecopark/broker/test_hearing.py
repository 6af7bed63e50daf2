"""Devices of an unknown make on a broker with accounts: heard only where `--hear` allows it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ecopark.broker.accounts import OPERATOR
from ecopark.broker.files import write_accounts
from metering.errors import OperatorError
from metering.park import Park
from tests.conftest import ECOPARK
from tests.ecopark.broker.conftest import Fort


@pytest.fixture
async def hearing(tmp_path: Path, parks: list[Park]) -> AsyncIterator[Fort]:
    made = Fort(tmp_path, parks, identity=False)
    write_accounts(parks, made.server.place, made.server.listeners, prune=False, heard=["demo.gw-1"])
    await made.server.start()
    yield made
    made.server.process.kill()


async def test_listen_hears_what_a_gateway_given_to_hear_publishes(hearing: Fort, park_files: Path) -> None:
    listening = await asyncio.create_subprocess_exec(
        ECOPARK,
        *("listen", "--seconds", "5", "--json"),
        env={
            "ECOPARK_ENV_FILE": str(hearing.folder / "accounts" / f"{OPERATOR}.env"),
            "ECOPARK_PARK": str(park_files),
        },
        stdout=asyncio.subprocess.PIPE,
    )
    async with hearing.client("demo.gw-1") as device, hearing.client("demo.gw-2") as other:
        while listening.returncode is None:
            await device.publish("plant/hall-1/meter", b'{"energy_kwh": 5}', qos=1)
            await device.publish("ecopark/v1/demo/gw-2/readings", b'{"meter": "wm-2"}', qos=1)
            await other.publish("plant/hall-2/meter", b'{"energy_kwh": 5}', qos=1)
            await asyncio.sleep(0.1)
    assert listening.stdout is not None
    said = (await listening.stdout.read()).decode()
    assert "hall-1" in said
    assert "hall-2" not in said


async def test_a_gateway_on_the_list_of_hear_cannot_publish_for_another(hearing: Fort, before: Any) -> None:
    topic = "ecopark/v1/demo/gw-2/readings"
    async with hearing.client(OPERATOR) as operator:
        await operator.subscribe("ecopark/#", qos=1)
        async with hearing.client("demo.gw-1") as device, hearing.client("demo.gw-2") as other:
            await device.publish(topic, b"forged", qos=1)
            await other.publish(topic, b"end", qos=1)
            assert await before(operator, "end") == []


def test_only_gateways_can_be_given_to_hear(tmp_path: Path, parks: list[Park]) -> None:
    made = Fort(tmp_path, parks, identity=False)
    for name in (OPERATOR, "demo.gw-9"):
        with pytest.raises(OperatorError, match=r"there are demo\.gw-1, demo\.gw-2"):
            write_accounts(parks, made.server.place, made.server.listeners, prune=False, heard=[name])
