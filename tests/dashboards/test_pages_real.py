"""Every panel over what the services really write: empty only where it may be."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from dashboards.alerts.files import all_rules
from dashboards.influxql import InfluxQL
from dashboards.setting import Setting
from ecopark.servers import Influxd
from metering.park import Park
from store.client import Store
from store.schema import EVENTS, OPERATOR_DATABASE, PIPELINE, REFUSED
from tests.dashboards.alerting import Labels, evaluate
from tests.dashboards.conftest import DAY, NOW
from tests.dashboards.grafana import filled, interval, span, with_macros
from tests.dashboards.realpast import ABOVE, write_past
from tests.dashboards.test_pages_ask import RANGES, TENANTS, as_grafana, choices, has_it, pages

pytestmark = pytest.mark.asyncio(loop_scope="session")

WRITTEN_WHILE_RUNNING = (PIPELINE, REFUSED, EVENTS)
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
@pytest.mark.parametrize("length", ["24h", "30d"])
async def test_no_panel_is_empty(real: tuple[Store, Park], tenants: str, length: str) -> None:
    store, park = real
    empty = []
    for page in pages(Setting((park,), DAY)):
        chosen = choices(page, TENANTS[tenants], park)
        single = any(variable.name == "tenant" and not variable.many for variable in page.variables)
        shown = TENANTS["one"] if single else TENANTS[tenants]
        for panel in page.panels:
            if panel.event_free:
                continue
            start, end = span(as_grafana(panel), NOW - RANGES[length], NOW, park.zone)
            for target in panel.targets:
                statement = with_macros(filled(target.query, chosen), start, end, interval(start, end, panel.step))
                if not may_be_empty(target, shown, park):
                    rows = await store.query(statement, OPERATOR_DATABASE)
                    if not any(value is not None for row in rows for name, value in row.items() if name != "time"):
                        empty.append(f"{page.name}/{panel.id} {panel.title.en} ({target.ref})")
    assert empty == []


async def test_the_alert_of_baselines_fires_for_whom_it_should(real: tuple[Store, Park]) -> None:
    store, park = real
    fired: dict[Labels, bool] = {}
    for rule in all_rules(Setting((park,), DAY)):
        if rule.kind == "above-baseline":
            fired |= await evaluate(store, rule.provisioned(), NOW) or {}
    assert {dict(labels)["tenant"] for labels in fired} == set(park.tenant)
    assert {dict(labels)["tenant"] for labels, on in fired.items() if on} == {ABOVE}


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
