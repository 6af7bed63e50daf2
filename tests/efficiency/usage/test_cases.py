"""Faults that were reported from the field, each with the right answer: one folder each below `tests/cases/usage`."""

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml

from efficiency.usage.counters import Counter, counter_of
from efficiency.usage.events import meter_events
from efficiency.usage.fromsteps import usage_of
from efficiency.usage.intervals import DAY_MS, HOUR_MS, QUARTER_MS, Span
from efficiency.usage.line import Readings
from efficiency.usage.quality import SUSPECT_RULES
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.rhythm import estimated_in_sums
from efficiency.usage.steps import steps_of
from metering.meters import Meter

CASES = Path(__file__).parents[2] / "cases" / "usage"
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
START = int(datetime(2026, 11, 10, tzinfo=ZONE).timestamp() * 1000)
MINUTE_MS = 60_000
ROUNDING = 1e-4
"""Expected values are written with so many digits."""


@dataclass(frozen=True)
class Case:
    """A meter's part of a park file, its readings, and the result."""

    meter: Meter
    counter: Counter
    hours: QuarterHours
    events: list[str]
    texts: list[str]


def told(folder: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8")))


def readings_of(folder: Path, said: Any) -> Readings:
    if isinstance(said, str):
        with (folder / said).open(encoding="utf-8", newline="") as file:
            said = {int(row["minute"]): float(row["register"]) for row in csv.DictReader(file)}
    minutes = np.array(sorted(said), dtype=np.int64)
    values = np.array([said[int(minute)] for minute in minutes], dtype=np.float64)
    return Readings(START + minutes * MINUTE_MS, values, np.zeros(len(minutes), dtype=np.uint8))


def minutes_of(text: str) -> int:
    number, unit = text.split()
    return int(number) * {"min": 1, "h": 60}[unit]


def computed(folder: Path) -> Case:
    case = told(folder)
    names = {"id": "m", "name": {"en": "m", "vi": "m"}, "gateway": "g"}
    meter = Meter.model_validate(names | case["meter"])
    counter = counter_of(meter, meter.counter, ZONE)
    readings = readings_of(folder, case["readings"])
    begin = START + minutes_of(case.get("from", "0 min")) * MINUTE_MS
    end = START + minutes_of(case["until"]) * MINUTE_MS if "until" in case else int(readings.times[-1])
    if "amount" in case["expect"]:
        end = begin + len(case["expect"]["amount"]) * QUARTER_MS
    window, steps = Span(begin, end), steps_of(counter, readings)
    hours = usage_of(counter, steps, window)
    events = meter_events(meter, counter, steps, hours, Span(begin, int(readings.times[-1]) + 1))
    return Case(meter, counter, hours, sorted(event.kind for event in events), [event.text.en for event in events])


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
def test_a_reported_fault_has_the_right_answer(folder: Path) -> None:
    case, wanted = computed(folder), told(folder)["expect"]
    hours = case.hours
    assert case.events == sorted(wanted["events"]), case.texts
    if "amount" in wanted:
        amounts = [np.nan if amount is None else amount for amount in wanted["amount"]]
        assert hours.amount == pytest.approx(amounts, abs=ROUNDING, nan_ok=True)
    for column in {"completeness", "estimated"} & wanted.keys():
        size = len(wanted[column])
        assert getattr(hours, column)[:size] == pytest.approx(wanted[column], abs=ROUNDING), column
    if "total" in wanted:
        assert np.nansum(hours.amount) == pytest.approx(wanted["total"], rel=ROUNDING, abs=ROUNDING)
    if "known" in wanted:
        assert hours.completeness.sum() * 15 == pytest.approx(minutes_of(wanted["known"]), abs=1)
    if "estimated_total" in wanted:
        guessed = np.nansum(hours.amount[hours.estimated > 0])
        assert guessed == pytest.approx(wanted["estimated_total"], rel=0.01)
    if "suspect" in wanted:
        suspect = (hours.rules & np.uint32(SUSPECT_RULES)) > 0
        assert list(suspect[: len(wanted["suspect"])]) == wanted["suspect"]


@pytest.mark.parametrize("name", ["hourly", "each-six-hours", "daily"])
def test_what_a_sparse_meter_used_in_a_day_is_measured_though_its_quarter_hours_are_not(name: str) -> None:
    case = computed(CASES / f"sparse-meter-{name}")
    assert (case.hours.estimated == 1).all()
    assert not estimated_in_sums(case.hours, case.counter.interval_ms, DAY_MS).any()
    assert estimated_in_sums(case.hours, case.counter.interval_ms, QUARTER_MS).all()


def test_a_step_of_unknown_use_asks_the_operator() -> None:
    for name in ("restored-from-flash", "exchange-that-nobody-entered", "several-roll-overs-in-a-gap"):
        assert any("?" in text for text in computed(CASES / name).texts), name


def test_the_highest_demand_of_a_coarse_counter_is_not_by_chance_twice_the_load() -> None:
    hours = computed(CASES / "coarse-counter").hours
    demand = (hours.amount[1:] + hours.amount[:-1]) / (2 * QUARTER_MS / HOUR_MS)
    assert demand.max() == pytest.approx(3.0)
    assert (hours.error == 1.0).all()
