"""Points that should fire each kind of alert, points just short of its threshold, and points at which it ends."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from store.lines import FieldValue, point, series
from store.schema import BALANCE, BASELINE, CLOSING, EFFICIENCY, GATEWAY_CLOCK, METER_STATUS, PIPELINE, USAGE

NOW = datetime(2026, 11, 23, 7, 38, tzinfo=UTC)
TODAY = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
"""Midnight in the park."""
MONTH = datetime(2026, 10, 31, 17, 0, tzinfo=UTC)
YEAR = datetime(2025, 12, 31, 17, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True)
class Case:
    """Points with `{x}` in one field's place: `fires` must fire the rule, `quiet` not, `calms` ends a firing one."""

    kind: str
    of: str
    measurement: str
    tags: dict[str, str]
    field: str
    fires: float
    quiet: float
    calms: float
    at: datetime = NOW - MINUTE
    fixed: tuple[tuple[str, float], ...] = ()
    also: tuple[str, ...] = ()


def efficiency(period: str, start: datetime) -> dict[str, Any]:
    return {"measurement": EFFICIENCY, "tags": {"tenant": "textile", "period": period}, "at": start}


def line(measurement: str, tags: dict[str, str], fields: dict[str, FieldValue], at: datetime) -> str:
    return point(series(measurement, {"park": "song-xanh", **tags}), fields, int(at.timestamp()) * 10**9)


OUTFALL = {"meter": "ww-outfall"}
HEARD = line(
    METER_STATUS,
    {"utility": "electricity", "meter": "em-street"},
    {"seconds_since_last": 30.0, "heard": True},
    NOW - MINUTE,
)
STREET = {"utility": "electricity", "meter": "em-street"}
WWTP = {"utility": "electricity", "meter": "em-wwtp"}
INTAKE = {"tenant": "textile", "utility": "electricity", "meter": "em-textile", "role": "billing", "band": "normal"}
AT_EDGE = {"utility": "electricity", "meter": "em-grid", "role": "main", "band": "normal"}
PV = {"utility": "electricity", "role": "generation", "band": "normal"}
SUN = line(
    USAGE, {**PV, "meter": "pv-electronics", "tenant": "electronics"}, {"amount": 950 * 4.0}, NOW - 3 * 60 * MINUTE
)
SUN2 = line(USAGE, {**PV, "meter": "pv-furniture", "tenant": "furniture"}, {"amount": 620 * 4.0}, NOW - 3 * 60 * MINUTE)
EXPECTING = {"tenant": "textile", "utility": "electricity", "baseline": "textile-electricity"}
EXPECTED = tuple(
    line(BASELINE, EXPECTING, {"saving": 0.0, "expected": 1000.0}, TODAY - back * DAY) for back in (8, 7, 6, 5, 4, 3, 2)
)

