"""The inputs that usage and figures are computed from, and what a change of them affects: which meters, from when.

The inputs are stored part by part (`basisstore`), so that a change made while the service was down is found too.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from efficiency.baseline.frozen import FrozenBaseline
from efficiency.baseline.model import Baseline
from efficiency.baseline.sources import SHIFT_HOURS
from efficiency.service.aside import MAIN, TENANT
from efficiency.service.differences import first_day, first_of_balance, first_of_tenant, first_place, ms_of
from efficiency.usage.intervals import ALWAYS_BEFORE, EVER
from efficiency.valuation.rows import places_in
from metering.calendar import Window
from metering.meters import Belonging, Meter, Role
from metering.park import Park
from metering.quantities import Utility

_NOT_COMPUTED_FROM: Final = dict.fromkeys(
    ("name", "alias", "gateway", "modbus", "mbus", "limits", "ranges", "output_unit", "belongs"), True
) | {"instruments": {"__all__": {"model", "serial", "accuracy_pct", "source"}}}

_OF_A_TENANT = ("floor_area_m2", "employees", "shifts", "contract", "budget_vnd_per_month")

Parts = dict[str, Any]
"""Inputs by part: a meter's id, `.prices`, `.purchase`, `.electricity`, `.band days`, `.scope1`, `.scope2`, `.toe`,
`.reactive`, `.tenant ` and the tenant's id, `.main ` and that of a main meter, or `.baseline ` and the baseline's.
`.streams` has everything that matches depend on."""
BASELINE = ".baseline "
PLACES = "places"
STREAMS = ".streams"
REUSE = ".reuse"
PURCHASE = ".purchase"
ENTERED = ".entered"
BAND_DAYS = ".band days"
INDICATORS = ".indicators"
ELECTRICITY = Utility.ELECTRICITY.value


def parts_of(park: Park, baselines: Mapping[str, FrozenBaseline]) -> Parts:
    """The inputs of a park's usage and figures."""
    found: Parts = {}
    for meter in park.meters:
        own = meter.model_dump(mode="json", by_alias=True, exclude=_NOT_COMPUTED_FROM)
        found[meter.id] = {**own, PLACES: _places(park, meter)}
    tariffs = park.tariffs.model_dump(mode="json", by_alias=True)
    electricity = tariffs.pop("electricity") or {}
    found[".prices"] = tariffs["prices"]
    found[".vat"] = tariffs["vat"]
    found[PURCHASE] = {ELECTRICITY: tariffs["purchase"]["electricity"], **tariffs["purchase"]["prices"]}
    found[".reactive"] = {"rule": electricity.pop("reactive", [])}
    found[".electricity"] = {"bands": electricity.get("bands", []), **electricity.get("prices", {})}
    tariff = park.tariffs.electricity
    hours = tariff.bands if tariff is not None else ()
    found[BAND_DAYS] = _by_calendar(park, (window for each in hours for window in (*each.peak, *each.off_peak)))
    found |= _where_given(park)
    for name, entries in park.factors.model_dump(mode="json", by_alias=True).items():
        found[f".{name}"] = entries
    for tenant in park.tenants:
        own = tenant.model_dump(mode="json", by_alias=True)
        points = [[each.meter.id, _dump(each.belonging)] for each in park.points_of_tenant(tenant.id)]
        shifts = (window for entry in tenant.shifts for window in entry.value)
        found[f"{TENANT}{tenant.id}"] = {
            "points": points,
            "work_days": _by_calendar(park, shifts),
            **{key: own[key] for key in _OF_A_TENANT},
        }
    for meter in park.meters:
        if any(belonging.role is Role.MAIN for belonging in meter.belongs):
            found[f"{MAIN}{meter.id}"] = [_in_balance(meter)] + [
                [_dump(tenure.belonging), *_in_balance(tenure.meter)] for tenure in park.children(meter.id)
            ]
    for name, frozen in baselines.items():
        versions = {
            str(version.version): {
                "frozen": version.model_dump(mode="json"),
                "meters": frozen.sources[version.version].meters if version.version in frozen.sources else None,
                "tenant": frozen.tenants[version.version],
            }
            for version in frozen.versions
        }
        content = {"tenants": sorted({*frozen.tenants.values()}, key=str), "versions": versions}
        found[f"{BASELINE}{name}"] = content | _explained_by(park, frozen)
    known: Parts = json.loads(json.dumps(found))
    return known


