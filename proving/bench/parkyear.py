"""Thirteen months of a large park as the services leave them, written straight into a database to time panels on.

The park is the example's, its tenants eight times and their sub-meters nine times: 80 firms and about 1,900 meters.
The numbers are plausible, not right: nobody computed them from registers.
"""

import copy
import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from efficiency.indicators.figure import Figure, fields_of
from efficiency.usage.intervals import EVER, QUARTER_MS
from efficiency.valuation.localtime import slots
from efficiency.valuation.money import BANDS, band_shares
from efficiency.valuation.rows import places_in
from metering.figures import FIGURES, Period
from metering.meters import Meter, Role
from metering.park import Park
from metering.quantities import Utility
from metering.tariffs import Band
from proving.bench.parks import EXAMPLE
from store.client import Store
from store.lines import FieldValue, point, series
from store.schema import BALANCE, EFFICIENCY, EVENTS, METER_STATUS, NS_PER_MS, OPERATOR_DATABASE, PIPELINE, USAGE
from store.schema import reading_series as readings_of

FIRMS: Final = 8
SUB_METERS: Final = 9
MONTHS: Final = 13
WEEK: Final = timedelta(days=7)
AT_ONCE: Final = 500
DAYS: Final = 396


def write_large_park(file: Path) -> None:
    """Write the park file."""
    park = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    tenants = {tenant["id"] for tenant in park["tenants"]}
    of = {meter["id"]: meter.get("tenant") for meter in park["meters"]}
    meters: list[dict[str, Any]] = [meter for meter in park["meters"] if meter.get("tenant") not in tenants]
    for firm in range(FIRMS):
        for meter in park["meters"]:
            if meter.get("tenant") in tenants:
                below = of.get(meter.get("parent")) == meter["tenant"]
                meters += [_like(meter, firm, number, below=below) for number in range(SUB_METERS if below else 1)]
    firms = [{**tenant, "id": f"{tenant['id']}-{firm}"} for firm in range(FIRMS) for tenant in park["tenants"]]
    # Only what names no tenant and no meter of the example: those of the large park have other names.
    large = {key: park[key] for key in ("gateways", "meter_models", "calendar", "tariffs", "factors")}
    large |= {"park": {**park["park"], "id": "large"}, "tenants": firms, "meters": meters}
    file.write_text(yaml.safe_dump(large, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _like(meter: dict[str, Any], firm: int, number: int, *, below: bool) -> dict[str, Any]:
    made = copy.deepcopy(meter)  # an alias in the file would be the same meter
    made.pop("alias", None)  # two devices of a gateway never call themselves the same
    made["id"] = f"{meter['id']}-{firm}" + (f"-{number}" if below else "")
    made["tenant"] = f"{meter['tenant']}-{firm}"
    if below:
        made["parent"] = f"{meter['parent']}-{firm}"
    return made


async def write_year(store: Store, park: Park, now: datetime, days: int = DAYS) -> int:
    """Write everything that ends at `now`, so many days; returns how many points."""
    written = 0
    lines = chain.from_iterable(_everything(park, now, days))
    while batch := list(islice(lines, AT_ONCE)):
        await store.write(batch, OPERATOR_DATABASE)
        written += len(batch)
    return written


def _everything(park: Park, now: datetime, days: int) -> Iterator[Iterable[str]]:
    midnight = now.astimezone(park.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - timedelta(days=days)
    while start < now:
        span = np.arange(_ms(start), min(_ms(start + WEEK), _ms(now)), QUARTER_MS)
        for number, meter in enumerate(park.meters):
            yield _usage(park, meter, span, np.random.default_rng(number))
        start += WEEK
    for tenant in park.tenants:
        yield _figures(park, tenant.id, midnight, days)
    yield _balances(park, midnight, days)
    yield _states(park, now)
    yield _readings(park, now, days)
    yield _events(park, now)
    yield _pipeline(now, days)


def _usage(
    park: Park, meter: Meter, span: np.ndarray[tuple[int], np.dtype[np.int64]], noise: np.random.Generator
) -> list[str]:
    place, when = places_in(park, meter, EVER)[-1], slots(span, park.zone)
    tags = {"park": park.id, "tenant": place.tenant, "utility": place.utility, "meter": meter.id, "role": place.role}
    amount = meter.rated / 8 * (1 + np.sin(when.minute / 1440 * 2 * math.pi)) * noise.uniform(0.8, 1.2, len(span))
    if meter.utility is Utility.ELECTRICITY and park.tariffs.electricity is not None:
        bands = [
            BANDS[place]
            for place in band_shares(park.tariffs.electricity.bands, park.calendar, when).argmax(axis=1).tolist()
        ]
    else:
        bands = [Band.ALL] * len(span)
    heads = {band: series(USAGE, {**tags, "band": band.value}) for band in set(bands)}
    return [
        f"{heads[band]} amount={used:.3f},completeness=1,estimated=0,cost_vnd={used * 1900:.1f} {ms}000000"
        for band, used, ms in zip(bands, amount.tolist(), span.tolist(), strict=True)
    ]


def _figures(park: Park, tenant: str, midnight: datetime, days: int) -> Iterator[str]:
    noise = np.random.default_rng(len(tenant))
    starts = [(Period.DAY, midnight - timedelta(days=back)) for back in range(days + 1)]
    first = midnight.replace(day=1)
    for _ in range(MONTHS + 1):
        starts.append((Period.MONTH, first))
        first = (first - timedelta(days=1)).replace(day=1)
    for period, start in starts:
        values = noise.uniform(0.5, 1.0, len(FIGURES)).tolist()
        figures = {name: Figure(value, "") for name, value in zip(FIGURES, values, strict=True)}
        tags = {"park": park.id, "tenant": tenant, "period": period.value}
        yield point(series(EFFICIENCY, tags), fields_of(figures), _ns(start))


def _balances(park: Park, midnight: datetime, days: int) -> Iterator[str]:
    values = {"incoming": 900.0, "tenants": 800.0, "own": 80.0, "submeters": 880.0, "loss": 20.0, "band": 15.0}
    fields = fields_of({name: Figure(value, "") for name, value in {**values, "loss_share": 20 / 900}.items()})
    for meter in park.meters:
        if meter.belongs[-1].role is Role.MAIN:
            tags = {"park": park.id, "utility": meter.utility.value, "main": meter.id, "period": Period.DAY.value}
            for back in range(days):
                yield point(series(BALANCE, tags), fields, _ns(midnight - timedelta(days=back)))


def _states(park: Park, now: datetime) -> Iterator[str]:
    for meter in park.meters:
        tags = {"park": park.id, "tenant": meter.belongs[-1].tenant, "utility": meter.utility.value, "meter": meter.id}
        for minute in range(120):
            fields: dict[str, FieldValue] = {"heard": True, "silent_after_s": 900.0, "seconds_since_last": 20.0}
            yield point(series(METER_STATUS, tags), fields, _ns(now - timedelta(minutes=minute)))


def _readings(park: Park, now: datetime, days: int) -> Iterator[str]:
    """A minute's readings: of outfalls over the whole time, of all others over the last day."""
    for meter in park.meters:
        head = readings_of(park.id, meter)
        fields = ",".join(f"{name}=7.1" for name in meter.quantities)
        for minute in range((days if meter.limits else 1) * 1440):
            yield f"{head} {fields} {_ns(now) - minute * 60_000 * NS_PER_MS}"


def _events(park: Park, now: datetime) -> Iterator[str]:
    for number, meter in enumerate(park.meters):
        tags = {
            "park": park.id,
            "tenant": meter.belongs[-1].tenant,
            "meter": meter.id,
            "kind": ("stuck", "gap", "swap")[number % 3],
        }
        fields: dict[str, FieldValue] = {"text_en": "an event", "text_vi": "sự kiện"}
        yield point(series(EVENTS, tags), fields, _ns(now - timedelta(hours=number)))


def _pipeline(now: datetime, days: int) -> Iterator[str]:
    names = (
        "readings_per_s",
        "refused_per_s",
        "write_ms",
        "lag_s",
        "held_bytes",
        "resident_mb",
        "last_write_age_s",
        "waiting_s",
    )
    fields = ",".join(f"{name}=4.2" for name in (*names, "unacknowledged", "retries"))
    for step in range(days * 8640):
        yield f"{PIPELINE},service=ingest,instance=ingest-1 {fields} {_ns(now) - step * 10_000 * NS_PER_MS}"


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _ns(moment: datetime) -> int:
    return _ms(moment) * NS_PER_MS
