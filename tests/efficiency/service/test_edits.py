"""After any sequence of edits of the park file everything stored is as if computed from scratch from the final file.

Owners, parents, roles, prices, voltages, exchanges with and without closing registers, ratios from an instant, accuracy
classes, holidays, reused water, targets, the life of meters and tenants, with and without restarts between the edits,
where a change takes several cycles, and where somebody recomputes by hand by a file that the service never sees; in the
operator's database and in that of each tenant.
"""

import copy
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from efficiency.service import park as park_usage
from efficiency.service.park import ParkUsage
from efficiency.usage.intervals import DAY_MS, HOUR_MS, Span
from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_park
from store.answers import Row
from store.client import Store
from store.schema import OPERATOR_DATABASE, tenant_database

BEGIN = 1_790_000_000_000 // DAY_MS * DAY_MS - 7 * HOUR_MS
"""A midnight in the park."""
DAYS = 2
NOW = BEGIN + DAYS * DAY_MS
TENANTS = ("weaver", "brewer", "smith")
ELECTRIC = ("e-1", "e-2", "e-3", "e-4")
METERS = ("e-main", *ELECTRIC, "w-1", "g-1")
UTILITY = {"e": ("electricity", "energy_kwh"), "w": ("water", "volume_m3"), "g": ("natural_gas", "volume_nm3")}
DERIVED = ("usage", "efficiency", "balance", "events", "baseline", "park_efficiency", "park_indicator", "symbiosis")


def instant(random_: random.Random) -> str:
    """A quarter hour of the days that were read, or of the day after."""
    ms = BEGIN + random_.randrange((DAYS + 1) * 96) * 900_000
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


BURNING = {
    "from": "2020-01-01",
    "gj_per_unit": 0.036,
    "co2_kg_per_gj": 56.1,
    "ch4_kg_per_gj": 0.1,
    "n2o_kg_per_gj": 0.1,
    "standing": "default",
    "source": "invented",
}
POTENTIALS = {"from": "2020-01-01", "name": "old", "ch4": 25.0, "n2o": 298.0, "source": "invented"}


def raw_park(park: str = "demo") -> dict[str, Any]:
    def meter(name: str, **more: Any) -> dict[str, Any]:
        utility, counter = UTILITY[name[0]]
        return {
            "id": name,
            "name": {"en": name, "vi": name},
            "gateway": "gw",
            "utility": utility,
            "interval_s": 3600,
            "rated": 900,
            "registers": {counter: {}},
            **more,
        }

    def tenant(name: str) -> dict[str, Any]:
        named = {"en": name, "vi": name}
        return {"id": name, "name": named, "sector": named, "contract": {"voltage": "v6"}}

    price = {"source": "invented", "peak": 3000.0, "normal": 2000.0, "off_peak": 1000.0}
    return {
        "park": {"id": park, "name": {"en": "Park", "vi": "Khu"}, "timezone": "Asia/Ho_Chi_Minh"},
        "tenants": [tenant(name) for name in TENANTS],
        "gateways": [{"id": "gw", "name": {"en": "One", "vi": "Một"}}],
        "meters": [
            meter("e-main", role="main"),
            meter("e-1", tenant="weaver", parent="e-main"),
            meter("e-2", tenant="weaver", parent="e-1"),
            meter("e-3", tenant="brewer", parent="e-main"),
            meter("e-4", parent="e-main"),
            meter("w-1", tenant="smith"),
            meter("g-1", tenant="brewer"),
        ],
        "factors": {"scope1": {"natural_gas": [BURNING]}, "gwp": [POTENTIALS]},
        "tariffs": {
            "electricity": {
                "bands": [
                    {
                        "from": "2020-01-01",
                        "source": "invented",
                        "peak": [{"days": "daily", "start": "17:30", "end": "22:30"}],
                        "off_peak": [{"days": "daily", "start": "00:00", "end": "06:00"}],
                    }
                ],
                "prices": {
                    "v6": [{"from": "2020-01-01", **price}],
                    "v22": [{"from": "2020-01-01", **price, "normal": 1900.0}],
                },
            },
            "prices": {"water": [{"from": "2020-01-01", "value": 10000.0, "source": "invented"}]},
        },
    }


