"""Makes one self-contained HTML page from a report's contents: no network, no script, A4 in print."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from efficiency.baseline.model import CUSUM_CONVENTION
from efficiency.closing.file import ClosedMonth
from efficiency.indicators.balance import BAND, INCOMING, LOSS, LOSS_SHARE, OWN, SUBMETERS, TENANTS
from efficiency.indicators.figure import Figure, figures_in
from efficiency.reports.baselines import BaselineSums, driver_text
from efficiency.reports.contents import Common, MainBalance, ParkReport, TenantReport
from efficiency.reports.entries import Entry, ShownFigure, legend, mark_of, plain, quantity, shown, why
from efficiency.reports.formfiles import form_tables
from efficiency.reports.forms import FormRow
from efficiency.reports.inventoryfiles import inventory_rows, watched_rows
from efficiency.reports.matches import match_rows
from efficiency.reports.pictures import Pictures
from efficiency.reports.render import render
from efficiency.reports.rulecounts import RuleCount
from efficiency.reports.sources import sources
from efficiency.reports.statements.stated import stated_of
from efficiency.reports.words import FORMULAS, TEXTS
from efficiency.usage.quality import RULE_TEXT
from efficiency.valuation.valued import REASON_TEXT, ValueReason
from metering.dated import entries_between
from metering.figures import ELECTRICITY, FIGURES, OF_ALL_DATA, OUTPUT, WATER, figure_utility
from metering.model import Localized
from metering.park import Tenant
from metering.quantities import Utility, figure_of
from metering.words import COLOUR, NEUTRAL, SOLAR, UTILITY, Language

_A_ROW = 3
_NAMED = 4
_TILES = (
    ELECTRICITY,
    "solar_kwh",
    *(figure_of(utility) for utility in Utility if utility not in {Utility.ELECTRICITY, Utility.PRODUCTION}),
    OUTPUT,
    "cost_vnd",
    "payable_vnd",
    "energy_mj",
    "toe",
    "co2e_scope1_kg",
    "co2e_scope2_kg",
)
_MONTHLY = (ELECTRICITY, WATER, OUTPUT, "cost_vnd", "electricity_per_output", "load_factor", "power_factor")
_COMPARED = (ELECTRICITY, WATER, "cost_vnd", "electricity_per_output", "co2e_per_output", "enpi")


def tenant_page(
    report: TenantReport, language: Language, closed: Sequence[ClosedMonth] = (), *, formulas: bool = False
) -> str:
    """The page of a tenant; that of a closed month includes what was stated for it."""
    pictures = Pictures(report, language)
    kind = "tenant_year" if report.period.month is None else "tenant_month"
    entries = {name: shown(entry, language) for name, entry in report.entries.items()}
    by_utility, by_band = pictures.cost_by_utility(report), pictures.cost_by_band(report)
    return render(
        "tenant.html",
        _common(report, language, kind, report.tenant.name, formulas=formulas)
        | _pictured(pictures)
        | {
            "sector": language.say(report.tenant.sector),
            "tiles": _rows([_Tile(_colour(name), entries[name]) for name in _TILES if _wanted(name, report.entries)]),
            "figures": [one for name, one in entries.items() if name not in {*_TILES, *OF_ALL_DATA}],
            "cost": entries["cost_vnd"],
            "stated": stated_of(report.park, report.tenant.id, report.period.first, closed, language)
            if report.period.month is not None
            else None,
            "cost_by_utility": by_utility,
            "cost_by_band": by_band,
            "baseline": pictures.baseline(report),
            "no_baseline": why(report.entries["cusum_kwh"].now, language) or language.say(TEXTS["empty"]),
            "baseline_todo": _todo([report.entries["enpi"]], report.tenant.id, language),
            "baselines": [_baseline(one, report, language) for one in report.baselines],
            "convention": language.say(CUSUM_CONVENTION),
            "months": _month_table(report, language) if report.period.month is None else None,
            "sources": sources(
                report.park,
                report.period,
                language,
                {row.meter.utility for row in report.quality},
                voltages([report.tenant], report),
            ),
        },
    )


def park_page(report: ParkReport, language: Language, forms: Sequence[FormRow] = (), *, formulas: bool = False) -> str:
    """The page of a park, with its forms if there are any."""
    pictures = Pictures(report, language)
    kind = "park_year" if report.period.month is None else "park_month"
    intakes = [_Tile(COLOUR[utility], shown(entry, language)) for utility, entry in report.intakes.items()]
    own = [_Tile(_colour(name), shown(entry, language)) for name, entry in report.own.items()]
    span = report.period.span(report.park)
    of_park = [one for one in report.mains if any(not each.tenant for each in one.main.belongings_in(span))]
    flows = [(language.say(one.main.name), pictures.balance(one)) for one in of_park]
    return render(
        "park.html",
        _common(report, language, kind, report.park.park.name, formulas=formulas)
        | _pictured(pictures)
        | {
            "tiles": _rows([*intakes, *own]),
            "edges": _edges(report, language),
            "rank_electricity": pictures.ranked(report, ELECTRICITY, "rank_electricity", COLOUR[Utility.ELECTRICITY]),
            "rank_cost": pictures.ranked(report, "cost_vnd", "rank_cost", NEUTRAL),
            "rank_saving": pictures.savings(report),
            "rank_legends": {name: _legend(report, name, language) for name in (ELECTRICITY, "cost_vnd", "enpi")},
            "electricity": ELECTRICITY,
            "baseline_todo": _todo(
                [entries["enpi"] for entries in report.tenants.values()], language.say(TEXTS["a_tenant"]), language
            ),
            "reasons": {name: _reasons(report, name, language) for name in (ELECTRICITY, "cost_vnd", "enpi")},
            "side_by_side": _side_by_side(report, language),
            "balances": [_balance(one, language) for one in report.mains],
            "balance_legend": legend([_plainly(one.figures[LOSS]) for one in report.mains], language),
            "balance_formula": {"formula": "F14", "formula_text": language.say(FORMULAS["F14"])},
            "flows": [(name, svg) for name, svg in flows if svg],
            "inventory": inventory_rows(report.inventory, language),
            "watched": watched_rows(report.watched, language),
            "inventory_formulas": [
                {"formula": number, "formula_text": language.say(FORMULAS[number])} for number in ("F33", "F34")
            ],
            "matches": match_rows(report, language),
            "match_formulas": [
                {"formula": number, "formula_text": language.say(FORMULAS[number])} for number in ("F30", "F31", "F32")
            ],
            "forms": form_tables(forms, language, report.park.park.name),
            "sources": sources(report.park, report.period, language, Utility, voltages(report.present, report)),
        },
    )


def voltages(tenants: Iterable[Tenant], report: Common) -> set[str]:
    """The voltage levels at which tenants bought in the period."""
    first, until = report.period.first, report.period.last + timedelta(days=1)
    return {
        entry.value
        for tenant in tenants
        for entry in entries_between(tenant.contract.voltage, first, until)
        if entry is not None
    }


def _common(report: Common, language: Language, kind: str, subject: Localized, *, formulas: bool) -> dict[str, Any]:
    park = language.say(report.park.park.name)
    by_band = "electricity_by_month" if report.period.month is None else "electricity_by_day"

    def text(key: str, **filled: object) -> str:
        return language.say(TEXTS[key]).format(**filled)

    return {
        "t": text,
        "language": language.value,
        "formulas": formulas,
        "park": "" if report.park.park.name == subject else park,
        "subject": language.say(subject),
        "sector": "",
        "title": text(kind),
        "period": report.period.name(language),
        "before": report.period.before.name(language),
        "made_on": language.full_date(report.made_on),
        "running": report.running,
        "waiting": report.waiting,
        "empty": report.empty,
        "no_data": language.say(REASON_TEXT[ValueReason.NO_DATA]),
        "by_band_title": text(by_band),
        "touched": [_touched(each, language) for each in report.touched],
    }


def _pictured(pictures: Pictures) -> dict[str, Any]:
    """The charts that both kinds of page have."""
    return {
        "by_band": pictures.by_band(),
        "load": pictures.load(),
        "utilities": pictures.utilities(),
        "quality": pictures.quality(),
    }


def _touched(each: RuleCount, language: Language) -> dict[str, str]:
    """A rule in words, and the names of as many of its meters as there is room for."""
    names = [language.say(meter.name) for meter in each.meters[:_NAMED]]
    if len(each.meters) > _NAMED:
        names.append(language.say(TEXTS["and_more"]).format(n=len(each.meters) - _NAMED))
    return {
        "rule": language.say(RULE_TEXT[each.rule]),
        "count": language.number(each.count, 0),
        "meters": ", ".join(names),
    }


def _todo(entries: Iterable[Entry], tenant: str, language: Language) -> str:
    """How to make a baseline, if a tenant has none; else empty."""
    missing = any(entry.now.reasons & ValueReason.NO_BASELINE for entry in entries)
    return language.say(TEXTS["baseline_todo"]).format(tenant=tenant) if missing else ""


def _baseline(sums: BaselineSums, report: TenantReport, language: Language) -> dict[str, Any]:
    meter = report.park.meter.get(sums.meter) if sums.meter is not None else None
    of = UTILITY[sums.utility] if meter is None else meter.name
    figures = sums.figures

    def number(name: str) -> str:
        return quantity(FIGURES[name], figures[name], language).number

    band = number("saving_band_kwh")
    saved, off = figures["saving_kwh"].value, figures["saving_band_kwh"].value
    share = f" ({language.percent(off / abs(saved), 0)})" if saved and off is not None else ""
    saving = number("saving_kwh") + (f" ± {band}{share}" if band else "") + mark_of(figures["saving_kwh"])
    drivers = ", ".join(driver_text(name, report.park, language) for name in sums.drivers)
    return {
        "name": sums.name,
        "of": language.say(of),
        "version": ", ".join(map(str, sums.versions)),
        "drivers": language.say(TEXTS["explained_by"]).format(drivers=drivers) if drivers else "",
        "adjusted": language.say(TEXTS["adjusted_by"]).format(amount=f"{language.number(sums.adjusted)} {sums.unit}")
        if sums.adjusted
        else "",
        "unit": sums.unit,
        "numbers": [number("expected_kwh"), language.number(sums.actual), saving, number("cusum_kwh"), number("enpi")],
        "legend": legend([figures["saving_kwh"]], language),
        "days": language.say(TEXTS["days_computed"]).format(n=sums.days, all=len(report.period.days)),
        "outside": language.say(TEXTS["days_outside"]).format(n=sums.outside) if sums.outside else "",
    }


def _reasons(report: ParkReport, name: str, language: Language) -> str:
    """The reasons why tenants lack a figure, each once."""
    return "; ".join(dict.fromkeys(filter(None, (why(each[name].now, language) for each in report.tenants.values()))))


def _legend(report: ParkReport, name: str, language: Language) -> list[str]:
    return legend([each[name].now for each in report.tenants.values()], language)


def _wanted(name: str, entries: Mapping[str, Entry]) -> bool:
    """Whether a tile is shown: not for what the tenant has no meter for."""
    return name in entries and not entries[name].now.reasons & (ValueReason.NO_METER | ValueReason.NO_OUTPUT)


def _colour(name: str) -> str:
    utility = figure_utility(name)
    return SOLAR if name == "solar_kwh" else COLOUR[utility] if utility is not None else NEUTRAL


class _Tile(NamedTuple):
    colour: str
    figure: ShownFigure | None


def _rows(tiles: Sequence[_Tile]) -> list[list[_Tile]]:
    filled = [*tiles, *[_Tile("", None)] * (-len(tiles) % _A_ROW)]
    return [filled[first : first + _A_ROW] for first in range(0, len(filled), _A_ROW)]


def _month_table(report: TenantReport, language: Language) -> dict[str, Any]:
    heads, cells, marked = [], [], []
    for name in _MONTHLY:
        unit = quantity(FIGURES[name], report.entries[name].now, language).unit
        heads.append(language.say(FIGURES[name].label) + (f", {unit}" if unit else ""))
    for month in report.period.months:
        figures = report.months.get(month) or figures_in({})
        now = [figures[name] for name in _MONTHLY]
        marked += now
        complete = figures["completeness"].value
        cells.append(
            [
                language.month(month),
                *(
                    quantity(FIGURES[name], one, language).number + mark_of(one)
                    for name, one in zip(_MONTHLY, now, strict=True)
                ),
                "" if complete is None else language.percent(complete),
            ]
        )
    heads = [*heads, language.say(TEXTS["data"])]
    return {"heads": heads, "rows": cells, "legend": legend(marked, language)}


def _side_by_side(report: ParkReport, language: Language) -> dict[str, Any]:
    rows = []
    for tenant in report.present:
        entries = report.tenants[tenant.id]
        cells = [shown(entries[name], language) for name in _COMPARED]
        complete = quantity(FIGURES["completeness"], entries["completeness"].now, language).number
        rows.append({"name": language.say(tenant.name), "cells": cells, "completeness": complete})
    heads = [language.say(FIGURES[name].label) for name in _COMPARED]
    every = [report.tenants[tenant.id][name].now for tenant in report.present for name in _COMPARED]
    return {"heads": [*heads, language.say(TEXTS["data"])], "rows": rows, "legend": legend(every, language)}


def _edges(report: ParkReport, language: Language) -> dict[str, Any]:
    """The park's four numbers of each utility."""
    rows = []
    for utility, figures in report.edges.items():
        loss = figures[LOSS]
        rows.append(
            {
                "name": language.say(UTILITY[utility]),
                "numbers": [plain(figures[name], language) for name in (INCOMING, TENANTS, OWN, LOSS)],
                "mark": mark_of(loss),
                "reason": why(loss, language),
                "data": language.percent(loss.completeness),
            }
        )
    return {"rows": rows, "legend": legend([figures[LOSS] for figures in report.edges.values()], language)}


def _plainly(loss: Figure) -> Figure:
    """A loss without the mark for noise, which has a column of its own."""
    return replace(loss, reasons=loss.reasons & ~ValueReason.NOT_SIGNIFICANT)


def _balance(one: MainBalance, language: Language) -> dict[str, Any]:
    figures = one.figures
    loss, share = figures[LOSS], figures[LOSS_SHARE].value
    return {
        "name": language.say(one.main.name),
        "reason": why(loss, language),
        "incoming": plain(figures[INCOMING], language),
        "submeters": plain(figures[SUBMETERS], language),
        "loss": plain(loss, language),
        "band": plain(figures[BAND], language),
        "share": "" if share is None else language.percent(share),
        "noise": bool(loss.reasons & ValueReason.NOT_SIGNIFICANT),
        "mark": mark_of(_plainly(loss)),
        "data": language.percent(loss.completeness),
    }
