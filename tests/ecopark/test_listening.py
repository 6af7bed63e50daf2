"""What `ecopark listen` makes of what it hears: the presets' own cases, and a broker on which a stranger publishes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import ryaml

from ecopark.listening import Heard, Shape, devices, draft, hear, shapes
from metering.sources import Source
from proving.servers import Mosquitto

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


def test_a_draft_can_be_pasted_and_says_what_is_guessed() -> None:
    _, heard = case(CASES / "chirpstack4-uplink")
    (shape,) = shapes(heard)
    text = draft(shape, "gw-lora", None)
    made = ryaml.loads(text)
    source = Source.model_validate(made["sources"][0])
    assert source.preset == "chirpstack4"
    assert source.values["volume_m3"][0].unit == "L"
    assert source.values["flow_m3h"][0].unit == "L/h"
    assert "heard 811532" in text
    (meter,) = made["meters"]
    assert (meter["alias"], meter["utility"], meter["gateway"]) == ("00aa00bb00cc0001", "water", "gw-lora")


def test_what_no_preset_knows_gets_a_draft_of_its_own() -> None:
    heard = [Heard("plant/line4/telemetry", json.dumps({"dev": "a", "energy_wh": 5.0}).encode())]
    (shape,) = shapes(heard)
    assert (shape.preset, shape.topic) == ("", "plant/+/telemetry")
    made = ryaml.loads(draft(shape, "gw", None))
    assert made["sources"][0]["messages"][0]["values"] == {"energy_kwh": {"path": "energy_wh", "unit": "Wh"}}


def test_ecoparks_own_messages_are_not_news() -> None:
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