EXAMPLES, AT_ONCE, EDITS, COMPARED_AFTER = 50, 5, 20, 5
"""Sequences of edits, sequences in one test, edits in each: a thousand. After so many of them all is compared: what one
edit leaves behind is seldom covered by later ones."""
BY_HAND = 0.25
"""How often somebody recomputes by a changed file while the service is down."""
FEW_IN_A_CYCLE = 50
"""Quarter hours that one cycle may compute in every other sequence: less than edits of several meters change."""
KINDS = (
    "owner",
    "owner",
    "owner",
    "owner",
    "voltage",
    "price",
    "class",
    "ratio",
    "lose",
    "again",
    "streams",
    "size",
    "size",
    "reuse",
    "reuse",
    "exchange",
    "ratio-from",
    "stay",
    "life",
    "life",
    "contract",
    "holidays",
    "targets",
    "potentials",
)


def edit(raw: dict[str, Any], kind: str, random_: random.Random) -> None:
    """Change a park file as an operator might."""
    meters = {meter["id"]: meter for meter in raw["meters"]}
    name = random_.choice([meter for meter in ELECTRIC if meter in meters] or ["e-main"])
    match kind:
        case "owner":
            give(meters, name, random_)
        case "voltage":
            first, second = random_.sample(["v6", "v22"], 2)
            dated = [{"value": first}, {"from": "2026-09-22", "value": second}]
            random_.choice(raw["tenants"])["contract"]["voltage"] = random_.choice((first, dated))
        case "price":
            later = [{"from": "2026-09-22", "value": 12000.0, "source": "new"}]
            prices = raw["tariffs"]["prices"]
            prices["water"] = prices["water"][:1] + random_.choice(([], later))
        case "class":
            random_.choice(raw["meters"])["accuracy_pct"] = random_.choice((0.2, 0.5, 1.0))
        case "ratio" | "ratio-from" | "exchange" | "life":
            refit(meters[name], kind, random_)
        case "lose":
            name = random_.choice((name, name, "w-1"))
            raw["meters"] = [each for each in raw["meters"] if each["id"] != name or name == "e-main"]
            if random_.random() < 0.4:
                raw["tenants"] = random_.sample(raw["tenants"], len(raw["tenants"]) - 1)
        case "streams" | "contract" | "size" | "reuse" | "stay" | "holidays" | "targets" | "potentials":
            describe(raw, kind, random_)
        case "again":
            known = {tenant["id"]: tenant for tenant in [*raw_park()["tenants"], *raw["tenants"]]}
            raw["tenants"] = [known[tenant] for tenant in TENANTS]
            there = {each["id"] for each in raw["meters"]}
            raw["meters"] += [each for each in raw_park()["meters"] if each["id"] not in there]


def describe(raw: dict[str, Any], kind: str, random_: random.Random) -> None:
    """Change streams, warming potentials, or a tenant's size or budget: to a plain value, or to a dated one."""
    match kind:
        case "streams":
            raw["streams"] = random_.choice(([], streams(random_.choice((5.0, 20.0)))))
        case "contract":
            contract = random_.choice(raw["tenants"])["contract"]
            contract["demand_kw"] = random_.choice((20.0, [{"value": 20.0}, {"from": "2026-09-22", "value": 30.0}]))
            factor = {"from": random_.choice(("2020-01-01", "2026-09-22")), "value": 0.1, "source": "invented"}
            contract["co2e_kg_per_kwh"] = random_.choice(([], [factor]))
        case "reuse":
            raw["park"]["reused_water"] = random_.choice(([], ["w-1"]))
        case "stay":
            tenant = random_.choice(raw["tenants"])
            for key in ("from", "until"):
                tenant.pop(key, None)
            tenant |= random_.choice(({}, {"from": "2026-09-22"}, {"until": "2026-09-23"}))
        case "holidays":
            entry = {
                "from": "2026-09-22",
                "to": "2026-09-22",
                "name": {"en": "Day", "vi": "Ngày"},
                "source": "invented",
            }
            raw["calendar"] = {"holidays": [entry] if random_.random() < 0.7 else []}
            night = {"days": "daily", "start": "22:00", "end": "06:00", "not_on": "holidays"}
            random_.choice(raw["tenants"])["shifts"] = random_.choice(([], [night]))
            (window,) = raw["tariffs"]["electricity"]["bands"][0]["peak"]
            window["not_on"] = "holidays"
        case "targets":
            raw["targets"] = {"reuse_pct": random_.choice((5.0, 20.0))}
            entry = {"indicator": "waste_t", "years": {"2026": random_.choice((1.0, 2.0))}, "source": "invented"}
            raw["entered_indicators"] = random_.choice(([], [entry]))
        case "potentials":
            later = [{**POTENTIALS, "from": "2026-09-22", "ch4": 28.0}]
            raw["factors"]["gwp"] = [POTENTIALS, *random_.choice(([], later))]
        case "size":
            resize(raw, random_)


