"""The yearly forms as tables of a page, as CSV (one row a field) and as XLSX (one sheet a form)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from efficiency.reports.entries import in_words, notes, unit_text
from efficiency.reports.forms import TENANT_FORMS, FormRow, Given
from efficiency.reports.tablefiles import Cell, put_book, put_csv
from efficiency.reports.words import TEXTS
from metering.model import Localized
from metering.words import Language

_HEAD = ("form", "subject", "code", "figure", "value", "uncertainty", "unit", "data", "status", "target")
_WIDTHS = (8, 40, 28, 44, 18, 14, 12, 12, 48, 24)


def export(forms: Sequence[FormRow], language: Language, beside: Path, name: str) -> list[Path]:
    """Write both files next to the report `beside`, named after it; `name` is that of the park."""
    files = [beside.with_name(f"{beside.stem}-forms{suffix}") for suffix in (".csv", ".xlsx")]
    table = [_cells(row, language, name) for row in forms]
    head: list[Cell] = [language.say(TEXTS[key]) for key in _HEAD]
    put_csv([head, *table], files[0])
    sheets = {
        form: [head, *(cells for row, cells in zip(forms, table, strict=True) if row.form == form)]
        for form in dict.fromkeys(row.form for row in forms)
    }
    put_book(sheets, _WIDTHS, files[1])
    return files


def _cells(row: FormRow, language: Language, park: str) -> list[Cell]:
    subject = language.say(row.tenant.name) if row.tenant is not None else park
    shown = row.measured if row.measured is not None and row.measured.value is not None else None
    value: Cell = shown.value if shown is not None else entered_text(row.given, language)
    data = shown.completeness if shown is not None else None
    return [
        row.form,
        subject,
        row.field.code,
        language.say(row.field.label),
        value,
        row.band.value if row.band is not None else None,
        unit_text(row.unit, language),
        data,
        status_text(row, language),
        target_text(row, language),
    ]


def target_text(row: FormRow, language: Language) -> str:
    """The park's own target, and whether it is reached; empty without a target."""
    if row.target is None:
        return ""
    wanted = f"{language.exact(row.target)} {unit_text(row.unit, language)}"
    word = {None: "", True: "target_reached", False: "target_missed"}[row.reached]
    return f"{wanted}: {language.say(TEXTS[word])}" if word else wanted


def status_text(row: FormRow, language: Language) -> str:
    """Where the value comes from, with remarks; for a field without a value, why there is none."""
    status = language.say(TEXTS[row.status])
    if row.status == "given" or row.measured is None:
        return status
    why = in_words(row.measured.reasons, language)
    return f"{status} ({why})" if why else status


def entered_text(given: Given | None, language: Language) -> str | float | None:
    """What was entered: yes and no in words, numbers and texts unchanged."""
    if isinstance(given, bool):
        return language.say(TEXTS["yes" if given else "no"])
    return given


def form_tables(forms: Sequence[FormRow], language: Language, park: Localized) -> list[dict[str, Any]]:
    """One table per form and subject, in the order of the rows; a form with one field has one table for all tenants."""
    tables: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in forms:
        subject = language.say(row.tenant.name if row.tenant is not None else park)
        label = language.say(row.field.label)
        if row.tenant is not None and len(TENANT_FORMS[row.form]) == 1:
            subject, label = label, subject
        tables.setdefault((row.form, subject), []).append(_row(row, label, language))
    return [{"name": form, "subject": subject, "rows": rows} for (form, subject), rows in tables.items()]


def _target(row: FormRow, language: Language) -> list[str]:
    told = target_text(row, language)
    return [language.say(TEXTS["target_of"]).format(target=told)] if told else []


def _row(row: FormRow, label: str, language: Language) -> dict[str, Any]:
    known = row.measured if row.measured is not None and row.measured.value is not None else None
    value = known.value if known is not None else entered_text(row.given, language)
    quality = notes(known, language)[:1] if known is not None and not known.indicative else ()
    band = row.band.value if row.band is not None else None
    behind = "" if band is None else f" ± {language.number(band)}"
    return {
        "label": label,
        "value": (language.number(value) if isinstance(value, int | float) else value or "") + behind,
        "unit": unit_text(row.unit, language),
        "status": " · ".join([status_text(row, language), *quality, *_target(row, language)]),
        "status_key": row.status,
    }
