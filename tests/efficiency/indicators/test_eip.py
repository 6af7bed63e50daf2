"""The park's indicators: where each value comes from, what is missing and why, and the park's own targets."""

from datetime import date
from pathlib import Path

import pytest

from efficiency.indicators.eip import YearIndicator, year_indicators
from efficiency.indicators.figure import Figure, absent
from efficiency.valuation.valued import ValueReason
from metering.eip import PARK_INDICATORS, Provenance
from metering.park import Park
from metering.parkfile import load_park
from metering.quantities import Utility

PARK = """\
park: {id: demo, name: {en: Test park, vi: Khu thử}, timezone: Asia/Ho_Chi_Minh, area_m2: 20000.0}
gateways: [{id: gw-1, name: {en: One, vi: Một}}]
meters: []
targets:
  solar_pct: [{from: 2025-01-01, value: 5.0, source: plan}, {from: 2026-07-01, value: 15.0, source: plan}]
  co2e_t: 0.5
  waste_t: 100.0
entered_indicators:
  - {indicator: waste_t, years: {2025: 90.0, 2026: 120.0}, source: weighbridge}
  - {indicator: energy_toe, years: {2026: 7.0}, source: estimate}
  - {indicator: reuse_pct, years: {2026: 8.0}, source: pump hours}
"""
OWN = {
    "solar_share": Figure(0.1, "1", 0.9, 0.0, ValueReason.INDICATIVE),
    "reuse_share": absent("1", ValueReason.NO_METER),
    "toe": Figure(40.0, "TOE"),
    "co2e_kg": Figure(500.0, "kg CO₂e"),
}
EDGES = {Utility.ELECTRICITY: {"incoming": Figure(3000.0, "kWh"), "loss_share": Figure(0.02, "1")}}


@pytest.fixture
def park(tmp_path: Path) -> Park:
    file = tmp_path / "park.yaml"
    file.write_text(PARK, encoding="utf-8")
    return load_park(file)


def found(park: Park, day: date = date(2026, 12, 31)) -> dict[str, YearIndicator]:
    return {each.indicator.code: each for each in year_indicators(park, OWN, EDGES, day.year, day)}


def test_every_indicator_is_there_with_where_its_value_comes_from(park: Park) -> None:
    by_code = found(park)
    assert by_code.keys() == PARK_INDICATORS.keys()
    shown = {code: (each.provenance, each.figure.value) for code, each in by_code.items() if each.figure.value}
    assert shown == {
        "electricity_mwh": (Provenance.MEASURED, pytest.approx(3.0)),
        "energy_toe": (Provenance.COMPUTED, pytest.approx(40.0)),  # what is measured precedes what is entered
        "energy_toe_per_ha": (Provenance.COMPUTED, pytest.approx(20.0)),
        "solar_pct": (Provenance.COMPUTED, pytest.approx(10.0)),
        "reuse_pct": (Provenance.ENTERED, 8.0),
        "waste_t": (Provenance.ENTERED, 120.0),
        "co2e_t": (Provenance.COMPUTED, pytest.approx(0.5)),
        "co2e_t_per_ha": (Provenance.COMPUTED, pytest.approx(0.25)),
    }
    assert {each.provenance for code, each in by_code.items() if code not in shown} == {Provenance.MISSING}


def test_what_is_missing_says_why_in_both_languages(park: Park) -> None:
    by_code = found(park)
    assert by_code["hazardous_t"].fields == {
        "value_completeness": 0.0,
        "value_estimated": 0.0,
        "value_reasons": "no_entry",
        "place": 11.0,
        "status_en": "missing (nothing is entered for this period yet)",
        "status_vi": "chưa có (chưa khai báo số liệu cho kỳ này)",
    }
    assert by_code["solar_pct"].fields["status_en"] == "computed (indicative: under 95 % of the data)"
    assert found(park, date(2024, 12, 31))["reuse_pct"].fields["value_reasons"] == "no_meter"


def test_targets_are_those_of_the_day_and_reached_in_the_direction_that_is_better(park: Park) -> None:
    by_code = found(park)
    verdicts = {code: (each.target, each.reached) for code, each in by_code.items() if each.target is not None}
    assert verdicts == {"solar_pct": (15.0, False), "co2e_t": (0.5, True), "waste_t": (100.0, False)}
    assert by_code["waste_t"].fields["verdict_en"] == "not reached"
    early = found(park, date(2025, 12, 31))
    assert (early["solar_pct"].target, early["solar_pct"].reached) == (5.0, True)
    assert early["waste_t"].fields["verdict_vi"] == "đạt"
