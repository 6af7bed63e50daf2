"""Invented but plausible points of `usage`, `efficiency` and `balance`, written as the usage service writes them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from math import pi, sin

import numpy as np

from efficiency.indicators.balance import BALANCE_FIGURES, balance_of_days
from efficiency.indicators.figure import Figure, absent, fields_of, judged
from efficiency.indicators.joining import joined_figures
from efficiency.reports.periods import ReportPeriod
from efficiency.symbiosis.matching import partners
from efficiency.symbiosis.stored import match_tags, match_units
from efficiency.usage.intervals import QUARTER_MS
from efficiency.valuation.localtime import slots
from efficiency.valuation.money import BANDS, band_shares
from efficiency.valuation.valued import ValueReason
from metering.figures import FIGURES, PARK_FIGURES, Period
from metering.instants import midnight_ms
from metering.meters import Meter, Role
from metering.park import Park
from metering.quantities import Utility
from store.client import Store
from store.lines import point, series
from store.schema import (
    BALANCE,
    BASELINE,
    EDGE,
    EFFICIENCY,
    NS_PER_MS,
    OPERATOR_DATABASE,
    PARK_EFFICIENCY,
    SYMBIOSIS,
    USAGE,
)

HOLE = ("wm-textile", 11)
"""A meter, and the day of the month on which half of its quarter hours are missing."""
SILENT = "em-textile-hvac"
"""A meter without any data."""
REVISED = "em-textile"
"""A meter of which one quarter hour of the 20th was revised, on the 23rd."""
ESTIMATED = ("ww-textile", 17)
"""A meter, and the day of the month that is estimated."""
NEWER = 16
"""Day of the month on which every baseline has a new version."""
AT_ONCE = 2_000


async def write_plausible(store: Store, park: Park, period: ReportPeriod, *, without: tuple[str, ...] = ()) -> None:
    """A month of everything, with the monthly figures of the eleven months before."""
    lines = [
        *_usage(park, period),
        *_efficiency(park, period, without),
        *_balances(park, period),
        *_matches(park, period),
    ]
    for first in range(0, len(lines), AT_ONCE):
        await store.write(lines[first : first + AT_ONCE], OPERATOR_DATABASE)


def _usage(park: Park, period: ReportPeriod) -> Iterator[str]:
    span = np.arange(
        midnight_ms(period.first, park.zone), midnight_ms(period.until, park.zone), QUARTER_MS, dtype=np.int64
    )
    when = slots(span, park.zone)
    tariff = park.tariffs.electricity
    assert tariff is not None
    shares = band_shares(tariff.bands, park.calendar, when)
    for number, meter in enumerate(park.meters):
        if meter.id == SILENT:
            continue
        level = _level(meter, number, when.minute, when.weekday)
        power = meter.utility is Utility.ELECTRICITY
        for band_number, band in enumerate(BANDS if power else ("all",)):
            tags = {
                "park": park.id,
                "tenant": meter.belongs[-1].tenant,
                "meter": meter.id,
                "utility": meter.utility.value,
            }
            head = series(USAGE, tags | {"band": str(band), "role": "billing"})
            price = (1234.0, 1899.0, 3508.0)[band_number] if power else 12_000.0
            share = shares[:, band_number] if power else np.ones(len(span))
            for place in np.flatnonzero(share > 0):
                ms, amount = int(span[place]), float(level[place] * share[place])
                yield f"{head} {_fields(park, meter, ms, amount, price)} {ms * NS_PER_MS}"


def _level(meter: Meter, number: int, minute: np.ndarray, weekday: np.ndarray) -> np.ndarray:
    """Use of a quarter hour by the hour of the day: a main meter carries about what hangs below it."""
    hour = minute / 60
    if meter.belongs[-1].role is Role.GENERATION:
        shape = np.clip(np.sin((hour - 6) / 12 * pi), 0, None) * 0.8
    else:
        shape = (
            0.35 + 0.25 * np.sin((hour - 7) / 24 * 2 * pi) * (weekday < 6) + 0.03 * np.sin(np.arange(len(hour)) / 9.0)
        )
    share = 0.55 if meter.belongs[-1].role is Role.MAIN else 0.5 + 0.01 * (number % 7)
    return meter.rated * 0.25 * shape * share


def _fields(park: Park, meter: Meter, ms: int, amount: float, price: float) -> str:
    day = datetime.fromtimestamp(ms / 1000, park.zone).day
    half = ms // QUARTER_MS % 2 == 0
    if (meter.id, day) == HOLE and half:
        return 'completeness=0.0,estimated=0.0,rule="bound"'
    estimated, rule = (1.0, "gap_shaped,stuck") if (meter.id, day) == ESTIMATED else (0.0, "")
    text = f'amount={amount!r},completeness=1.0,estimated={estimated},rule="{rule}",co2e_kg={amount * 0.6235!r}'
    text += f",toe={amount * 0.0001543!r}"
    if meter.utility is not Utility.PRODUCTION and meter.belongs[-1].role is not Role.GENERATION:
        text += f",cost_vnd={amount * price!r}"
    if meter.id == REVISED and day == 20:
        text += f",revised={ms + 3 * 86_400_000}i"
    return text


def _efficiency(park: Park, period: ReportPeriod, without: tuple[str, ...]) -> Iterator[str]:
    for number, tenant in enumerate(park.tenants):
        cusum = 0.0
        for day in period.days:
            use = 30_000.0 * (1 + number * 0.2) * (1 + 0.1 * sin(day.day))
            expected = use * (1.04 - 0.015 * number)
            cusum += expected - use
            figures = _figures(use, number) | _against(use, expected, cusum)
            yield _point(park, tenant.id, Period.DAY, figures, day, without)
            yield from _baselines(park, tenant.id, day, use, expected, cusum)
        months: dict[date, dict[str, Figure]] = {}
        for month in _months_up_to(period):
            use = 900_000.0 * (1 + number * 0.2) * (1 + 0.05 * month.month % 3)
            months[month] = _figures(use, number) | _against(use, use * (1.04 - 0.015 * number), cusum)
            yield _point(park, tenant.id, Period.MONTH, months[month], month, without)
        of_year = {month: figures for month, figures in months.items() if month.year == period.year}
        year = joined_figures(of_year, dict.fromkeys(of_year, 1.0))
        off = sum(each["saving_band_kwh"].value or 0.0 for each in of_year.values())
        year |= {"saving_kwh": judged(year["saving_kwh"], off), "saving_band_kwh": Figure(off, "kWh")}
        yield _point(park, tenant.id, Period.YEAR, year, date(period.year, 1, 1), without)
    for kind, first in ((Period.MONTH, period.first), (Period.YEAR, date(period.year, 1, 1))):
        of_park = {
            name: Figure(0.125 if spec.percent else 1000.0, spec.unit, 0.99) for name, spec in PARK_FIGURES.items()
        }
        yield _line(park, series(PARK_EFFICIENCY, {"park": park.id, "period": kind.value}), of_park, first)


def _against(use: float, expected: float, cusum: float) -> dict[str, Figure]:
    saving = judged(Figure(expected - use, "kWh"), 0.02 * use)
    return {
        "expected_kwh": Figure(expected, "kWh"),
        "saving_kwh": saving,
        "saving_band_kwh": Figure(0.02 * use, "kWh"),
        "enpi": Figure(use / expected, "1", over=expected),
        "cusum_kwh": Figure(cusum, "kWh"),
    }


def _baselines(park: Park, tenant: str, day: date, use: float, expected: float, cusum: float) -> Iterator[str]:
    """One of all the tenant's electricity, one of its first meter; on the first day a driver is out of range."""
    meter = park.points_of_tenant(tenant)[0].meter
    fields = {"expected": expected, "actual": use, "saving": expected - use, "enpi": use / expected, "cusum": cusum}
    fields |= {"spread": use * 0.02, "fitted": 30.0}
    fields |= {"out_of_range": float(day.day == 1), "version": 1.0 if day.day < NEWER else 2.0}
    for name, tags in (("all", {}), ("of-meter", {"meter": meter.id})):
        of = {"park": park.id, "tenant": tenant, "utility": "electricity", "baseline": f"{tenant}-{name}", **tags}
        yield point(series(BASELINE, of), fields, midnight_ms(day, park.zone) * NS_PER_MS)


