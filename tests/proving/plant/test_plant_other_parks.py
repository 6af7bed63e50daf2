from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from metering.park import Park
from proving.plant.clock import DAY_MS
from proving.plant.events import Rollover
from proving.plant.history import history
from proving.plant.modbus import serving
from proving.plant.plant import Plant
from tests.proving.plant.ledger import PlantLedger

START = datetime(2026, 5, 31, 3, 0, tzinfo=UTC)


@pytest.fixture
def small() -> Park:
    """A park of two meters that publish by themselves; one has its transformers changed on 1 June."""
    meter = {"gateway": "g", "interval_s": 60, "name": {"en": "Meter", "vi": "Công tơ"}}
    registers: dict[str, dict[str, float]] = {"energy_kwh": {}, "power_kw": {}}
    changed = [
        {"from": "2026-01-01", "value": 40.0, "source": "test"},
        {"from": "2026-06-01", "value": 50.0, "source": "test"},
    ]
    return Park.model_validate(
        {
            "park": {"id": "small", "name": {"en": "Small", "vi": "Nhỏ"}, "timezone": "Asia/Ho_Chi_Minh"},
            "gateways": [{"id": "g", "name": {"en": "Gateway", "vi": "Thiết bị thu thập"}}],
            "meters": [
                {"id": "e", "utility": "electricity", "rated": 100.0, "registers": registers, **meter}
                | {"multiplier": changed},
                {"id": "w", "utility": "water", "rated": 10.0, "registers": {"flow_m3h": {}}, **meter},
            ],
        }
    )


def test_a_park_that_is_not_the_demo_s_has_loads_and_no_events(small: Park) -> None:
    plant = Plant(small, seed=1, start=START)
    assert plant.events == ()
    taken = [reading for batch in history(plant, "g", START, START + timedelta(hours=1)) for reading in batch]
    assert len(taken) == 2 * 60
    assert {name for reading in taken for name in reading["values"]} == {"energy_kwh", "power_kw", "flow_m3h"}


def test_the_register_counts_what_the_multiplier_of_the_day_leaves(small: Park) -> None:
    plant = Plant(small, seed=1, start=START)
    midnight = datetime(2026, 5, 31, 17, 0, tzinfo=UTC)  # 1 June in Viet Nam
    for begin, multiplier in ((midnight - timedelta(hours=6), 40.0), (midnight, 50.0)):
        ledger = PlantLedger(plant, begin, begin + timedelta(hours=6))
        edges = np.append(ledger.quarters, ledger.quarters[-1:] + 900_000)
        shown = plant.columns("e", edges)["energy_kwh"]
        assert np.abs(np.diff(shown) * multiplier - ledger.meter("e")).max() < 0.0011 * multiplier


def test_a_counter_without_a_highest_value_cannot_roll_over(small: Park) -> None:
    with pytest.raises(ValueError, match="e cannot roll over"):
        Plant(small, seed=1, start=START, events=[Rollover(meter="e", after=timedelta(hours=1))])


async def test_meters_that_are_not_on_modbus_are_not_served(small: Park) -> None:
    plant = Plant(small, seed=1, start=START)
    async with serving(plant, {"g": 0}, clock=lambda: plant.start_ms + DAY_MS) as ports:
        assert ports["g"] > 0
