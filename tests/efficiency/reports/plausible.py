"""Invented but plausible points of `usage`, `efficiency` and `balance`, written as the usage service writes them."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from math import pi, sin

import numpy as np

from efficiency.reports.periods import ReportPeriod
from efficiency.usage.intervals import QUARTER_MS
from efficiency.valuation.localtime import slots
from efficiency.valuation.money import BANDS, band_shares
from metering.figures import FIGURES
from metering.instants import midnight_ms
from metering.meters import Meter, Role
from metering.park import Park
from metering.quantities import Utility
from store.client import Store
from store.lines import point, series
from store.schema import BALANCE, BASELINE, EFFICIENCY, NS_PER_MS, OPERATOR_DATABASE, USAGE

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
    lines = [*_usage(park, period), *_efficiency(park, period, without), *_balances(park, period)]
    for first in range(0, len(lines), AT_ONCE):
        await store.write(lines[first : first + AT_ONCE], OPERATOR_DATABASE)


def _usage(park: Park, period: ReportPeriod) -> Iterator[str]:
    span = np.arange(
        midnight_ms(period.first, park.zone), midnight_ms(period.until, park.zone), QUARTER_MS, dtype=np.int64
    )
    when = slots(span, park.zone)
    tariff = park.tariffs.electricity
    assert tariff is not None
    shares = band_shares(tariff.bands, when)
    for number, meter in enumerate(park.meters):
        if meter.id == SILENT:
            continue
        level = _level(meter, number, when.minute, when.weekday)
        power = meter.utility is Utility.ELECTRICITY
        for band_number, band in enumerate(BANDS if power else ("all",)):
            tags = {"park": park.id, "tenant": meter.tenant, "meter": meter.id, "utility": meter.utility.value}
            head = series(USAGE, tags | {"band": str(band), "role": "billing"})
            price = (1234.0, 1899.0, 3508.0)[band_number] if power else 12_000.0
            share = shares[:, band_number] if power else np.ones(len(span))
            for place in np.flatnonzero(share > 0):
                ms, amount = int(span[place]), float(level[place] * share[place])
                yield f"{head} {_fields(park, meter, ms, amount, price)} {ms * NS_PER_MS}"


def _level(meter: Meter, number: int, minute: np.ndarray, weekday: np.ndarray) -> np.ndarray:
    """Use of a quarter hour by the hour of the day: a main meter carries about what hangs below it."""
    hour = minute / 60
    if meter.role is Role.GENERATION:
        shape = np.clip(np.sin((hour - 6) / 12 * pi), 0, None) * 0.8
    else:
        shape = (
            0.35 + 0.25 * np.sin((hour - 7) / 24 * 2 * pi) * (weekday < 6) + 0.03 * np.sin(np.arange(len(hour)) / 9.0)
        )
    share = 0.55 if meter.role is Role.MAIN else 0.5 + 0.01 * (number % 7)
    return meter.rated * 0.25 * shape * share


def _fields(park: Park, meter: Meter, ms: int, amount: float, price: float) -> str:
    day = datetime.fromtimestamp(ms / 1000, park.zone).day
    half = ms // QUARTER_MS % 2 == 0
    if (meter.id, day) == HOLE and half:
        return 'completeness=0.0,estimated=0.0,rule="bound"'
    estimated, rule = (1.0, "gap_shaped,stuck") if (meter.id, day) == ESTIMATED else (0.0, "")
    text = f'amount={amount!r},completeness=1.0,estimated={estimated},rule="{rule}",co2e_kg={amount * 0.6235!r}'
    text += f",toe={amount * 0.0001543!r}"
    if meter.utility is not Utility.PRODUCTION and meter.role is not Role.GENERATION:
        text += f",cost_vnd={amount * price!r}"
    if meter.id == REVISED and day == 20:
        text += f",revised={ms + 3 * 86_400_000}i"
    return text


def _efficiency(park: Park, period: ReportPeriod, without: tuple[str, ...]) -> Iterator[str]:
    for number, tenant in enumerate(park.tenants):
        tags = {"park": park.id, "tenant": tenant.id}
        cusum = 0.0
        for place, day in enumerate(period.days):
            use = 30_000.0 * (1 + number * 0.2) * (0.6 if day.weekday() == 6 else 1 + 0.08 * sin(place))
            expected = 31_000.0 * (1 + number * 0.19) * (0.6 if day.weekday() == 6 else 1.0)
            cusum += expected - use
            fields = _figures(use, number) | _against(use, expected, cusum)
            yield _point(park, tags | {"period": "day"}, fields, day, without)
            if "cusum_kwh" not in without:
                yield from _baselines(park, tenant.id, day, use, expected, cusum)
        for month in _months_up_to(period):
            use = 900_000.0 * (1 + number * 0.2) * (1 + 0.05 * month.month % 3)
            expected = use * (1.04 - 0.015 * number)
            fields = _figures(use, number) | _against(use, expected, cusum)
            yield _point(park, tags | {"period": "month"}, fields, month, without)


def _against(use: float, expected: float, cusum: float) -> dict[str, float]:
    saving = expected - use
    return {"expected_kwh": expected, "saving_kwh": saving, "enpi": use / expected, "cusum_kwh": cusum}


def _baselines(park: Park, tenant: str, day: date, use: float, expected: float, cusum: float) -> Iterator[str]:
    """One of all the tenant's electricity, one of its first meter; on the first day a driver is out of range."""
    meter = park.of_tenant[tenant][0]
    fields = {"expected": expected, "actual": use, "saving": expected - use, "enpi": use / expected, "cusum": cusum}
    fields |= {"out_of_range": float(day.day == 1), "version": 1.0 if day.day < NEWER else 2.0}
    for name, tags in (("all", {}), ("of-meter", {"meter": meter.id})):
        of = {"park": park.id, "tenant": tenant, "utility": "electricity", "baseline": f"{tenant}-{name}", **tags}
        yield point(series(BASELINE, of), fields, midnight_ms(day, park.zone) * NS_PER_MS)


