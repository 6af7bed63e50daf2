"""Every page in a real browser, in both languages and themes, over an hour, a day, a month and a year.

Nothing that has data is empty, fails, is cut off or lies over something else, and the console stays silent.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.async_api import Browser

from dashboards.filling import as_sent, stands_aside
from dashboards.generate import OPERATOR, OWN
from dashboards.panels import Page, Panel, PanelKind
from dashboards.setting import Setting
from metering.park import Park
from proving.demo.browser import LOOK, Reader, Theme
from tests.dashboards.conftest import NOW
from tests.dashboards.test_pages_ask import TENANTS, choices, has_it, pages
from tests.dashboards.viewer.conftest import OWNER

pytestmark = pytest.mark.asyncio(loop_scope="session")

RANGES = {
    "now-1h": timedelta(hours=1),
    "now-24h": timedelta(days=1),
    "now-30d": timedelta(days=30),
    "now-13M": timedelta(days=395),
}
CHOSEN = {"park": "song-xanh", "tenant": OWNER.tenant, "meter": "em-textile"}
LANGUAGES: dict[str, Theme] = {"en": "light", "vi": "dark"}
"""And the theme in which a window opens; the other one is chosen on the page."""


PAGES = tuple(made.__module__.rpartition(".")[2] for made in OPERATOR)


def due(page: Page, panel: Panel, length: timedelta, park: Park) -> bool:
    """Whether a panel must show something over a range that ends now."""
    if panel.event_free or panel.kind is PanelKind.ALERTS:
        return False
    tenants = TENANTS["all"] if _for_all(page) else TENANTS["one"]
    chosen = choices(page, tenants, park)
    for target in panel.targets:
        statement = as_sent(target.query, panel, chosen, NOW - length, NOW, park.zone)
        if (
            not stands_aside(statement)
            and (panel.window or length >= panel.least)
            and has_it(target.query, tenants, park)
        ):
            return True
    return False


def _for_all(page: Page) -> bool:
    return any(variable.name == "tenant" and variable.many for variable in page.variables)


async def wrong_on(browser: Browser, address: str, page: Page, language: str, park: Park) -> list[str]:
    """All faults that a reader would see, over all ranges and in both themes."""
    reader = await Reader.of(browser, address, LANGUAGES[language], NOW)
    uid = f"ecopark-{page.name}" + ("" if language == "en" else f"-{language}")
    named = {variable.name for variable in page.variables} & CHOSEN.keys()
    named -= {"tenant"} if _for_all(page) else set()
    chosen = "".join(f"&var-{name}={CHOSEN[name]}" for name in sorted(named))
    wrong = []
    for start, length in RANGES.items():
        await reader.open(f"/d/{uid}?from={start}&to=now{chosen}")
        for theme in ("first", "other"):
            if theme == "other":
                await reader.other_theme()
            shown = await reader.panels()
            place = f"{uid}, {start}, {theme} theme"
            assert set(shown) == {panel.id for panel in page.panels}, place
            empty = [panel.id for panel in page.panels if not shown[panel.id] and due(page, panel, length, park)]
            wrong += [f"{place}: panel {number} is empty" for number in empty]
            wrong += [f"{place}: {fault}" for fault in await reader.faults()]
    assert await reader.page.evaluate("document.documentElement.lang") == language
    await reader.page.context.close()
    return wrong


async def wrong_in_both_languages(browser: Browser, address: str, page: Page, park: Park) -> list[str]:
    found = await asyncio.gather(*(wrong_on(browser, address, page, language, park) for language in LANGUAGES))
    return [fault for faults in found for fault in faults]


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_shows_everything_and_whole(
    browser: Browser, viewer: str, setting: Setting, park: Park, name: str
) -> None:
    page = next(page for page in pages(setting) if page.name == name)
    assert await wrong_in_both_languages(browser, viewer, page, park) == []


@pytest.mark.parametrize("made", OWN)
async def test_a_tenants_own_page_does(
    browser: Browser, own_viewer: str, setting: Setting, park: Park, made: Callable[[Setting], Page]
) -> None:
    assert await wrong_in_both_languages(browser, own_viewer, made(setting), park) == []


SPOILED = {
    'cuts off "Water today"': "title.style.cssText = 'display: block; overflow: hidden; width: 20px'",
    'writes "Water today" over "Water today"': "title.after(title.cloneNode(true)); title.style.position = 'absolute'",
    "overlaps panel": "panel.parentElement.style.left = '0px'",
    "the page is": "panel.parentElement.style.left = '3000px'",
}
"""What is done to the panel with this title, and the fault that must be found."""


@pytest.mark.parametrize("fault", SPOILED)
async def test_what_was_spoiled_is_detected(browser: Browser, viewer: str, fault: str) -> None:
    reader = await Reader.of(browser, viewer, "light", NOW)
    await reader.open("/d/ecopark-overview")
    assert await reader.faults() == []
    # at once, before the page draws itself again
    found = await reader.page.evaluate(
        """([spoil, look]) => {
          const title = [...document.querySelectorAll('h2')].find((e) => e.textContent === 'Water today');
          const panel = title.closest('[data-panel]');
          eval(spoil);
          return eval(look)();
        }""",
        [SPOILED[fault], LOOK],
    )
    assert [each for each in found if fault in each]
    await reader.page.context.close()
