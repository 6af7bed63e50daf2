"""A park whose months are closed, for the commands that show them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proving.servers import Influxd
from store.client import Store
from tests.efficiency.closing.monthpark import NOVEMBER, START, computed, month_park, write_readings

Run = Callable[..., Any]
WATER = "value: 14500.0"


@pytest.fixture
async def call(store: Store, influx: Influxd, run: Run, tmp_path: Path) -> Run:
    """The command on a park that closed September, then corrected the price of water, and closed October."""
    park = month_park(tmp_path)
    await write_readings(store, park, START, NOVEMBER)
    await computed(store, park, NOVEMBER)

    def called(*arguments: str) -> Any:
        return run(*arguments, ECOPARK_PARK=str(tmp_path), ECOPARK_INFLUX_URL=influx.url)

    assert called("close", "2026-09").returncode == 0
    await computed(store, month_park(tmp_path, {WATER: "value: 15000.0"}), NOVEMBER)
    assert called("close", "2026-10").returncode == 0
    return called
