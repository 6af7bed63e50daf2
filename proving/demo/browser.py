"""A real Chromium that opens the pages of a viewer as a reader does, and lists their faults."""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

from proving.processes import program

WIDTH = 1600
WAIT_MS = 60_000
"""How long a page, or anything on it, may take on a busy machine."""
_QUIET = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)

Theme = Literal["light", "dark"]

LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")
"""A function of JavaScript that returns what is wrong with a page."""


@dataclass
class Reader:
    """One window on a viewer. `complaints`: errors of scripts and the console, failed and foreign requests."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    @classmethod
    async def of(cls, browser: Browser, address: str, theme: Theme, now: datetime | None = None) -> Self:
        """Open a window; `now` stops its clock there."""
        context = await browser.new_context(
            viewport={"width": WIDTH, "height": 1000}, color_scheme=theme, locale="en-GB"
        )
        context.set_default_timeout(WAIT_MS)
        page = await context.new_page()
        if now is not None:
            await page.clock.set_fixed_time(now)
        reader = cls(page, address)
        page.on("pageerror", lambda error: reader.complaints.append(str(error)))
        page.on("console", reader._heard)
        page.on("request", reader._asked)
        page.on("requestfailed", reader._failed)
        return reader

    async def open(self, path: str) -> None:
        """Go to a page, and wait until every panel has its answer and is drawn."""
        await self.page.goto(self.address + path)
        await self.settled()

    async def settled(self) -> None:
        """Wait until every panel is drawn."""
        await self.page.locator("[data-done=true]").first.wait_for()
        await self.page.wait_for_selector("[data-done=false]", state="detached")
        await self.page.evaluate("() => document.fonts.ready.then(() => new Promise(requestAnimationFrame))")

    async def other_theme(self) -> None:
        """Turn light to dark or back, as a reader does."""
        await self.page.locator("[data-mode]").click()
        await self.settled()

    async def unrolled(self) -> None:
        """Make the window as high as the page."""
        height = await self.page.evaluate(
            "() => document.querySelector('[data-grid]').getBoundingClientRect().bottom + 16"
        )
        await self.page.set_viewport_size({"width": WIDTH, "height": int(height)})
        await self.settled()

    async def faults(self) -> list[str]:
        """What a reader would complain of: panels that fail or overlap, texts and legends that are cut off."""
        found: list[str] = await self.page.evaluate(LOOK)
        return found + self.complaints

    async def panels(self) -> dict[int, bool]:
        """Each panel by its id: whether it shows something."""
        found: dict[str, Any] = await self.page.evaluate(
            "() => Object.fromEntries([...document.querySelectorAll('[data-panel]')]"
            ".map((e) => [e.dataset.panel, e.dataset.empty !== 'true']))"
        )
        return {int(number): shows for number, shows in found.items()}

    async def picture(self, file: Path) -> None:
        """Draw the whole page."""
        await self.unrolled()
        await self.page.screenshot(path=file, animations="disabled")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.complaints.append(f"asks {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a request of a page that was left
            self.complaints.append(f"{request.url}: {request.failure}")


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium.

    Raises `OperatorError` where it is missing.
    """
    executable = program("chromium", "chromium")
    alone = ["--no-sandbox"] if os.getuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=[*_QUIET, *alone])
        try:
            yield browser
        finally:
            await browser.close()
