"""Mappings that are guessed of unknown messages: each is read back by the mapping that it proposes."""

import json
from typing import Any

import pytest
import ryaml

from ecopark.guessing import Guess, guess
from ecopark.listening import Heard, draft, shapes
from ecopark.spelling import snake
from ingest.mapping import PayloadReader
from metering.sources import Source

NOW = 1_795_150_800_000


def made(topic: str, content: Any, pattern: str | None = None) -> Guess:
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    return guess(pattern or topic, topic, payload, NOW)


def read(found: Guess, topic: str, content: Any) -> list[tuple[str, int | None, dict[str, float]]]:
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    records = PayloadReader(found.mapped).decode(topic, payload)
    assert not [fault for one in records for fault in one.faults]
    return [(one.device, one.ms, one.values) for one in records]


@pytest.mark.parametrize(
    ("content", "right"),
    [
        ({"dev": "a", "ts": NOW, "energy_wh": 5000}, ("a", NOW, {"energy_kwh": 5.0})),
        ({"devEUI": "0a", "at": "2026-11-20T05:00:00Z", "volume_l": 1500}, ("0a", NOW, {"volume_m3": 1.5})),
        ({"meta": {"serial": "77"}, "time": NOW // 1000, "flowLh": 640}, ("77", NOW, {"flow_m3h": 0.64})),
        ({"meter": "m", "at": "20/11/2026 12:00", "activePower": 2.5}, ("m", NOW, {"power_kw": 2.5})),
        ({"sn": 9001, "1.8.0": "0048211.250*kWh", "t": str(NOW)}, ("9001", NOW, {"energy_kwh": 48211.25})),
        ({"id": "x", "energy": {"value": 12, "unit": "MWh"}}, ("x", None, {"energy_kwh": 12_000.0})),
        ({"id": "x", "energy_kwh": "12,5"}, ("x", None, {"energy_kwh": 12.5})),
        ({"id": "x", "power_w": [500, 250, 125]}, ("x", None, {"power_kw": 0.875})),
        ({"id": "x", "boot_time": NOW - 10**9, "time": NOW - 5, "u": 231}, ("x", NOW - 5, {"voltage_v": 231.0})),
        ({"id": "x", "export_kwh": 4, "import_kwh": 3}, ("x", None, {"energy_kwh": 3.0, "energy_export_kwh": 4.0})),
        ({"id": "x", "u_l1": 231, "u_l2": 232, "cos_phi": 0.9}, ("x", None, {"voltage_v": 231.0, "power_factor": 0.9})),
        ({"id": "x", "kwh": 1, "frequency": 921_400_000, "temp": 20}, ("x", None, {"energy_kwh": 1.0})),
        ({"id": "x", "power_factor": 0.9, "temp": 20}, ("x", None, {"power_factor": 0.9, "temperature_c": 20.0})),
    ],
)
def test_device_time_and_values_are_recognised(content: Any, right: tuple[str, int | None, dict[str, float]]) -> None:
    assert read(made("plant/telemetry", content), "plant/telemetry", content) == [right]


@pytest.mark.parametrize(
    ("topic", "pattern", "content", "right"),
    [
        ("site/hall-3/power", "site/+/+", b" 12.5 ", [("hall-3", None, {"power_kw": 12.5})]),
        (
            "a/b",
            "a/b",
            [{"id": "p", "kwh": 1}, {"id": "q", "kwh": 2}],
            [("p", None, {"energy_kwh": 1.0}), ("q", None, {"energy_kwh": 2.0})],
        ),
        ("a/b", "a/b", {"ts": 1, "data": [{"id": "p", "kwh": 1}]}, [("p", None, {"energy_kwh": 1.0})]),
        (
            "line/7/up",
            "line/+/up",
            {"t": NOW, "tags": [{"name": "kwh", "value": 3.5}, {"name": "power_w", "value": 100}]},
            [("7", NOW, {"energy_kwh": 3.5, "power_kw": 0.1})],
        ),
        (
            "a/b",
            "a/b",
            {"p": {"kwh": 1}, "q": {"kwh": 2}},
            [("p", None, {"energy_kwh": 1.0}), ("q", None, {"energy_kwh": 2.0})],
        ),
    ],
)
def test_messages_of_several_values_or_devices_are_taken_apart(
    topic: str, pattern: str, content: Any, right: list[tuple[str, int | None, dict[str, float]]]
) -> None:
    assert read(made(topic, content, pattern), topic, content) == right


def test_numbers_that_nobody_recognises_are_shown_and_not_mapped() -> None:
    found = made("a/b", {"id": "x", "counter": 811532, "rssi": -70, "ok": True, "note": "hello"})
    assert (found.values, found.others) == ({}, {"counter": 811532, "rssi": -70})


def test_a_draft_of_an_unknown_shape_can_be_pasted_and_asks_to_be_checked() -> None:
    content = {"info": {"name": "Tủ 3"}, "when": "20/11/2026 12:00:00", "tổng kWh": 5.5, "x-y": 1}
    (shape,) = shapes([Heard("xưởng/7/số", json.dumps(content).encode(), NOW)])
    text = draft([shape], "gw-new")
    pasted = ryaml.loads(text)
    source = Source.model_validate(pasted["sources"][0])
    (message,) = source.read_as
    assert message.topic == "xưởng/+/số"
    assert (message.time.unit, message.time.zone, message.time.format) == (
        "local",
        "Asia/Ho_Chi_Minh",
        "%d/%m/%Y %H:%M:%S",
    )
    assert [(meter["id"], meter["alias"]) for meter in pasted["meters"]] == [("meter-1", "Tủ 3")]
    for line in text.splitlines():
        if "path:" in line or "level:" in line:
            assert "# check: heard" in line
    assert 'not recognised: "x-y", heard 1' in text


@pytest.mark.parametrize(
    ("name", "words"),
    [("activePowerW", "active_power_w"), ("Flow m³/h", "flow_m3_h"), ("PF", "pf"), ("E-total", "e_total")],
)
def test_names_become_words(name: str, words: str) -> None:
    assert snake(name) == words


def test_lists_of_numbers_that_nobody_recognises_are_shown() -> None:
    assert made("x/1", {"wat": [100, 200], "adr": 1}).others == {"wat": [100, 200], "adr": 1}
