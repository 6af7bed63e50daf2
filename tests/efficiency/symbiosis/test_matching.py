"""Matches of surplus and demand by numbers that can be checked by hand: one local day of 96 quarter hours."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from efficiency.symbiosis.flow import Gauge, Observed
from efficiency.symbiosis.matching import Match, alone, proposals
from efficiency.usage.intervals import DAY_MS, Floats, Span, quarters_in
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import slots
from efficiency.valuation.valued import ValueReason
from metering.instants import milliseconds
from metering.park import Park
from tests.efficiency.symbiosis.streampark import AIR, WASH, park_of

FIRST = milliseconds(datetime.fromisoformat("2026-11-02T00:00:00+07:00"))
QUARTERS = 96


def observed(park: Park, *, cod: Floats | float = 40.0, hot: float = 45.0, kwh: Floats | float = 100.0) -> Observed:
    start = quarters_in(Span(FIRST, FIRST + DAY_MS))
    whole = np.ones(QUARTERS)
    return Observed(
        slots(start, park.zone),
        {"em-air": QuarterHours.of(start, whole * kwh), "ww-out": QuarterHours.of(start, whole * 10.0)},
        {Gauge("ww-out", "cod_mgl"): whole * cod, Gauge("ww-out", "temperature_c"): whole * hot},
    )


def values(match: Match) -> dict[str, float | None]:
    return {name: None if one.value is None else round(one.value, 6) for name, one in match.figures.items()}


def test_heat_that_is_hot_enough_is_matched_while_it_is_asked_for(tmp_path: Path) -> None:
    park = park_of(tmp_path, AIR, WASH)
    (match,) = proposals(park, observed(park))
    # 70 of 100 kWh a quarter hour are there all day, 50 kWh are asked for in the 32 quarter hours from 08:00 to 16:00.
    assert values(match) == {
        "offered": 6720.0,
        "asked": 1600.0,
        "met": 1600.0,
        "met_by_day": 1600.0,
        "met_share": 1.0,
        "used_share": round(1600 / 6720, 6),
        "saved_vnd": 1_888_000.0,  # 160 Nm3 of gas at 11,800
        "saved_m3": None,
        "saved_toe": 0.144,  # 160 x 0.0009
        "saved_co2e_kg": 323.136,  # 160 x 0.036 x 56.1
    }
    assert match.distance_m == 500.0
    assert match.met.reasons == ValueReason.STATED
    assert match.figures["saved_m3"].reasons == ValueReason.NOT_REPLACED


def test_a_surplus_that_is_not_hot_enough_preheats(tmp_path: Path) -> None:
    park = park_of(tmp_path, AIR.replace("70.0", "45.0"), WASH)
    (match,) = proposals(park, observed(park))
    assert match.met.value == pytest.approx(1600 * (40 - 25) / (60 - 25))


@pytest.mark.parametrize(("hot", "demand"), [("29.0", WASH), ("64.0", WASH.replace("cold_c: 25.0,", ""))])
def test_a_surplus_that_is_too_cold_has_no_figure(tmp_path: Path, hot: str, demand: str) -> None:
    park = park_of(tmp_path, AIR.replace("70.0", hot), demand)
    (match,) = proposals(park, observed(park))
    assert set(values(match).values()) == {None}
    assert match.met.reasons == ValueReason.TOO_COLD


WARM = """\
  - {id: warm, name: {en: Warm, vi: Ấm}, kind: heat, side: surplus, meter: ww-out, quality_from: ww-out, source: test}
"""


def test_a_flow_gives_the_heat_above_what_the_demand_is_heated_from(tmp_path: Path) -> None:
    park = park_of(tmp_path, WARM, WASH)
    (match,) = proposals(park, observed(park))
    assert values(match)["offered"] == round(96 * 1.163 * 10 * (45 - 30), 6)
    assert match.distance_m is None
    assert match.met.reasons & ValueReason.NO_PLACE


def test_without_a_measured_temperature_there_is_no_figure(tmp_path: Path) -> None:
    park = park_of(tmp_path, WARM, WASH)
    found = observed(park, hot=np.nan)
    (match,) = proposals(park, found)
    assert match.met.value is None
    assert match.met.reasons == ValueReason.NO_QUALITY
    (match,) = proposals(park, Observed(found.when, {}, found.gauges))
    assert match.met.value is None


RECLAIMED = """\
  - {id: reclaimed, name: {en: Reclaimed, vi: Tái sử dụng}, kind: treated_wastewater, side: surplus, meter: ww-out,
     per_unit: 0.5, quality_from: ww-out, source: test}
