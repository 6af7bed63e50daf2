"""The yearly forms as tables of a page: form by form, tenant by tenant."""

from collections.abc import Sequence
from typing import Any

from efficiency.reports.formfiles import entered_text, status_text
from efficiency.reports.forms import Row
from efficiency.reports.language import Language
from efficiency.reports.shown import notes, unit_text
from metering.model import Localized


def form_tables(forms: Sequence[Row], language: Language, park: Localized) -> list[dict[str, Any]]:
    """One table a form and subject, in the order of the rows."""
    tables: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in forms:
        subject = language.say(row.tenant.name if row.tenant is not None else park)
        tables.setdefault((row.form, subject), []).append(_row(row, language))
    return [{"name": form, "subject": subject, "rows": rows} for (form, subject), rows in tables.items()]


def _row(row: Row, language: Language) -> dict[str, Any]:
    known = row.measured if row.measured is not None and row.measured.value is not None else None
    value = known.value if known is not None else entered_text(row.given, language)
    worth = " · ".join(notes(known, language)) if known is not None else ""
    status = status_text(row, language)
    return {
        "label": language.say(row.field.label),
        "value": language.number(value) if isinstance(value, int | float) else value or "",
        "unit": unit_text(row.unit, language),
        "status": f"{status} · {worth}" if worth else status,
        "status_key": row.status,
    }
