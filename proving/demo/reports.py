"""The demo's reports: those of the park and of its first tenant, in both languages."""

from datetime import UTC, date, datetime
from pathlib import Path

from efficiency.reports.periods import ReportPeriod
from efficiency.reports.write import ReportOrder, write_park_report, write_tenant_report
from metering.park import Park
from metering.words import Language
from store.client import Store


async def write_reports(store: Store, park: Park, folder: Path, month: date) -> list[Path]:
    """Write them for the month that contains a day, and return the files."""
    period, made_on = ReportPeriod(month.year, month.month), datetime.now(UTC).astimezone(park.zone).date()
    written: list[Path] = []
    for language in Language:
        name = f"{period.year}-{period.month:02d}-{language.value}.html"
        order = ReportOrder(period, language, folder / f"{park.id}-{name}", made_on)
        written += await write_park_report(store, park, order)
        for tenant in park.tenants[:1]:
            order = ReportOrder(period, language, folder / f"{tenant.id}-{name}", made_on)
            written += await write_tenant_report(store, park, tenant, order)
    return written
