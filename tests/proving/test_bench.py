import asyncio
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from metering.parkfile import load_parks
from proving.bench.load import MessageLoad, make
from proving.bench.parks import write_parks
from proving.bench.run import run
from proving.bench.scale import BenchScale
from proving.bench.table import TARGETS, flat, table
from proving.bench.telegraf import configuration

ROOT = Path(__file__).parents[2]
TINY = BenchScale(
    meters=200,
    single=400,
    batch=2_000,
    mix=300,
    repetitions=1,
    ingesters=(1, 2),
    ceiling=2_000,
    rates=(500,),
    latency_s=0.4,
    offered=(500,),
    offered_s=0.4,
    growth=400,
    growth_round=400,
    gateway_s=0.5,
    backlog=30,
)
FIRST_MS = 1_760_000_000_000


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return asyncio.run(run(TINY, tmp_path_factory.mktemp("bench"), lambda _: None))


def test_a_small_run_has_every_key_that_has_a_target(figures: dict[str, Any]) -> None:
    found = flat(figures)
    assert {path.replace(".2000.", ".500.") for path in TARGETS} <= found.keys()
    assert found["ceiling_points_per_s"]
    for shape in ("single", "batch", "mix"):
        assert found[f"{shape}.readings_per_s"]
        assert found[f"{shape}.with_2.readings_per_s"]
        assert found[f"{shape}.cpu_us_per_reading"] is not None


def test_what_was_sent_is_what_was_meant(figures: dict[str, Any]) -> None:
    assert (figures["single"]["messages"], figures["single"]["readings"]) == (400, 400)
    assert (figures["batch"]["messages"], figures["batch"]["readings"]) == (20, 2_000)
    assert figures["mix"]["readings"] >= 300
    assert figures["rss_growth_messages"] == 400
    assert figures["gateway"]["backlog_values"] == 30 * 50 * 8


def test_the_result_is_json_and_can_be_drawn(figures: dict[str, Any]) -> None:
    assert json.loads(json.dumps(figures)) == figures
    assert table(figures).row_count == len(flat(figures))


def test_every_key_is_explained(figures: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "notes" / "bench.md").read_text(encoding="utf-8")
    keys = {path.rpartition(".")[2] for path in flat(figures)} | figures.keys()
    assert {key for key in keys if f"`{key}" not in text and f".{key}`" not in text} == set()


def places(load: MessageLoad) -> int:
    seen = set()
    for packet in load.packets:
        body = json.loads(packet[packet.index(b'{"') :])
        seen |= {(reading["meter"], reading["ts"]) for reading in body.get("readings", [body])}
    return len(seen)


@pytest.mark.parametrize("shape", ["single", "batch", "mix"])
def test_every_reading_of_a_load_is_a_point_of_its_own(shape: Any) -> None:
    load = make(shape, 2_000, FIRST_MS, 200)
    assert load.readings >= 2_000
    assert places(load) == load.readings


def test_the_parks_are_without_fault(tmp_path: Path) -> None:
    write_parks(tmp_path, 300)
    parks = {park.id: park for park in load_parks(tmp_path).values()}
    assert len(parks["bench"].meters) == 301
    assert all(len(meter.instruments[-1].registers) == 8 for meter in parks["bench-edge"].meters)


@pytest.mark.parametrize(("shape", "path"), [("single", "@this"), ("batch", "readings")])
def test_telegraf_is_set_up_to_lose_nothing(shape: Any, path: str) -> None:
    made = tomllib.loads(configuration(1883, "http://127.0.0.1:8086", shape, "one"))
    consumer = made["inputs"]["mqtt_consumer"][0]
    assert (consumer["qos"], consumer["persistent_session"]) == (1, True)
    assert consumer["json_v2"][0]["object"][0]["path"] == path
