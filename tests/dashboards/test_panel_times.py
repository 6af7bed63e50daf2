"""The bench of panels: a large park that is one, data in which every page finds something, times of every question."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from metering.park import Park
from metering.parkfile import load_park
from proving.bench.panels import RANGES, report, time_panels
from proving.bench.parkyear import write_large_park, write_year
from proving.servers import Influxd
from store.client import Store
from store.schema import EFFICIENCY, OPERATOR_DATABASE, USAGE
from tests.dashboards.conftest import NOW

pytestmark = pytest.mark.asyncio(loop_scope="session")
DAYS = 3


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def written(park: Park, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Store, int, int]]:
    server = Influxd(tmp_path_factory.mktemp("influxd-times"))
    await server.start()
    try:
        async with Store(server.url) as store:
            yield store, server.process.pid, await write_year(store, park, NOW, DAYS)
    finally:
        server.process.stop()


async def test_the_large_park_has_firms_that_each_have_their_own_meters(tmp_path: Path) -> None:
    file = tmp_path / "park.yaml"
    write_large_park(file)
    large = load_park(file)
    assert len(large.tenants) == 80
    assert 1_850 < len(large.meters) < 2_000
    for meter in large.meters:
        above = large.meter.get(meter.belongs[-1].parent or "")
        assert above is None or above.belongs[-1].tenant in {meter.belongs[-1].tenant, None}, meter.id


async def test_every_meter_and_tenant_is_written(written: tuple[Store, int, int], park: Park) -> None:
    store, _, points = written
    rows = await store.query(f'SELECT count("amount") FROM "{USAGE}" GROUP BY "meter"', OPERATOR_DATABASE)
    assert {row["meter"] for row in rows} == set(park.meter)
    assert all(DAYS * 96 <= row["count"] <= (DAYS + 1) * 96 for row in rows)
    days = f'SELECT count("cost_vnd") FROM "{EFFICIENCY}" WHERE "period" = \'day\' GROUP BY "tenant"'
    assert {row["tenant"]: row["count"] for row in await store.query(days, OPERATOR_DATABASE)} == dict.fromkeys(
        park.tenant, DAYS + 1
    )
    assert points > sum(row["count"] for row in rows)


async def test_every_question_is_timed_in_each_range(written: tuple[Store, int, int], park: Park) -> None:
    store, pid, _ = written
    timed = await time_panels(store, park, NOW, pid)
    assert {one.range for one in timed} == set(RANGES)
    assert all(one.ms > 0 and one.cpu_ms >= 0 for one in timed)
    shown = report(timed)
    assert f"{len(timed):>8}" in next(line for line in shown.splitlines() if line.startswith("all, ms"))
    assert max(timed, key=lambda one: one.ms).panel in shown
