"""The viewer's list of alerts: a condition counts once it has been true for as long as its rule asks."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from dashboards.setting import Setting
from dashboards.viewer.alerts import FRESH, Alerts
from proving.servers import Influxd
from store.client import Store
from store.schema import METER_STATUS, OPERATOR_DATABASE, PIPELINE
from tests.dashboards.alertcases import line
from tests.dashboards.conftest import NOW

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NEW_METER = {"park": "song-xanh", "tenant": "textile", "utility": "water", "meter": "wm-textile", "gateway": "gw-east"}
STALLED = "ingest-stalled"


@pytest_asyncio.fixture(loop_scope="session")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    server = Influxd(tmp_path_factory.mktemp("influxd-viewer"))
    await server.start()
    try:
        async with Store(server.url) as store:
            await store.create_database(OPERATOR_DATABASE)
            yield store
    finally:
        server.process.stop()


async def kinds(alerts: Alerts, setting: Setting, now: datetime) -> set[str]:
    return {alert.rule.kind for alert in await alerts.firing(setting, now)}


async def never_heard(store: Store, at: datetime) -> None:
    await store.write(
        [line(METER_STATUS, NEW_METER, {"heard": False, "seconds_since_last": 0.0}, at)], OPERATOR_DATABASE
    )


async def test_a_park_that_has_just_begun_has_no_alerts(store: Store, setting: Setting) -> None:
    await never_heard(store, NOW)
    assert await kinds(Alerts(store), setting, NOW) == set()


async def test_a_viewer_that_has_just_begun_shows_what_has_been_wrong_for_long(store: Store, setting: Setting) -> None:
    for at in (NOW - HOUR, NOW):
        await never_heard(store, at)
    assert await kinds(Alerts(store), setting, NOW) == {"never-heard"}


async def test_a_condition_fires_when_it_has_been_true_for_long_enough(store: Store, setting: Setting) -> None:
    alerts = Alerts(store)
    for minutes in range(0, 61, 5):
        await never_heard(store, NOW + minutes * MINUTE)
        fires = "never-heard" in await kinds(alerts, setting, NOW + minutes * MINUTE)
        assert fires == (minutes == 60), minutes


async def test_a_service_that_writes_nothing_is_reported_after_it_was_seen_to_for_long_enough(
    store: Store, setting: Setting
) -> None:
    alerts = Alerts(store)
    assert STALLED not in await kinds(alerts, setting, NOW)
    assert STALLED not in await kinds(alerts, setting, NOW + 5 * MINUTE - FRESH)
    assert STALLED in await kinds(alerts, setting, NOW + 5 * MINUTE)
    written = NOW + 5 * MINUTE + FRESH
    tags = {"service": "ingest", "instance": "ingest-1"}
    await store.write([line(PIPELINE, tags, {"waiting_s": 0.0}, written)], OPERATOR_DATABASE)
    assert STALLED not in await kinds(alerts, setting, written)
    assert STALLED not in await kinds(alerts, setting, written + 6 * MINUTE)
