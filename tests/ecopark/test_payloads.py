"""`ecopark check --payload`: what would become of a message, value by value, before it is sent."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from ecopark.payloads import outcomes, sentences
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
    return list(
        sentences(loaded, topic, outcomes(loaded, topic, [json.dumps(each).encode() for each in contents], NOW))
    )


def test_each_value_is_explained(park: Path) -> None:
    lines = said(park, "lora/1/up", {"dev": "wm-2", "total": 5.5, "ph": "x"})
    assert lines[0].startswith("wm-2: volume_m3 = 5.5 m³ at ")
    assert lines[0].endswith("(time of arrival): stored")
    assert lines[1] == "wm-2: ph: refused as not_a_number: source water: ph: the text 'x' is not a number"


def test_ecoparks_own_messages_are_explained_too(park: Path) -> None:
    reading = {"meter": "em-1", "ts": NOW, "values": {"energy_kwh": 1.0, "power_kw": 1e9}}
    lines = said(park, "ecopark/v1/demo/gw-1/readings", reading)
    assert [line.rsplit(":", 1)[1].strip() for line in lines[:1]] == ["stored"]
    assert "power_kw: refused as out_of_range" in lines[1]


def test_a_topic_that_nobody_reads_is_said(park: Path) -> None:
    assert said(park, "x/y", {}) == ["no source of the park files reads x/y; ecopark listen proposes one"]
    assert said(park, "lora/1/up", {"dev": "wm-2"}) == [
        "nothing in it is mapped, so nothing is stored and nothing refused"
    ]


def test_litres_that_are_mapped_as_cubic_metres_show_by_their_pace(tmp_path: Path) -> None:
    source = SOURCES.replace("volume_m3: total", "volume_m3: total").replace(
        "ph: ph}", "ph: ph}, time: {path: t, unit: ms}"
    )
    file = park_file(tmp_path, text=PARK + source)
    messages = [{"dev": "wm-2", "total": 811_000 + 500 * n, "t": NOW - 3_600_000 + 900_000 * n} for n in range(5)]
    (*_, last) = said(file, "lora/1/up", *messages)
    assert last == (
        "wm-2: steps by 2000 m³ in 1 h, more than rated (50 m³/h); divided by 1,000 it would be, so look at the unit"
    )


def test_the_command_explains_a_file(park: Path, tmp_path: Path, run: Any) -> None:
    (tmp_path / "m.json").write_text(json.dumps({"dev": "wm-2", "total": 5.5}))
    done = run("check", str(park), "--payload", str(tmp_path / "m.json"), "--topic", "lora/1/up", "--json")
    assert done.returncode == 0, done.stderr
    (one,) = json.loads(done.stdout)["payloads"]
    assert one["stored"][0]["values"] == {"volume_m3": 5.5}
    assert run("check", str(park), "--payload", str(tmp_path / "m.json")).returncode == 2
