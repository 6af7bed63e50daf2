"""`ecopark symbiosis` on a real database: what it proposes, and its messages where something is not known."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from efficiency.usage.intervals import QUARTER_MS
from metering.instants import milliseconds
from metering.parkfile import ParkFileError
from proving.servers import Influxd
from store.client import Store
from store.lines import FieldValue, point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, USAGE, reading_series
from tests.ecopark.test_reportcli import ecopark
from tests.efficiency.symbiosis.streampark import AIR, WASH, park_of

DAYS = ("--from", "2026-11-02", "--to", "2026-11-02", "--json")
COOLING = """\
  - {id: treated, name: {en: Treated, vi: Nước}, kind: treated_wastewater, side: surplus, meter: ww-out,
     quality_from: ww-out, source: test}
  - {id: cooling, name: {en: Cooling, vi: Làm mát}, kind: treated_wastewater, side: demand, tenant: laundry, rate: 8.0,
     limits: {cod_mgl: [{from: 2025-01-01, high: 50.0, source: test}]}, replaces: {water: 1.0}, source: test}
"""


async def test_matches_are_proposed_from_what_the_database_holds(influx: Influxd, tmp_path: Path) -> None:
    park = park_of(tmp_path, AIR, WASH, COOLING)
    head = {"park": park.id, "tenant": "", "role": "own", "band": "all"}
    start = milliseconds(datetime.fromisoformat("2026-11-02T00:00:00+07:00"))
    lines = []
    for number in range(96):
        ns = (start + number * QUARTER_MS) * NS_PER_MS
        fields: dict[str, FieldValue] = {"completeness": 1.0, "estimated": 0.0, "rule": ""}
        air = series(USAGE, {**head, "meter": "em-air", "utility": "electricity"})
        water = series(USAGE, {**head, "meter": "ww-out", "utility": "wastewater"})
        lines += [point(air, {**fields, "amount": 100.0}, ns), point(water, {**fields, "amount": 10.0}, ns)]
        for minute, cod in ((2, 30.0), (7, 50.0 if number < 48 else 90.0)):
            gauges = reading_series(park.id, park.meter["ww-out"])
            lines.append(point(gauges, {"cod_mgl": cod}, ns + minute * 60_000 * NS_PER_MS))
    async with Store(influx.url) as store:
        await store.write(lines, OPERATOR_DATABASE)
    done = ecopark(influx.url, "symbiosis", *DAYS, park=tmp_path / "park.yaml")
    assert done.returncode == 0, done.stderr
    told = {each["demand"]: each for each in json.loads(done.stdout.splitlines()[-1])["matches"]}
    assert told["wash"]["figures"]["met"]["value"] == 1600.0
    assert told["wash"]["figures"]["saved_vnd"]["value"] == pytest.approx(1_888_000)
    assert told["wash"]["distance_m"] == 500.0
    assert told["cooling"]["figures"]["met"]["value"] == 96.0  # 2 m3 in each of 48 quarter hours of a mean of 40 mg/L
    assert "500 m in a straight line" in done.stdout


async def test_nothing_is_reported_for_days_without_data(influx: Influxd, tmp_path: Path) -> None:
    park_of(tmp_path, AIR, WASH)
    done = ecopark(influx.url, "symbiosis", *DAYS, park=tmp_path / "park.yaml")
    assert done.returncode == 0, done.stderr
    assert "no match: no data in this period" in done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["matches"][0]["figures"]["met"]["value"] is None


def test_a_surplus_without_temperature_is_one_message_and_no_number(tmp_path: Path) -> None:
    with pytest.raises(ParkFileError):
        park_of(tmp_path, AIR.replace("temperature_c: 70.0,", ""), WASH)
    done = ecopark("http://127.0.0.1:9", "symbiosis", *DAYS, park=tmp_path / "park.yaml")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "park.yaml:22: streams[air].temperature_c: a surplus of heat needs its temperature" in line


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", "2026-11-03", "--to", "2026-11-02"), "no day is over"),
        (("--from", "2199-01-01", "--to", "2199-01-02"), "no day is over"),
        (("elsewhere",), "no park file has a park elsewhere"),
    ],
)
def test_wrong_options_are_one_clear_line(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    park_of(tmp_path, AIR, WASH)
    done = ecopark("http://127.0.0.1:9", "symbiosis", *words, park=tmp_path / "park.yaml")
    assert done.returncode == 2
    assert told in done.stderr


def test_a_park_without_streams_gets_a_message(tmp_path: Path) -> None:
    park_of(tmp_path, "  []\n")
    done = ecopark("http://127.0.0.1:9", "symbiosis", park=tmp_path / "park.yaml")
    assert done.returncode == 2
    assert "describes no streams" in done.stderr
