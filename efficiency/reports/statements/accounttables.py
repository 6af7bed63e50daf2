"""The park's account as tables for its own books: one number per row, and a workbook with a sheet for each part."""

from collections.abc import Iterator
from pathlib import Path

from efficiency.closing.account import UtilityAccount
from efficiency.closing.statement import Charge
from efficiency.reports.statements.account import FLOWS, SALES, AccountPage, compared, flow_cost, own_makes
from efficiency.reports.statements.lines import charge_line
from efficiency.reports.statements.page import say, tenant_name
from efficiency.reports.tablefiles import Cell, put_book, put_csv
from metering.words import UTILITY, Language

_HEAD = ("month", "part", "utility", "what", "from", "to", "quantity", "unit", "price", "amount", "vat_rate", "source")
_BILL = ("utility", "what", "unit", "billed", "expected", "difference", "may_differ", "judgement")
_WIDTHS = (12, 30, 18, 44, 12, 12, 18, 10, 14, 18, 12, 40)
PARTS = ("sales", "flow", "purchase", "statements")


def write_account_csv(page: AccountPage, language: Language, out: Path) -> None:
    """Every number of the account except the comparison with bills; begins with the UTF-8 byte order mark."""
    rows = [_head(language), *(row for part in PARTS for row in _rows(page, part, language))]
    put_csv(rows, out)


def write_account_xlsx(page: AccountPage, language: Language, out: Path) -> None:
    """The same, a sheet for each part, and the bills beside the park's own figures."""
    sheets: dict[str, list[list[Cell]]] = {}
    for part in PARTS:
        note = own_makes(page.month.account, language) if part == "sales" else ""
        sheets[say(part, language)] = [_head(language), *_rows(page, part, language)]
        if note:
            sheets[say(part, language)].append([note])
    if page.bills:
        heads: list[Cell] = [say(key, language) for key in _BILL]
        sheets[say("bills", language)] = [heads, *_bills(page, language)]
    put_book(sheets, _WIDTHS, out)


def _head(language: Language) -> list[Cell]:
    return [say(key, language) for key in _HEAD]


def _rows(page: AccountPage, part: str, language: Language) -> Iterator[list[Cell]]:
    account = page.month.account
    match part:
        case "sales":
            for each in account.utilities:
                yield from _sales(page, each, language)
        case "flow":
            for each in account.utilities:
                yield from _flow(page, each, language)
        case "purchase":
            for each in account.utilities:
                for charge in each.flow.purchase if each.flow is not None else ():
                    yield _purchase(page, charge, language)
        case _:
            for statement in page.month.statements:
                name = tenant_name(page.park, statement, language)
                for key in ("net_vnd", "vat_vnd", "total_vnd"):
                    what = f"{name}: {say(key, language)}"
                    yield _row(page, part, language, what=what, amount=getattr(statement, key))


def _sales(page: AccountPage, each: UtilityAccount, language: Language) -> Iterator[list[Cell]]:
    paid = each.flow.purchase_vnd if each.flow is not None else None
    amounts = {**{key: getattr(each, key) for key in SALES}, "bought": paid, "margin": each.margin_vnd}
    for key, amount in amounts.items():
        if amount is not None:
            yield _row(page, "sales", language, utility=each, what=say(key, language), amount=amount)


def _flow(page: AccountPage, each: UtilityAccount, language: Language) -> Iterator[list[Cell]]:
    flow = each.flow
    for name in FLOWS if flow is not None else ():
        cost = flow_cost(flow, name) if flow is not None else None
        what, quantity = say(name, language), getattr(flow, name)
        yield _row(page, "flow", language, utility=each, what=what, quantity=quantity, amount=cost)


def _purchase(page: AccountPage, charge: Charge, language: Language) -> list[Cell]:
    line = charge_line(charge, page.month.month, page.park, language)
    days = [day.isoformat() if day is not None else "" for day in (line.first, line.last)]
    what = ", ".join(part for part in (line.kind, line.point, line.band) if part)
    head = [f"{page.month.month:%Y-%m}", say("purchase", language), line.utility, what, *days]
    return [*head, line.quantity, line.unit, line.price, line.net_vnd, line.vat, line.why]


def _row(
    page: AccountPage,
    part: str,
    language: Language,
    *,
    what: str,
    utility: UtilityAccount | None = None,
    quantity: float | None = None,
    amount: int | None = None,
) -> list[Cell]:
    of = "" if utility is None else language.say(UTILITY[utility.utility])
    unit = "" if utility is None or quantity is None else utility.unit
    head: list[Cell] = [f"{page.month.month:%Y-%m}", say(part, language), of, what, "", ""]
    return [*head, quantity, unit, None, amount, None, ""]


def _bills(page: AccountPage, language: Language) -> Iterator[list[Cell]]:
    for bill in page.bills:
        for one in bill.comparisons:
            judged = say("flagged" if one.flagged else "agrees", language)
            numbers: list[Cell] = [one.billed, one.own, one.difference, one.error]
            yield [language.say(UTILITY[bill.bill.utility]), compared(one, language), one.unit, *numbers, judged]
