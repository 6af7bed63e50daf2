from datetime import UTC, datetime
from pathlib import Path

import pytest

from metering.park import Park
from metering.parkfile import load_park
from proving.plant.plant import Plant


@pytest.fixture(scope="session")
def song_xanh_file() -> Path:
    return Path(__file__).parents[3] / "examples" / "song-xanh" / "park.yaml"


@pytest.fixture(scope="session")
def song_xanh(song_xanh_file: Path) -> Park:
    return load_park(song_xanh_file)


@pytest.fixture(scope="session")
def start() -> datetime:
    return datetime(2026, 10, 24, 14, 21, 7, tzinfo=UTC)


@pytest.fixture(scope="session")
def plant(song_xanh: Park, start: datetime) -> Plant:
    return Plant(song_xanh, seed=7, start=start)