def _by_calendar(park: Park, windows: Iterable[Window]) -> list[dict[str, Any]]:
    """Holidays and seasons as one entry without a beginning, if any of the windows depends on them."""
    if not any(window.not_on is not None or window.season is not None for window in windows):
        return []
    days = park.calendar.model_dump(mode="json", by_alias=True, exclude={"holidays": {"__all__": {"name", "source"}}})
    return [{"from": date.min.isoformat(), **days}]


def _where_given(park: Park) -> Parts:
    """Parts that not every park file has."""
    found: Parts = {}
    if park.park.reused_water:
        found[REUSE] = list(park.park.reused_water)
    if park.entered:
        found[ENTERED] = [each.model_dump(mode="json", by_alias=True) for each in park.entered]
    if park.targets or park.entered_indicators or park.park.area_m2:
        of_indicators = {"targets", "entered_indicators"}
        found[INDICATORS] = park.model_dump(mode="json", by_alias=True, include=of_indicators)
        found[INDICATORS]["area_m2"] = park.park.area_m2
    if park.streams:
        found[STREAMS] = park.model_dump(
            mode="json", by_alias=True, include={"streams", "calendar", "tariffs", "factors"}
        )
    return found


def _explained_by(park: Park, frozen: FrozenBaseline) -> dict[str, Any]:
    """What a baseline depends on besides its fit and its meters: adjustments, weather by month, shifts."""
    found: dict[str, Any] = {}
    if frozen.adjustments:
        found["adjustments"] = [each.model_dump(mode="json", by_alias=True) for each in frozen.adjustments]
    sources = [source for known in frozen.sources.values() for source in known.drivers]
    by_month: dict[str, list[float]] = {}
    for name in sorted({source.name for source in sources if source.weather.days}):
        weather = next(source.weather for source in sources if source.name == name)
        for day, mean in sorted(weather.days.items()):
            if day >= frozen.since:
                by_month.setdefault(f"{day:%Y-%m}", []).extend((day.day, mean.mean_c))
        break  # all drivers of the weather follow from the same days
    if by_month:
        found["weather"] = by_month
    if any(source.name == SHIFT_HOURS for source in sources):
        tenants = [park.tenant[name] for name in {*frozen.tenants.values()} if name in park.tenant]
        found["shifts"] = [each.model_dump(mode="json", by_alias=True, include={"shifts"}) for each in tenants]
        found["shifts"].append(park.calendar.model_dump(mode="json", by_alias=True))
    return found


def _dump(belonging: Belonging) -> dict[str, Any]:
    return belonging.model_dump(mode="json", by_alias=True)


def _places(park: Park, meter: Meter) -> list[Any]:
    """A meter's places in the park over time: the tags of its usage and its voltage, each with its span."""
    return [
        [place.span.start, place.span.end, place.tenant, place.role, place.kind.value, place.voltage]
        for place in places_in(park, meter, EVER)
    ]


def _in_balance(meter: Meter) -> list[Any]:
    """What a balance needs to know about a meter besides its use."""
    classes = [[each.since_ms, each.accuracy_pct, sorted(each.registers)] for each in meter.instruments]
    return [meter.id, classes, [_dump(belonging) for belonging in meter.belongs]]


def baselines_in(parts: Parts) -> tuple[Baseline, ...]:
    """The baselines that these parts were made from."""
    contents = [content for part, content in parts.items() if part.startswith(BASELINE)]
    return tuple(
        Baseline.model_validate_json(json.dumps(version["frozen"]))
        for content in contents
        for version in content["versions"].values()
    )


