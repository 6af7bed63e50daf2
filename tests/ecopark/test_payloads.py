"""`ecopark check --payload` says, value by value, what would happen to a message, before it is sent."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from ecopark.payloads import Sent, outcomes, sentences
from metering.parkfile import load_park
from tests.ingest.conftest import PARK, park_file

SOURCES = """
sources:
  - {id: water, gateway: gw-2, messages: [{topic: lora/+/up, device: {path: dev}, values: {volume_m3: total, ph: ph}}]}
"""
NOW = int(time.time() * 1000)


@pytest.fixture
def park(tmp_path: Path) -> Path:
    return park_file(tmp_path, text=PARK + SOURCES)


def said(park: Path, topic: str, *contents: Any) -> list[str]:
    loaded = [load_park(park)]
    sent = [Sent(topic, json.dumps(each).encode()) for each in contents]
    return list(sentences(loaded, outcomes(loaded, sent, NOW)))


def test_each_value_is_explained(park: Path) -> None:
    lines = said(park, "lora/1/up", {"dev": "wm-2", "total": 5.5, "ph": "x"})
    assert lines[0].startswith("wm-2: volume_m3 = 5.5 m³ at ")
    assert lines[0].endswith("(time of arrival): stored")
    assert lines[1] == "wm-2: ph: refused as not_a_number: source water: ph: the text 'x' is not a number"


def test_a_mapped_value_that_is_missing_is_reported(park: Path) -> None:
    lines = said(park, "lora/1/up", {"dev": "wm-2", "total": None, "ph": 7.0})
    assert lines[1:] == ["wm-2: volume_m3: not stored: source water maps it, but the payload has nothing at total"]
    assert said(park, "lora/1/up", {"dev": "wm-2"}) == [
        f"wm-2: {name}: not stored: source water maps it, but the payload has nothing at {path}"
        for name, path in (("volume_m3", "total"), ("ph", "ph"))
    ]


def test_a_value_that_the_meter_does_not_serve_is_reported(tmp_path: Path) -> None:
    text = PARK + SOURCES.replace("ph: ph", "ph: ph, pressure_bar: p")
    lines = said(park_file(tmp_path, text=text), "lora/1/up", {"dev": "wm-2", "total": 5.5, "ph": 7, "p": 3})
    assert lines[2:] == [
        "wm-2: pressure_bar: not stored: is there, but this meter does not serve it (registers: volume_m3, ph)"
    ]
    alone = said(park_file(tmp_path, text=text), "lora/1/up", {"dev": "wm-2", "p": 3})
    assert alone[0].startswith("wm-2: pressure_bar: refused as unknown_quantity")


def test_ecoparks_own_messages_are_explained_too(park: Path) -> None:
    reading = {"meter": "em-1", "ts": NOW, "values": {"energy_kwh": 1.0, "power_kw": 1e9}}
    lines = said(park, "ecopark/v1/demo/gw-1/readings", reading)
    assert [line.rsplit(":", 1)[1].strip() for line in lines[:1]] == ["stored"]
    assert "power_kw: refused as out_of_range" in lines[1]
    nothing = {"meter": "em-1", "ts": NOW, "values": {"energy_kwh": 1.0, "power_kw": None}}
    assert said(park, "ecopark/v1/demo/gw-1/readings", nothing)[1] == (
        "em-1: power_kw: not stored: null in the payload, so there is no value"
    )


def test_a_value_far_above_the_rating_is_reported(park: Path) -> None:
    for watts, remark in (
        (1100.0, []),
        (1_150_000.0, ["; divided by 1,000 it would be possible, so look at the unit"]),
    ):
        reading = {"meter": "em-1", "ts": NOW, "values": {"power_kw": watts}}
        found = said(park, "ecopark/v1/demo/gw-1/readings", reading)[1:]
        assert found == [f"em-1: power_kw is 1.15e+06 kW, far above rated (1000 kW){hint}" for hint in remark]
    old = said(park, "lora/1/up", {"dev": "wm-2", "total": 1e8, "ph": 7})
    assert old[1] == ("wm-2: volume_m3 is what 228 years at rated (50 m³/h) make; look at the unit and at rated")


def test_rated_is_compared_with_true_values_behind_a_transformer(tmp_path: Path) -> None:
    text = PARK.replace(
        "    rated: 1000\n", "    rated: 1000\n    multiplier: 400\n    multiplier_for: [energy_kwh, power_kw]\n"
    )
    reading = {"meter": "em-1", "ts": NOW, "values": {"power_kw": 4.0}}
    assert said(park_file(tmp_path, text=text), "ecopark/v1/demo/gw-1/readings", reading)[1].startswith(
        "em-1: power_kw is 1600 kW, far above rated (1000 kW)"
    )


def test_codes_beside_the_values_are_counted(tmp_path: Path) -> None:
    text = PARK + SOURCES.replace("values:", "errors: errors, values:")
    found = said(park_file(tmp_path, text=text), "lora/1/up", {"dev": "wm-2", "errors": {"ph": 3002}, "total": 1})
    assert found[-1] == "1 of its values are errors by the device's own word: counted as bad reads"


def test_a_topic_that_no_source_reads_is_reported(park: Path) -> None:
    assert said(park, "x/y", {}) == ["no source of the park files reads x/y; ecopark listen proposes one"]
    empty = said(park, "ecopark/v1/demo/gw-1/readings", {"readings": []})
    assert empty == ["there is nothing in it that could be stored or refused"]


def test_litres_mapped_as_cubic_metres_are_noticed_by_their_rate(tmp_path: Path) -> None:
    source = SOURCES.replace("ph: ph}", "ph: ph}, time: {path: t, unit: ms}")
    file = park_file(tmp_path, text=PARK + source)
    messages = [{"dev": "wm-2", "total": 811_000 + 500 * n, "t": NOW - 3_600_000 + 900_000 * n} for n in range(5)]
    (*_, last) = said(file, "lora/1/up", *messages)
    assert last == (
        "wm-2: steps by 2000 m³ in 1 h, more than rated (50 m³/h);"
        " divided by 1,000 it would be possible, so look at the unit"
    )


def test_the_command_explains_a_file(park: Path, tmp_path: Path, run: Any) -> None:
    (tmp_path / "m.json").write_text(json.dumps({"dev": "wm-2", "total": 5.5}))
    done = run("check", str(park), "--payload", str(tmp_path / "m.json"), "--topic", "lora/1/up", "--json")
    assert done.returncode == 0, done.stderr
    (one,) = json.loads(done.stdout)["payloads"]
    (stored,) = one["stored"]
    assert (stored["quantity"], stored["value"]) == ("volume_m3", 5.5)
    assert run("check", str(park), "--payload", str(tmp_path / "m.json")).returncode == 2


def test_births_come_before_the_data_that_they_explain(tmp_path: Path, run: Any) -> None:
    case = Path(__file__).parents[1] / "cases" / "payloads" / "sparkplug-b"
    text = PARK.replace("  - id: em-1\n", "  - id: em-1\n    alias: gw-a/em-a\n")
    values = """{energy_kwh: 'metrics."energy/import_kWh"', power_kw: 'metrics."power_kW"'}"""
    source = f"sources:\n  - {{id: nodes, gateway: gw-1, preset: sparkplug-b, values: {values}}}\n"
    park = park_file(tmp_path, text=text + source)
    files = {kind: case / f"{kind.lower()}.bin" for kind in ("DBIRTH", "DDATA")}
    sent = {kind: Sent(f"spBv1.0/park/{kind}/gw-a/em-a", file.read_bytes()) for kind, file in files.items()}
    found = outcomes([load_park(park)], sent.values(), 1_795_150_900_000)
    energy = [one.value for outcome in found for one in outcome.stored if one.quantity == "energy_kwh"]
    assert energy == [48211.25, 48214.8, 47900.5]
    (alone,) = outcomes([load_park(park)], [sent["DDATA"]], 1_795_150_900_000)
    assert "was never born" in alone.refused[0].detail
    by_hand = [part for kind, file in files.items() for part in ("--payload", str(file), "--topic", sent[kind].topic)]
    assert "was never born" not in run("check", str(park), *by_hand).stdout
    uneven = run("check", str(park), *by_hand, "--payload", str(files["DDATA"]))
    assert (uneven.returncode, "one for all, or one for each" in uneven.stderr) == (2, True)
