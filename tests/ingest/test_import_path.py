"""An import through a real broker and a real ingester."""

import asyncio
import json
import os
import subprocess
from pathlib import Path

from ecopark.importing import ImportJournal, ImportMapping, load_rows, readings_of, send
from ecopark.sheets import read_rows
from metering.parkfile import load_park
from tests.conftest import ECOPARK
from tests.ecopark.test_importing import sheet
from tests.ingest.conftest import Station


async def imported(station: Station, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "ECOPARK_MQTT_URL": station.broker.url, "ECOPARK_PARK": str(station.park)}
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
    running = asyncio.create_task(send(readings, station.broker.address, ("demo", "gw-1"), journal, lambda _: None))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await station.started()
    journal = ImportJournal(tmp_path / "journal", "one")
    result = await send(readings, station.broker.address, ("demo", "gw-1"), journal, lambda _: None)
    assert (result.stored + result.already, result.faults) == (60, [])
    assert await station.count() == 60
