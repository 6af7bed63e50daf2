"""The viewer in a real browser: what a reader does with it."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from proving.demo.browser import WAIT_MS, Reader
from tests.dashboards.conftest import NOW

pytestmark = pytest.mark.asyncio(loop_scope="session")
expect.set_options(timeout=WAIT_MS)


@pytest_asyncio.fixture(loop_scope="session")
async def reader(browser: Browser, viewer: str) -> AsyncIterator[Reader]:
    opened = await Reader.of(browser, viewer, "light", NOW)
    yield opened
    assert opened.complaints == []
    await opened.page.context.close()


def place(reader: Reader) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(reader.page.url)
    return parts.path, parse_qs(parts.query, keep_blank_values=True)


async def test_from_overview_to_tenant_to_meter_time_and_choices_stay(reader: Reader) -> None:
    await reader.open("/d/ecopark-overview?from=now-7d&to=now")
    await reader.page.get_by_role("link", name="Thanh Giang Dyeing and Finishing").last.click()
    await reader.page.wait_for_url("**/d/ecopark-tenant?*")
    await reader.settled()
    path, asked_for = place(reader)
    assert asked_for["var-tenant"] == ["textile"]
    assert (asked_for["from"], asked_for["to"], asked_for["var-park"]) == (["now-7d"], ["now"], ["song-xanh"])
    await reader.page.get_by_role("link", name="Thanh Giang Dyeing, dyeing machines", exact=True).first.click()
    await reader.page.wait_for_url("**/d/ecopark-meter?*")
    await reader.settled()
    path, asked_for = place(reader)
    assert (path, asked_for["var-meter"], asked_for["from"]) == ("/d/ecopark-meter", ["em-textile-dyeing"], ["now-7d"])
    await reader.page.get_by_role("link", name="Tiếng Việt").click()
    await reader.page.wait_for_url("**/d/ecopark-meter-vi?*")
    await reader.settled()
    assert place(reader)[1] == asked_for | {"var-tenant": ["$__all"]}
    await expect(reader.page.locator("[data-drop=time]")).to_contain_text("7 ngày qua")
    await reader.page.go_back()
    await reader.page.go_back()
    await reader.page.wait_for_url("**/d/ecopark-tenant?*")
    await reader.settled()
    await expect(reader.page.locator("[data-drop=tenant]")).to_contain_text("Thanh Giang")


async def test_the_range_is_chosen_typed_and_dragged(reader: Reader) -> None:
    await reader.open("/d/ecopark-overview")
    await reader.page.locator("[data-drop=time]").click()
    await reader.page.get_by_role("option", name="Last 2 days").click()
    assert place(reader)[1]["from"] == ["now-2d"]
    await reader.page.locator("[data-drop=time]").click()
    await reader.page.locator("input[name=from]").fill("2026-11-20T06:00")
    await reader.page.locator("input[name=to]").fill("2026-11-21T06:00")
    await reader.page.locator("[data-apply]").click()
    await reader.settled()
    # six in the morning in the park is eleven in the evening of the day before in UTC
    assert place(reader)[1]["from"] == ["1795129200000"]
    await expect(reader.page.locator("[data-drop=time]")).to_contain_text(
        re.compile("2026-11-20 06:00 . 2026-11-21 06:00")
    )
    box = await reader.page.locator("[data-panel='3'] .u-over").bounding_box()
    assert box is not None
    await reader.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    await reader.page.mouse.down()
    await reader.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40, steps=5)
    await reader.page.mouse.up()
    await reader.page.wait_for_url(lambda url: "1795129200000" not in url)
    chosen = place(reader)[1]
    assert int(chosen["to"][0]) - int(chosen["from"][0]) == pytest.approx(6 * 3_600_000, rel=0.02)


async def test_choices_of_tenants_reach_every_panel(reader: Reader) -> None:
    answering = asyncio.Event()

    async def late(route: Route) -> None:
        await answering.wait()
        await route.continue_()

    await reader.open("/d/ecopark-overview")
    await reader.page.route("**/api/variable", late)
    await reader.page.locator("[data-drop=tenant]").click()
    # the second choice is made before the page has read its variables for the first one
    for name in ("Dai Loc Steel Parts", "Ben Trang Brewery"):
        await reader.page.get_by_role("option", name=name).click()
        await reader.page.get_by_role("option", name=name, selected=True).wait_for()
    answering.set()
    await reader.settled()
    assert place(reader)[1]["var-tenant"] == ["steel", "brewery"]
    await expect(reader.page.locator("[data-panel='3']")).not_to_contain_text("Thanh Giang")
    await expect(reader.page.locator("[data-panel='3']")).to_contain_text("Ben Trang Brewery")
    await expect(reader.page.locator("[data-panel='22'] [role=row]")).to_have_count(3)


async def test_a_legend_is_clicked_and_a_chart_tells_its_values(reader: Reader) -> None:
    await reader.open("/d/ecopark-overview")
    panel = reader.page.locator("[data-panel='3']")
    await panel.get_by_text("Ben Trang Brewery", exact=True).click()
    box = await panel.locator(".u-over").bounding_box()
    assert box is not None
    await reader.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
    tooltip = reader.page.locator("#grafana-portal-container [aria-live=polite]")
    await expect(tooltip).to_contain_text("Ben Trang Brewery")
    await expect(tooltip).to_contain_text("kW")
    await expect(tooltip).not_to_contain_text("Thanh Giang")
    await reader.page.mouse.move(0, 0)
    await panel.get_by_text("Ben Trang Brewery", exact=True).click()
    await reader.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
    await expect(tooltip).to_contain_text("Thanh Giang")


async def test_a_table_is_sorted_by_a_click_on_a_head(reader: Reader) -> None:
    await reader.open("/d/ecopark-overview")
    # sorted by ids, as in Grafana; the table shows names
    table = reader.page.locator("[data-panel='22']")
    first = table.locator("[role=row]").nth(1).locator("[role=gridcell]").first
    await table.get_by_role("columnheader", name="Tenant").click()
    await expect(first).to_contain_text("Ben Trang")
    await table.get_by_role("columnheader", name="Tenant").click()
    await expect(first).to_contain_text("Thanh Giang")


async def test_a_description_an_event_and_the_alerts_are_shown(reader: Reader) -> None:
    await reader.open("/d/ecopark-overview")
    await reader.page.locator("[data-panel='10'] [data-testid='icon-info-circle']").hover()
    await expect(reader.page.get_by_role("tooltip")).not_to_be_empty()
    await reader.page.locator("[data-panel='3'] [data-event]").first.hover()
    await expect(reader.page.get_by_text("reset of em-textile-dyeing")).to_be_visible()
    alert = reader.page.locator("[data-alerts] a").filter(has_text="Phu Khang Paper Packaging has discharged")
    await expect(alert).to_contain_text("157.2 %")
    await alert.click()
    await reader.page.wait_for_url("**/d/ecopark-water?*viewPanel=*")
    await expect(reader.page.locator("[data-panel]")).to_have_count(1)
    await reader.page.keyboard.press("Escape")
    await expect(reader.page.locator("[data-panel]").nth(3)).to_be_visible()


async def test_theme_refresh_and_full_screen(reader: Reader) -> None:
    await reader.open("/d/ecopark-pipeline")
    background = "getComputedStyle(document.querySelector('main')).backgroundColor"
    light = await reader.page.evaluate(background)
    await reader.page.locator("[data-mode]").click()
    assert await reader.page.evaluate(background) != light
    await reader.page.reload()
    await reader.settled()
    assert await reader.page.evaluate(background) != light
    async with reader.page.expect_request("**/api/panel"):
        await reader.page.locator("[data-refresh]").click()
    await reader.settled()
    await reader.page.locator("[data-drop=refresh]").click()
    await reader.page.get_by_role("option", name="30s").click()
    assert place(reader)[1]["refresh"] == ["30s"]
    await reader.page.locator("[data-kiosk]").click()
    await expect(reader.page.locator("[data-head]")).to_have_count(0)
    await reader.page.keyboard.press("Escape")
    await expect(reader.page.locator("[data-head]")).to_be_visible()


async def test_a_narrow_window_shows_panels_one_below_the_other(reader: Reader) -> None:
    await reader.page.set_viewport_size({"width": 420, "height": 900})
    await reader.open("/d/ecopark-overview")
    assert [fault for fault in await reader.faults() if "overlaps" in fault or "the page is" in fault] == []


async def test_the_page_says_that_the_database_is_gone(browser: Browser, viewer: str) -> None:
    reader = await Reader.of(browser, viewer, "light", NOW)
    await reader.page.route(
        "**/api/panel", lambda route: route.fulfill(status=503, body='{"error": "InfluxDB is away"}')
    )
    await reader.open("/d/ecopark-pipeline")
    assert any("InfluxDB is away" in fault for fault in await reader.faults())
    await reader.page.context.close()


async def test_a_picture_holds_the_whole_page(reader: Reader, tmp_path: Path) -> None:
    await reader.open("/d/ecopark-pipeline")
    await reader.picture(tmp_path / "pipeline.png")
    header = (tmp_path / "pipeline.png").read_bytes()[16:24]
    height = await reader.page.evaluate("document.documentElement.scrollHeight")
    assert int.from_bytes(header[4:]) == height