CASES = (
    Case(
        "silent-meter", "gw-substation, 900 s", METER_STATUS, WWTP, "seconds_since_last", 901, 899, 400, also=(HEARD,)
    ),
    Case("silent-gateway", "gw-substation", METER_STATUS, STREET, "seconds_since_last", 901, 899, 400),
    Case("gateway-clock", "gw-substation", GATEWAY_CLOCK, {"gateway": "gw-substation"}, "behind_s", 181, 119, 60),
    Case("gateway-clock", "gw-east", GATEWAY_CLOCK, {"gateway": "gw-east"}, "behind_s", -61, -59, 0),
    Case("ingest-stalled", "", PIPELINE, {"service": "ingest", "instance": "i"}, "waiting_s", 301, 299, 50),
    Case(
        "not-computed",
        "",
        PIPELINE,
        {"service": "usage", "instance": "i", "part": "em-wwtp"},
        "not_computed",
        1,
        0.4,
        0,
    ),
    Case("effluent-limit", "ww-outfall cod_mgl", "wastewater", OUTFALL, "cod_mgl", 75.5, 74.5, 72),
    Case("effluent-limit", "ww-outfall ph", "wastewater", OUTFALL, "ph", 9.05, 8.95, 8.5),
    Case("effluent-limit", "ww-outfall tss_mgl", "wastewater", OUTFALL, "tss_mgl", 50.5, 49.5, 48),
    Case("effluent-limit", "ww-outfall nh4_mgl", "wastewater", OUTFALL, "nh4_mgl", 5.1, 4.9, 4.8),
    Case("effluent-limit", "ww-outfall temperature_c", "wastewater", OUTFALL, "temperature_c", 40.5, 39.5, 38),
    Case(
        "wastewater-quota-90",
        "textile",
        field="wastewater_m3",
        fires=2701,
        quiet=2699,
        calms=2600,
        **efficiency("day", TODAY),
    ),
    Case(
        "wastewater-quota-100",
        "textile",
        field="wastewater_m3",
        fires=3001,
        quiet=2999,
        calms=2900,
        **efficiency("day", TODAY),
    ),
    Case(
        "balance-loss",
        "",
        BALANCE,
        {"utility": "water", "main": "wm-main", "period": "day"},
        "loss",
        21,
        19,
        15,
        at=TODAY - DAY,
        fixed=(("incoming", 1000.0), ("band", 20.0)),
    ),
    Case(
        "night-flow",
        "over 0.35",
        field="night_water_ratio",
        fires=0.36,
        quiet=0.34,
        calms=0.3,
        fixed=(("water_m3", 300.0),),
        **efficiency("day", TODAY - DAY),
    ),
    Case(
        "continuous-flow",
        "over 0.4",
        USAGE,
        {"tenant": "textile", "utility": "water", "meter": "wm-textile", "role": "billing", "band": "all"},
        "amount",
        67.0,
        66.0,
        50.0,
        at=NOW - 60 * MINUTE,
        also=tuple(
            line(
                USAGE,
                {"tenant": "textile", "utility": "water", "meter": "wm-textile", "role": "billing", "band": "all"},
                {"amount": 200.0},
                NOW - hours * 60 * MINUTE,
            )
            for hours in (2, 30, 100)
        ),
    ),
    Case("demand-80", "textile", USAGE, INTAKE, "amount", 1041, 1039, 900, at=NOW - 65 * MINUTE),
    Case("demand-90", "textile", USAGE, INTAKE, "amount", 1171, 1169, 1100, at=NOW - 65 * MINUTE),
    Case("demand-100", "textile", USAGE, INTAKE, "amount", 1301, 1299, 1200, at=NOW - 65 * MINUTE),
    Case(
        "power-factor",
        "under 0.9",
        field="power_factor",
        fires=0.899,
        quiet=0.901,
        calms=0.906,
        **efficiency("month", MONTH),
    ),
    Case(
        "above-baseline",
        "over 5 %",
        BASELINE,
        EXPECTING,
        "saving",
        fires=-401,
        quiet=-399,
        calms=-150,
        at=TODAY - DAY,
        also=EXPECTED,
        fixed=(("expected", 1000.0),),
    ),
    Case(
        "solar-low",
        "pv-park",
        USAGE,
        {**PV, "meter": "pv-park"},
        "amount",
        320 * 2.3,
        320 * 2.5,
        320 * 2.8,
        at=NOW - 180 * MINUTE,
        also=(SUN, SUN2),
    ),
    Case("intake-90", "", USAGE, AT_EDGE, "amount", 6301, 6299, 5900, at=NOW - 65 * MINUTE),
    Case("intake-100", "", USAGE, AT_EDGE, "amount", 7001, 6999, 6600, at=NOW - 65 * MINUTE),
    Case("month-open", "", CLOSING, {}, "open_days", 11, 10, 0, at=MONTH - 31 * DAY),
    Case("correction-waiting", "", CLOSING, {"tenant": "textile"}, "waiting_vnd", -5000, -0.8, 0, at=MONTH - 31 * DAY),
    Case(
        "emissions-forecast",
        "3000 t CO2e",
        field="co2e_forecast_kg",
        fires=3.01e6,
        quiet=2.99e6,
        calms=2.9e6,
        **efficiency("year", YEAR),
    ),
    Case("energy-90", "1000 TOE", field="toe", fires=901, quiet=899, calms=870, **efficiency("month", MONTH)),
    Case("energy-100", "1000 TOE", field="toe", fires=1001, quiet=999, calms=970, **efficiency("month", MONTH)),
)
"""Rules of numbers; rules of texts and counts follow below."""
