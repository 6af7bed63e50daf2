"""What the store holds for a report, read as it stands: use by meter, band and day, load, figures, balances.

Days, hours and months are the park's local ones. What is not there is left out; nothing is filled in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from efficiency.reports.periods import ReportPeriod
from efficiency.usage.intervals import QUARTER_MS
from metering.figures import FIGURES, Period
from metering.instants import midnight_ms
from metering.park import Park
from store.client import Row, Store
from store.schema import BALANCE, EFFICIENCY, NS_PER_MS, OPERATOR_DATABASE, USAGE

Fields = Mapping[str, float]
"""Figures that have a value, by their name in `metering.figures`."""


@dataclass(frozen=True, slots=True)
class DayUse:
    """One meter on one local day.

    `amount` by band, in the meter's unit; None where nothing is known. `completeness` and `estimated` are shares of the
    whole day. `cost_vnd` by band. `revised` is the newest day of a revision.
    """

    amount: Mapping[str, float]
    cost_vnd: Mapping[str, float]
    co2e_kg: float | None
    toe: float | None
    completeness: float
    estimated: float
    revised: date | None

    @property
    def whole(self) -> float | None:
        """Amount over all bands."""
        return sum(self.amount.values()) if self.amount else None


MeterDays = Mapping[str, Mapping[date, DayUse]]
"""By meter id and local day."""


@dataclass(frozen=True, slots=True)
class DayBalance:
    """One main meter on one local day, in its unit; figures only where `computable`."""

    submeters: float
    loss: float
    band: float
    completeness: float
    computable: bool

    @property
    def incoming(self) -> float:
        """What came into the network: what left it and what got lost."""
        return self.submeters + self.loss


async def daily_use(store: Store, park: Park, period: ReportPeriod, tenant: str | None = None) -> MeterDays:
    """Use of all meters of a park, or of one tenant."""
    owned = f" AND \"tenant\" = '{tenant}'" if tenant is not None else ""
    sums = ",".join(f'sum("{name}") AS "{name}"' for name in _SUMMED)
    rows = await store.query(
        f'SELECT {sums},count("completeness") AS "rows",max("revised") AS "revised" FROM "{USAGE}" '
        f'WHERE {where(park, period)}{owned} GROUP BY time(1d),"meter","band" fill(none) tz(\'{park.park.timezone}\')',
        OPERATOR_DATABASE,
    )
    found: dict[str, dict[date, list[Row]]] = {}
    for row in rows:
        found.setdefault(row["meter"], {}).setdefault(_day(park, row["time"]), []).append(row)
    return {
        meter: {day: _day_use(park, day, bands) for day, bands in days.items()}
        for meter, days in found.items()
        if meter in park.meter
    }


_SUMMED = ("amount", "cost_vnd", "co2e_kg", "toe", "completeness", "estimated")


def _day_use(park: Park, day: date, bands: list[Row]) -> DayUse:
    quarters = (midnight_ms(day + timedelta(days=1), park.zone) - midnight_ms(day, park.zone)) // QUARTER_MS
    # A quarter hour that straddles the edge of a band has a row in each.
    size = max(quarters, sum(row["rows"] or 0 for row in bands))
    revised = max((int(row["revised"]) for row in bands if row["revised"] is not None), default=None)
    return DayUse(
        amount=_by_band(bands, "amount"),
        cost_vnd=_by_band(bands, "cost_vnd"),
        co2e_kg=_sum(row["co2e_kg"] for row in bands),
        toe=_sum(row["toe"] for row in bands),
        completeness=(_sum(row["completeness"] for row in bands) or 0.0) / size,
        estimated=(_sum(row["estimated"] for row in bands) or 0.0) / size,
        revised=None if revised is None else _day(park, revised * NS_PER_MS),
    )


def _by_band(rows: Iterable[Row], name: str) -> dict[str, float]:
    return {row["band"]: float(row[name]) for row in rows if row[name] is not None}


def _sum(values: Iterable[float | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return sum(known) if known else None


async def hourly_load(
    store: Store, park: Park, period: ReportPeriod, meters: Iterable[str]
) -> dict[tuple[date, int], float]:
    """Mean power of some electricity meters together, kW, by local day and hour; only hours that are wholly known."""
    names = "|".join(meters)
    if not names:
        return {}
    rows = await store.query(
        f'SELECT sum("amount") AS "amount",mean("completeness") AS "completeness" FROM "{USAGE}" '
        f'WHERE {where(park, period)} AND "meter" =~ /^({names})$/ '
        f"GROUP BY time(1h) fill(none) tz('{park.park.timezone}')",
        OPERATOR_DATABASE,
    )
    found: dict[tuple[date, int], float] = {}
    for row in rows:
        if row["amount"] is not None and (row["completeness"] or 0.0) > _WHOLE:
            local = _local(park, row["time"])
            found[local.date(), local.hour] = float(row["amount"])
    return found


_WHOLE = 0.999


async def figures(
    store: Store, park: Park, period: ReportPeriod, of: Period, tenant: str | None = None
) -> dict[str, dict[date, Fields]]:
    """The figures of tenants by tenant and first day, per day or per month."""
    fields = ",".join(f'"{name}"' for name in FIGURES)
    owned = f" AND \"tenant\" = '{tenant}'" if tenant is not None else ""
    rows = await store.query(
        f'SELECT {fields} FROM "{EFFICIENCY}" WHERE {where(park, period)} AND "period" = \'{of.value}\'{owned} '
        'GROUP BY "tenant"',
        OPERATOR_DATABASE,
    )
    found: dict[str, dict[date, Fields]] = {}
    for row in rows:
        values = {name: float(row[name]) for name in FIGURES if row[name] is not None}
        found.setdefault(row["tenant"], {})[_day(park, row["time"])] = values
    return found


async def balances(store: Store, park: Park, period: ReportPeriod) -> dict[str, dict[date, DayBalance]]:
    """The balances of each main meter by local day."""
    rows = await store.query(
        f'SELECT "submeters","loss","band","completeness","computable" FROM "{BALANCE}" WHERE {where(park, period)} '
        'GROUP BY "utility","main"',
        OPERATOR_DATABASE,
    )
    found: dict[str, dict[date, DayBalance]] = {}
    for row in rows:
        numbers = [row["submeters"], row["loss"], row["band"]]
        computable = bool(row["computable"]) and None not in numbers
        submeters, loss, band = (float(number or 0.0) for number in numbers)
        found.setdefault(row["main"], {})[_day(park, row["time"])] = DayBalance(
            submeters, loss, band, float(row["completeness"] or 0.0), computable
        )
    return {main: days for main, days in found.items() if main in park.meter}


def where(park: Park, period: ReportPeriod) -> str:
    """Condition on a park and a period."""
    start, end = (midnight_ms(day, park.zone) * NS_PER_MS for day in (period.first, period.until))
    return f"\"park\" = '{park.id}' AND time >= {start} AND time < {end}"


def _local(park: Park, ns: int) -> datetime:
    return datetime.fromtimestamp(ns // (NS_PER_MS * 1000), UTC).astimezone(park.zone)


def _day(park: Park, ns: int) -> date:
    return _local(park, ns).date()
