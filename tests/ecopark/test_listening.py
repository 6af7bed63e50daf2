"""What `ecopark listen` proposes for what it hears: the presets' own cases, and unknown devices on a broker."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import ryaml

from ecopark.listening import Heard, Shape, devices, draft, hear, shapes
from metering.parkfile import load_park
from metering.sources import Source
from proving.servers import Mosquitto
from tests.conftest import ECOPARK
from tests.ingest.conftest import PARK, park_file

CASES = Path(__file__).parents[1] / "cases" / "payloads"
OWN_TOPICS = {"home-assistant-state", "plain-number"}


def case(folder: Path) -> tuple[dict[str, Any], list[Heard]]:
    said: dict[str, Any] = ryaml.loads((folder / "case.yaml").read_text(encoding="utf-8"))
    return said, [Heard(m["topic"], (folder / m["file"]).read_bytes()) for m in said["messages"]]


PRESET_CASES = [file.parent for file in sorted(CASES.glob("*/case.yaml")) if "preset" in case(file.parent)[0]["source"]]


@pytest.mark.parametrize("folder", PRESET_CASES, ids=lambda folder: folder.name)
def test_each_preset_is_recognised_by_what_it_publishes(folder: Path) -> None:
    said, heard = case(folder)
    found = shapes(heard)
    wanted = said["source"]["preset"]
    assert {shape.preset for shape in found} <= {wanted, "neuron-tags", "neuron-values"} | OWN_TOPICS
    assert wanted in {shape.preset for shape in found}
    if wanted not in {"shelly-3em", *OWN_TOPICS}:
        assert {name for shape in found for name in devices(shape)} == {one["device"] for one in said["expect"]}


def test_values_on_topics_of_their_own_are_proposed_by_the_name_in_the_topic() -> None:
    _, heard = case(CASES / "esphome")
    text = draft(shapes(heard), "gw-esp")
    assert 'energy_kwh: {path: pzem_energy}  # check: heard "48200.0"' in text
    assert ryaml.loads(text)["sources"][0]["preset"] == "esphome"


def test_other_messages_of_a_known_device_on_the_same_topic_are_not_guessed_at() -> None:
    _, heard = case(CASES / "shelly-3em-notifications")
    assert {shape.preset for shape in shapes(heard)} == {"shelly-3em"}


def test_each_channel_of_a_device_becomes_a_meter() -> None:
    _, heard = case(CASES / "shelly-em")
    aliases = {meter.get("alias", meter["id"]) for meter in ryaml.loads(draft(shapes(heard), "gw-s"))["meters"]}
    assert aliases == {"shellyproem50-0001", "shellyproem50-0001/1"}


def test_a_draft_can_be_pasted_and_marks_what_is_guessed() -> None:
    _, heard = case(CASES / "chirpstack4-uplink")
    (shape,) = shapes(heard)
    text = draft([shape], "gw-lora")
    made = ryaml.loads(text)
    source = Source.model_validate(made["sources"][0])
    assert source.preset == "chirpstack4"
    assert source.values["volume_m3"][0].unit == "L"
    assert source.values["flow_m3h"][0].unit == "L/h"
    assert "heard 811532" in text
    assert source.values.keys() == {"volume_m3", "flow_m3h"}  # nor the battery's voltage nor the radio's frequency
    (meter,) = made["meters"]
    assert (meter["alias"], meter["utility"], meter["gateway"]) == ("00aa00bb00cc0001", "water", "gw-lora")


def test_what_no_preset_knows_gets_a_draft_of_its_own() -> None:
    now = 1_795_150_800_000
    heard = [
        Heard(f"plant/{line}/telemetry", json.dumps({"dev": dev, "energy_wh": 5.0, "ts": now}).encode(), now)
        for line, dev in (("line4", "a"), ("line5", "b"), ("north", "c"))
    ]
    (shape,) = shapes(heard)
    assert (shape.preset, shape.topic, shape.messages) == ("", "plant/+/telemetry", 3)
    made = ryaml.loads(draft([shape], "gw"))
    assert made["sources"][0]["messages"] == [
        {
            "topic": "plant/+/telemetry",
            "device": {"path": "dev"},
            "time": {"path": "ts", "unit": "ms"},
            "values": {"energy_kwh": {"path": "energy_wh", "unit": "Wh"}},
        }
    ]
    assert [meter["id"] for meter in made["meters"]] == ["a", "b", "c"]


def test_all_that_was_heard_is_one_draft_that_check_accepts(tmp_path: Path) -> None:
    heard = [one for name in ("shelly-emdata", "tasmota-sensor", "chirpstack4-uplink") for one in case(CASES / name)[1]]
    heard += [Heard(f"own/{number}/x", json.dumps({"id": f"{number}", "kwh": 5}).encode()) for number in range(2)]
    heard += [Heard("p1/hall", json.dumps({"sn": "7", "kwh": 5}).encode())]
    text = draft(shapes(heard), "gw-1")
    made = ryaml.loads(text)
    assert sorted(source["id"] for source in made["sources"]) == [
        "chirpstack4",
        "devices",
        "devices-2",
        "shelly-3em",
        "tasmota",
    ]
    assert "p1/hall" in text
    park = PARK.split("meters:")[0] + text
    loaded = load_park(park_file(tmp_path, text=park))
    assert len(loaded.meters) == len({meter.alias or meter.id for meter in loaded.meters}) == 6
    assert loaded.meters[0].instruments[0].registers


SOURCES = """
sources:
  - id: water
    gateway: gw-2
    messages: [{topic: lora/+/up, device: {path: dev}, time: {path: t, unit: ms}, values: {volume_m3: total}}]
