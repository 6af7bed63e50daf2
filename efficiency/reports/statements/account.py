"""The park's own account of a month as one page, with suppliers' bills compared with what the park measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from efficiency.closing.account import EdgeFlow, ParkAccount, UtilityAccount
from efficiency.closing.bill import CheckedBill, Comparison
from efficiency.closing.file import ClosedMonth
from efficiency.closing.statement import Statement
from efficiency.reports.render import render
from efficiency.reports.statements.lines import charge_line, peak_text
from efficiency.reports.statements.page import (
    head,
    line_cells,
    power_factor_text,
    say,
    source_rows,
    tenant_name,
)
from efficiency.reports.statements.words import ITEM
from metering.park import Park
from metering.tariffs import Band
from metering.words import BAND, UTILITY, Language, inside

SALES = ("use_vnd", "demand_vnd", "reactive_vnd", "allocated_vnd", "corrections_vnd", "sales_vnd")


FLOWS = ("intake", "generated", "exported", "sold", "own", "losses")
"""The parts of a utility's flow at the park's edge."""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """What the page needs; `final`: the month is closed, not a draft."""

    park: Park
    month: ClosedMonth
    final: bool
    bills: tuple[CheckedBill, ...] = ()


def account_page(page: AccountPage, language: Language) -> str:
    """The page."""
    account, month = page.month.account, page.month
    purchases = [charge for each in account.utilities if each.flow is not None for charge in each.flow.purchase]
    lines = [charge_line(each, month.month, page.park, language) for each in purchases]
    return render(
        "account.html",
        head(page.park, month, language, final=page.final)
        | {
            "t": lambda key: say(key, language),
            "sales": _sales(account.utilities, language),
            "own_makes": own_makes(account, language),
            "utilities": [_utility(each, each.flow, page, language) for each in account.utilities if each.flow],
            "tenants": [
                {"name": name, "cells": [language.number(amount, 0) for amount in amounts]}
                for name, amounts in [
                    *((tenant_name(page.park, each, language), _due(each)) for each in month.statements),
                    (say("together", language), [account.net_vnd, account.vat_vnd, account.total_vnd]),
                ]
            ],
            "sources": source_rows(purchases, lines, language),
        },
    )


def _due(statement: Statement) -> list[int]:
    return [statement.net_vnd, statement.vat_vnd, statement.total_vnd]


def _sales(accounts: Sequence[UtilityAccount], language: Language) -> dict[str, Any]:
    sales = [name for name in SALES if name != "demand_vnd" or any(each.demand_vnd for each in accounts)]
    rows: list[tuple[str, list[int | None]]] = []
    for each in accounts:
        paid = each.flow.purchase_vnd if each.flow is not None else None
        amounts = [*(getattr(each, name) for name in sales), paid, each.margin_vnd]
        rows.append((language.say(UTILITY[each.utility]), amounts))
    sums: list[int | None] = [sum(row[place] or 0 for _, row in rows) for place in range(len(sales) + 1)]
    rows.append((say("together", language), [*sums, (sums[-2] or 0) - (sums[-1] or 0)]))
    shown = [
        {"name": name, "cells": [language.number(amount, 0) if amount else "" for amount in amounts]}
        for name, amounts in rows
    ]
    return {"heads": [say(key, language) for key in (*sales, "bought", "margin")], "rows": shown}


def _utility(account: UtilityAccount, flow: EdgeFlow, page: AccountPage, language: Language) -> dict[str, Any]:
    lines = [charge_line(each, page.month.month, page.park, language) for each in flow.purchase]
    notes = [power_factor_text(flow.power_factor, language)] if flow.power_factor is not None else []
    if flow.peak is not None:
        at = peak_text(flow.peak, language)
        notes.append(say("peak", language, kw=language.number(flow.peak.kw, 1), at=at))
    return {
        "name": language.say(UTILITY[account.utility]),
        "flows": [*_flows(flow, account.unit, language)],
        "lines": [line_cells(each, language) for each in lines],
        "net": "" if flow.purchase_vnd is None else language.number(flow.purchase_vnd, 0),
        "notes": notes,
        "bills": [_bill(each, language) for each in page.bills if each.bill.utility is account.utility],
    }


def flow_cost(flow: EdgeFlow, name: str) -> int | None:
    """The cost of a part of a flow; None if it is not known."""
    return {"intake": flow.purchase_vnd, "own": flow.own_vnd, "losses": flow.losses_vnd}.get(name)


def own_makes(account: ParkAccount, language: Language) -> str:
    """A remark on the margins, if the park makes what it sells from something else that it buys."""
    bought = [each for each in account.utilities if each.flow is not None and each.flow.purchase_vnd]
    made = [each for each in account.utilities if each.use_vnd and each not in bought]
    if not bought or not made:
        return ""
    names = (", ".join(language.say(inside(UTILITY[each.utility])) for each in some) for some in (made, bought))
    return say("own_makes", language, made=next(names), bought=next(names))


def _flows(flow: EdgeFlow, unit: str, language: Language) -> Iterator[dict[str, str]]:
    for name in FLOWS:
        quantity, cost, note = getattr(flow, name), flow_cost(flow, name), ""
        if name == "losses":
            key = "within" if abs(flow.losses) <= flow.band else "beyond"
            note = say(key, language, band=f"{language.number(flow.band, 3)} {unit}")
        if quantity or name not in {"generated", "exported"}:
            yield {
                "label": say(name, language),
                "note": note,
                "quantity": f"{language.number(quantity, 3)} {unit}",
                "cost": "" if cost is None else f"{language.number(cost, 0)} ₫",
            }


def _bill(checked: CheckedBill, language: Language) -> dict[str, Any]:
    what = language.say(inside(UTILITY[checked.bill.utility]))
    rows = [_comparison(each, language) for each in checked.comparisons]
    return {"title": say("bill", language, what=what), "rows": rows}


def _comparison(one: Comparison, language: Language) -> dict[str, Any]:
    digits = 0 if one.unit == "₫" else 3 if not one.unit.startswith("₫") else 2
    cells = [f"{language.number(value, digits)}" for value in (one.billed, one.own, one.difference, one.error)]
    return {"what": f"{compared(one, language)} ({one.unit})", "cells": cells, "flagged": one.flagged}


def compared(one: Comparison, language: Language) -> str:
    """The subject of a line of a bill."""
    band = "" if one.band is Band.ALL else language.say(BAND[one.band])
    item = language.say(ITEM[one.item])
    return f"{band}, {item}" if band else item[:1].upper() + item[1:]