def _figures(use: float, number: int) -> dict[str, float]:
    output = use / (900.0 + 130 * number)
    return {
        "electricity_kwh": use,
        "solar_kwh": use * 0.07,
        "water_m3": use * 0.012,
        "wastewater_m3": use * 0.009,
        "steam_t": use * 0.002,
        "gas_nm3": use * 0.01,
        "compressed_air_nm3": use * 0.3,
        "chilled_kwh": use * 0.2,
        "output": output,
        "cost_vnd": use * 2_150.0,
        "co2e_scope1_kg": use * 0.02,
        "co2e_scope2_kg": use * 0.58,
        "toe": use * 0.00016,
        "energy_per_output": use / output,
        "water_per_output": use * 0.012 / output,
        "energy_per_m2": use / 42_000,
        "energy_per_employee": use / 860,
        "output_per_mwh": output / use * 1000,
        "co2e_per_output": use * 0.6 / output,
        "wastewater_per_output": use * 0.009 / output,
        "peak_demand_kw": 2210.5,
        "base_load_kw": 612.25,
        "load_factor": 0.68,
        "peak_share": 0.21,
        "solar_share": 0.07,
        "wastewater_ratio": 0.75,
        "power_factor": 0.93,
        "reactive_vnd": 0.0,
        "night_water_ratio": 0.31,
        "completeness": 0.991,
        "estimated": 0.012,
    }


def _months_up_to(period: ReportPeriod) -> list[date]:
    months = [period.first]
    for _ in range(11):
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months


def _point(park: Park, tags: dict[str, str], fields: dict[str, float], day: date, without: tuple[str, ...]) -> str:
    kept = {name: value for name, value in fields.items() if name in FIGURES and name not in without}
    return point(series(EFFICIENCY, tags), kept, midnight_ms(day, park.zone) * NS_PER_MS)


def _balances(park: Park, period: ReportPeriod) -> Iterator[str]:
    for meter in park.meters:
        below = [tenure.meter for tenure in park.children(meter.id)]
        if meter.role is not Role.MAIN or not below:
            continue
        tags = {"park": park.id, "utility": meter.utility.value, "main": meter.id}
        for day in period.days:
            if meter.id == "wm-main" and day.day == HOLE[1]:
                fields = {"completeness": 0.6, "computable": 0.0}
            else:
                used = sum(child.rated * 24 * 0.35 * 0.53 for child in below)
                loss = used * (0.06 if meter.utility is Utility.WATER else 0.004)
                fields = {"submeters": used, "loss": loss, "band": used * 0.011}
                fields |= {"completeness": 1.0, "computable": 1.0}
            yield point(series(BALANCE, tags), fields, midnight_ms(day, park.zone) * NS_PER_MS)