@dataclass(slots=True)
class Changes:
    """What must be computed again, and what must be deleted.

    Computed again, each from an instant (ms) or a day on: the use of `meters`; the stored points of `moved` meters,
    which have another place in the park but the same use; the figures of `tenants`; the balances of `mains`; what
    `baselines` expect; the cost of the intake at the park's `edges`. `swaps`: instants at which the registers of an
    exchange changed. `streams`, `reuse`, `entered`: whether the streams, the meters of reused wastewater, or the
    entered fuels and how they count are different.

    Deleted: `lost` meters (with the tenants who had them), tenants that `left`, `lost_mains`, and baselines that are
    `gone` (with their tenants). `lost_uses`: the utilities of lost meters.
    """

    meters: dict[str, int] = field(default_factory=dict)
    swaps: dict[str, list[int]] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    lost: dict[str, set[str]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    lost_mains: set[str] = field(default_factory=set)
    lost_uses: set[Utility] = field(default_factory=set)
    tenants: dict[str, int] = field(default_factory=dict)
    mains: dict[str, int] = field(default_factory=dict)
    baselines: dict[str, date] = field(default_factory=dict)
    gone: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    streams: bool = False
    reuse: bool = False
    edges: dict[Utility, date] = field(default_factory=dict)
    entered: bool = False

    def since(self, meter: str, ms: int) -> None:
        """Note that a meter must be recomputed from `ms` on."""
        self.meters[meter] = min(ms, self.meters.get(meter, ms))


def changes(before: Parts, after: Parts, park: Park) -> Changes:
    """What a change from the parts `before` to `after`, those of `park`, affects."""
    found = Changes()
    for meter in park.meters:
        old, new = before.get(meter.id), after[meter.id]
        if old is None:
            found.meters[meter.id] = ALWAYS_BEFORE
        elif old != new:
            _of_meter(found, meter.id, old, new)
    for utility, since in _utilities(before, after):
        for meter in park.meters:
            if meter.utility is utility:
                found.since(meter.id, ms_of(since, park.zone))
    since = _figures_since(before, after)
    if since < date.max:
        found.tenants |= {tenant.id: ms_of(since, park.zone) for tenant in park.tenants}
    different = {part for part in before.keys() | after.keys() if before.get(part) != after.get(part)}
    for part in sorted(after.keys() & different):
        _of_figures(found, part, before.get(part), after[part], park.zone)
    found.streams, found.reuse = STREAMS in different, REUSE in different
    found.entered = bool(different & {ENTERED, INDICATORS, ".fuels", ".gwp"})
    found.edges = {utility: day for utility in Utility if (day := _edge_since(before, after, utility)) < date.max}
    gone = before.keys() - after.keys()
    found.lost = {
        part: {place[2] for place in before[part].get(PLACES, ()) if place[2] is not None}
        for part in gone
        if not part.startswith(".")
    }
    found.lost_uses = {Utility(before[part]["utility"]) for part in found.lost}
    found.left = {part.removeprefix(TENANT) for part in gone if part.startswith(TENANT)}
    found.lost_mains = {part.removeprefix(MAIN) for part in gone if part.startswith(MAIN)}
    for part in sorted(part for part in different if part.startswith(BASELINE)):
        _of_baseline(found, part.removeprefix(BASELINE), before.get(part), after.get(part))
    return found


def _edge_since(before: Parts, after: Parts, utility: Utility) -> date:
    """First day on which the intake at the park's edge has another cost; `date.min` if it was never computed."""
    if PURCHASE not in before:
        return date.min
    return min(_first_of(before, after, part, utility.value) for part in (PURCHASE, ".vat"))


def _first_of(before: Parts, after: Parts, part: str, name: str) -> date:
    return first_day(before.get(part, {}).get(name, []), after[part].get(name, []))


def _of_figures(found: Changes, part: str, old: Any, new: Any, zone: ZoneInfo) -> None:
    if part.startswith(TENANT):
        tenant = part.removeprefix(TENANT)
        since = ALWAYS_BEFORE if old is None else first_of_tenant(old, new, zone)
        found.tenants[tenant] = min(since, found.tenants.get(tenant, since))
    elif part.startswith(MAIN):
        found.mains[part.removeprefix(MAIN)] = ALWAYS_BEFORE if old is None else first_of_balance(old, new)


def _figures_since(before: Parts, after: Parts) -> date:
    """First day on which dated data differs on which only figures depend: surcharge, VAT, energy content."""
    days = [
        _first_of(before, after, part, name)
        for part in (".reactive", ".vat", ".mj")
        for name in before.get(part, {}).keys() | after[part].keys()
    ]
    return min(days, default=date.max)


def _of_baseline(found: Changes, name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> None:
    before, after = ({} if content is None else content["versions"] for content in (old, new))
    moved = old is not None and (new is None or bool({*old["tenants"]} - {*new["tenants"]}))
    if old is not None and moved:
        found.gone[name] = tuple(old["tenants"])
    odd = [
        versions[version]
        for versions in (before, after)
        for version in versions
        if moved or before.get(version) != after.get(version)
    ]
    since = [date.fromisoformat(version["frozen"]["holds_from"]) for version in odd]
    since += _explained_otherwise(old or {}, new or {})
    if since:
        found.baselines[name] = min(since)


def _explained_otherwise(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[date]:
    """The first days on which adjustments, weather or shifts differ."""
    changed = [
        each
        for one, other in ((old, new), (new, old))
        for each in one.get("adjustments", ())
        if each not in other.get("adjustments", ())
    ]
    yield from (date.fromisoformat(each["from"]) for each in changed)
    weather = old.get("weather", {}), new.get("weather", {})
    for month in weather[0].keys() | weather[1].keys():
        if weather[0].get(month) != weather[1].get(month):
            yield date.fromisoformat(f"{month}-01")
    if old.get("shifts") != new.get("shifts"):
        yield date.min


def _of_meter(found: Changes, meter: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    different = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    if different - {"instruments", PLACES}:
        found.meters[meter] = ALWAYS_BEFORE
        return
    if PLACES in different:
        found.moved[meter] = first_place(old[PLACES], new[PLACES])
    if "instruments" not in different:
        return
    lists = [[_of_instrument(entry) for entry in part["instruments"]] for part in (old, new)]
    if lists[0] == lists[1]:
        changed = old["instruments"], new["instruments"]
        odd = [entry for one, other in (changed, changed[::-1]) for entry in one if entry not in other]
        found.swaps[meter] = sorted({at for entry in odd for at in (entry["from"], entry["until"]) if at is not None})
    else:
        odd = [entry for one, other in (lists, lists[::-1]) for entry in one if entry not in other]
        starts = [ALWAYS_BEFORE if entry["from"] is None else entry["from"] for entry in odd]
        found.meters[meter] = min(starts)


def _of_instrument(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of an instrument without its registers at an exchange: they change only the steps around it."""
    return {key: value for key, value in entry.items() if key not in {"opening", "closing", "until"}}


class _Revalued(NamedTuple):
    """A utility, and the first day on which its prices or factors differ."""

    utility: Utility
    since: date


def _utilities(before: Parts, after: Parts) -> Iterator[_Revalued]:
    """Utilities whose dated data differs, and the first day on which it does."""
    if first_day(before.get(BAND_DAYS, []), after[BAND_DAYS]) < date.max:
        yield _Revalued(Utility.ELECTRICITY, date.min)
    for part in (".prices", ".scope1", ".scope2", ".toe", ".electricity"):
        old, new = before.get(part, {}), after[part]
        for name in old.keys() | new.keys():
            since = first_day(old.get(name, []), new.get(name, []))
            if since < date.max:
                yield _Revalued(Utility.ELECTRICITY if part == ".electricity" else Utility(name), since)
    since = first_day(before.get(".gwp", []), after[".gwp"])
    if since < date.max:
        for name in after[".scope1"]:
            yield _Revalued(Utility(name), since)
