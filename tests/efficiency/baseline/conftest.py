"""The small park of the tests of baselines."""

from pathlib import Path

import pytest

from metering.park import Park
from tests.efficiency.smallpark import small_park


@pytest.fixture
def park(tmp_path: Path) -> Park:
    return small_park(tmp_path)[1]
