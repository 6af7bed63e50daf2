"""What the park file says of a counter, ready for arrays."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from efficiency.usage.counters import Counter, counter_of
from efficiency.usage.intervals import HOUR_MS, Times
from metering.instants import midnight_ms
from metering.meters import Meter

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def meter(**changed: object) -> Meter:
    return Meter.model_validate(
        {
            "id": "m",
            "name": {"en": "m", "vi": "m"},
            "gateway": "g",
            "utility": "electricity",
            "interval_s": 60,
            "rated": 100.0,
            "registers": {"energy_kwh": {}, "reactive_kvarh": {}},
            **changed,
        }
    )


def instants(*moments: datetime) -> Times:
    return np.array([int(moment.timestamp() * 1000) for moment in moments], dtype=np.int64)


def test_multipliers_hold_from_local_midnight() -> None:
    entries = [
        {"from": f"2026-{month}-01T00:00:00+07:00", "value": value, "source": "test"}
        for month, value in (("01", 10.0), ("03", 20.0))
    ]
    counter = counter_of(meter(multiplier=entries), "energy_kwh")
    times = instants(
        datetime(2025, 12, 31, 16, 59, tzinfo=UTC),
        datetime(2025, 12, 31, 17, tzinfo=UTC),
        datetime(2026, 2, 28, 16, 59, tzinfo=UTC),
        datetime(2026, 2, 28, 17, tzinfo=UTC),
    )
    assert counter.factor(times) == pytest.approx([np.nan, 10, 10, 20], nan_ok=True)
    assert counter.factor(times[1:3]) == pytest.approx([10, 10])
    assert np.isnan(counter.factor(times[:1])).all()
    assert midnight_ms(date(2026, 3, 1), ZONE) == times[3]
    assert counter_of(meter(), "energy_kwh").factor(times) == pytest.approx([1] * 4)


def test_the_bound_is_in_register_units_and_leaves_room_for_the_resolution() -> None:
    def most(counter: Counter, value: float) -> float:
        return float(counter.most(np.array([10 * HOUR_MS]), np.array([HOUR_MS]), np.array([value]))[0])

    def served(**register: object) -> Meter:
        return meter(registers={"energy_kwh": register})

    assert most(counter_of(served(resolution=0.001), "energy_kwh"), 5e6) == pytest.approx(120.001)
    assert most(counter_of(meter(), "energy_kwh"), 5e6) == pytest.approx(121)
    coarse = most(counter_of(served(floating="float32"), "energy_kwh"), 2e7)
    assert coarse == pytest.approx(120 + 2.0, abs=0.5)  # a float32 steps by 2 kWh there
    assert most(counter_of(meter(multiplier=10.0), "energy_kwh"), 0) == pytest.approx(13)


def test_an_exchange_gives_the_registers_that_were_written_down() -> None:
    instruments = [
        {"closing": {"energy_kwh": 100.0}},
        {"from": "2026-03-01T10:00:00+07:00", "opening": {"energy_kwh": 3.0}},
    ]
    main, other = (
        counter_of(meter(instruments=instruments), name).swaps[0] for name in ("energy_kwh", "reactive_kvarh")
    )
    assert (main.at, main.closing, main.opening) == (midnight_ms(date(2026, 3, 1), ZONE) + 10 * HOUR_MS, 100.0, 3.0)
    assert main.at == other.at
    assert np.isnan([other.closing, other.opening]).all()


def test_a_register_may_fall_only_where_export_has_no_register_of_its_own() -> None:
    assert counter_of(meter(export=True), "energy_kwh").export
    assert not counter_of(meter(export=True), "reactive_kvarh").export
    both = meter(export=True, registers={"energy_kwh": {}, "energy_export_kwh": {}})
    assert not counter_of(both, "energy_kwh").export
    assert not counter_of(meter(), "energy_kwh").export
