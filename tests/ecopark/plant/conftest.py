from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecopark.plant.plant import Plant
from metering.park import Park
from metering.parkfile import load_park

PARK_FILE = Path(__file__).parents[3] / "examples" / "song-xanh" / "park.yaml"
START = datetime(2026, 10, 24, 14, 21, 7, tzinfo=UTC)


@pytest.fixture(scope="session")
def song_xanh() -> Park:
    return load_park(PARK_FILE)


@pytest.fixture(scope="session")
def plant(song_xanh: Park) -> Plant:
    return Plant(song_xanh, seed=7, start=START)
