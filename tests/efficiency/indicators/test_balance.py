"""Balances of main meters and of the park's edge, and water at night: numbers that add up, or a reason."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from efficiency.indicators.balance import (
    BAND,
    INCOMING,
    LOSS,
    LOSS_SHARE,
    OWN,
    SUBMETERS,
    TENANTS,
    balance_of_days,
    main_balance,
    park_balance,
    park_meters,
    taps,
)
from efficiency.indicators.figure import Figure
from efficiency.indicators.night import at_night, night_share
from efficiency.indicators.series import Portion, UseSeries, together
from efficiency.usage.intervals import EVER, Floats
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import slots
from efficiency.valuation.valued import ValueReason
from metering.calendar import Calendar, Window
from metering.dated import HistoryEntry
from metering.park import Park
from metering.quantities import Utility
from tests.efficiency.indicators.oneday import FIRST, ZONE, flat, instant, meter, park_of, quarters, span, used

TWO_DAYS = {FIRST: 96.0, FIRST + timedelta(days=1): 96.0}
BOTH: dict[str, Any] = {"energy_kwh": {}, "energy_export_kwh": {}}


def grid(accuracy: float = 0.5, **fields: Any) -> dict[str, Any]:
    return meter("grid", role="main", accuracy_pct=accuracy, **fields)


def of_main(park: Park, **hours: QuarterHours) -> dict[str, Figure]:
    return main_balance(park, park.meter["grid"], hours, span())


def test_which_meters_belong_to_a_balance() -> None:
    park = park_of(
        grid(registers=BOTH),
        meter("intake", parent="grid", role="main", registers=BOTH),
        meter("line", parent="intake"),
        meter("roof", parent="grid", role="generation"),
    )
    found = [(tap.meter.id, tap.register, tap.into) for tap in taps(park, "grid", EVER)]
    assert found == [
        ("intake", "energy_kwh", False),
        ("intake", "energy_export_kwh", True),
        ("roof", "energy_kwh", True),
        ("grid", "energy_export_kwh", False),
    ]
    assert taps(park, "line", EVER) == ()


def test_a_balance_with_its_error_band() -> None:
    park = park_of(grid(), meter("one", tenant="t", parent="grid"), meter("two", parent="grid"))
    found = of_main(park, grid=flat(10.0), one=flat(6.0), two=flat(3.5))
    assert found[LOSS].value == pytest.approx(48.0)
    assert found[LOSS_SHARE].value == pytest.approx(0.05)
    assert found[BAND].value == pytest.approx(((0.005 * 960) ** 2 + (0.01 * 576) ** 2 + (0.01 * 336) ** 2) ** 0.5)
    assert (found[TENANTS].value, found[OWN].value, found[SUBMETERS].value) == (576.0, 336.0, 912.0)
    assert not found[LOSS].reasons
    noise = of_main(park_of(grid(), meter("one", parent="grid")), grid=flat(10.0), one=flat(9.95))
    assert noise[LOSS].reasons == ValueReason.NOT_SIGNIFICANT
    solar = park_of(grid(), meter("one", parent="grid"), meter("roof", parent="grid", role="generation"))
    made = of_main(solar, grid=flat(10.0), one=flat(12.0), roof=flat(3.0))
    assert made[LOSS].value == pytest.approx(96.0)
    assert made[INCOMING].value == pytest.approx(13 * 96)


def test_the_error_band_is_of_the_classes_that_measured_then() -> None:
    """Until noon an instrument of class 2, then one of class 0.5; and a device whose class was corrected."""
    noon = instant(FIRST, 12)
    registers: dict[str, Any] = {"energy_kwh": {}}

    def both(**second: Any) -> Park:
        first = {"registers": registers, "accuracy_pct": 2.0}
        then = {"from": noon, "registers": registers, "accuracy_pct": 0.5, **second}
        above = {key: value for key, value in grid().items() if key not in {"registers", "accuracy_pct"}}
        return park_of({**above, "instruments": [first, then]}, meter("one", tenant="t", parent="grid"))

    hours = {"grid": flat(10.0), "one": flat(9.0)}
    other = (0.01 * 864) ** 2
    exchanged = of_main(both(), **hours)[BAND].value
    assert exchanged == pytest.approx(((0.02 * 480) ** 2 + (0.005 * 480) ** 2 + other) ** 0.5)
    one_device = of_main(both(continues=True), **hours)[BAND].value
    assert one_device == pytest.approx(((0.02 * 480 + 0.005 * 480) ** 2 + other) ** 0.5)


def test_a_balance_is_not_computable_when_incomplete_and_compares_like_with_like() -> None:
    park = park_of(grid(), meter("one", parent="grid"))
    holes = np.full(96, 9.0)
    holes[:10] = np.nan
    assert of_main(park, grid=flat(10.0), one=used(holes))[LOSS].absent_for == ValueReason.INCOMPLETE
    holes[1:10] = 9.0
    little = of_main(park, grid=flat(10.0), one=used(holes))
    assert little[LOSS].value == pytest.approx(95.0)
    assert little[LOSS].completeness == pytest.approx(95 / 96)
    assert of_main(park_of(grid()), grid=flat(10.0))[LOSS].absent_for == ValueReason.NO_SUBMETERS
    assert of_main(park, grid=flat(10.0))[LOSS].absent_for == ValueReason.NO_DATA


def test_the_park_adds_up_to_what_came_in_through_any_number_of_main_meters() -> None:
    noon = instant(FIRST, 12)
    park = park_of(
        grid(until=noon),
        {**meter("grid-2", role="main"), "from": noon},
        {**meter("hall", role="main", parent="grid-2"), "from": noon},
        meter("early", tenant="t", parent="grid", until=noon),
        {**meter("late", tenant="other", parent="hall"), "from": noon},
        {**meter("lamps", parent="grid-2"), "from": noon},
    )
    names = park_meters(park, Utility.ELECTRICITY, span())
    assert names == {"grid", "grid-2", "early", "late", "lamps"}
    hours = {"grid": 10.0, "grid-2": 20.0, "early": 9.0, "late": 15.0, "lamps": 4.0}
    found = park_balance(park, Utility.ELECTRICITY, {name: flat(value) for name, value in hours.items()}, span())
    values = {name: found[name].value for name in (INCOMING, TENANTS, OWN, LOSS)}
    assert values == {INCOMING: 1440.0, TENANTS: 48 * 24.0, OWN: 192.0, LOSS: 96.0}
    assert found[INCOMING].completeness == 1
    assert park_balance(park, Utility.WATER, {}, span()) == {}


def test_a_month_adds_up_the_days_that_could_be_computed_and_says_so() -> None:
    park = park_of(grid(), meter("one", parent="grid"))
    day = of_main(park, grid=flat(10.0), one=flat(9.0))
    short = of_main(park, grid=flat(10.0), one=flat(np.nan))
    first, second = TWO_DAYS
    whole = balance_of_days({first: day, second: day}, TWO_DAYS)
    assert whole[LOSS].value == pytest.approx(192.0)
    assert whole[BAND].value == pytest.approx(2 * (day[BAND].value or 0.0))
    assert not whole[LOSS].reasons
    partly = balance_of_days({first: day, second: short}, TWO_DAYS)
    assert partly[LOSS].value == pytest.approx(96.0)
    assert partly[LOSS].reasons == ValueReason.PARTLY | ValueReason.INDICATIVE
    assert partly[LOSS].completeness == pytest.approx(0.5)
    assert balance_of_days({first: short}, {first: 96})[LOSS].absent_for == ValueReason.INCOMPLETE


def test_each_day_of_a_month_counts_for_as_long_as_it_lasted_and_had_a_main_meter() -> None:
    park = park_of(grid(), meter("one", parent="grid"))
    day = of_main(park, grid=flat(10.0), one=flat(9.0))
    first, second = TWO_DAYS
    running = balance_of_days({first: day, second: day}, {first: 96, second: 24})
    assert running[LOSS].completeness == 1
    not_yet = balance_of_days({first: day}, {first: 96, second: 2}, second)
    assert (not_yet[LOSS].completeness, not_yet[LOSS].reasons) == (96 / 98, ValueReason(0)), "much is on its way"
    lacking = balance_of_days({second: day}, {first: 96, second: 24}, second)
    assert lacking[LOSS].completeness == pytest.approx(0.2)
    assert lacking[LOSS].reasons == ValueReason.PARTLY | ValueReason.INDICATIVE
    before_it_was_there = balance_of_days({second: day}, {first: 0, second: 24})
    assert (before_it_was_there[LOSS].completeness, before_it_was_there[LOSS].reasons) == (1, ValueReason(0))


def shift(days: str, start: str, end: str) -> tuple[HistoryEntry[tuple[Window, ...]], ...]:
    window = Window.model_validate({"days": days, "start": start, "end": end})
    return (HistoryEntry[tuple[Window, ...]](value=(window,)),)


def water(amount: Floats) -> UseSeries:
    found = together([Portion.whole(used(amount))])
    assert found is not None
    return found


def test_night_water_counts_only_nights_without_a_shift() -> None:
    when = slots(quarters(3 * 96), ZONE)  # Monday to Wednesday
    amount = np.where(at_night(when), 0.5, 1.0)
    amount[96:192] = 1.0  # leaks on Tuesday
    mean = (8 * 0.5 + 88) / 96
    assert night_share(water(amount), when, (), Calendar()).value == pytest.approx((0.5 + 1 + 0.5) / (mean + 1 + mean))
    tuesday, monday = shift("tue", "22:00", "06:00"), shift("mon", "22:00", "06:00")
    assert night_share(water(amount), when, tuesday, Calendar()).value == pytest.approx(1.5 / (mean + 1))
    assert night_share(water(amount), when, monday, Calendar()).value == pytest.approx(0.5 / mean)
    assert (
        night_share(water(amount), when, shift("daily", "00:00", "24:00"), Calendar()).reasons == ValueReason.NO_NIGHT
    )
    assert night_share(water(amount * 0), when, (), Calendar()).reasons == ValueReason.ZERO_DENOMINATOR
    assert night_share(water(amount * np.nan), when, (), Calendar()).reasons == ValueReason.NO_DATA
    assert night_share(None, when, (), Calendar()).reasons == ValueReason.NO_METER


def test_nobody_works_on_the_night_of_a_holiday_that_shifts_leave_out() -> None:
    """Field case 48: shifts know holidays, too."""
    when = slots(quarters(2 * 96), ZONE)
    amount = np.where(at_night(when), 0.5, 1.0)
    daily = Window.model_validate({"days": "daily", "start": "00:00", "end": "08:00", "not_on": "holidays"})
    shifts = (HistoryEntry[tuple[Window, ...]](value=(daily,)),)
    tuesday = date(FIRST.year, FIRST.month, FIRST.day) + timedelta(days=1)
    holiday = {"from": tuesday, "name": {"en": "x", "vi": "x"}, "source": "test"}
    assert night_share(water(amount), when, shifts, Calendar()).reasons == ValueReason.NO_NIGHT
    found = night_share(water(amount), when, shifts, Calendar.model_validate({"holidays": [holiday]}))
    assert found.value == pytest.approx(0.5 / ((8 * 0.5 + 88) / 96))


def test_shifts_are_those_of_the_day() -> None:
    when = slots(quarters(2 * 96), ZONE)
    amount = np.where(at_night(when), 0.5, 1.0)
    nights = shift("daily", "22:00", "06:00")[0].value
    until = date(FIRST.year, FIRST.month, FIRST.day) + timedelta(days=1)
    dated = (HistoryEntry[tuple[Window, ...]](until=until, value=nights),)
    assert night_share(water(amount), when, dated, Calendar()).completeness == 1
    assert night_share(water(amount), when, dated, Calendar()).value == pytest.approx(0.5 / ((8 * 0.5 + 88) / 96))