def resize(raw: dict[str, Any], random_: random.Random) -> None:
    """Change the size or budget of a tenant."""
    before, after = ({"value": random_.choice((100.0, 200.0))} for _ in range(2))
    entries = [before, {"from": "2026-09-22", **after}]
    key = random_.choice(("floor_area_m2", "budget_vnd_per_month"))
    random_.choice(raw["tenants"])[key] = random_.choice((entries, [{**before, "until": "2026-09-22"}], 200.0))


def refit(meter: dict[str, Any], kind: str, random_: random.Random) -> None:
    """Exchange an instrument, its registers written down or not, or change its ratio, perhaps from an instant on.

    Or when the point exists.
    """
    if kind == "life":
        for key in ("from", "until"):
            meter.pop(key, None)
        meter |= random_.choice(({}, {"from": instant(random_)}, {"until": instant(random_)}))
        return
    if kind == "ratio":
        meter["multiplier"] = random_.choice((1.0, 2.0))
        return
    for key in ("instruments", "multiplier"):
        meter.pop(key, None)
    if kind == "ratio-from":
        meter["multiplier"] = [{"value": 1.0}, {"from": instant(random_), "value": random_.choice((2.0, 40.0))}]
        return
    closing, opening = ({"energy_kwh": float(random_.randrange(1000, 5000))} for _ in range(2))
    old = {"serial": "1", **({"closing": closing} if random_.random() < 0.5 else {})}
    new = {"serial": "2", **({"opening": opening} if random_.random() < 0.5 else {})}
    meter["instruments"] = [old, {"from": instant(random_), "multiplier": random_.choice((1.0, 2.0)), **new}]


def streams(rate: float) -> list[dict[str, Any]]:
    """Heat that the park has left over, and that one of the tenants could use."""
    named, heat = {"name": {"en": "Heat", "vi": "Nhiệt"}, "source": "invented"}, {"kind": "heat", "temperature_c": 60.0}
    given = {"id": "left", "side": "surplus", "meter": "e-main", "cold_c": 30.0}
    wanted = {"id": "wanted", "side": "demand", "tenant": "smith", "rate": rate, "replaces": {"water": 0.1}}
    return [named | heat | given | {"temperature_c": 70.0}, named | heat | wanted]


def give(meters: dict[str, Any], name: str, random_: random.Random) -> None:
    """Give a meter other owners, one after the other, and another parent."""
    above = random_.choice(["e-main", "e-main", None, "e-1"])
    parent = {} if above is None or above == name or above not in meters else {"parent": above}
    for key in ("tenant", "parent", "role", "belongs"):
        meters[name].pop(key, None)
    owners = random_.sample([None, *TENANTS], random_.choice((1, 2, 3)))
    edges = sorted({instant(random_) for _ in owners[1:]})
    meters[name]["belongs"] = [
        {**({"from": since} if since else {}), **({"tenant": owner} if owner else {}), **parent}
        for since, owner in zip((None, *edges), owners, strict=False)
    ]


def accepted(file: Path, raw: dict[str, Any]) -> Park | None:
    """The park, written to its file (JSON is YAML, and quickly written); None where the park file refuses it."""
    file.write_text(json.dumps(raw))
    try:
        return load_park(file)
    except OperatorError:
        return None


def lines(park: str) -> list[str]:
    """Hourly registers; e-3 is silent for six hours, which is an event of whoever has it then."""
    found = []
    for number, name in enumerate(METERS):
        measurement, field = UTILITY[name[0]]
        for hour in range(DAYS * 24 + 1):
            if not (name == "e-3" and 30 < hour < 36):
                shown = 1000.0 * number + hour * (10 + number) + hour % 3
                found.append(f"{measurement},park={park},meter={name} {field}={shown} {BEGIN + hour * HOUR_MS}000000")
    return found