def _figures(use: float, number: int) -> dict[str, Figure]:
    output = use / (900.0 + 130 * number)
    values = {
        "electricity_kwh": use,
        "grid_kwh": use * 0.93,
        "solar_kwh": use * 0.07,
        "water_m3": use * 0.012,
        "wastewater_m3": use * 0.009,
        "steam_t": use * 0.002,
        "gas_nm3": use * 0.01,
        "compressed_air_nm3": use * 0.3,
        "chilled_kwh": use * 0.2,
        "output": output,
        "cost_vnd": use * 2_150.0,
        "reactive_vnd": 0.0,
        "vat_vnd": use * 2_150.0 * 0.08,
        "payable_vnd": use * 2_150.0 * 1.08,
        "budget_vnd": use * 2_300.0,
        "co2e_scope1_kg": use * 0.02,
        "co2e_scope2_kg": use * 0.58,
        "co2e_kg": use * 0.6,
        "energy_mj": use * 3.6,
        "toe": use * 0.00016,
        "electricity_per_m2": use / 42_000,
        "electricity_per_employee": use / 860,
        "water_per_m2": use * 0.012 / 42_000,
        "water_per_employee": use * 0.012 / 860,
        "peak_demand_kw": 2210.5,
        "base_load_kw": 612.25,
        "load_factor": 0.68,
        "night_water_ratio": 0.31,
        "completeness": 0.991,
        "estimated": 0.012,
    }
    ratios = {
        "electricity_per_output": (use, output),
        "energy_per_output": (use * 3.6, output),
        "toe_per_output": (use * 0.00016, output),
        "water_per_output": (use * 0.012, output),
        "output_per_mwh": (output, use / 1000),
        "output_per_m3": (output, use * 0.012),
        "co2e_per_output": (use * 0.6, output),
        "wastewater_per_output": (use * 0.009, output),
        "mean_demand_kw": (use, 720.0),
        "demand_share": (0.87 * 2_000.0, 2_000.0),
        "peak_share": (0.21 * use, use),
        "solar_share": (0.07 * use, use),
        "wastewater_ratio": (0.75, 1.0),
        "budget_share": (use * 2_150.0, use * 2_300.0),
        "power_factor": (0.93 * use, use),
    }
    water = dict.fromkeys(("water_m3", "water_per_output"), 1 - 0.5 / 31)
    made = {name: Figure(value, FIGURES[name].unit, water.get(name, 1.0)) for name, value in values.items()}
    made["wastewater_m3"] = replace(made["wastewater_m3"], estimated=1 / 31)
    made["co2e_scope2_market_kg"] = absent("kg CO₂e", ValueReason.NO_CONTRACT)
    made["peak_demand_error_kw"] = Figure(0.5, "kW")
    return made | {
        name: Figure(above / below, FIGURES[name].unit, water.get(name, 1.0), over=below)
        for name, (above, below) in ratios.items()
    }


