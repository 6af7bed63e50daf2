"""A tenant's statement as one self-contained HTML page, A4 in print."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from efficiency.closing.file import ClosedMonth
from efficiency.closing.obstacle import Obstacle
from efficiency.closing.statement import Charge, ChargeKind, PointUse, PowerFactor, RegisterAt, Statement, Stretch
from efficiency.reports.render import render
from efficiency.reports.statements.lines import StatementLine, charge_line, correction_line, instant_text, point_name
from efficiency.reports.statements.words import COUNTER, KIND, WORDS
from efficiency.usage.quality import RULE_TEXT, Rule
from metering.park import Park
from metering.words import UTILITY, Language


@dataclass(frozen=True, slots=True)
class StatementPage:
    """What pages and tables of one tenant's month need; `final`: the month is closed, not a draft."""

    park: Park
    month: ClosedMonth
    statement: Statement
    final: bool

    def lines(self, language: Language) -> list[StatementLine]:
        """All charges."""
        return [charge_line(each, self.month.month, self.park, language) for each in self.statement.charges]

    def corrections(self, language: Language) -> list[StatementLine]:
        """All corrections of earlier months."""
        return [correction_line(each, self.park, language) for each in self.statement.corrections]


def tenant_name(park: Park, statement: Statement, language: Language) -> str:
    """A tenant's name; its id if the park file no longer has it."""
    tenant = park.tenant.get(statement.tenant)
    return language.say(tenant.name) if tenant is not None else statement.tenant


def say(key: str, language: Language, **filled: object) -> str:
    """A text of a statement or of the account."""
    return language.say(WORDS[key]).format(**filled)


def head(park: Park, month: ClosedMonth, language: Language, *, final: bool) -> dict[str, Any]:
    """The head of the page of a tenant or of the park."""
    return {
        "language": language.value,
        "park": language.say(park.park.name),
        "month": language.month(month.month),
        "closed_on": say("closed_on", language, day=language.full_date(month.closed_at)) if final else "",
        "anyway": say("closed_anyway", language, why=month.anyway) if month.anyway else "",
        "obstacles": [_obstacle(each, park, language) for each in month.obstacles],
    }


def statement_page(page: StatementPage, language: Language) -> str:
    """The page."""
    statement, lines = page.statement, page.lines(language)
    return render(
        "statement.html",
        head(page.park, page.month, language, final=page.final)
        | {
            "t": lambda key: say(key, language),
            "tenant": tenant_name(page.park, statement, language),
            "registers": [
                _register(point, stretch, page, language) for point in statement.points for stretch in point.stretches
            ],
            "register_notes": [*_notes(page, language)],
            "groups": [_group(utility, lines, language) for utility in dict.fromkeys(each.utility for each in lines)],
            "power_factor": power_factor_text(statement.power_factor, language) if statement.power_factor else "",
            "corrections": [line_cells(each, language) for each in page.corrections(language)],
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
            "sources": source_rows(statement.charges, lines, language),
        },
    )


def _vnd(amount: int, language: Language) -> str:
    return language.number(amount, 0)


def _quantity(line: StatementLine, language: Language) -> str:
    """The quantity of a metered line; the text of any other line explains it."""
    return f"{language.number(line.quantity, 3)} {line.unit}" if line.quantity and line.metered else ""


def line_cells(line: StatementLine, language: Language, *, named: bool = True) -> dict[str, str]:
    """The cells of a line; `named`: with its metering point."""
    period = ""
    if line.first is not None and line.last is not None:
        period = f"{language.day(line.first)} - {language.day(line.last)}"
    return {
        "month": language.month(line.month),
        "what": line.what(named=named),
        "period": period,
        "quantity": _quantity(line, language),
        "price": "" if line.price is None else language.exact(line.price),
        "net": _vnd(line.net_vnd, language),
        "vat": language.percent(line.vat, 0),
        "why": line.why,
    }


def _group(utility: str, lines: Iterable[StatementLine], language: Language) -> dict[str, Any]:
    mine = [each for each in lines if each.utility == utility]
    named = len({each.point for each in mine if each.point}) > 1
    return {
        "label": say("sum_of", language, what=utility[:1].lower() + utility[1:]),
        "lines": [line_cells(each, language, named=named) for each in mine],
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
    return {"shown": shown, "at": instant_text(register.at, language)}


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


def power_factor_text(factor: PowerFactor, language: Language) -> str:
    """How a month's power factor comes about."""
    return say(
        "power_factor",
        language,
        active=language.number(factor.active_kwh, 3),
        reactive=language.number(factor.reactive_kvarh, 3),
        factor=language.number(factor.power_factor, 4),
        percent=language.number(factor.percent, 2),
    )


def _obstacle(obstacle: Obstacle, park: Park, language: Language) -> str:
    names = {utility.value: label for utility, label in UTILITY.items()} | {each.id: each.name for each in park.tenants}
    subject = obstacle.subject
    shown = language.say(names[subject]) if subject in names else point_name(subject, park, language)
    return f"{shown}: {language.say(obstacle.text)}"


def source_rows(charges: Iterable[Charge], lines: Iterable[StatementLine], language: Language) -> list[dict[str, str]]:
    """The sources of prices and rates, each once."""
    found: dict[tuple[str, str], None] = {}
    for charge, line in zip(charges, lines, strict=True):
        what = UTILITY[charge.utility] if charge.kind is ChargeKind.USE else KIND[charge.kind]
        found[language.say(what), charge.source] = None
        found[f"{language.say(WORDS['vat'])}, {line.utility}", charge.vat_source] = None
    return [{"what": what, "text": text} for what, text in found]
