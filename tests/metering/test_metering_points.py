"""A metering point has a history: its owners and its instruments."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from metering.dated import value_on
from metering.instants import EVER, QUARTER_MS, Span, midnight_ms, milliseconds
from metering.park import Park

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NAME = {"en": "x", "vi": "x"}


def ms(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))


def park(*meters: Mapping[str, object], **more: object) -> Park:
    tenants = [{"id": name, "name": NAME, "sector": NAME} for name in ("old", "new")]
    common = {"name": NAME, "gateway": "g", "utility": "electricity", "interval_s": 60, "rated": 100.0}
    return Park.model_validate(
        {
            "park": {"id": "p", "name": NAME, "timezone": str(ZONE)},
            "tenants": tenants,
            "gateways": [{"id": "g", "name": NAME}],
            "meter_models": {
                "m100": {"registers": {"energy_kwh": {"rollover": 100_000.0}, "power_kw": {}}},
                "m1000": {"registers": {"energy_kwh": {"rollover": 1_000_000.0}, "power_kw": {}}},
            },
            "meters": [{"model": "m100", **common, **meter} for meter in meters],
            **more,
        }
    )


def test_the_short_forms_hold_from_the_beginning() -> None:
    found = park(
        {"id": "grid"}, {"id": "m", "tenant": "old", "parent": "grid", "multiplier": 40.0, "accuracy_pct": 0.5}
    )
    (belonging,), (instrument,) = found.meter["m"].belongs, found.meter["m"].instruments
    assert (belonging.span, belonging.tenant, belonging.parent) == (EVER, "old", "grid")
    assert (instrument.span, instrument.model, instrument.accuracy_pct) == (EVER, "m100", 0.5)
    assert (instrument.factor("energy_kwh"), instrument.factor("power_kw")) == (40.0, 1.0)
    assert instrument.registers["energy_kwh"].rollover == 100_000.0


def test_a_tenant_moves_out_at_a_quarter_hour() -> None:
    move = "2026-11-16T09:15:00+07:00"
    found = park({"id": "m", "belongs": [{"tenant": "old"}, {"from": move, "tenant": "new"}]})
    meter, at = found.meter["m"], ms(move)
    before, after = meter.belonging_at(at - 1), meter.belonging_at(at)
    assert before is not None
    assert after is not None
    assert (before.tenant, after.tenant) == ("old", "new")
    day = Span(at - 4 * QUARTER_MS, at + 4 * QUARTER_MS)
    assert [(part.tenant, part.span) for part in meter.belongings_in(day)] == [
        ("old", Span(day.start, at)),
        ("new", Span(at, day.end)),
    ]
    (tenure,) = found.points_of_tenant("new", day)
    assert (tenure.meter.id, tenure.belonging.span) == ("m", Span(at, day.end))
    assert found.points_of_tenant("new", Span(day.start, at)) == ()


def test_which_meters_are_below_a_meter_depends_on_the_time() -> None:
    belongs = [{"parent": "one"}, {"from": "2026-06-01", "parent": "two"}]
    found = park({"id": "one"}, {"id": "two"}, {"id": "m", "belongs": belongs})
    edge = midnight_ms(date(2026, 6, 1), ZONE)
    (below,) = found.children("one")
    assert below.belonging.span.end == edge
    assert found.children("two", Span(edge - 1, edge)) == ()
    assert [tenure.meter.id for tenure in found.children("two", Span(edge, edge + 1))] == ["m"]
    assert found.parents == {"one", "two"}


def test_an_exchange_changes_model_ratio_and_registers_at_its_instant() -> None:
    """Field case 37: the closing register of the first is known, that of the second is not."""
    at = "2026-11-10T09:12:00+07:00"
    instruments = [
        {"multiplier": 40, "serial": "ĐH-03", "closing": {"energy_kwh": 512.3}},
        {"from": at, "model": "m1000", "multiplier": 60, "opening": {"energy_kwh": 88_120.0}},
        {"from": "2026-11-20"},
    ]
    meter = park({"id": "m", "instruments": instruments}).meter["m"]
    old, new, newest = meter.instruments
    assert old.until_ms == new.since_ms == ms(at)
    assert [one.registers["energy_kwh"].rollover for one in (old, new, newest)] == [100_000.0, 1_000_000.0, 100_000.0]
    assert [one.factor("energy_kwh") for one in (old, new, newest)] == [40.0, 60.0, 1.0]
    assert (old.closing, new.opening, new.closing) == ({"energy_kwh": 512.3}, {"energy_kwh": 88_120.0}, {})
    assert meter.instrument_at(ms(at) - 1) == old
    assert not any(one.continues for one in meter.instruments)


def test_a_dated_multiplier_is_the_same_device_counting_on() -> None:
    """Field case 38: the transformers were replaced at 10:37."""
    at = "2026-11-20T10:37:00+07:00"
    ratios = [{"value": 40, "source": "100/5 A"}, {"from": at, "value": 60}]
    meter = park({"id": "m", "multiplier": ratios}).meter["m"]
    first, second = meter.instruments
    assert (first.multiplier, second.multiplier, second.since_ms) == (40.0, 60.0, ms(at))
    assert (first.continues, second.continues) == (False, True)
    assert first.source == "100/5 A"


def test_a_multiplier_may_be_for_gauges_too() -> None:
    """Field case 39: everything is shown in secondary values."""
    meter = park({"id": "m", "multiplier": 400, "multiplier_for": ["energy_kwh", "power_kw"], "sign": -1}).meter["m"]
    assert meter.instruments[0].factor("power_kw") * 0.53 == pytest.approx(-212)


def test_a_point_lives_as_long_as_its_owners() -> None:
    belongs = [{"from": "2026-01-01", "until": "2026-07-01", "tenant": "old"}]
    meter = park({"id": "m", "belongs": belongs}).meter["m"]
    begin, end = midnight_ms(date(2026, 1, 1), ZONE), midnight_ms(date(2026, 7, 1), ZONE)
    assert (meter.since_ms, meter.until_ms) == (begin, end)
    assert [one.span for one in meter.instruments] == [Span(begin, end)]
    assert meter.belonging_at(begin - 1) is meter.belonging_at(end) is None


def test_a_meter_may_be_read_once_a_month() -> None:
    """Field case 45: battery meters send once an hour, every six hours or once a day; some are read by hand."""
    for interval_s in (3600, 21_600, 86_400, 31 * 86_400):
        assert park({"id": "m", "interval_s": interval_s}).meter["m"].interval_s == interval_s


@pytest.mark.parametrize("alias", ["10203040", "00aa00bb00cc0001", "ĐH-03", "hall 3 intake", "em.line.4", "EM-A"])
def test_a_device_may_call_itself_anything_that_can_be_printed(alias: str) -> None:
    """Field case 47."""
    assert park({"id": "m", "alias": alias}).meter["m"].alias == alias


def test_a_tenants_size_and_shifts_may_change() -> None:
    areas = [{"value": 100.0}, {"from": "2026-06-01", "value": 150.0}]
    shifts = [{"days": "daily", "start": "06:00", "end": "14:00"}]
    tenant = {"id": "t", "name": NAME, "sector": NAME, "floor_area_m2": areas, "employees": 50, "shifts": shifts}
    tenant |= {"thresholds": [{"from": "2026-06-01", "value": {"power_factor": 0.95}}], "from": "2026-01-01"}
    found = park({"id": "m"}, tenants=[tenant]).tenant["t"]
    assert [value_on(found.floor_area_m2, date(2026, month, 1)) for month in (5, 6)] == [100.0, 150.0]
    assert value_on(found.employees, date(1990, 1, 1)) == 50
    assert found.shifts[0].value[0].end == 14 * 60
    assert [value_on(found.thresholds, date(2026, month, 1)) is None for month in (5, 6)] == [True, False]
    assert found.span(ZONE).start == midnight_ms(date(2026, 1, 1), ZONE)
