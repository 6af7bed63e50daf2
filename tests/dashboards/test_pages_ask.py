"""Every panel, variable and annotation asks a real influxd, filled in as Grafana does, over four ranges of time."""

import json
import re
from datetime import timedelta
from itertools import product

import pytest

from dashboards.filling import EVERYTHING, Choice, as_sent, filled, stands_aside, with_macros
from dashboards.generate import OPERATOR, OWN, contents
from dashboards.panels import Page, Panel, PanelKind
from dashboards.setting import Setting
from metering.park import Park
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.dashboards.conftest import NOW

pytestmark = pytest.mark.asyncio(loop_scope="session")

RANGES = {
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "30d": timedelta(days=31),
    "13M": timedelta(days=395),
}
TENANTS: dict[str, tuple[str, ...]] = {
    "one": ("textile",),
    "several": ("textile", "electronics"),
    "all": (EVERYTHING,),
}


def pages(setting: Setting) -> list[Page]:
    return [make(setting) for make in (*OPERATOR, *OWN)]


def choices(page: Page, tenants: tuple[str, ...], park: Park) -> list[Choice]:
    found = []
    for variable in page.variables:
        match variable.name:
            case "park":
                found.append(Choice("park", park.id))
            case "tenant" if variable.many:
                found.append(Choice("tenant", tenants, ".*"))
            case "tenant":
                found.append(Choice("tenant", "textile"))
            case "meter":
                found.append(Choice("meter", "em-textile"))
            case "period":
                found.append(Choice("period", "month"))
    return found


@pytest.mark.parametrize("tenants", TENANTS)
@pytest.mark.parametrize("length", RANGES)
async def test_every_panel_has_an_answer_with_its_columns(
    filled_store: Store, setting: Setting, park: Park, tenants: str, length: str
) -> None:
    empty, wrong = [], []
    for page in pages(setting):
        chosen = choices(page, TENANTS[tenants], park)
        several = not any(variable.name == "tenant" and not variable.many for variable in page.variables)
        shown = TENANTS[tenants if several else "one"]
        for panel in page.panels:
            for target in panel.targets:
                statement = as_sent(target.query, panel, chosen, NOW - RANGES[length], NOW, park.zone)
                rows = await filled_store.query(statement, OPERATOR_DATABASE)
                place = f"{page.name}/{panel.id} {panel.title.en} ({target.ref})"
                due = not stands_aside(statement) and (bool(panel.window) or RANGES[length] >= panel.least)
                if not rows and not panel.event_free and due and has_it(target.query, shown, park):
                    empty.append(place)
                if rows and panel.kind is PanelKind.TABLE:
                    missing = expected_columns(panel) - set(rows[0])
                    if missing:
                        wrong.append(f"{place}: {sorted(missing)}")
    assert not wrong
    assert not empty


FIELD_OF = {
    "co2e_scope1_kg": "natural_gas",
    "gas_nm3": "natural_gas",
    "steam_t": "steam",
    "chilled_kwh": "chilled_water",
    "compressed_air_nm3": "compressed_air",
}


def has_it(query: str, tenants: tuple[str, ...], park: Park) -> bool:
    """Whether any chosen tenant has a meter, the contract or the entered fuel that the query is about."""
    named = re.findall(r"\"utility\" = '(\w+)'", query) + [
        utility for field, utility in FIELD_OF.items() if field in query
    ]
    if "co2e_scope2_market_kg" in query:
        return any(tenant.contract.co2e_kg_per_kwh for tenant in park.tenants if tenant.id in tenants)
    if "_entered" in query:
        return any(each.tenant in tenants for each in park.entered)
    if not named or "tenant" not in query:
        return True
    chosen = [meter for meter in park.meters if tenants == (EVERYTHING,) or meter.belongs[-1].tenant in tenants]
    return any(meter.utility == named[0] for meter in chosen)


def expected_columns(panel: Panel) -> set[str]:
    names = {column.name.replace("{language}", "vi") for column in panel.columns}
    return names - {"Time"}


