"""Reports of every kind in both languages, made once from a real database with plausible points."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from efficiency.reports.forms import read_entered
from efficiency.reports.periods import ReportPeriod
from efficiency.reports.write import ReportOrder, write_park_report, write_tenant_report
from metering.park import Park
from metering.parkfile import load_park
from metering.words import Language
from proving.demo.reports import write_reports
from proving.servers import Influxd
from store.client import Store
from tests.efficiency.reports.plausible import write_plausible

EXAMPLE = Path(__file__).parents[3] / "examples" / "song-xanh" / "park.yaml"
MONTH = ReportPeriod(2026, 10)
YEAR = ReportPeriod(2026)
EMPTY = ReportPeriod(2025, 3)
MADE_ON = date(2026, 11, 23)
ENTERED = """\
A.4: {land_green_pct: 12.5, recp_firms: 4}
A.5: {ghg_programme: true, climate_plan: false}
B.4: {textile: {product: "=1+1", capacity: 18000}}
B.5: {textile: {recp_share_pct: 40}}
"""


@dataclass(frozen=True, slots=True)
class Reports:
    """`pages`: files by kind and language. `url`: the database, which keeps running."""

    park: Park
    folder: Path
    pages: dict[tuple[str, Language], Path]
    url: str

    def text(self, kind: str, language: Language) -> str:
        return self.pages[kind, language].read_text(encoding="utf-8")


KINDS = ("tenant-month", "tenant-year", "park-month", "park-year", "empty", "empty-park")


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reports]:
    folder = tmp_path_factory.mktemp("reports")
    influx = Influxd(folder / "influxd")

    async def make() -> Reports:
        await influx.start()
        park = load_park(EXAMPLE)
        extra = folder / "entered.yaml"
        extra.write_text(ENTERED, encoding="utf-8")
        pages: dict[tuple[str, Language], Path] = {}
        async with Store(influx.url) as store:
            await write_plausible(store, park, MONTH)
            for language in Language:
                out = {kind: folder / f"{kind}-{language.value}.html" for kind in KINDS}
                textile = park.tenant["textile"]
                orders = {
                    "tenant-month": ReportOrder(MONTH, language, out["tenant-month"], MADE_ON),
                    "tenant-year": ReportOrder(YEAR, language, out["tenant-year"], MADE_ON, formulas=True),
                    "empty": ReportOrder(EMPTY, language, out["empty"], MADE_ON),
                }
                for order in orders.values():
                    await write_tenant_report(store, park, textile, order)
                await write_park_report(store, park, ReportOrder(EMPTY, language, out["empty-park"], MADE_ON))
                await write_park_report(store, park, ReportOrder(MONTH, language, out["park-month"], MADE_ON))
                whole_year = ReportOrder(YEAR, language, out["park-year"], MADE_ON)
                await write_park_report(store, park, whole_year, read_entered(extra, park))
                pages |= {(kind, language): file for kind, file in out.items()}
            written = await write_reports(store, park, folder / "demo", MONTH.first)
        assert len(written) == 4
        return Reports(park, folder, pages, influx.url)

    try:
        yield asyncio.run(make())
    finally:
        influx.process.kill()
