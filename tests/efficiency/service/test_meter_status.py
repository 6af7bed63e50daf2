"""Which meters are silent: by the interval of each, by anything that it sends, and only meters that exist."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from efficiency.service.meterstatus import MeterStatus
from efficiency.usage.intervals import DAY_MS, HOUR_MS
from metering.park import Park
from metering.parkfile import load_park
from store.answers import Row
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.efficiency.smallpark import PARK

NOW = 1_790_000_000_000
MINUTE_MS = 60_000


def meter(name: str, interval_s: int, utility: str = "electricity", **more: Any) -> dict[str, Any]:
    registers: dict[str, dict[str, Any]] = (
        {"ph": {}, "cod_mgl": {}} if utility == "wastewater" else {"energy_kwh": {}, "power_kw": {}}
    )
    named = {"en": name, "vi": name}
    return {
        "id": name,
        "name": named,
        "gateway": "gw-1",
        "utility": utility,
        "interval_s": interval_s,
        "rated": 900,
        "registers": registers,
        **more,
    }


def park_of(folder: Path, *meters: dict[str, Any]) -> Park:
    raw = yaml.safe_load(PARK)
    raw["meters"] = list(meters)
    (folder / "park.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    return load_park(folder / "park.yaml")


async def status(store: Store, park: Park) -> dict[str, Row]:
    await MeterStatus(store).write(park, NOW)
    return {row["meter"]: row for row in await store.query('SELECT * FROM "meter_status"', OPERATOR_DATABASE)}


async def read(store: Store, meter_id: str, fields: str, before_ms: int, measurement: str = "electricity") -> None:
    line = f"{measurement},park=demo,meter={meter_id} {fields} {NOW - before_ms}000000"
    await store.write([line], OPERATOR_DATABASE)


@pytest.mark.parametrize("interval_s", [60, 3600, 21_600, 86_400, 31 * 86_400])
async def test_a_meter_is_silent_after_a_few_of_its_own_intervals(
    interval_s: int, store: Store, tmp_path: Path
) -> None:
    park = park_of(tmp_path, meter("m", interval_s))
    await read(store, "m", "energy_kwh=5", 2 * interval_s * 1000)
    row = (await status(store, park))["m"]
    assert row["silent_after_s"] == max(900, 3 * interval_s)
    assert row["seconds_since_last"] == 2 * interval_s


async def test_a_meter_is_heard_by_anything_that_it_sends(store: Store, tmp_path: Path) -> None:
    """A station without a counter; a meter that sends power each 10 s and its counter only when that changes."""
    park = park_of(tmp_path, meter("ph-station", 60, "wastewater"), meter("lazy", 60), meter("mute", 60))
    await read(store, "ph-station", "ph=7.1,cod_mgl=31", MINUTE_MS, "wastewater")
    await read(store, "lazy", "energy_kwh=5", 3 * DAY_MS)
    await read(store, "lazy", "power_kw=0", 10_000)
    found = await status(store, park)
    assert {name: row["seconds_since_last"] for name, row in found.items()} == {
        "ph-station": 60.0,
        "lazy": 10.0,
        "mute": None,
    }
    assert {name: row["heard"] for name, row in found.items()} == {"ph-station": True, "lazy": True, "mute": False}


async def test_a_meter_that_has_ended_or_not_begun_is_not_silent(store: Store, tmp_path: Path) -> None:
    def instant(ms: int) -> str:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat()

    hour = NOW // HOUR_MS * HOUR_MS
    park = park_of(
        tmp_path,
        meter("old", 60, until=instant(hour - DAY_MS)),
        meter("coming", 60, **{"from": instant(hour + DAY_MS)}),
        meter("there", 60),
    )
    for name in ("old", "there"):
        await read(store, name, "energy_kwh=5", 2 * DAY_MS)
    assert (await status(store, park)).keys() == {"there"}


async def test_a_meter_belongs_to_the_tenant_who_has_it_now(store: Store, tmp_path: Path) -> None:
    hour = datetime.fromtimestamp((NOW // HOUR_MS - 1) * 3600, UTC).isoformat()
    owners = [{"tenant": "idle"}, {"from": hour, "tenant": "textile"}]
    park = park_of(tmp_path, meter("m", 60, belongs=owners))
    assert (await status(store, park))["m"]["tenant"] == "textile"