async def test_every_variable_has_values(filled_store: Store, setting: Setting, park: Park) -> None:
    for page in pages(setting):
        chosen = choices(page, TENANTS["several"], park)
        for variable in page.variables:
            if variable.query is not None:
                rows = await filled_store.query(filled(variable.query, chosen), OPERATOR_DATABASE)
                assert {row["value"] for row in rows}, (page.name, variable.name)


async def test_meters_of_a_tenant_are_offered_when_it_is_chosen(
    filled_store: Store, setting: Setting, park: Park
) -> None:
    page = next(page for page in pages(setting) if page.name == "meter")
    query = next(variable.query for variable in page.variables if variable.name == "meter") or ""
    rows = await filled_store.query(filled(query, choices(page, ("pharma",), park)), OPERATOR_DATABASE)
    assert {row["value"] for row in rows} == {meter.id for meter in park.meters if meter.belongs[-1].tenant == "pharma"}


async def test_every_annotation_has_text_and_tags_in_both_languages(
    filled_store: Store, setting: Setting, park: Park
) -> None:
    for name, content in contents(setting).items():
        if not name.endswith(".json"):
            continue
        for annotation in json.loads(content)["annotations"]["list"]:
            target = annotation["target"]
            chosen = [Choice("park", park.id), Choice("tenant", "textile"), Choice("meter", "em-textile")]
            statement = with_macros(filled(target["query"], chosen), NOW - timedelta(days=30), NOW, 60)
            rows = await filled_store.query(statement, OPERATOR_DATABASE)
            assert rows, name
            assert {target["textColumn"], *target["tagsColumn"].split(",")} <= set(rows[0]), name


async def test_a_calibrating_instrument_is_not_drawn(filled_store: Store, setting: Setting, park: Park) -> None:
    page = next(page for page in pages(setting) if page.name == "water")
    panel = next(panel for panel in page.panels if panel.id == 21)
    start, end = NOW - timedelta(days=1), NOW
    statement = with_macros(filled(panel.targets[0].query, choices(page, (EVERYTHING,), park)), start, end, 300)
    drawn = {row["time"] // 10**9 for row in await filled_store.query(statement, OPERATOR_DATABASE)}
    first = NOW - timedelta(minutes=5 * 248)
    calibrating, again = (
        {int((first + timedelta(minutes=5 * step)).timestamp()) // 300 * 300 for step in steps}
        for steps in (range(6), range(7, 12))
    )
    assert not drawn & calibrating
    assert drawn > again


async def test_a_page_of_one_tenant_shows_no_other(filled_store: Store, setting: Setting, park: Park) -> None:
    for page in pages(setting):
        if page.name not in {"overview", "electricity", "water", "heat", "ranking"}:
            continue
        chosen = choices(page, TENANTS["one"], park)
        for panel in page.panels:
            for target, length in product(panel.targets, RANGES):
                statement = as_sent(target.query, panel, chosen, NOW - RANGES[length], NOW, park.zone)
                rows = await filled_store.query(statement, OPERATOR_DATABASE)
                assert {row["tenant"] for row in rows if row.get("tenant")} <= {"textile"}, (page.name, panel.id)


async def test_power_is_the_same_however_long_the_interval(filled_store: Store, setting: Setting, park: Park) -> None:
    page = next(page for page in pages(setting) if page.name == "electricity")
    target = next(panel for panel in page.panels if panel.id == 3).targets[0]
    query = filled(target.query, choices(page, ("textile",), park))
    end = NOW.replace(minute=30)
    means = []
    for every in (900, 1200, 1800):
        statement = with_macros(query, end - timedelta(hours=20), end - timedelta(seconds=1), every)
        rows = [row for row in await filled_store.query(statement, OPERATOR_DATABASE) if row["sum"] is not None]
        means.append(sum(row["sum"] for row in rows) / len(rows))
    assert means == pytest.approx([means[0]] * 3, rel=0.03)
