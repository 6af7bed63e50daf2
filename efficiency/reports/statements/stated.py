"""What was stated for a closed month, and how later months correct it: for a tenant's report of that month."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from efficiency.closing.file import ClosedMonth
from efficiency.reports.statements.lines import correction_line
from efficiency.reports.statements.page import line_cells, say
from metering.park import Park
from metering.words import Language


def stated_of(
    park: Park, tenant: str, month: date, closed: Sequence[ClosedMonth], language: Language
) -> dict[str, Any] | None:
    """The sums of a tenant's statement and all later corrections of that month; None without a statement."""
    own = next((each for each in closed if each.month == month), None)
    statement = next((each for each in own.statements if each.tenant == tenant), None) if own is not None else None
    if own is None or statement is None:
        return None
    corrections = [
        line_cells(correction_line(correction, park, language), language) | {"month": language.month(later.month)}
        for later in closed
        for each in later.statements
        if each.tenant == tenant
        for correction in each.corrections
        if correction.month == month
    ]
    sums = {"net": statement.net_vnd, "vat": statement.vat_vnd, "to_be_paid": statement.total_vnd}
    return {
        "closed_on": say("closed_on", language, day=language.full_date(own.closed_at)),
        "sums": [(say(key, language), f"{language.number(amount, 0)} ₫") for key, amount in sums.items()],
        "corrections": corrections,
    }
