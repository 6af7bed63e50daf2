"""An import through a real broker and a real ingester."""

import asyncio
import json
import os
import subprocess
from pathlib import Path

from ecopark.importing import ImportJournal, ImportMapping, load_rows, readings_of, send
from ecopark.secretfiles import read_secrets
from ecopark.sheets import read_rows
from gateway.publisher import Link
from metering.parkfile import load_park
from proving.servers import GuardedMosquitto
from tests.conftest import ECOPARK
from tests.ecopark.test_importing import sheet
from tests.ingest.conftest import PATIENCE_S, Station
from wire.address import BrokerAddress
from wire.client import client_of


async def imported(station: Station, *arguments: str, **account: str) -> "subprocess.CompletedProcess[str]":
    settings = {"ECOPARK_MQTT_URL": station.broker.url, "ECOPARK_PARK": str(station.park)}
    environment = {**os.environ, **settings, **account}
    return await asyncio.to_thread(
        subprocess.run,
        [str(ECOPARK), "import", *arguments, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


async def test_an_import_goes_through_the_front_door_and_goes_on_where_it_ended(
    station: Station, tmp_path: Path
) -> None:
    rows = [
        (f"2026-11-20T{hour:02}:{minute:02}:00+07:00", str(hour * 60 + minute))
        for hour in range(3)
        for minute in range(60)
    ]
    file = sheet(tmp_path / "r.csv", ("time", "kwh"), *rows, ("2026-11-20T05:00:00+07:00", "-5"), ("yesterday", "1"))
    mapped = tmp_path / "map.yaml"
    mapped.write_text("gateway: gw-1\ntime: time\nvalues: [{column: kwh, quantity: energy_kwh, meter: em-1}]\n")
    await station.started()
    first = await imported(station, str(file), "--mapping", str(mapped))
    assert first.returncode == 1, first.stderr
    assert json.loads(first.stdout) == {"stored": 180, "already": 0, "refused_rows": 2}
    assert await station.count() == 180
    refused = read_rows(tmp_path / "r.csv.refused.csv")
    assert [row.cells["row"] for row in refused] == ["182", "183"]
    assert "out_of_range" in refused[0].cells["reason"]
    again = await imported(station, str(file), "--mapping", str(mapped))
    assert json.loads(again.stdout) == {"stored": 0, "already": 180, "refused_rows": 2}
    assert await station.count() == 180


async def test_batches_that_were_not_answered_are_sent_by_the_next_run(station: Station, tmp_path: Path) -> None:
    park = load_park(station.park)
    said = ImportMapping.model_validate(
        {"gateway": "gw-1", "time": "t", "values": [{"column": "e", "quantity": "energy_kwh", "meter": "em-1"}]}
    )
    file = sheet(tmp_path / "r.csv", ("t", "e"), *((f"2026-11-20T00:{m:02}:00Z", str(m)) for m in range(60)))
    readings, _ = readings_of(load_rows(file, said), said, park)
    journal = ImportJournal(tmp_path / "journal", "one")
    running = asyncio.create_task(send(readings, Link(station.broker.address, "demo", "gw-1"), journal, lambda _: None))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await station.started()
    journal = ImportJournal(tmp_path / "journal", "one")
    result = await send(readings, Link(station.broker.address, "demo", "gw-1"), journal, lambda _: None)
    assert (result.stored + result.already, result.faults) == (60, [])
    assert await station.count() == 60


async def test_an_import_ends_in_one_clear_line_where_the_running_gateway_takes_its_session_back(
    station: Station, tmp_path: Path
) -> None:
    broker = GuardedMosquitto(tmp_path / "guarded", [load_park(station.park)])
    await broker.start()
    try:
        file = sheet(tmp_path / "r.csv", ("t", "e"), *((f"2026-11-20T00:{m:02}:00Z", str(m)) for m in range(60)))
        mapped = tmp_path / "map.yaml"
        mapped.write_text("gateway: gw-1\ntime: t\nvalues: [{column: e, quantity: energy_kwh, meter: em-1}]\n")
        account = {"ECOPARK_MQTT_URL": read_secrets(broker.account("demo.gw-1"))["ECOPARK_MQTT_URL"]}
        async with client_of(broker.address) as operator:
            await operator.subscribe("ecopark/v1/demo/gw-1/readings", qos=1)
            running = asyncio.create_task(imported(station, str(file), "--mapping", str(mapped), **account))
            async with asyncio.timeout(PATIENCE_S):
                await anext(aiter(operator.messages))
                async with client_of(BrokerAddress.parse(account["ECOPARK_MQTT_URL"])):
                    ended = await running
    finally:
        broker.process.stop()
    assert ended.returncode == 1
    (said,) = [line for line in ended.stderr.splitlines() if line.startswith("ecopark: ")]
    assert "operator's account" in said
    assert "Traceback" not in ended.stderr
