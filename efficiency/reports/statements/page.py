"""A tenant's statement as one self-contained HTML page, A4 in print."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from efficiency.closing.file import ClosedMonth
from efficiency.closing.statement import PointUse, RegisterAt, Statement, Stretch
from efficiency.reports.pages import render
from efficiency.reports.statements.lines import StatementLine, charge_line, correction_line, point_name
from efficiency.reports.statements.words import COUNTER, WORDS
from efficiency.usage.quality import RULE_TEXT, Rule
from metering.model import Localized
from metering.park import Park
from metering.words import UTILITY, Language


@dataclass(frozen=True, slots=True)
class StatementPage:
    """What pages and tables of one tenant's month need; `final`: the month is closed, and not only drafted."""

    park: Park
    month: ClosedMonth
    statement: Statement
    final: bool

    @property
    def tenant(self) -> Localized:
        """What the tenant is called; its id where the park file no longer has it."""
        tenant = self.park.tenant.get(self.statement.tenant)
        return tenant.name if tenant is not None else Localized(en=self.statement.tenant, vi=self.statement.tenant)

    def lines(self, language: Language) -> list[StatementLine]:
        """All charges."""
        return [charge_line(each, self.month.month, self.park, language) for each in self.statement.charges]

    def corrections(self, language: Language) -> list[StatementLine]:
        """All corrections of earlier months."""
        return [correction_line(each, self.park, language) for each in self.statement.corrections]


def say(key: str, language: Language, **filled: object) -> str:
    """A text of a statement."""
    return language.say(WORDS[key]).format(**filled)


def statement_page(page: StatementPage, language: Language) -> str:
    """The page."""
    month, statement = page.month, page.statement
    lines = page.lines(language)
    return render(
        "statement.html",
        {
            "t": lambda key: say(key, language),
            "language": language.value,
            "park": language.say(page.park.park.name),
            "tenant": language.say(page.tenant),
            "month": language.month(month.month),
            "closed_on": say("closed_on", language, day=language.full_date(month.closed_at)) if page.final else "",
            "anyway": say("closed_anyway", language, why=month.anyway) if month.anyway else "",
            "obstacles": [_obstacle(each.subject, each.text, page, language) for each in month.obstacles],
            "registers": [
                _register(point, stretch, page, language) for point in statement.points for stretch in point.stretches
            ],
            "register_notes": [*_notes(page, language)],
            "groups": [_group(utility, lines, language) for utility in dict.fromkeys(each.utility for each in lines)],
            "power_factor": _power_factor(statement, language),
            "corrections": [_line(each, language) for each in page.corrections(language)],
            "net": _vnd(statement.net_vnd, language),
            "taxed": [
                {
                    "label": say(
                        "vat_of", language, rate=language.percent(each.rate, 0), net=_vnd(each.net_vnd, language)
                    ),
                    "vat": _vnd(each.vat_vnd, language),
                }
                for each in statement.taxed
            ],
            "total": _vnd(statement.total_vnd, language),
            "sources": [*_sources(statement, lines, language)],
        },
    )


def _vnd(amount: int, language: Language) -> str:
    return language.number(amount, 0)


def _quantity(line: StatementLine, language: Language) -> str:
    """Of a surcharge, what it is says how much of what."""
    return "" if line.unit == "%" or not line.quantity else f"{language.number(line.quantity, 3)} {line.unit}"


def _line(line: StatementLine, language: Language) -> dict[str, str]:
    period = ""
    if line.first is not None and line.last is not None:
        period = f"{language.day(line.first)} - {language.day(line.last)}"
    return {
        "month": language.month(line.month),
        "what": line.what,
        "period": period,
        "quantity": _quantity(line, language),
        "price": "" if line.price is None else language.exact(line.price),
        "net": _vnd(line.net_vnd, language),
        "vat": language.percent(line.vat, 0),
        "why": line.why,
    }


def _group(utility: str, lines: Iterable[StatementLine], language: Language) -> dict[str, Any]:
    mine = [each for each in lines if each.utility == utility]
    return {
        "label": say("sum_of", language, what=utility[:1].lower() + utility[1:]),
        "lines": [_line(each, language) for each in mine],
        "net": _vnd(sum(each.net_vnd for each in mine), language),
    }


def _register(point: PointUse, stretch: Stretch, page: StatementPage, language: Language) -> dict[str, Any]:
    counter = COUNTER.get(stretch.counter, UTILITY[point.utility])
    return {
        "point": point_name(point.point, page.park, language),
        "serial": stretch.serial or "",
        "counter": language.say(counter),
        "ends": [_end(each, language) for each in (stretch.opening, stretch.closing)],
        "multiplier": language.exact(stretch.multiplier),
        "use": "" if stretch.use is None else language.number(stretch.use, 3),
    }


def _end(register: RegisterAt | None, language: Language) -> dict[str, str] | None:
    if register is None:
        return None
    shown = ("≈ " if register.interpolated else "") + language.exact(register.shown)
    return {"shown": shown, "at": _instant(register.at, language)}


def _instant(at: datetime, language: Language) -> str:
    return f"{language.full_date(at)} {at:%H:%M}"


def _notes(page: StatementPage, language: Language) -> Iterator[str]:
    points = page.statement.points
    if any(
        end is not None and end.interpolated
        for each in points
        for s in each.stretches
        for end in (s.opening, s.closing)
    ):
        yield say("interpolated", language)
    for point in points:
        why = "; ".join(language.say(RULE_TEXT[Rule[rule.upper()]]) for rule in point.rules)
        name = point_name(point.point, page.park, language)
        if point.estimated and point.quantity:
            share = language.percent(point.estimated / point.quantity)
            amount = f"{language.number(point.estimated, 3)} {point.unit}"
            yield say("estimated_of", language, point=name, amount=amount, share=share, why=why)
        elif why:
            yield say("found_at", language, point=name, why=why)


def _power_factor(statement: Statement, language: Language) -> str:
    factor = statement.power_factor
    if factor is None:
        return ""
    return say(
        "power_factor",
        language,
        active=language.number(factor.active_kwh, 3),
        reactive=language.number(factor.reactive_kvarh, 3),
        factor=language.number(factor.power_factor, 4),
        percent=language.number(factor.percent, 2),
    )


def _obstacle(subject: str, text: Localized, page: StatementPage, language: Language) -> str:
    names = {utility.value: label for utility, label in UTILITY.items()} | {
        each.id: each.name for each in page.park.tenants
    }
    shown = language.say(names[subject]) if subject in names else point_name(subject, page.park, language)
    return f"{shown}: {language.say(text)}"


def _sources(statement: Statement, lines: Iterable[StatementLine], language: Language) -> Iterator[dict[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for charge, line in zip(statement.charges, lines, strict=True):
        found[line.kind, charge.source] = None
        found[f"{language.say(WORDS['vat'])}, {line.utility}", charge.vat_source] = None
    yield from ({"what": what, "text": text} for what, text in found)
