"""The example park many times over: as many meters as a large park has, of all utilities, with all dated data.

Each copy has its own mains, gateways and meters. Tenants are shared by copies, so that they are as many as a large park
has, and not more. Registers are invented, in the resolution and up to the roll-over of the example's instruments.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import yaml

from efficiency.usage.counters import counter_of
from efficiency.usage.intervals import DAY_MS, HOUR_MS, WEEK_MS, Floats, Span, Times
from metering.meters import Meter, Role
from metering.park import Park
from proving.bench.parks import EXAMPLE
from store.schema import reading_series

PARK: Final = "bench-usage"
METERS: Final = 89
"""Of one copy of the park."""
_TENANT_COPIES = 4
_OFFLINE_MS = 6 * HOUR_MS
_OFFLINE_EVERY = 28
"""How long each copy's first gateway is off, and on one day of how many."""
_REACTIVE = 0.3


def write_park(file: Path, copies: int, interval_s: int) -> None:
    """Write the park file of so many copies, all of whose meters are read every `interval_s`."""
    raw = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    whole = {key: raw[key] for key in ("meter_models", "tariffs", "factors")}
    reused = [f"{meter}-{copy}" for copy in range(copies) for meter in raw["park"].get("reused_water", ())]
    whole["park"] = raw["park"] | {"id": PARK, "reused_water": reused}
    tenants = min(copies, _TENANT_COPIES)
    whole["tenants"] = [one | {"id": f"{one['id']}-{copy}"} for copy in range(tenants) for one in raw["tenants"]]
    whole["gateways"] = [one | {"id": f"{one['id']}-{copy}"} for copy in range(copies) for one in raw["gateways"]]
    whole["meters"] = [_copied(one, copy, interval_s) for copy in range(copies) for one in raw["meters"]]
    file.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _copied(meter: dict[str, Any], copy: int, interval_s: int) -> dict[str, Any]:
    new = meter | {"id": f"{meter['id']}-{copy}", "gateway": f"{meter['gateway']}-{copy}", "interval_s": interval_s}
    if "parent" in meter:
        new["parent"] = f"{meter['parent']}-{copy}"
    if "tenant" in meter:
        new["tenant"] = f"{meter['tenant']}-{copy % _TENANT_COPIES}"
    return new


def lines(park: Park, span: Span, origin: int) -> Iterator[list[str]]:
    """Lines of all readings of a span, meter by meter; the meters began to count at `origin`, ms."""
    for number, meter in enumerate(park.meters):
        step = meter.interval_s * 1000
        times = np.arange(span.start, span.end, step, dtype=np.int64)
        if meter.gateway.startswith(park.gateways[0].id.rpartition("-")[0]):
            times = times[~_offline(times, number // METERS)]
        names = [name for name, of in meter.quantities.items() if of.counter]
        values = [
            _register(meter, name, park.zone, number=number, times=times, origin=origin).tolist() for name in names
        ]
        fields = ",".join(f"{name}=%r" for name in names)
        text = f"{reading_series(park.id, meter)} {fields} %d000000"
        yield list(map(text.__mod__, zip(*values, times.tolist(), strict=True)))


def _offline(times: Times, copy: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray((times // DAY_MS % _OFFLINE_EVERY == copy % _OFFLINE_EVERY) & (times % DAY_MS < _OFFLINE_MS))


def _register(meter: Meter, name: str, zone: ZoneInfo, number: int, times: Times, origin: int) -> Floats:
    """What a register shows: a load by the hour of the week, whose integral is known at every instant."""
    counter = counter_of(meter, name, zone).instruments[0]
    rated = meter.rated * {"reactive_kvarh": _REACTIVE, "energy_export_kwh": 0.0}.get(name, 1.0)
    # The load is constant within a quarter of an hour, so the register is its sum: first whole weeks, then the rest.
    week = _week(meter, number)
    passed = np.concatenate(([0.0], np.cumsum(week)))
    since = times - origin // WEEK_MS * WEEK_MS
    slot, rest = np.divmod(since % WEEK_MS, _SLOT_MS)
    hours = since // WEEK_MS * passed[-1] + passed[slot] + week[slot] * (rest / _SLOT_MS)
    if meter.belongs[-1].role is not Role.GENERATION:
        hours += _swell(since, number)  # no two weeks are alike; too small ever to turn the register back
    shown = 1000.0 * (number + 1) + rated * hours / counter.factor
    if counter.rollover is not None:
        shown %= counter.rollover
    return np.asarray(np.round(np.round(shown / counter.count) * counter.count, 3) if counter.count else shown)


_SLOT_MS = 900_000
_PER_HOUR = 4
_NOON_UTC = 5


def _week(meter: Meter, number: int) -> Floats:
    """Rated hours that pass in each quarter hour of a week."""
    random = np.random.default_rng(number)
    slots = np.arange(WEEK_MS // _SLOT_MS)
    hour = slots / _PER_HOUR % 24
    sun = np.maximum(0.0, np.cos((hour - _NOON_UTC) * np.pi / 12))
    shape = sun * 0.8 if meter.belongs[-1].role is Role.GENERATION else 0.25 + 0.35 * (sun > 0)
    return np.asarray(shape * random.uniform(0.8, 1.2, len(slots)) / _PER_HOUR)


def _swell(since: Times, number: int) -> Floats:
    period = (11 + number % 7) * DAY_MS
    return np.asarray((1 - np.cos(since * (2 * np.pi / period))) * (0.02 * period / HOUR_MS / (2 * np.pi)))