"""


def test_what_a_source_of_the_park_file_reads_is_not_proposed_again(tmp_path: Path) -> None:
    park = load_park(park_file(tmp_path, text=PARK + SOURCES))
    sent = {"t": 1_795_150_800_000, "total": 5}
    heard = [Heard("lora/1/up", json.dumps(sent | {"dev": dev}).encode()) for dev in ("wm-2", "wm-9")]
    (shape,) = shapes(heard, [park])
    assert (shape.source, sorted(devices(shape))) == ("water", ["wm-2", "wm-9"])
    text = draft([shape], "gw-new", [park])
    made = ryaml.loads(text)
    assert text.startswith("  # lora/+/up is read already by the source water")
    assert "sources" not in made
    assert [(meter["id"], meter["gateway"], meter["registers"]) for meter in made["meters"]] == [
        ("wm-9", "gw-2", {"volume_m3": {}})
    ]


def test_a_source_that_cannot_read_its_own_topic_is_reported(tmp_path: Path) -> None:
    park = load_park(park_file(tmp_path, text=PARK + SOURCES))
    (shape,) = shapes([Heard("lora/1/up", json.dumps({"dev": "wm-2", "volume_l": 5}).encode())], [park])
    assert (shape.source, shape.mapped) == ("", ())
    assert "lora/+/up: source water is meant for this topic and cannot read it: time: nothing at t" in draft(
        [shape], "gw", [park]
    )


def test_ecoparks_own_messages_are_not_listed() -> None:
    assert not shapes([Heard("ecopark/v1/park/gw/readings", b"{}")])


async def test_it_listens_on_a_broker_and_leaves_out_what_is_retained(broker: Mosquitto) -> None:
    payload = (CASES / "tasmota-sensor" / "input.json").read_bytes()
    async with aiomqtt.Client(broker.address.host, broker.address.port) as device:
        await device.publish("tele/old/SENSOR", payload, qos=1, retain=True)
        listening = asyncio.create_task(hear(broker.address, "#", 3.0))
        while not listening.done():
            await device.publish("tele/line-4/SENSOR", payload, qos=1)
            await asyncio.sleep(0.05)
    found: list[Shape] = shapes(await listening)
    assert [(shape.preset, sorted(devices(shape))) for shape in found] == [("tasmota", ["line-4"])]


async def test_the_command_says_first_for_how_long_it_listens(broker: Mosquitto, tmp_path: Path) -> None:
    environment = {**os.environ, "ECOPARK_MQTT_URL": broker.url, "ECOPARK_PARK": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        ECOPARK, "listen", "--seconds", "3600", stderr=asyncio.subprocess.PIPE, env=environment
    )
    assert process.stderr is not None
    said = await process.stderr.readline()
    process.kill()
    await process.wait()
    assert said.decode().startswith("Listening to # on ")
    assert "for 3600 s" in said.decode()
