"""Writes reports as HTML or PDF, by the file's ending; a park's year also has forms and inventory as CSV and XLSX.

WeasyPrint, which makes the PDF, needs the system library Pango, which a gateway may lack. So it is imported only
for a PDF.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from efficiency.closing.file import ClosedMonth
from efficiency.reports.contents import ParkReport, park_report, tenant_report
from efficiency.reports.formfiles import export
from efficiency.reports.forms import Entered, FormRow, rows
from efficiency.reports.inventoryfiles import export_inventory
from efficiency.reports.pages import park_page, tenant_page
from efficiency.reports.periods import ReportPeriod
from metering.errors import OperatorError
from metering.park import Park, Tenant
from metering.words import Language
from store.client import Store

ENDINGS = (".html", ".pdf")


def checked_out(out: Path) -> Path:
    """The file of a report.

    Raises `OperatorError` for an ending other than .html or .pdf.
    """
    if out.suffix.lower() not in ENDINGS:
        raise OperatorError(f"--out {out}: a report is written as {' or '.join(ENDINGS)}")
    return out


@dataclass(frozen=True, slots=True)
class ReportOrder:
    """An order for a report: its period, language and file, and the local day it is made on.

    `formulas`: show every formula in full. `closed`: the park's closed months, to show what was stated.
    """

    period: ReportPeriod
    language: Language
    out: Path
    made_on: date
    formulas: bool = False
    closed: Sequence[ClosedMonth] = ()


async def write_tenant_report(store: Store, park: Park, tenant: Tenant, order: ReportOrder) -> list[Path]:
    """Write one tenant's report and return the files."""
    report = await tenant_report(store, park, tenant, order.period, order.made_on)
    page = tenant_page(report, order.language, order.closed, formulas=order.formulas)
    return [await _write(page, checked_out(order.out))]


async def write_park_report(store: Store, park: Park, order: ReportOrder, entered: Entered | None = None) -> list[Path]:
    """Write a park's report and return the files; for a year, also its forms and inventory."""
    report, language = await park_report(store, park, order.period, order.made_on), order.language
    forms = _forms(report, entered or {})
    files = [await _write(park_page(report, language, forms, formulas=order.formulas), checked_out(order.out))]
    files += export(forms, language, order.out, language.say(park.park.name)) if forms else []
    return files + (export_inventory(report.inventory, language, order.out, park.park.name) if forms else [])


def _forms(report: ParkReport, entered: Entered) -> list[FormRow]:
    if report.period.month is not None:
        return []
    forms = rows(report, entered)
    twice = [row for row in forms if row.given is not None and row.status not in {"open", "given"}]
    if twice:
        names = ", ".join(
            "/".join(filter(None, (r.form, r.tenant.id if r.tenant else "", r.field.code))) for r in twice
        )
        raise OperatorError(f"--extra: {names}: is measured and filled in automatically; remove it from the file")
    return forms


async def _write(page: str, out: Path) -> Path:
    try:
        await asyncio.to_thread(put_page, page, out)
    except OSError as error:
        raise OperatorError(f"{out}: cannot be written: {error}") from error
    return out


def put_page(page: str, out: Path) -> None:
    """Write a page as HTML, or as PDF, by the ending of the file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix.lower() == ".pdf":
        write_pdf(page, out)
    else:
        out.write_text(page, encoding="utf-8")


def write_pdf(page: str, out: Path) -> None:
    """Write a self-contained page to `out`.

    Raises `OperatorError` if Pango is missing.
    """
    try:
        weasyprint = import_module("weasyprint")
    except OSError as error:
        raise OperatorError(
            f"{out}: a PDF needs the library Pango ({error}); run deploy/setup, or write .html"
        ) from error
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it warns about every property that only browsers know
    weasyprint.HTML(string=page, url_fetcher=_refuse).write_pdf(out)


def _refuse(url: str) -> NoReturn:
    raise ValueError(f"a report must not refer to anything outside itself: {url}")
