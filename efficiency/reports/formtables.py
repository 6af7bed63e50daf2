"""The yearly forms as tables of a page: form by form, tenant by tenant."""

from collections.abc import Sequence
from typing import Any

from efficiency.reports.formfiles import entered_text, status_text
from efficiency.reports.forms import TENANT_FORMS, Row
from efficiency.reports.language import Language
from efficiency.reports.shown import notes, unit_text
from metering.model import Localized


def form_tables(forms: Sequence[Row], language: Language, park: Localized) -> list[dict[str, Any]]:
    """One table a form and subject, in the order of the rows; a form of one field has all tenants in one table."""
    tables: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in forms:
        subject = language.say(row.tenant.name if row.tenant is not None else park)
        label = language.say(row.field.label)
        if row.tenant is not None and len(TENANT_FORMS[row.form]) == 1:
            subject, label = label, subject
        tables.setdefault((row.form, subject), []).append(_row(row, label, language))
    return [{"name": form, "subject": subject, "rows": rows} for (form, subject), rows in tables.items()]


def _row(row: Row, label: str, language: Language) -> dict[str, Any]:
    known = row.measured if row.measured is not None and row.measured.value is not None else None
    value = known.value if known is not None else entered_text(row.given, language)
    worth = " · ".join(notes(known, language)) if known is not None else ""
    status = status_text(row, language)
    return {
        "label": label,
        "value": language.number(value) if isinstance(value, int | float) else value or "",
        "unit": unit_text(row.unit, language),
        "status": f"{status} · {worth}" if worth else status,
        "status_key": row.status,
    }