"""
COOLING = """\
  - {id: cooling, name: {en: Cooling, vi: Làm mát}, kind: treated_wastewater, side: demand, tenant: laundry, rate: 8.0,
     limits: {cod_mgl: [{from: 2025-01-01, high: 50.0, source: test}]}, replaces: {water: 1.0}, source: test}
"""


def test_water_is_given_while_every_limit_is_kept(tmp_path: Path) -> None:
    park = park_of(tmp_path, RECLAIMED, COOLING)
    cod = np.where(np.arange(QUARTERS) % 2, 40.0, 60.0)
    cod[:8] = np.nan
    (match,) = proposals(park, observed(park, cod=cod))
    assert match.met.value == 44 * 2.0  # of 88 known quarter hours, each second one
    assert match.figures["met_share"].value == 0.5
    assert match.met.completeness == 88 / 96
    assert match.met.indicative
    assert match.figures["saved_m3"].value == 88.0
    assert match.figures["saved_vnd"].value == 88 * 14_500


def test_a_quality_that_is_never_good_enough_or_never_known_is_no_match(tmp_path: Path) -> None:
    park = park_of(tmp_path, RECLAIMED, COOLING)
    for cod, reason in ((60.0, ValueReason.TOO_POOR), (np.nan, ValueReason.NO_QUALITY)):
        (match,) = proposals(park, observed(park, cod=cod))
        assert match.met.value is None
        assert match.met.reasons == reason


GRAIN = """\
  - {id: grain, name: {en: Grain, vi: Bã}, kind: by_product, side: surplus, material: grain, tenant: baker, rate: 1.0,
     hours: [{days: daily, start: "00:00", end: "06:00"}], source: test}
"""
FEED = """\
  - {id: feed, name: {en: Feed, vi: Cám}, kind: by_product, side: demand, material: grain, tenant: laundry, rate: 0.5,
     hours: [{days: daily, start: "08:00", end: "16:00"}], price_vnd: 1000000.0, source: test}
"""


def test_what_is_carried_is_matched_by_the_day(tmp_path: Path) -> None:
    park = park_of(tmp_path, GRAIN, FEED)
    (match,) = proposals(park, observed(park))
    assert match.met.value == pytest.approx(4.0)
    assert match.figures["saved_vnd"].value == pytest.approx(4_000_000)


def test_what_is_piped_at_another_time_is_met_with_storage_only(tmp_path: Path) -> None:
    night = COOLING.replace("rate: 8.0,", 'rate: 8.0, hours: [{days: daily, start: "00:00", end: "06:00"}],')
    kwh = np.where(np.arange(QUARTERS) < 24, 0.0, 100.0)
    park = park_of(tmp_path, AIR, WASH.replace('"08:00", end: "16:00"', '"00:00", end: "06:00"'), night)
    (match,) = proposals(park, observed(park, kwh=kwh))
    assert match.met.value == 0.0
    assert match.met.reasons & ValueReason.NO_OVERLAP
    assert match.figures["met_by_day"].value == pytest.approx(24 * 50)


def test_a_surplus_is_allocated_once_and_first_where_it_saves_most(tmp_path: Path) -> None:
    other = WASH.replace("id: wash", "id: rinse").replace("laundry", "baker").replace("natural_gas: 0.1", "water: 0.01")
    park = park_of(tmp_path, AIR, other, WASH)
    first, second = proposals(park, observed(park))
    assert (first.taker.id, first.met.value) == ("wash", 1600.0)
    assert second.taker.id == "rinse"
    assert second.met.value == pytest.approx(32 * 20)
    assert second.met.reasons & ValueReason.TAKEN
    assert not first.met.reasons & ValueReason.TAKEN


def test_a_match_without_a_price_has_no_saving_and_a_reason(tmp_path: Path) -> None:
    park = park_of(tmp_path, AIR, WASH.replace("natural_gas: 0.1", "steam: 0.001"))
    (match,) = proposals(park, observed(park))
    assert match.met.value == 1600.0
    assert match.figures["saved_vnd"].reasons == ValueReason.NO_PRICE
    assert match.figures["saved_toe"].reasons == ValueReason.NO_FACTOR


def test_a_firm_is_not_matched_with_itself_and_what_has_no_counterpart_is_named(tmp_path: Path) -> None:
    park = park_of(tmp_path, AIR, WASH.replace("tenant: laundry, ", ""), GRAIN)
    assert proposals(park, observed(park)) == ()
    assert [stream.id for stream in alone(park.streams)] == ["air", "wash", "grain"]


def test_streams_count_while_they_are_there(tmp_path: Path) -> None:
    park = park_of(tmp_path, AIR, WASH.replace("source: test", "until: 2026-11-01, source: test"))
    assert proposals(park, observed(park)) == ()
