"""Figures of a tenant, balances and nights: sums over sums, and no number where one would be wrong."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficiency.indicators.balance import Flow, at_night, balance, night_share, taps
from efficiency.indicators.demand import blocks, demand
from efficiency.indicators.figure import Figure, change, figure, ratio, total
from efficiency.indicators.performance import TenantPeriod, fence_meters, tenant_figures
from efficiency.indicators.series import Series, together
from efficiency.usage.intervals import DAY_MS, QUARTER_MS, Floats, Times
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import Slots, slots
from efficiency.valuation.money import BANDS, by_factor
from efficiency.valuation.valued import REASON_TEXT, Reason
from metering.calendar import Window
from metering.figures import FIGURES
from metering.park import Park, Tenant
from metering.quantities import UTILITIES, Utility
from metering.tariffs import Band

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NAME = {"en": "x", "vi": "x"}


def quarters(count: int = 96, first: date = date(2026, 7, 6)) -> Times:
    start = int(datetime(first.year, first.month, first.day, tzinfo=ZONE).timestamp() * 1000)
    return np.arange(start, start + count * QUARTER_MS, QUARTER_MS)


def used(amount: Floats, estimated: float = 0.0) -> QuarterHours:
    return QuarterHours.of(quarters(len(amount)), amount, estimated=np.full(len(amount), estimated))


def flat(value: float, count: int = 96) -> QuarterHours:
    return used(np.full(count, value))


def in_bands(count: int = 96) -> Floats:
    """The last quarter of the time is peak, the rest normal."""
    shares = np.zeros((count, 3))
    shares[:, BANDS.index(Band.NORMAL)] = np.arange(count) < count * 3 // 4
    shares[:, BANDS.index(Band.PEAK)] = np.arange(count) >= count * 3 // 4
    return shares


TENANT = Tenant.model_validate({"id": "t", "name": NAME, "sector": NAME, "floor_area_m2": 100.0, "employees": 50})


def period(**changed: object) -> TenantPeriod:
    electricity, water = flat(10.0), flat(2.0)
    fields: dict[str, object] = {
        "start": quarters(),
        "shares": in_bands(),
        "use": {Utility.ELECTRICITY: (electricity,), Utility.WATER: (water,), Utility.WASTEWATER: (flat(1.5),)},
        "output": {"t": (flat(0.5), flat(0.5))},
        "cost": ((electricity, by_factor(electricity, np.full(96, 2000.0), Reason.NO_PRICE)),),
        "co2e": ((electricity, by_factor(electricity, np.full(96, 0.6), Reason.NO_FACTOR)),),
        "toe": ((electricity, by_factor(electricity, np.full(96, 0.0001543), Reason.NO_FACTOR)),),
        **changed,
    }
    return TenantPeriod(**fields)  # type: ignore[arg-type]  # the fields above, some of them replaced


def test_every_figure_of_a_plain_day() -> None:
    figures = tenant_figures(TENANT, period())
    expected = {
        "grid_kwh": 960.0,
        "electricity_kwh": 960.0,
        "output": 96.0,
        "energy_per_output": 10.0,
        "water_per_output": 2.0,
        "wastewater_per_output": 1.5,
        "output_per_mwh": 100.0,
        "output_per_m3": 0.5,
        "co2e_per_output": 6.0,
        "wastewater_ratio": 0.75,
        "energy_per_m2": 9.6,
        "water_per_employee": 3.84,
        "cost_vnd": 1_920_000.0,
        "co2e_kg": 576.0,
        "peak_share": 0.25,
        "mean_demand_kw": 40.0,
        "peak_demand_kw": 40.0,
        "base_load_kw": 40.0,
        "load_factor": 1.0,
    }
    assert {name: figures[name].value for name in expected} == pytest.approx(expected)
    assert figures["energy_per_output"].unit == "kWh/t"
    assert figures["solar_share"].reasons == Reason.NO_METER
    assert figures["steam_t"].value is None
    assert figures.keys() <= FIGURES.keys()


def test_output_of_zero_or_none_or_in_two_units_gives_no_value_with_the_reason() -> None:
    for output, reason in (
        ({"t": (flat(0.0),)}, Reason.ZERO_DENOMINATOR),
        ({}, Reason.NO_OUTPUT),
        ({"t": (flat(1.0),), "pieces": (flat(1.0),)}, Reason.MIXED_UNITS),
        ({"t": (flat(np.nan),)}, Reason.NO_DATA),
    ):
        figures = tenant_figures(TENANT, period(output=output))
        assert figures["energy_per_output"].value is None
        assert figures["energy_per_output"].reasons == reason
        assert figures["co2e_per_output"].reasons == reason


def test_a_tenant_without_size_meters_or_data() -> None:
    bare = Tenant(id="t", name=TENANT.name, sector=TENANT.sector)
    figures = tenant_figures(bare, period(use={}, cost=(), co2e=(), toe=(), output={}))
    assert all(one.value is None for one in figures.values())
    assert figures["energy_per_m2"].reasons == Reason.NO_METER | Reason.NO_FLOOR_AREA
    assert figures["cost_vnd"].reasons == Reason.NO_METER
    silent = tenant_figures(TENANT, period(use={Utility.ELECTRICITY: (flat(np.nan),)}))
    assert silent["electricity_kwh"].reasons == Reason.NO_DATA
    assert silent["load_factor"].reasons == Reason.NO_DATA
    assert set(figures) == set(silent) == set(tenant_figures(TENANT, period()))


def test_own_solar_is_what_was_made_and_not_sent_away() -> None:
    made = (flat(4.0),)
    own = tenant_figures(TENANT, period(generated=made, exported=(flat(1.0),)))
    assert own["solar_kwh"].value == pytest.approx(288.0)
    assert own["electricity_kwh"].value == pytest.approx(960.0 + 288.0)
    assert own["solar_share"].value == pytest.approx(288 / 1248)
    turning = np.full(96, 10.0)
    turning[:48] = -1.0
    back = tenant_figures(TENANT, period(use={Utility.ELECTRICITY: (used(turning),)}, generated=made))
    assert back["grid_kwh"].value == pytest.approx(480.0)
    assert back["solar_kwh"].value == pytest.approx(384.0 - 48.0)
    more = tenant_figures(TENANT, period(generated=made, exported=(flat(9.0),)))
    assert more["solar_kwh"].value == 0


def test_half_the_data_is_shown_as_indicative_and_estimates_are_named() -> None:
    half = np.full(96, 10.0)
    half[:48] = np.nan
    figures = tenant_figures(TENANT, period(use={Utility.ELECTRICITY: (used(half, 0.25),)}))
    assert figures["grid_kwh"].value == 480.0
    assert figures["grid_kwh"].completeness == 0.5
    assert figures["grid_kwh"].estimated == 0.125
    assert figures["energy_per_output"].reasons == Reason.INDICATIVE
    assert figures["mean_demand_kw"].completeness == 0.5


@given(st.lists(st.floats(0.1, 1000), min_size=4, max_size=200))
def test_a_ratio_is_of_sums_and_demand_is_of_half_hours(amounts: list[float]) -> None:
    use = together([used(np.array(amounts))])
    assert use is not None
    start = quarters(len(amounts))
    power = demand(start, use)
    begin, values = blocks(start, use)
    assert len(begin) == len(amounts) // 2
    assert power.highest.value == pytest.approx(max(values))
    assert power.load_factor.value is not None
    assert 0 < power.load_factor.value <= 1 + 1e-12
    assert ratio(use.figure("a"), use.figure("b"), "a/b").value == 1


def test_blocks_start_on_half_hours() -> None:
    start = quarters(6)[1:]
    begin, power = blocks(start, Series(np.arange(5.0), np.ones(5), np.zeros(5)))
    assert list(begin) == [int(quarters(6)[2]), int(quarters(6)[4])]
    assert list(power) == [6.0, 14.0]


def test_a_change_is_against_the_base() -> None:
    assert change(Figure(value=9.0, unit="x"), Figure(value=12.0, unit="x")).value == -0.25
    assert change(Figure(value=9.0, unit="x"), Figure(value=0.0, unit="x")).reasons == Reason.ZERO_DENOMINATOR


def test_a_figure_survives_being_written_and_read() -> None:
    both = Figure(value=None, unit="x", reasons=Reason.NO_DATA | Reason.NO_PRICE)
    assert Figure.model_validate_json(both.model_dump_json()) == both


def test_figures_add_up_only_when_all_are_there() -> None:
    one, none = Figure(value=1.0, unit="x"), Figure(value=None, unit="x", reasons=Reason.NO_DATA)
    assert total([one, one], "x").value == 2
    assert total([one, none], "x").reasons == Reason.NO_DATA
    assert total([], "x").reasons == Reason.NO_METER
    assert figure(1.0, "x", 0.94, 0.0).reasons == Reason.INDICATIVE
    assert set(REASON_TEXT) == set(Reason)
    assert together([]) is None


def meter(name: str, utility: str = "electricity", **fields: object) -> dict[str, object]:
    register = UTILITIES[Utility(utility)].counter
    return {
        "id": name,
        "name": NAME,
        "gateway": "g",
        "utility": utility,
        "interval_s": 60,
        "rated": 1.0,
        "registers": {register: {}},
        **fields,
    }


def test_the_fence_of_a_tenant_counts_nothing_twice() -> None:
    park = Park.model_validate(
        {
            "park": {"id": "p", "name": NAME, "timezone": "Asia/Ho_Chi_Minh"},
            "tenants": [{"id": "t", "name": NAME, "sector": NAME}],
            "gateways": [{"id": "g", "name": NAME}],
            "meters": [
                meter("grid", role="main"),
                meter("intake", tenant="t", parent="grid", role="main"),
                meter("line", tenant="t", parent="intake"),
                meter("roof", tenant="t", parent="intake", role="generation"),
                meter("second", tenant="t"),
                meter("water", "water", tenant="t"),
            ],
        }
    )
    assert [one.id for one in fence_meters(park, "t", Utility.ELECTRICITY)] == ["intake", "second"]


def test_what_belongs_into_a_balance() -> None:
    both: dict[str, object] = {"energy_kwh": {}, "energy_export_kwh": {}}
    park = Park.model_validate(
        {
            "park": {"id": "p", "name": NAME, "timezone": "Asia/Ho_Chi_Minh"},
            "gateways": [{"id": "g", "name": NAME}],
            "meters": [
                meter("grid", role="main", registers=both),
                meter("intake", parent="grid", role="main", registers=both),
                meter("line", parent="intake"),
                meter("roof", parent="grid", role="generation"),
            ],
        }
    )
    found = [(tap.meter.id, tap.register, tap.into) for tap in taps(park, "grid")]
    assert found == [
        ("intake", "energy_kwh", False),
        ("intake", "energy_export_kwh", True),
        ("roof", "energy_kwh", True),
        ("grid", "energy_export_kwh", False),
    ]
    assert taps(park, "line") == ()


def test_a_balance_with_its_error_band() -> None:
    main, one, two = Flow(flat(10.0), 0.5), Flow(flat(6.0), 1.0), Flow(flat(3.5), 1.0)
    found = balance(main, [one, two], "kWh")
    assert found.loss.value == pytest.approx(48.0)
    assert found.loss_share.value == pytest.approx(0.05)
    assert found.band.value == pytest.approx(((0.005 * 960) ** 2 + (0.01 * 576) ** 2 + (0.01 * 336) ** 2) ** 0.5)
    assert found.noise is False
    assert balance(main, [Flow(flat(9.95), 1.0)], "kWh").noise is True
    solar = balance(main, [Flow(flat(12.0), 1.0), Flow(flat(3.0), 1.0, into=True)], "kWh")
    assert solar.loss.value == pytest.approx(96.0)
    assert solar.main.value == pytest.approx(13 * 96)


def test_a_balance_is_not_computable_when_incomplete_and_compares_like_with_like() -> None:
    main = Flow(flat(10.0), 0.5)
    holes = np.full(96, 9.0)
    holes[:10] = np.nan
    found = balance(main, [Flow(used(holes), 1.0)], "kWh")
    assert found.loss.value is None
    assert found.loss.reasons == Reason.INCOMPLETE
    assert found.noise is None
    holes[1:10] = 9.0
    little = balance(main, [Flow(used(holes), 1.0)], "kWh")
    assert little.loss.value == pytest.approx(95.0)
    assert little.loss.completeness == pytest.approx(95 / 96)
    assert balance(main, [], "kWh").loss.reasons == Reason.NO_SUBMETERS
    nothing = balance(main, [Flow(flat(9.0), 1.0)], "kWh", np.zeros(96, dtype=np.bool_))
    assert nothing.loss.reasons == Reason.NO_DATA


def local(count: int) -> Slots:
    return slots(quarters(count), ZONE)


def shift(days: str, start: str, end: str) -> Window:
    return Window.model_validate({"days": days, "start": start, "end": end})


def test_night_water_counts_only_nights_without_a_shift() -> None:
    when = local(3 * 96)  # Monday to Wednesday
    amount = np.where(at_night(when), 0.5, 1.0)
    amount[96:192] = 1.0  # leaks on Tuesday
    water = Series(amount, np.ones(288), np.zeros(288))
    mean = (8 * 0.5 + 88) / 96
    always = night_share(water, when, ())
    assert always.value == pytest.approx((0.5 + 1 + 0.5) / (mean + 1 + mean))
    assert night_share(water, when, (shift("tue", "22:00", "06:00"),)).value == pytest.approx(1.5 / (mean + 1))
    assert night_share(water, when, (shift("mon", "22:00", "06:00"),)).value == pytest.approx(0.5 / mean)
    assert night_share(water, when, (shift("daily", "00:00", "24:00"),)).reasons == Reason.NO_NIGHT
    assert night_share(Series(amount * 0, np.ones(288), np.zeros(288)), when, ()).reasons == Reason.ZERO_DENOMINATOR
    empty = Series(np.full(288, np.nan), np.zeros(288), np.zeros(288))
    assert night_share(empty, when, ()).reasons == Reason.NO_DATA
    assert at_night(when).sum() * QUARTER_MS == 3 * DAY_MS // 12
