"""The dated data that held in a report's period (tariff hours, prices and factors), each with its source."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeVar

from efficiency.reports.periods import ReportPeriod
from efficiency.reports.words import TEXTS
from metering.calendar import DAY_NAMES
from metering.dated import Dated
from metering.fuels import GasFactor
from metering.park import Park
from metering.quantities import UTILITIES, Utility
from metering.tariffs import Band, BandHours, BoughtFactor
from metering.words import BAND, UTILITY, Language, inside


@dataclass(frozen=True, slots=True)
class SourceNote:
    """One entry of the park file, as printed."""

    what: str
    value: str
    since: str
    text: str


D = TypeVar("D", bound=Dated)


def holding(entries: Sequence[D], period: ReportPeriod) -> list[D]:
    """Entries that held on any day of a period."""
    ends = [*(entry.since for entry in entries[1:]), date.max]
    return [
        entry
        for entry, end in zip(entries, ends, strict=False)
        if entry.since < period.until and (entry.until or end) > period.first
    ]


def sources(
    park: Park, period: ReportPeriod, language: Language, utilities: Iterable[Utility], voltages: Iterable[str]
) -> list[SourceNote]:
    """The data that figures of these utilities and voltage levels were computed with."""
    wanted = set(utilities)
    found: list[SourceNote] = []
    tariff = park.tariffs.electricity
    if tariff is not None and Utility.ELECTRICITY in wanted:
        words = language.say(TEXTS["band_hours"])
        found += [_source(words, _hours(hours, language), hours, language) for hours in holding(tariff.bands, period)]
        for voltage in sorted(set(voltages)):
            for prices in holding(tariff.prices.get(voltage, ()), period):
                told = "; ".join(
                    f"{language.say(inside(BAND[band]))} {language.number(price)}"
                    for band, price in (
                        (Band.OFF_PEAK, prices.off_peak),
                        (Band.NORMAL, prices.normal),
                        (Band.PEAK, prices.peak),
                    )
                )
                if prices.demand is not None:
                    words = language.say(TEXTS["price_of_demand"])
                    told = f"{words.format(price=language.number(prices.demand, 0))}; {told}"
                what = f"{language.say(UTILITY[Utility.ELECTRICITY])} {voltage}"
                found.append(_source(_of("price", what, language), f"{told} ₫/kWh", prices, language))
        for rule in holding(tariff.reactive, period):
            told = language.say(TEXTS["reactive_rule_text"]).format(
                least=language.exact(rule.min_power_factor), kw=language.exact(rule.min_kw)
            )
            found.append(_source(language.say(TEXTS["reactive_rule"]), told, rule, language))
    if wanted & set(park.factors.scope1):
        for gwp in holding(park.factors.gwp, period):
            told = f"CH₄ {language.exact(gwp.ch4)}, N₂O {language.exact(gwp.n2o)}"
            note = _source(language.say(TEXTS["gwp"]), told, gwp, language)
            found.append(replace(note, text=f"{gwp.name}: {gwp.source}"))
    return [*found, *_values(park, period, language, wanted)]


def _hours(hours: BandHours, language: Language) -> str:
    """`peak hours T2-T7 17:30-22:30; off-peak hours ...`; the rest of the day is normal."""
    told = []
    for band, windows in ((Band.PEAK, hours.peak), (Band.OFF_PEAK, hours.off_peak)):
        times = ", ".join(
            f"{_days(window.days, language)} {_clock(window.start)}-{_clock(window.end)}" for window in windows
        )
        told.append(f"{language.say(inside(BAND[band]))} {times}")
    return "; ".join(told)


def _days(days: frozenset[int], language: Language) -> str:
    if len(days) == len(DAY_NAMES):
        return language.say(TEXTS["daily"])
    ordered = sorted(days)
    names = [language.weekday(_A_MONDAY + timedelta(days=day)) for day in ordered]
    run = ordered == list(range(ordered[0], ordered[0] + len(ordered))) if ordered else False
    return f"{names[0]}-{names[-1]}" if run and len(names) > 1 else ", ".join(names)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


_A_MONDAY = date(2024, 1, 1)


def _values(park: Park, period: ReportPeriod, language: Language, wanted: set[Utility]) -> Iterator[SourceNote]:
    tables = (
        ("price", park.tariffs.prices, "₫"),
        ("scope2_factor", park.factors.scope2, "kg CO₂e"),
        ("toe_factor", park.factors.toe, "TOE"),
        ("mj_factor", park.factors.mj, "MJ"),
    )
    for utility in Utility:
        if utility not in wanted:
            continue
        per, what = UTILITIES[utility].unit, language.say(UTILITY[utility])
        for key, table, unit in tables:
            for entry in holding(table.get(utility, ()), period):
                value = f"{language.exact(entry.value)} {unit}/{per}{_standing(entry, language)}"
                yield _source(_of(key, what, language), value, entry, language)
        for rate in holding(park.tariffs.vat.get(utility, ()), period):
            yield _source(_of("vat_rate", what, language), language.percent(rate.value), rate, language)
        for fuel in holding(park.factors.scope1.get(utility, ()), period):
            gases = fuel.gases(1.0)
            each = ("CO₂", gases.co2_kg + gases.biogenic_kg), ("CH₄", gases.ch4_kg), ("N₂O", gases.n2o_kg)
            factor = ", ".join(f"{language.exact(float(f'{kg:.4g}'))} kg {gas}" for gas, kg in each)
            value = f"{factor} / {per}{_standing(fuel, language)}"
            yield _source(_of("scope1_factor", what, language), value, fuel, language)


def _standing(entry: Dated, language: Language) -> str:
    """Whether an emission factor is official, which is printed wherever it is used."""
    if not isinstance(entry, BoughtFactor | GasFactor):
        return ""
    return f" ({language.say(TEXTS[entry.standing])})"


def _of(key: str, what: str, language: Language) -> str:
    return language.say(TEXTS[key]).format(what=what)


def _source(what: str, value: str, entry: Dated, language: Language) -> SourceNote:
    return SourceNote(what, value, language.full_date(entry.since), entry.source)
