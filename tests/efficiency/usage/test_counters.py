"""What the park file says of a counter, ready for arrays."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from efficiency.usage.counters import Counter, counter_of, midnight_ms
from efficiency.usage.intervals import HOUR_MS, Times
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
        {"from": "2026-01-01", "value": 10.0, "source": "test"},
        {"from": "2026-03-01", "until": "2026-05-01", "value": 20.0, "source": "test"},
    ]
    counter = counter_of(meter(multiplier=entries), "energy_kwh", ZONE)
    times = instants(
        datetime(2025, 12, 31, 16, 59, tzinfo=UTC),
        datetime(2025, 12, 31, 17, tzinfo=UTC),
        datetime(2026, 2, 28, 16, 59, tzinfo=UTC),
        datetime(2026, 2, 28, 17, tzinfo=UTC),
        datetime(2026, 4, 30, 17, tzinfo=UTC),
    )
    assert counter.factor(times) == pytest.approx([np.nan, 10, 10, 20, np.nan], nan_ok=True)
    assert counter.factor(times[1:3]) == pytest.approx([10, 10])
    assert np.isnan(counter.factor(times[:1])).all()
    assert midnight_ms(date(2026, 3, 1), ZONE) == times[3]
    assert counter_of(meter(), "energy_kwh", ZONE).factor(times) == pytest.approx([1] * 5)


def test_the_bound_is_in_register_units_and_leaves_room_for_the_resolution() -> None:
    def most(counter: Counter, value: float) -> float:
        return float(counter.most(np.array([10 * HOUR_MS]), np.array([HOUR_MS]), np.array([value]))[0])

    def served(**register: object) -> Meter:
        return meter(registers={"energy_kwh": {"address": 1, **register}})

    assert most(counter_of(served(type="int64", scale=0.001), "energy_kwh", ZONE), 5e6) == pytest.approx(120.001)
    assert most(counter_of(meter(), "energy_kwh", ZONE), 5e6) == pytest.approx(121)
    coarse = most(counter_of(served(type="float32"), "energy_kwh", ZONE), 2e7)
    assert coarse == pytest.approx(120 + 2.0, abs=0.5)  # a float32 steps by 2 kWh there
    ten = [{"from": "1970-01-01", "value": 10.0, "source": "test"}]
    assert most(counter_of(meter(multiplier=ten), "energy_kwh", ZONE), 0) == pytest.approx(13)


def test_a_swap_gives_registers_to_the_main_counter_only() -> None:
    swaps = [{"at": "2026-03-01T10:00:00+07:00", "closing": 100.0, "opening": 3.0}]
    main, other = (counter_of(meter(swaps=swaps), name, ZONE).swaps[0] for name in ("energy_kwh", "reactive_kvarh"))
    assert (main.at, main.closing, main.opening) == (midnight_ms(date(2026, 3, 1), ZONE) + 10 * HOUR_MS, 100.0, 3.0)
    assert main.at == other.at
    assert np.isnan([other.closing, other.opening]).all()


def test_a_register_may_fall_only_where_export_has_no_register_of_its_own() -> None:
    assert counter_of(meter(export=True), "energy_kwh", ZONE).export
    assert not counter_of(meter(export=True), "reactive_kvarh", ZONE).export
    both = meter(export=True, registers={"energy_kwh": {}, "energy_export_kwh": {}})
    assert not counter_of(both, "energy_kwh", ZONE).export
    assert not counter_of(meter(), "energy_kwh", ZONE).export
