"""Reports as files: HTML or PDF by the name's ending, and beside a park's yearly report its forms as CSV and XLSX."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from efficiency.reports.contents import ParkReport, park_report, tenant_report
from efficiency.reports.formfiles import export
from efficiency.reports.forms import Given, Row, rows
from efficiency.reports.language import Language
from efficiency.reports.pages import park_page, tenant_page
from efficiency.reports.pdf import write_pdf
from efficiency.reports.periods import ReportPeriod
from metering.errors import OperatorError
from metering.park import Park, Tenant
from store.client import Store

ENDINGS = (".html", ".pdf")


def checked_out(out: Path) -> Path:
    """Where a report may be written.

    Raises `OperatorError` for another ending than .html or .pdf.
    """
    if out.suffix.lower() not in ENDINGS:
        raise OperatorError(f"--out {out}: a report is written as {' or '.join(ENDINGS)}")
    return out


async def write_tenant_report(
    store: Store,
    park: Park,
    tenant: Tenant,
    period: ReportPeriod,
    language: Language,
    out: Path,
    made_on: date,
    *,
    formulas: bool = False,
) -> list[Path]:
    """Write one tenant's report and return the files."""
    report = await tenant_report(store, park, tenant, period, made_on)
    return [await _write(tenant_page(report, language, formulas=formulas), checked_out(out))]


async def write_park_report(
    store: Store,
    park: Park,
    period: ReportPeriod,
    language: Language,
    out: Path,
    made_on: date,
    *,
    entered: Mapping[tuple[str, str, str], Given] | None = None,
    formulas: bool = False,
) -> list[Path]:
    """Write a park's report and return the files; a year's has its forms beside it."""
    report = await park_report(store, park, period, made_on)
    forms = _forms(report, entered or {})
    files = [await _write(park_page(report, language, forms, formulas=formulas), checked_out(out))]
    return files + (export(forms, language, out, language.say(park.park.name)) if forms else [])


async def write_reports(store: Store, park: Park, folder: Path, month: date) -> list[Path]:
    """Both languages' reports of the park and of its first tenant for the month that holds a day."""
    period, made_on = ReportPeriod(month.year, month.month), datetime.now(UTC).astimezone(park.zone).date()
    written: list[Path] = []
    for language in Language:
        name = f"{period.year}-{period.month:02d}-{language.value}.html"
        written += await write_park_report(store, park, period, language, folder / f"{park.id}-{name}", made_on)
        for tenant in park.tenants[:1]:
            out = folder / f"{tenant.id}-{name}"
            written += await write_tenant_report(store, park, tenant, period, language, out, made_on)
    return written


def _forms(report: ParkReport, entered: Mapping[tuple[str, str, str], Given]) -> list[Row]:
    if report.period.month is not None:
        return []
    forms = rows(report, entered)
    twice = [row for row in forms if row.status == "measured" and row.given is not None]
    if twice:
        names = ", ".join(
            "/".join(filter(None, (r.form, r.tenant.id if r.tenant else "", r.field.code))) for r in twice
        )
        raise OperatorError(f"--extra: {names}: is measured and filled in by itself; remove it from the file")
    return forms


async def _write(page: str, out: Path) -> Path:
    try:
        await asyncio.to_thread(_put, page, out)
    except OSError as error:
        raise OperatorError(f"{out}: cannot be written: {error}") from error
    return out


def _put(page: str, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix.lower() == ".pdf":
        write_pdf(page, out)
    else:
        out.write_text(page, encoding="utf-8")
