"""One self-contained HTML page from a report's contents: no network, no script, A4 in print."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from efficiency.baseline.model import CUSUM_CONVENTION
from efficiency.indicators.figure import absent
from efficiency.reports.baselines import BaselineSums
from efficiency.reports.contents import Common, ParkReport, TenantReport
from efficiency.reports.entries import Entry
from efficiency.reports.forms import Row
from efficiency.reports.formtables import form_tables
from efficiency.reports.language import Language
from efficiency.reports.names import NEUTRAL, SOLAR, UTILITY_COLOUR, UTILITY_LABEL
from efficiency.reports.pictures import Pictures
from efficiency.reports.reasons import INPUTS
from efficiency.reports.shown import Shown, quantity, shown, why
from efficiency.reports.sources import sources
from efficiency.reports.sums import Loss, indicative
from efficiency.reports.touched import Touched
from efficiency.reports.words import FORMULAS, TEXTS
from efficiency.usage.quality import RULE_TEXT
from efficiency.valuation.valued import REASON_TEXT, Reason
from metering.figures import FIGURES
from metering.model import Localized
from metering.quantities import Utility

_A_ROW = 3
_NAMED = 4
_USES = ("electricity_kwh", "solar_kwh", "water_m3", "wastewater_m3", "steam_t", "gas_nm3")
_TILES = (*_USES, "compressed_air_nm3", "chilled_kwh", "output", "cost_vnd", "co2e_scope1_kg", "co2e_scope2_kg", "toe")
_MONTHLY = ("electricity_kwh", "water_m3", "output", "cost_vnd", "energy_per_output", "load_factor", "power_factor")
_COMPARED = ("electricity_kwh", "water_m3", "cost_vnd", "energy_per_output", "co2e_per_output", "enpi")


def tenant_page(report: TenantReport, language: Language, *, formulas: bool = False) -> str:
    """The page of a tenant."""
    pictures = Pictures(report, language)
    kind = "tenant_year" if report.period.month is None else "tenant_month"
    entries = {name: shown(entry, language) for name, entry in report.entries.items()}
    by_utility, by_band = pictures.costs(report)
    return _render(
        "tenant.html",
        _common(report, language, kind, report.tenant.name, pictures, formulas=formulas)
        | {
            "sector": language.say(report.tenant.sector),
            "tiles": _rows([(_colour(name), entries[name]) for name in _TILES if _wanted(name, report.entries)]),
            "figures": [one for name, one in entries.items() if name not in _TILES],
            "cost": entries["cost_vnd"],
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
                [entry.value for entry in report.tenant.contract.voltage],
            ),
        },
    )


def park_page(report: ParkReport, language: Language, forms: Sequence[Row] = (), *, formulas: bool = False) -> str:
    """The page of a park, with its forms where they are given."""
    pictures = Pictures(report, language)
    kind = "park_year" if report.period.month is None else "park_month"
    totals = [(UTILITY_COLOUR[utility], shown(entry, language)) for utility, entry in report.totals.items()]
    names = {name: FIGURES[name] for name in ("co2e_scope1_kg", "co2e_scope2_kg", "toe")}
    sums = [Entry(n, f.label, f.formula, 0, report.sums[n], absent(f.unit, Reason.NO_DATA)) for n, f in names.items()]
    made = Entry("solar", TEXTS["solar_made"], "F1", 0, report.generated, absent("kWh", Reason.NO_DATA))
    tiles = [*totals, (SOLAR, shown(made, language)), *((NEUTRAL, shown(each, language)) for each in sums)]
    flows = [
        (language.say(loss.main.name), pictures.balance(report, loss)) for loss in report.losses if not loss.main.tenant
    ]
    voltages = [entry.value for tenant in report.park.tenants for entry in tenant.contract.voltage]
    return _render(
        "park.html",
        _common(report, language, kind, report.park.park.name, pictures, formulas=formulas)
        | {
            "tiles": _rows(tiles),
            "rank_electricity": pictures.ranked(
                report, "electricity_kwh", "rank_electricity", UTILITY_COLOUR[Utility.ELECTRICITY]
            ),
            "rank_cost": pictures.ranked(report, "cost_vnd", "rank_cost", NEUTRAL),
            "rank_saving": pictures.savings(report),
            "baseline_todo": _todo(
                [entries["enpi"] for entries in report.tenants.values()], language.say(TEXTS["a_tenant"]), language
            ),
            "reasons": {name: _reasons(report, name, language) for name in ("electricity_kwh", "cost_vnd", "enpi")},
            "side_by_side": _side_by_side(report, language),
            "balances": [_balance(loss, language) for loss in report.losses],
            "balance_formula": {"formula": "F14", "formula_text": language.say(FORMULAS["F14"])},
            "flows": [(name, svg) for name, svg in flows if svg],
            "forms": form_tables(forms, language, report.park.park.name),
            "sources": sources(report.park, report.period, language, Utility, voltages),
        },
    )


def _common(
    report: Common, language: Language, kind: str, subject: Localized, pictures: Pictures, *, formulas: bool
) -> dict[str, Any]:
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
        "period": language.period(report.period),
        "before": language.period(report.period.before),
        "made_on": language.full_date(report.made_on),
        "running": report.running,
        "empty": report.empty,
        "no_data": language.say(REASON_TEXT[Reason.NO_DATA]),
        "by_band_title": text(by_band),
        "by_band": pictures.by_band(),
        "load": pictures.load(),
        "utilities": pictures.utilities(),
        "quality": pictures.quality(),
        "touched": [_touched(each, language) for each in report.touched],
    }


def _touched(each: Touched, language: Language) -> dict[str, str]:
    """A rule in words, and the meters by name as far as there is room."""
    names = [language.say(meter.name) for meter in each.meters[:_NAMED]]
    if len(each.meters) > _NAMED:
        names.append(language.say(TEXTS["and_more"]).format(n=len(each.meters) - _NAMED))
    return {
        "rule": language.say(RULE_TEXT[each.rule]),
        "count": language.number(each.count, 0),
        "meters": ", ".join(names),
    }


def _todo(entries: Iterable[Entry], tenant: str, language: Language) -> str:
    """How those come by a baseline that have data, but none; nothing where there is no such."""
    missing = any(entry.now.reasons & Reason.NO_BASELINE for entry in entries)
    return language.say(TEXTS["baseline_todo"]).format(tenant=tenant) if missing else ""


def _baseline(sums: BaselineSums, report: TenantReport, language: Language) -> dict[str, Any]:
    meter = report.park.meter.get(sums.meter) if sums.meter is not None else None
    of = UTILITY_LABEL[sums.utility] if meter is None else meter.name
    amounts = (sums.expected, sums.actual, sums.saving, sums.cusum)
    ratio = quantity("enpi", absent("", Reason.ZERO_DENOMINATOR).model_copy(update={"value": sums.enpi}), language)[0]
    return {
        "name": sums.name,
        "of": language.say(of),
        "version": ", ".join(map(str, sums.versions)),
        "unit": sums.unit,
        "numbers": [*(language.number(value) for value in amounts), ratio],
        "days": language.say(TEXTS["days_computed"]).format(n=sums.days, all=len(report.period.days)),
        "outside": language.say(TEXTS["days_outside"]).format(n=sums.outside) if sums.outside else "",
    }


def _reasons(report: ParkReport, name: str, language: Language) -> str:
    """Why tenants have no such figure, each reason once."""
    return "; ".join(dict.fromkeys(filter(None, (why(each[name].now, language) for each in report.tenants.values()))))


def _render(template: str, values: Mapping[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("efficiency.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(template).render(values)


def _wanted(name: str, entries: Mapping[str, Entry]) -> bool:
    """Tiles of what the tenant has no meter for are left out."""
    return name in entries and not entries[name].now.reasons & (Reason.NO_METER | Reason.NO_OUTPUT)


def _colour(name: str) -> str:
    if name == "solar_kwh":
        return SOLAR
    utilities = INPUTS.get(name, ())
    return UTILITY_COLOUR[utilities[0]] if len(utilities) == 1 else NEUTRAL


def _rows(tiles: Sequence[tuple[str, Shown]]) -> list[list[tuple[str, Shown | None]]]:
    filled: list[tuple[str, Shown | None]] = [*tiles, *[("", None)] * (-len(tiles) % _A_ROW)]
    return [filled[first : first + _A_ROW] for first in range(0, len(filled), _A_ROW)]


def _month_table(report: TenantReport, language: Language) -> dict[str, Any]:
    heads, cells = [], []
    for name in _MONTHLY:
        spec, entry = FIGURES[name], report.entries.get(name)
        unit = quantity(name, entry.now, language)[1] if entry is not None else ""
        heads.append(language.say(spec.label) + (f", {unit}" if unit else ""))
    for month in report.period.months:
        fields = report.months.get(month, {})
        row = [language.month(month)]
        for name in _MONTHLY:
            now = absent("", Reason.NO_DATA).model_copy(update={"value": fields.get(name)})
            row.append(quantity(name, now, language)[0])
        cells.append([*row, language.percent(fields["completeness"]) if "completeness" in fields else ""])
    return {"heads": [*heads, language.say(TEXTS["data"])], "rows": cells}


def _side_by_side(report: ParkReport, language: Language) -> dict[str, Any]:
    rows = []
    for tenant in report.park.tenants:
        entries = report.tenants[tenant.id]
        quality = [row.whole.completeness for row in report.quality if row.meter.tenant == tenant.id]
        mean = sum(quality) / len(quality) if quality else 0.0
        cells = [shown(entries[name], language) for name in _COMPARED]
        rows.append({"name": language.say(tenant.name), "cells": cells, "completeness": language.percent(mean)})
    heads = [language.say(FIGURES[name].label) for name in _COMPARED]
    return {"heads": [*heads, language.say(TEXTS["data"])], "rows": rows}


def _balance(loss: Loss, language: Language) -> dict[str, Any]:
    def of(name: str) -> str:
        value, unit = quantity("", getattr(loss, name), language)
        return f"{value} {unit}"

    return {
        "name": language.say(loss.main.name),
        "reason": why(loss.loss, language),
        **{name: of(name) for name in ("incoming", "submeters", "loss", "band")},
        "share": "" if loss.share is None else language.percent(loss.share),
        "noise": loss.noise,
        "indicative": indicative(loss.loss),
        "computed": len(loss.computed),
        "days": loss.days,
    }
