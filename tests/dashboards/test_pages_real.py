"""Every panel over what the services really write: empty only where it may be."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from dashboards.alerts.evaluate import Labels
from dashboards.alerts.files import all_rules
from dashboards.filling import EVERYTHING, Choice, as_sent, filled, stands_aside, with_macros
from dashboards.influxql import InfluxQL
from dashboards.queries import PageScope, rates, totals
from dashboards.setting import Setting
from metering.park import Park
from metering.quantities import UTILITIES, Utility
from proving.servers import Influxd
from store.client import Store
from store.schema import EVENTS, OPERATOR_DATABASE, PIPELINE, REFUSED_COUNT, tenant_database
from tests.dashboards.alerting import fired
from tests.dashboards.conftest import DAY, NOW
from tests.dashboards.realpast import ABOVE, write_past
from tests.dashboards.test_pages_ask import RANGES, TENANTS, choices, has_it, pages

pytestmark = pytest.mark.asyncio(loop_scope="session")

WRITTEN_WHILE_RUNNING = (PIPELINE, REFUSED_COUNT, EVENTS)
"""A running ingester and a watching service write these; the synthetic past has them."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def real(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Store, Park]]:
    folder = tmp_path_factory.mktemp("real")
    server = Influxd(folder / "influxd")
    await server.start()
    try:
        async with Store(server.url) as store:
            yield store, await write_past(store, folder, NOW)
    finally:
        server.process.stop()


def may_be_empty(target: InfluxQL, tenants: tuple[str, ...], park: Park) -> bool:
    """Whether eight quiet days of these tenants have no answer."""
    query = target.query
    return any(f'FROM "{name}"' in query for name in WRITTEN_WHILE_RUNNING) or not has_it(query, tenants, park)


@pytest.mark.parametrize("tenants", TENANTS)
@pytest.mark.parametrize("length", ["24h", "30d", "13M"])
async def test_no_panel_is_empty(real: tuple[Store, Park], tenants: str, length: str) -> None:
    store, park = real
    empty = []
    for page in pages(Setting((park,), DAY)):
        chosen = choices(page, TENANTS[tenants], park)
        single = page.name == "own" or any(v.name == "tenant" and not v.many for v in page.variables)
        database = tenant_database(park.id, "textile") if page.name == "own" else OPERATOR_DATABASE
        shown = TENANTS["one"] if single else TENANTS[tenants]
        for panel in page.panels:
            if panel.event_free:
                continue
            for target in panel.targets:
                statement = as_sent(target.query, panel, chosen, NOW - RANGES[length], NOW, park.zone)
                if not stands_aside(statement) and not may_be_empty(target, shown, park):
                    rows = await store.query(statement, database)
                    if not any(value is not None for row in rows for name, value in row.items() if name != "time"):
                        empty.append(f"{page.name}/{panel.id} {panel.title.en} ({target.ref})")
    assert empty == []


async def test_the_alert_of_baselines_fires_for_whom_it_should(real: tuple[Store, Park]) -> None:
    store, park = real
    states: dict[Labels, bool] = {}
    for rule in all_rules(Setting((park,), DAY)):
        if rule.kind == "above-baseline":
            states |= await fired(store, rule.provisioned(), NOW) or {}
    assert {dict(labels)["tenant"] for labels in states} == set(park.tenant)
    assert {dict(labels)["tenant"] for labels, on in states.items() if on} == {ABOVE}


async def test_every_variable_offers_what_the_services_wrote(real: tuple[Store, Park]) -> None:
    store, park = real
    offered = {}
    for page in pages(Setting((park,), DAY)):
        chosen = choices(page, TENANTS["all"], park)
        for variable in page.variables:
            if variable.query is not None:
                rows = await store.query(filled(variable.query, chosen), OPERATOR_DATABASE)
                offered[variable.name] = {row["value"] for row in rows if row["value"]}
    assert offered == {"park": {park.id}, "tenant": set(park.tenant), "meter": set(park.meter)}


async def test_over_a_long_range_the_days_of_tenants_add_up_to_their_quarter_hours(real: tuple[Store, Park]) -> None:
    store, park = real
    differences = {}
    midnight = datetime.combine(DAY, datetime.min.time(), park.zone)
    chosen = [Choice("park", park.id), Choice("tenant", (EVERYTHING,), ".*")]
    for utility in UTILITIES.keys() - {Utility.PRODUCTION}:
        found = []
        for target, every in zip(totals(PageScope(), utility, "used"), (900, 86_400), strict=True):
            statement = with_macros(
                filled(target.query, chosen), midnight - RANGES["30d"], midnight - timedelta(seconds=1), every
            )
            assert not stands_aside(statement)
            found += [
                row["sum" if "sum" in row else "total"] for row in await store.query(statement, OPERATOR_DATABASE)
            ]
        differences[utility] = found[1] / found[0] - 1
    assert differences == pytest.approx(dict.fromkeys(differences, 0.0), abs=1e-6)


@pytest.mark.parametrize("utility", [Utility.ELECTRICITY, Utility.WATER])
async def test_over_a_long_range_a_rate_is_the_mean_of_each_whole_day(
    real: tuple[Store, Park], utility: Utility
) -> None:
    store, park = real
    chosen = [Choice("park", park.id), Choice("tenant", ("textile",))]
    quarters, days = rates(PageScope(), utility, "tenant", zone=park.park.timezone)
    day = datetime.combine(DAY - timedelta(days=3), datetime.min.time(), park.zone)
    found: list[list[float]] = []
    for target, every in ((quarters, 900), (days, 86_400)):
        statement = with_macros(filled(target.query, chosen), day, day + timedelta(days=1, seconds=-1), every)
        rows = await store.query(statement, OPERATOR_DATABASE)
        found.append([row["sum"] for row in rows if row["sum"] is not None])
    assert len(found[1]) == 1
    assert sum(found[0]) / len(found[0]) == pytest.approx(found[1][0])