def _months_up_to(period: ReportPeriod) -> list[date]:
    months = [period.first]
    for _ in range(11):
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months


def _point(
    park: Park, tenant: str, period: Period, figures: dict[str, Figure], day: date, without: tuple[str, ...]
) -> str:
    kept = {name: figure for name, figure in figures.items() if name not in without}
    return _line(park, series(EFFICIENCY, {"park": park.id, "tenant": tenant, "period": period.value}), kept, day)


def _line(park: Park, head: str, figures: dict[str, Figure], day: date) -> str:
    return point(head, fields_of(figures), midnight_ms(day, park.zone) * NS_PER_MS)


def _balances(park: Park, period: ReportPeriod) -> Iterator[str]:
    for meter in park.meters:
        below = [tenure.meter for tenure in park.children(meter.id)]
        if meter.belongs[-1].role is not Role.MAIN or not below:
            continue
        days = {day: _balance(meter, below, day) for day in period.days}
        names = [meter.id, *([EDGE] if meter.belongs[-1].parent is None and meter.belongs[-1].tenant is None else [])]
        whole = balance_of_days(days, dict.fromkeys(days, 96.0))
        for name in names:
            tags = {"park": park.id, "utility": meter.utility.value, "main": name}
            for day, figures in days.items():
                yield _line(park, series(BALANCE, {**tags, "period": Period.DAY.value}), figures, day)
            yield _line(park, series(BALANCE, {**tags, "period": Period.MONTH.value}), whole, period.first)
            yield _line(park, series(BALANCE, {**tags, "period": Period.YEAR.value}), whole, date(period.year, 1, 1))


def _balance(meter: Meter, below: list[Meter], day: date) -> dict[str, Figure]:
    if meter.id == "wm-main" and day.day == HOLE[1]:
        return dict.fromkeys(BALANCE_FIGURES, absent(meter.unit, ValueReason.INCOMPLETE, 0.6))
    used = sum(child.rated * 24 * 0.35 * 0.53 for child in below)
    loss = used * (0.06 if meter.utility is Utility.WATER else 0.004)
    values = {"incoming": used + loss, "tenants": used * 0.9, "own": used * 0.1, "submeters": used, "loss": loss}
    found = {name: Figure(value, meter.unit) for name, value in {**values, "band": used * 0.011}.items()}
    found["loss"] = found["loss"].noting(ValueReason.NOT_SIGNIFICANT if loss <= used * 0.011 else ValueReason(0))
    return found | {"loss_share": Figure(loss / (used + loss), "1", over=used + loss)}


def _matches(park: Park, period: ReportPeriod) -> Iterator[str]:
    """Heat for hot water, water for cooling at an unknown distance; the third pair has no number."""
    for number, (giver, taker) in enumerate(partners(park.streams)):
        units = match_units(giver)
        values = {"met": 151_000.5, "met_by_day": 180_000.0, "offered": 302_001.0, "asked": 188_750.0}
        values |= {"met_share": 0.8, "used_share": 0.5, "saved_vnd": 197_780_000.0, "saved_toe": 15.1}
        found = {name: Figure(value, units[name], 0.97) for name, value in values.items()}
        found |= {name: absent(units[name], ValueReason.NOT_REPLACED) for name in ("saved_m3", "saved_co2e_kg")}
        found["met"] = found["met"].noting(ValueReason.STATED)
        if number == 2:
            found = {name: absent(unit, ValueReason.NO_DATA, 0.0) for name, unit in units.items()}
        for kind, first in ((Period.MONTH, period.first), (Period.YEAR, date(period.year, 1, 1))):
            distance = {"distance_m": 356.0} if number == 0 else {}
            head = series(SYMBIOSIS, match_tags(park, giver, taker, kind))
            yield point(head, fields_of(found) | distance, midnight_ms(first, park.zone) * NS_PER_MS)