async def everything(store: Store, park: str) -> dict[str, list[Row]]:
    """All that was computed of a park, by tenant and measurement, but for when it was."""
    databases = {row["name"] for row in await store.query("SHOW DATABASES", "")}
    found: dict[str, list[Row]] = {}
    for tenant in ("", *TENANTS):
        database = tenant_database(park, tenant) if tenant else OPERATOR_DATABASE
        for measurement in DERIVED if database in databases else ():
            rows = await store.query(f'SELECT * FROM "{measurement}" WHERE "park" = \'{park}\'', database)
            there = [
                {key: value for key, value in row.items() if value not in (None, "") and key not in ("revised", "park")}
                for row in rows
            ]
            found[f"{tenant} {measurement}"] = sorted(there, key=lambda row: sorted(map(str, row.items())))
    return found


async def begun(store: Store, park: Park, now: int) -> ParkUsage:
    usage = ParkUsage(store, park)
    await usage.begin(now)
    return usage


async def recompute(store: Store, park: Park, now: int) -> None:
    """What `ecopark usage recompute` does, over all readings."""
    by_hand = ParkUsage(store, park, reader="recompute")
    await by_hand.recompute(Span(BEGIN, NOW), park.meters, now)
    await by_hand.close()


@pytest.mark.parametrize("first", range(0, EXAMPLES, AT_ONCE))
async def test_any_sequence_of_edits_leads_to_what_is_computed_from_scratch(
    first: int, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(first, first + AT_ONCE):
        await one_sequence(seed, store, tmp_path / "park.yaml", monkeypatch)


async def one_sequence(seed: int, store: Store, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Edits of a park, and parks of the same readings that never had another file: all computed is the same."""
    random_, another = random.Random(seed), random.Random(-1 - seed)
    raw = raw_park(f"edited-{seed}")
    await store.write(lines(raw["park"]["id"]), OPERATOR_DATABASE)
    usage = await begun(store, written(file, raw), NOW)
    now = NOW
    done: list[str] = []
    await usage.cycle(now)
    while len(done) < EDITS:
        kind = random_.choice(KINDS)
        new = copy.deepcopy(raw)
        edit(new, kind, random_)
        park = accepted(file, new)
        if park is None:
            continue
        raw = new
        done.append(kind)
        now += 120_000
        if random_.random() < 0.3:
            await usage.close()
            unseen = copy.deepcopy(raw)
            edit(unseen, another.choice(KINDS), another)
            if another.random() < BY_HAND and (other := accepted(file, unseen)) is not None:
                await recompute(store, other, now - 60_000)
            usage = await begun(store, park, now)
        usage.park = park
        with monkeypatch.context() as patch:
            if seed % 2:
                patch.setattr(park_usage, "MOST_IN_A_CYCLE", FEW_IN_A_CYCLE)
            await usage.cycle(now)  # months and years too: they are due again after 20 seconds
        assert not usage.aside.things
        if len(done) % COMPARED_AFTER == 0:
            now += 120_000
            await usage.cycle(now)  # what is left
            await compare(store, file, raw, now, f"{seed}, after {', '.join(done)}")


async def compare(store: Store, file: Path, raw: dict[str, Any], now: int, said: str) -> None:
    """All computed of a park is as computed from scratch from its file."""
    edited = raw["park"]["id"]
    plain = f"plain-{edited}-{now}"
    await store.write(lines(plain), OPERATOR_DATABASE)
    scratch = await begun(store, written(file, {**raw, "park": {**raw["park"], "id": plain}}), now)
    await scratch.cycle(now)
    along, wanted = await everything(store, edited), await everything(store, plain)
    for name in {*along, *wanted} if along != wanted else ():
        one, other = along.get(name, []), wanted.get(name, [])
        kept = [row for row in one if row not in other], [row for row in other if row not in one]
        assert kept == ([], []), f"{name}, along the way and from scratch, {said}"
    assert wanted[" usage"]


def written(file: Path, raw: dict[str, Any]) -> Park:
    park = accepted(file, raw)
    assert park is not None
    return park
