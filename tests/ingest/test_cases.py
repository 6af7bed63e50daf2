"""Readings as devices really sent them: each folder below `tests/cases/readings` is a report, with what is right."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.accept import accept
from ingest.directory import Directory, directory
from ingest.refusal import KEPT_BYTES, Ledger
from ingest.taken import lines_of
from metering.parkfile import load_park
from wire.messages import MAX_READINGS, Reason

CASES = Path(__file__).parents[1] / "cases" / "readings"
TOPIC = "ecopark/v1/demo/gw-1/readings"
NOW = 1_795_150_900_000
PARK = """\
park: {id: demo, name: {en: Demo, vi: Thử}, timezone: Asia/Ho_Chi_Minh}
gateways:
  - {id: gw-1, name: {en: One, vi: Một}}
meters:
  - id: em-a
    name: {en: A, vi: A}
    gateway: gw-1
    utility: electricity
    interval_s: 60
    rated: 1000
    registers: {energy_kwh: {}, power_kw: {}, power_factor: {}, current_a: {}, voltage_v: {}}
"""


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Directory:
    file = tmp_path_factory.mktemp("park") / "demo.yaml"
    file.write_text(PARK, encoding="utf-8")
    return directory(load_park(file))


@pytest.mark.parametrize("case", sorted(folder.name for folder in CASES.iterdir()))
def test_what_devices_sent(case: str, park: Directory) -> None:
    expected = yaml.safe_load((CASES / case / "expect.yaml").read_text(encoding="utf-8"))
    stored: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for line in (CASES / case / "input.jsonl").read_bytes().splitlines():
        accepted = accept(TOPIC, line, NOW, park)
        stored += [{"ts": taken.ms, "values": dict(taken.values)} for taken in accepted.taken]
        refused += [each.for_sender().model_dump(mode="json") for each in accepted.refusals]
    assert stored == expected["stored"]
    assert len(refused) == len(expected["refused"]), refused
    for found, wanted in zip(refused, expected["refused"], strict=True):
        assert found["reason"] == wanted["reason"]
        assert found["quantity"] == wanted.get("quantity")
        assert wanted["says"] in found["detail"]


def test_a_backlog_in_one_message_is_kept_in_parts_that_can_be_replayed(park: Directory) -> None:
    readings = [
        {"meter": "em-a", "ts": NOW - 1_000 * n, "values": {"energy_kwh": 1.5 + n}} for n in range(MAX_READINGS + 1_000)
    ]
    accepted = accept(TOPIC, json.dumps({"id": "b-1", "readings": readings}).encode(), NOW, park)
    assert accepted.taken == []
    assert {refusal.reason for refusal in accepted.refusals} == {Reason.TOO_LARGE}
    assert "262144" in accepted.refusals[0].detail
    kept = Ledger("one").note("demo", "gw-1", TOPIC, accepted.refusals, NOW)
    again = [accept(each.topic, each.payload[:KEPT_BYTES], NOW, park) for each in kept]
    assert [taken.ms for each in again for taken in each.taken] == [reading["ts"] for reading in readings]


def test_a_meter_may_be_called_by_its_alias(tmp_path: Path) -> None:
    """Serial numbers, EUIs, Vietnamese letters, spaces, dots: whatever a device calls itself."""
    for name in ("10203040", "00aa00bb00cc0001", "ĐH-03", "hall 3 intake", "em.line.4", "EM-A"):
        file = tmp_path / "demo.yaml"
        file.write_text(PARK.replace("    gateway: gw-1", f"    alias: {json.dumps(name)}\n    gateway: gw-1"))
        known = directory(load_park(file))
        for sent in (name, "em-a"):
            message = {"meter": sent, "ts": NOW, "values": {"energy_kwh": 1.5}}
            accepted = accept(TOPIC, json.dumps(message).encode(), NOW, known)
            assert [taken.meter.series for taken in accepted.taken] == ["electricity,meter=em-a,park=demo"]


def test_a_gauge_behind_transformers_is_stored_as_it_is_before_them(tmp_path: Path) -> None:
    """A meter that shows all in secondary values, and whose transformers were replaced at half past ten."""
    text = PARK.replace(
        "    registers: {energy_kwh: {}, power_kw: {}, power_factor: {}, current_a: {}, voltage_v: {}}",
        "    registers: {energy_kwh: {}, power_kw: {}, current_a: {}, voltage_v: {}}\n"
        "    multiplier_for: [energy_kwh, power_kw, current_a]\n"
        "    instruments:\n"
        "      - {multiplier: 400}\n"
        "      - {from: 2026-11-10T10:30:00+07:00, multiplier: 200, continues: true}",
    )
    (tmp_path / "demo.yaml").write_text(text, encoding="utf-8")
    known = directory(load_park(tmp_path / "demo.yaml"))
    changed = 1_794_281_400_000

    def line(ts: int) -> str:
        values = {"energy_kwh": 12.5, "power_kw": 0.53, "current_a": 0, "voltage_v": 230.0}
        accepted = accept(TOPIC, json.dumps({"meter": "em-a", "ts": ts, "values": values}).encode(), NOW, known)
        assert accepted.taken[0].values == values, "what is refused later is kept as it came"
        return lines_of(accepted.taken)[0]

    head = "electricity,meter=em-a,park=demo energy_kwh=12.5"
    before, after = changed - 1, changed
    assert line(before) == f"{head},power_kw=212.0,current_a=0.0,voltage_v=230.0 {before}000000"
    assert line(after) == f"{head},power_kw=106.0,current_a=0.0,voltage_v=230.0 {after}000000"


def test_a_gauge_keeps_the_ratio_that_it_came_with_until_it_is_sent_again(tmp_path: Path) -> None:
    """A ratio corrected for the past changes a stored gauge only when the reading is sent again."""
    lines = []
    for ratio in (400, 200):
        text = PARK.replace(
            "    registers: {energy_kwh: {}, power_kw: {}, power_factor: {}, current_a: {}, voltage_v: {}}",
            f"    registers: {{energy_kwh: {{}}, power_kw: {{}}}}\n    multiplier: {ratio}\n"
            "    multiplier_for: [energy_kwh, power_kw]",
        )
        (tmp_path / "demo.yaml").write_text(text, encoding="utf-8")
        known = directory(load_park(tmp_path / "demo.yaml"))
        message = json.dumps({"meter": "em-a", "ts": NOW, "values": {"energy_kwh": 12.5, "power_kw": 0.53}})
        lines += lines_of(accept(TOPIC, message.encode(), NOW, known).taken)
    assert lines == [
        f"electricity,meter=em-a,park=demo energy_kwh=12.5,power_kw={kw} {NOW}000000" for kw in (212.0, 106.0)
    ]


@pytest.mark.parametrize(
    "said", ["export: true\n    registers: {energy_kwh: {}}", "registers: {energy_kwh: {signed: true}}"]
)
def test_a_register_of_import_minus_export_may_be_below_zero(said: str, tmp_path: Path) -> None:
    all_registers = "registers: {energy_kwh: {}, power_kw: {}, power_factor: {}, current_a: {}, voltage_v: {}}"
    for text, wanted in ((PARK.replace(all_registers, said), [3.2, 1.1, -0.9, -2.4, -1.0]), (PARK, [3.2, 1.1])):
        (tmp_path / "demo.yaml").write_text(text, encoding="utf-8")
        known = directory(load_park(tmp_path / "demo.yaml"))
        stored: list[float | None] = []
        for place, register in enumerate((3.2, 1.1, -0.9, -2.4, -1.0)):
            message = {"meter": "em-a", "ts": NOW + 900_000 * (place - 4), "values": {"energy_kwh": register}}
            taken = accept(TOPIC, json.dumps(message).encode(), NOW, known).taken
            stored += [value for each in taken for value in each.values.values()]
        assert stored == wanted


def test_what_a_meter_can_show_is_its_own(tmp_path: Path) -> None:
    """Ranges in the park file, a register below zero, a larger roll-over of an earlier instrument, a first instant."""
    file = tmp_path / "demo.yaml"
    text = PARK.replace(
        "registers: {energy_kwh: {}, power_kw: {}, power_factor: {}, current_a: {}, voltage_v: {}}",
        "from: 2026-11-01\n    ranges: {voltage_v: {low: 100, high: 300}}\n"
        "    registers: {energy_kwh: {signed: true}, voltage_v: {}}",
    )
    file.write_text(text, encoding="utf-8")
    known = directory(load_park(file))

    def refused(ts: int, **values: float) -> list[tuple[str, str | None]]:
        accepted = accept(TOPIC, json.dumps({"meter": "em-a", "ts": ts, "values": values}).encode(), NOW, known)
        return [(each.reason.value, each.quantity) for each in accepted.refusals]

    first = 1_793_466_000_000
    assert refused(NOW, energy_kwh=-5.0, voltage_v=230.0) == []
    assert refused(NOW, energy_kwh=-5.0, voltage_v=65_535.0) == [("out_of_range", "voltage_v")]
    assert refused(first, energy_kwh=1.0) == []
    assert refused(first - 1, energy_kwh=1.0) == [("bad_time", None)]
