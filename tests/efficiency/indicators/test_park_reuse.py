"""The park's own energy, and its shares: solar power of what was used, wastewater that was used again."""

from pathlib import Path

import numpy as np
import pytest

from efficiency.indicators.park import park_figure_meters, park_figures
from efficiency.usage.intervals import DAY_MS, QUARTER_MS, Span
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.valued import ValueReason
from metering.park import Park
from metering.parkfile import ParkFileError, load_park

PARK = """\
park: {id: demo, name: {en: Test park, vi: Khu thử}, timezone: Asia/Ho_Chi_Minh, reused_water: [ww-reuse]}
gateways: [{id: gw-1, name: {en: One, vi: Một}}]
meters:
  - {id: em-grid, name: {en: Grid, vi: Lưới}, gateway: gw-1, utility: electricity, role: main, interval_s: 900,
     rated: 900, registers: {energy_kwh: {}}}
  - {id: pv, name: {en: Solar, vi: Mặt trời}, gateway: gw-1, utility: electricity, role: generation, parent: em-grid,
     interval_s: 900, rated: 900, registers: {energy_kwh: {}}}
  - {id: ww-in, name: {en: Inlet, vi: Vào}, gateway: gw-1, utility: wastewater, role: main, interval_s: 900, rated: 90,
     registers: {volume_m3: {}}}
  - {id: ww-reuse, name: {en: Reuse, vi: Tái sử dụng}, gateway: gw-1, utility: wastewater, interval_s: 900, rated: 90,
     registers: {volume_m3: {}}}
targets: {reuse_pct: 20.0}
"""
START = 1_790_000_000_000 // DAY_MS * DAY_MS
SPAN = Span(START, START + 4 * QUARTER_MS)


def park_of(folder: Path, text: str = PARK) -> Park:
    file = folder / "park.yaml"
    file.write_text(text, encoding="utf-8")
    return load_park(file)


def hours(*amounts: float) -> QuarterHours:
    return QuarterHours.of(START + QUARTER_MS * np.arange(4, dtype=np.int64), np.array(amounts))


def test_shares_are_sums_over_sums_of_the_time_in_which_both_are_known(tmp_path: Path) -> None:
    park = park_of(tmp_path)
    assert park_figure_meters(park, SPAN) == {"em-grid", "pv", "ww-in", "ww-reuse"}
    by_meter = {"em-grid": hours(30, 30, 30, 30), "pv": hours(10, 10, 10, 10)}
    by_meter |= {"ww-in": hours(20, 20, np.nan, 40), "ww-reuse": hours(2, 4, 9, 6)}
    found = park_figures(park, by_meter, SPAN)
    assert found["solar_share"].value == pytest.approx(0.25)
    assert found["reuse_share"].value == pytest.approx(12 / 80)
    assert found["reuse_share"].completeness == 0.75
    assert found["reused_m3"].value == pytest.approx(21.0)


GAS_AND_COLD = """\
  - {id: gas, name: {en: Gas, vi: Khí}, gateway: gw-1, utility: natural_gas, role: main, interval_s: 900, rated: 90,
     registers: {volume_nm3: {}}}
  - {id: cold, name: {en: Cold, vi: Lạnh}, gateway: gw-1, utility: chilled_water, role: main, interval_s: 900,
     rated: 900, registers: {energy_kwh: {}}}
factors:
  toe:
    electricity: [{from: 2021-01-01, value: 0.0001, source: test}]
"""
TOE_OF_GAS = "    natural_gas: [{from: 2021-01-01, value: 0.0009, source: test}]\n"
MJ_OF_GAS = "  mj: {natural_gas: [{from: 2021-01-01, value: 36.0, source: test}]}\n"


def test_the_parks_energy_is_power_and_gas_and_not_what_it_makes_of_them(tmp_path: Path) -> None:
    by_meter = {"em-grid": hours(30, 30, 30, 30), "pv": hours(10, 10, 10, 10)}
    by_meter |= {"gas": hours(5, 5, 5, 5), "cold": hours(90, 90, 90, 90)}
    park = park_of(tmp_path, PARK.replace("targets", f"{GAS_AND_COLD}{TOE_OF_GAS}{MJ_OF_GAS}targets"))
    assert park_figure_meters(park, SPAN) >= {"em-grid", "pv", "gas"}
    found = park_figures(park, by_meter, SPAN)
    assert found["toe"].value == pytest.approx(160 * 0.0001 + 20 * 0.0009)
    assert found["energy_mj"].value == pytest.approx(160 * 3.6 + 20 * 36)
    unknown = park_of(tmp_path, PARK.replace("targets", f"{GAS_AND_COLD}targets"))
    for name in ("toe", "energy_mj"):
        figure = park_figures(unknown, by_meter, SPAN)[name]
        assert (figure.value, figure.absent_for) == (None, ValueReason.NO_FACTOR_GAS), name


def test_a_park_that_names_no_such_meter_has_no_share(tmp_path: Path) -> None:
    park = park_of(tmp_path, PARK.replace(", reused_water: [ww-reuse]", ""))
    found = park_figures(park, {"em-grid": hours(1, 1, 1, 1), "pv": hours(1, 1, 1, 1)}, SPAN)
    assert found["reuse_share"].value is None
    assert found["reuse_share"].reasons == ValueReason.NO_METER


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PARK.replace("[ww-reuse]", "[pv]"), "must measure water or wastewater"),
        (PARK.replace("[ww-reuse]", "[nothing]"), "must be a meter of this file"),
        (PARK.replace("reuse_pct", "reused"), "must be an indicator of a park"),
    ],
)
def test_names_of_unsuitable_meters_are_reported(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ParkFileError, match=told):
        park_of(tmp_path, text)


def test_until_the_park_gets_a_main_meter_all_that_have_none_above_count(tmp_path: Path) -> None:
    begins = "2026-09-21T07:30:00+07:00"
    text = PARK.replace("{id: em-grid,", f'{{id: em-grid, from: "{begins}",').replace(
        "role: generation, parent", "parent"
    )
    text = text.replace("parent: em-grid", f'belongs: [{{}}, {{from: "{begins}", parent: em-grid}}]')
    park = park_of(tmp_path, text)
    assert park.meter["em-grid"].span.start == START + 2 * QUARTER_MS
    found = park_figures(park, {"em-grid": hours(np.nan, np.nan, 5, 5), "pv": hours(1, 2, 1, 1)}, SPAN)
    assert found["intake_kwh"].value == 13
    assert found["intake_kwh"].completeness == 1
