"""Figures of a tenant: sums over sums of the same time, each with a value or a reason."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficiency.indicators.electricity import demand, demand_share, half_hours
from efficiency.indicators.figure import Figure, absent, change, fields_of, figure, figures_in, ratio, total
from efficiency.indicators.series import Portion, UseSeries, quotient, together
from efficiency.indicators.tenant import fence_meters, tenant_figures
from efficiency.usage.intervals import EVER, QUARTER_MS
from efficiency.usage.quality import Rule
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.valued import REASON_TEXT, ValueReason
from metering.figures import FIGURES, Period
from metering.park import Park
from metering.quantities import Utility
from tests.efficiency.indicators.oneday import (
    FIRST,
    METERS,
    SOURCE,
    flat,
    instant,
    meter,
    park_of,
    quarters,
    span,
    used,
)

DAY = {
    "em": flat(10.0, cost_vnd=20_000.0, co2e_kg=6.0),
    "wm": flat(2.0, cost_vnd=20_000.0),
    "ww": flat(1.5),
    "line": flat(1.0),
}


def figures(park: Park | None = None, period: Period = Period.DAY, **hours: QuarterHours) -> dict[str, Figure]:
    found = park if park is not None else park_of()
    return tenant_figures(found, found.tenant["t"], {**DAY, **hours}, period, span())


@pytest.mark.parametrize(
    ("interval_s", "rules", "day", "month"),
    [
        (60, Rule.SPARSE, 1.0, 1.0),
        (3600, Rule.SPARSE, 0.0, 0.0),
        (86_400, Rule.SPARSE, 0.0, 0.0),
        (31 * 86_400, Rule.SPARSE, 1.0, 0.0),
        (3600, Rule.SPARSE | Rule.GAP_LINEAR, 1.0, 1.0),
    ],
)
def test_the_sum_of_a_rarely_read_meter_is_measured_and_its_course_is_not(
    interval_s: int, rules: Rule, day: float, month: float
) -> None:
    """Between two readings the total is known: what is estimated is how it lies in the quarter hours between."""
    names = ("em", "wm", "ww", "line")
    park = park_of(*({**each, "interval_s": interval_s} for each in METERS))
    spread = {
        name: replace(DAY[name], estimated=np.ones(96), rules=np.full(96, int(rules), dtype=np.uint32))
        for name in names
    }
    for period, wanted in ((Period.DAY, day), (Period.MONTH, month)):
        found = figures(park, period, **spread)
        summed = ("electricity_kwh", "water_m3", "output", "water_per_output", "energy_mj", "estimated")
        shares = {name: found[name].value if name == "estimated" else found[name].estimated for name in summed}
        assert shares == dict.fromkeys(summed, wanted)
        assert found["cost_vnd"].estimated == (1.0 + wanted) / 2, "electricity has bands, water one price at all hours"
        shaped = ("peak_demand_kw", "peak_share", "night_water_ratio")
        assert {name: found[name].estimated for name in shaped} == dict.fromkeys(shaped, 1.0)


def test_every_figure_of_a_plain_day() -> None:
    found = figures()
    expected = {
        "grid_kwh": 960.0,
        "electricity_kwh": 960.0,
        "output": 96.0,
        "electricity_per_output": 10.0,
        "energy_mj": 3456.0,
        "energy_per_output": 36.0,
        "toe": 0.096,
        "toe_per_output": 0.001,
        "water_per_output": 2.0,
        "wastewater_per_output": 1.5,
        "output_per_mwh": 100.0,
        "output_per_m3": 0.5,
        "co2e_per_output": 6.0,
        "wastewater_ratio": 0.75,
        "electricity_per_m2": 9.6,
        "water_per_employee": 3.84,
        "cost_vnd": 3_840_000.0,
        "vat_vnd": 1_920_000.0 * 0.13,
        "payable_vnd": 3_840_000.0 + 1_920_000.0 * 0.13,
        "co2e_scope2_kg": 576.0,
        "peak_share": 0.25,
        "mean_demand_kw": 40.0,
        "peak_demand_kw": 40.0,
        "base_load_kw": 40.0,
        "load_factor": 1.0,
        "completeness": 1.0,
    }
    assert {name: found[name].value for name in expected} == pytest.approx(expected)
    assert found["electricity_per_output"].unit == "kWh/t"
    assert found["solar_share"].absent_for == ValueReason.NO_METER
    assert found["co2e_scope2_kg"].reasons == ValueReason.ESTIMATED_FACTOR
    assert found["co2e_scope2_market_kg"].absent_for == ValueReason.NO_CONTRACT
    assert found["payable_vnd"].reasons == ValueReason.NO_SURCHARGE
    assert found.keys() <= FIGURES.keys()


def test_a_ratio_is_over_the_time_in_which_both_sides_are_known() -> None:
    late = np.full(96, 0.5)
    late[:72] = np.nan  # the line is metered from 18:00 on
    found = figures(line=used(late))["electricity_per_output"]
    assert found.value == pytest.approx(20.0)
    assert found.completeness == pytest.approx(0.25)
    assert found.indicative
    assert found.over == pytest.approx(12.0)


def test_output_of_zero_or_none_or_in_two_units_gives_no_value_with_the_reason() -> None:
    without = [each for each in METERS if each["id"] != "line"]
    two = [*METERS, meter("pieces", "production", tenant="t", output_unit="pieces")]
    for found, reason in (
        (figures(line=flat(0.0)), ValueReason.ZERO_DENOMINATOR),
        (figures(park_of(*without)), ValueReason.NO_OUTPUT),
        (figures(park_of(*two), pieces=flat(1.0)), ValueReason.MIXED_UNITS),
        (figures(line=flat(np.nan)), ValueReason.NO_DATA),
    ):
        for name in ("electricity_per_output", "energy_per_output", "co2e_per_output"):
            assert found[name].value is None
            assert found[name].absent_for == reason


@pytest.mark.parametrize(
    ("carrier", "reason", "mj", "toe"),
    [
        ("steam", ValueReason.NO_FACTOR_STEAM, 2760.0, 0.07),
        ("natural_gas", ValueReason.NO_FACTOR_GAS, 36.0, 0.0009),
        ("compressed_air", ValueReason.NO_FACTOR_AIR, 0.389, 0.0000167),
        ("chilled_water", ValueReason.NO_FACTOR_COOLING, 0.774, 0.0000332),
    ],
)
def test_a_carrier_without_a_factor_is_named_and_leaves_no_sum(
    carrier: str, reason: ValueReason, mj: float, toe: float
) -> None:
    meters = (*METERS, meter("heat", carrier, tenant="t"))
    found = figures(park_of(*meters), heat=flat(1.0))
    for name in ("energy_mj", "energy_per_output", "toe", "toe_per_output"):
        assert found[name].value is None
        assert found[name].absent_for == reason
    assert found["electricity_per_output"].value == pytest.approx(10.0)
    assert found["co2e_scope2_kg"].value == pytest.approx(576.0)
    assert found["co2e_scope2_kg"].reasons == reason | ValueReason.ESTIMATED_FACTOR
    own = {"mj": {carrier: [{**SOURCE, "value": mj}]}}
    own["toe"] = {"electricity": [{**SOURCE, "value": 1e-4}], carrier: [{**SOURCE, "value": toe}]}
    with_factor = figures(park_of(*meters, factors=own), heat=flat(1.0))
    assert with_factor["energy_mj"].value == pytest.approx(3456 + 96 * mj)
    assert with_factor["energy_per_output"].value == pytest.approx(36 + mj)
    assert with_factor["toe"].value == pytest.approx(0.096 + 96 * toe)
    assert with_factor["toe_per_output"].value == pytest.approx(0.001 + toe)


def test_own_solar_is_what_was_generated_and_not_exported() -> None:
    both: dict[str, Any] = {"energy_kwh": {}, "energy_export_kwh": {}}
    park = park_of(meter("em", tenant="t", registers=both), meter("roof", tenant="t", parent="em", role="generation"))
    own = figures(park, em=flat(10.0, energy_export_kwh=1.0), roof=flat(4.0))
    assert own["solar_kwh"].value == pytest.approx(288.0)
    assert own["electricity_kwh"].value == pytest.approx(960.0 + 288.0)
    assert own["solar_share"].value == pytest.approx(288 / 1248)
    more = figures(park, em=flat(10.0, energy_export_kwh=9.0), roof=flat(4.0))
    assert more["solar_kwh"].value == 0
    turning = np.full(96, 10.0)
    turning[:48] = -1.0
    plain = park_of(meter("em", tenant="t"), meter("roof", tenant="t", parent="em", role="generation"))
    back = figures(plain, em=used(turning), roof=flat(4.0))
    assert back["grid_kwh"].value == pytest.approx(480.0)
    assert back["solar_kwh"].value == pytest.approx(384.0 - 48.0)


def test_a_tenant_has_its_meters_only_while_they_are_its_own() -> None:
    noon = instant(FIRST, 12)
    moved = meter("em", belongs=[{"tenant": "t", "until": noon}, {"from": noon, "tenant": "other"}])
    del moved["registers"]
    moved["instruments"] = [{"registers": {"energy_kwh": {}}}]
    park = park_of(moved, METERS[3])
    mine = figures(park)
    theirs = tenant_figures(park, park.tenant["other"], DAY, Period.DAY, span())
    for found in (mine, theirs):
        assert found["electricity_kwh"].value == pytest.approx(480.0)
        assert found["electricity_kwh"].completeness == 1
        assert found["mean_demand_kw"].completeness == 1
        assert found["completeness"].value == 1
    assert mine["electricity_per_output"].value == pytest.approx(10.0)
    assert mine["electricity_per_output"].completeness == pytest.approx(0.5)
    below = figures(park_of(moved, meter("sub", tenant="t", parent="em")), sub=flat(3.0))
    assert below["electricity_kwh"].value == pytest.approx(480.0 + 48 * 3.0)
    assert tenant_figures(park, park.tenant["other"], DAY, Period.DAY, span(48)) == {}


def test_sizes_are_those_of_the_day() -> None:
    grown = {"floor_area_m2": [{"value": 100.0}, {"from": "2026-07-07", "value": 300.0}]}
    days = {name: flat(10.0, 192) for name in DAY}
    park = park_of(tenant=grown)
    found = tenant_figures(park, park.tenant["t"], days, Period.MONTH, span(192))
    assert found["electricity_per_m2"].value == pytest.approx(1920 / 200)
    nobody = figures(park_of(tenant={"employees": 0}))["electricity_per_employee"]
    assert nobody.absent_for == ValueReason.ZERO_DENOMINATOR


def test_cost_says_why_it_is_missing() -> None:
    unpriced = flat(10.0, cost_vnd=np.nan)
    assert figures(em=unpriced)["cost_vnd"].absent_for == ValueReason.NO_PRICE
    assert figures(park_of(tenant={"contract": {}}), em=unpriced)["cost_vnd"].absent_for == ValueReason.NO_VOLTAGE
    bands: dict[str, Any] = {"electricity": {"bands": [], "prices": {}}}
    assert figures(park_of(tariffs=bands), em=unpriced)["cost_vnd"].absent_for == ValueReason.NO_BANDS
    untaxed = figures(park_of(tariffs={}))
    assert untaxed["payable_vnd"].absent_for == ValueReason.NO_VAT
    assert untaxed["cost_vnd"].value == pytest.approx(1_920_000.0)


def test_a_budget_is_compared_with_the_cost_of_the_same_time() -> None:
    known = np.full(96, 20_000.0)
    known[48:] = np.nan
    half = used(np.where(np.isnan(known), np.nan, 10.0), cost_vnd=known)
    park = park_of(METERS[0], tenant={"budget_vnd_per_month": 31 * 96 * 10_000.0})
    found = figures(park, em=half)
    assert found["budget_vnd"].value == pytest.approx(960_000.0)
    assert found["budget_share"].value == pytest.approx(2.0)
    assert found["budget_share"].completeness == pytest.approx(0.5)
    assert found["budget_share"].indicative
    later = park_of(METERS[0], tenant={"budget_vnd_per_month": [{"from": "2026-08-01", "value": 1.0}]})
    assert figures(later)["budget_share"].absent_for == ValueReason.NO_BUDGET


def test_a_tenant_that_left_has_the_budget_of_its_time() -> None:
    moved = {**METERS[0], "belongs": [{"tenant": "t"}, {"from": instant(FIRST, 6)}]}
    del moved["tenant"]
    park = park_of(moved, tenant={"budget_vnd_per_month": 31 * 96 * 10_000.0})
    found = figures(park, em=flat(10.0, cost_vnd=20_000.0))
    assert found["cost_vnd"].value == pytest.approx(24 * 20_000.0)
    assert found["budget_vnd"].value == pytest.approx(24 * 10_000.0)
    assert found["budget_share"].value == pytest.approx(2.0)


def test_market_based_emissions_follow_the_contract_of_the_day() -> None:
    own = {"voltage": "v", "co2e_kg_per_kwh": [{"from": "2026-07-07", "source": "contract", "value": 0.1}]}
    park = park_of(METERS[0], tenant={"contract": own})
    days = {"em": flat(10.0, 192, co2e_kg=6.0)}
    found = tenant_figures(park, park.tenant["t"], days, Period.MONTH, span(192))
    assert found["co2e_scope2_kg"].value == pytest.approx(2 * 576.0)
    assert found["co2e_scope2_market_kg"].value == pytest.approx(576.0 + 96.0)


@pytest.mark.parametrize("standings", [("official", "estimate"), ("estimate", "official"), ("official", "official")])
def test_emissions_are_marked_where_an_estimated_factor_holds_on_any_day(standings: tuple[str, str]) -> None:
    first, second = ({**SOURCE, "value": 0.6, "standing": standing} for standing in standings)
    factors = {"scope2": {"electricity": [first, {**second, "from": "2026-07-07"}]}}
    park = park_of(METERS[0], factors=factors)
    found = tenant_figures(park, park.tenant["t"], {"em": flat(10.0, 192, co2e_kg=6.0)}, Period.MONTH, span(192))
    marked = ValueReason.ESTIMATED_FACTOR if "estimate" in standings else ValueReason(0)
    for name in ("co2e_scope2_kg", "co2e_kg"):
        assert found[name].value == pytest.approx(2 * 576.0)
        assert found[name].reasons == marked


def test_a_month_with_little_data_marks_its_peak() -> None:
    little = np.full(96, np.nan)
    little[:12] = 10.0
    found = figures(em=used(little, cost_vnd=20_000.0))
    for name in ("peak_demand_kw", "load_factor", "electricity_kwh"):
        assert found[name].indicative
    assert found["peak_demand_kw"].completeness == pytest.approx(0.125)


def test_a_coarse_counter_marks_the_demand_it_shows() -> None:
    hours = flat(10.0)
    coarse = QuarterHours(
        hours.start, hours.amount, hours.estimated, hours.completeness, np.full(96, 5.0), hours.rules, hours.columns
    )
    found = figures(em=coarse)
    assert found["peak_demand_error_kw"].value == pytest.approx(10.0)
    assert found["peak_demand_kw"].reasons & ValueReason.COARSE
    assert not figures()["peak_demand_kw"].reasons & ValueReason.COARSE


def test_demand_against_the_contract_is_of_each_half_hours_own_contract() -> None:
    use = together([Portion.whole(used(np.array([10.0, 10.0, 30.0, 30.0, 20.0, 20.0])))])
    assert use is not None
    start = quarters(6)
    stated = np.array([40.0, 40.0, 400.0, 400.0, 100.0, 100.0])
    highest = demand_share(start, use, stated)
    assert (highest.value, highest.over) == (1.0, 40.0), "the first half hour, although the second drew most"
    unstated = demand_share(start, use, np.array([np.nan, np.nan, 400.0, 400.0, 100.0, 100.0]))
    assert (unstated.value, unstated.over) == (0.8, 100.0)
    assert demand_share(start, use, np.full(6, np.nan)).absent_for == ValueReason.NO_CONTRACT_DEMAND

    park = park_of(tenant={"contract": {"voltage": "v", "demand_kw": 50.0}})
    assert figures(park)["demand_share"].value == 0.8
    assert figures(park, em=replace(DAY["em"], amount=np.full(96, np.nan)))["demand_share"].value is None


@given(st.lists(st.floats(0.1, 1000), min_size=4, max_size=200))
def test_demand_is_of_half_hours(amounts: list[float]) -> None:
    use = together([Portion.whole(used(np.array(amounts)))])
    assert use is not None
    start = quarters(len(amounts))
    found = demand(start, use)
    begin, values, _ = half_hours(start, use)
    assert len(begin) == len(amounts) // 2
    assert found["peak_demand_kw"].value == pytest.approx(max(values))
    assert found["load_factor"].value is not None
    assert 0 < found["load_factor"].value <= 1 + 1e-12
    assert quotient(use, use, "a/b").value == 1


def test_blocks_start_on_half_hours() -> None:
    start, ones = quarters(6)[1:], np.ones(5)
    begin, power, _ = half_hours(start, UseSeries(np.arange(5.0), ones, 0 * ones, 0 * ones, ones > 0))
    assert list(begin) == [int(quarters(6)[2]), int(quarters(6)[4])]
    assert list(power) == [6.0, 14.0]
    assert begin[0] % (2 * QUARTER_MS) == 0


def test_a_change_compares_only_what_both_have() -> None:
    assert change(Figure(9.0, "x"), Figure(12.0, "x")) == -0.25
    assert change(Figure(9.0, "x"), Figure(0.0, "x")) is None
    assert change(figure(9.0, "x", 0.5), Figure(12.0, "x")) is None


def test_figures_add_up_only_when_all_are_there() -> None:
    one, none = Figure(1.0, "x"), absent("x", ValueReason.NO_DATA)
    assert total([one, one], "x").value == 2
    assert total([one, none], "x").reasons == ValueReason.NO_DATA
    assert total([], "x").reasons == ValueReason.NO_METER
    assert ratio(one, none, "x").absent_for == ValueReason.NO_DATA
    assert figure(1.0, "x", 0.94, 0.0).reasons == ValueReason.INDICATIVE
    assert set(REASON_TEXT) == set(ValueReason)
    assert together([]) is None


names = st.sampled_from(sorted(FIGURES.keys() - {"completeness", "estimated"}))
some = st.builds(
    Figure,
    value=st.none() | st.floats(-1e12, 1e12),
    unit=st.just(""),
    completeness=st.floats(0, 1),
    estimated=st.floats(0, 1),
    reasons=st.integers(0, (1 << len(ValueReason)) - 1).map(ValueReason),
    over=st.none() | st.floats(0, 1e12),
)


@given(st.dictionaries(names, some, max_size=5))
def test_a_figure_is_read_back_as_it_was_stored(written: dict[str, Figure]) -> None:
    found = figures_in(fields_of(written), units=dict.fromkeys(FIGURES, ""))
    assert {name: found[name] for name in written} == written
    missing = found.keys() - written.keys() - {"completeness", "estimated"}
    assert all(found[name].reasons == ValueReason.NOT_COMPUTED for name in missing)


def test_the_fence_of_a_tenant_counts_nothing_twice() -> None:
    park = park_of(
        meter("grid", role="main"),
        meter("intake", tenant="t", parent="grid", role="main"),
        meter("line", tenant="t", parent="intake"),
        meter("roof", tenant="t", parent="intake", role="generation"),
        meter("second", tenant="t"),
        meter("water", "water", tenant="t"),
    )
    assert [one.id for one in fence_meters(park, "t", Utility.ELECTRICITY, EVER)] == ["intake", "second"]
