"""A park of one tenant, and quarter hours of its meters, for the tests of figures."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from efficiency.usage.intervals import QUARTER_MS, Floats, Span, Times
from efficiency.usage.quarterhours import QuarterHours
from metering.park import Park
from metering.quantities import UTILITIES, Utility

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NAME = {"en": "x", "vi": "x"}
FIRST = date(2026, 7, 6)
"""A Monday."""
SOURCE = {"from": "2026-01-01", "source": "test"}


def instant(day: date, hour: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).timestamp() * 1000)


def span(count: int = 96, first: date = FIRST) -> Span:
    return Span(instant(first), instant(first) + count * QUARTER_MS)


def quarters(count: int = 96, first: date = FIRST) -> Times:
    return np.arange(instant(first), instant(first) + count * QUARTER_MS, QUARTER_MS)


def used(amount: Floats, **columns: Floats | float) -> QuarterHours:
    """Quarter hours with further columns; a single number is repeated in all of them."""
    size = len(amount)
    found = QuarterHours.of(quarters(size), amount)
    whole = {name: np.full(size, one) if isinstance(one, float) else one for name, one in columns.items()}
    return QuarterHours(found.start, found.amount, found.estimated, found.completeness, found.error, found.rules, whole)


def flat(value: float, count: int = 96, **columns: Floats | float) -> QuarterHours:
    return used(np.full(count, value), **columns)


def meter(name: str, utility: str = "electricity", **fields: Any) -> dict[str, Any]:
    return {
        "id": name,
        "name": NAME,
        "gateway": "g",
        "utility": utility,
        "interval_s": 60,
        "rated": 1000.0,
        "registers": {UTILITIES[Utility(utility)].counter: {}},
        **fields,
    }


METERS = (
    meter("em", tenant="t"),
    meter("wm", "water", tenant="t"),
    meter("ww", "wastewater", tenant="t"),
    meter("line", "production", tenant="t", output_unit="t"),
)
BANDS = [{**SOURCE, "peak": [{"days": "daily", "start": "18:00", "end": "24:00"}], "off_peak": []}]
TARIFFS = {
    "electricity": {"bands": BANDS, "prices": {"v": [{**SOURCE, "off_peak": 1.0, "normal": 2000.0, "peak": 3000.0}]}},
    "prices": {"water": [{**SOURCE, "value": 10_000.0}]},
    "vat": {"electricity": [{**SOURCE, "value": 0.08}], "water": [{**SOURCE, "value": 0.05}]},
}
FACTORS = {
    "scope2": {"electricity": [{**SOURCE, "value": 0.6, "standing": "estimate"}]},
    "toe": {"electricity": [{**SOURCE, "value": 0.0001}]},
}


def park_of(*meters: dict[str, Any], tenant: dict[str, Any] | None = None, **more: Any) -> Park:
    """A park of tenant `t` with these meters, a tariff with peak hours from 18:00 on, and factors of electricity."""
    own = {
        "id": "t",
        "name": NAME,
        "sector": NAME,
        "floor_area_m2": 100.0,
        "employees": 50,
        "contract": {"voltage": "v"},
        **(tenant or {}),
    }
    return Park.model_validate(
        {
            "park": {"id": "p", "name": NAME, "timezone": str(ZONE)},
            "tenants": [own, {"id": "other", "name": NAME, "sector": NAME}],
            "gateways": [{"id": "g", "name": NAME}],
            "meters": list(meters or METERS),
            "tariffs": TARIFFS,
            "factors": FACTORS,
            **more,
        }
    )
