"""What the park file says of a counter, ready for arrays."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from efficiency.usage.counters import counter_of
from efficiency.usage.intervals import HOUR_MS
from efficiency.usage.resolution import seen_step
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


def test_a_dated_ratio_is_one_device_that_counts_on() -> None:
    entries = [
        {"from": f"2026-{month}-01T00:00:00+07:00", "value": value, "source": "test"}
        for month, value in (("01", 10.0), ("03", 20.0))
    ]
    first, second = counter_of(meter(multiplier=entries), "energy_kwh", ZONE).instruments
    assert (first.since, first.factor) == (midnight_ms(date(2026, 1, 1), ZONE), 10.0)
    assert (second.since, second.factor) == (midnight_ms(date(2026, 3, 1), ZONE), 20.0)
    assert first.until == second.since
    assert second.continues
    assert not first.continues


def test_registers_are_computed_in_the_unit_of_the_point() -> None:
    def step(value: float, **register: object) -> float:
        counter = counter_of(meter(registers={"energy_kwh": register}, multiplier=10.0), "energy_kwh", ZONE)
        return float(counter.step(np.array([value]), np.zeros(1, dtype=np.int64))[0])

    assert step(5e6, resolution=0.001) == pytest.approx(0.01)
    assert step(5e6) == pytest.approx(10.0)
    assert step(2e7, floating="float32") == pytest.approx(2e7 * 2**-23)
    counter = counter_of(meter(registers={"energy_kwh": {"rollover": 1000.0}}, multiplier=10.0), "energy_kwh", ZONE)
    assert counter.most_per_ms * HOUR_MS == pytest.approx(120.0)
    assert list(counter.rollover) == [10_000.0]


@pytest.mark.parametrize(
    ("shown", "step"), [(48211.0, 1.0), (48211.3, 0.1), (48211.25, 0.01), (0.125, 0.001), (1 / 3, 0.0), (-2.5, 0.1)]
)
def test_how_finely_a_meter_counts_is_seen_by_its_decimals(shown: float, step: float) -> None:
    assert seen_step(np.array([shown]))[0] == pytest.approx(step)


def test_an_exchange_gives_the_registers_that_were_written_down() -> None:
    instruments = [
        {"closing": {"energy_kwh": 100.0}},
        {"from": "2026-03-01T10:00:00+07:00", "opening": {"energy_kwh": 3.0}, "sign": -1},
    ]
    for name, registers in (("energy_kwh", (100.0, 3.0)), ("reactive_kvarh", (np.nan, np.nan))):
        old, new = counter_of(meter(instruments=instruments), name, ZONE).instruments
        assert old.until == new.since == midnight_ms(date(2026, 3, 1), ZONE) + 10 * HOUR_MS
        assert (old.closing, new.opening) == pytest.approx(registers, nan_ok=True)
        assert (old.factor, new.factor) == (1.0, -1.0)


def test_a_register_may_fall_only_where_export_has_no_register_of_its_own() -> None:
    def signed(name: str, **changed: object) -> bool:
        return counter_of(meter(**changed), name, ZONE).signed

    assert signed("energy_kwh", export=True)
    assert not signed("reactive_kvarh", export=True)
    assert not signed("energy_kwh", export=True, registers={"energy_kwh": {}, "energy_export_kwh": {}})
    assert not signed("energy_kwh")
    assert signed("energy_kwh", registers={"energy_kwh": {"signed": True}})
