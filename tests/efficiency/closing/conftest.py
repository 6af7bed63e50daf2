"""A park of two tenants whose months are closed."""

from pathlib import Path

import pytest

from store.client import Store
from tests.efficiency.closing.monthpark import NOW, START, Desk, computed, month_park, write_readings


@pytest.fixture
async def desk(store: Store, tmp_path: Path) -> Desk:
    park = month_park(tmp_path)
    await write_readings(store, park, START, NOW)
    await computed(store, park, NOW)
    return Desk(store, tmp_path, park)
