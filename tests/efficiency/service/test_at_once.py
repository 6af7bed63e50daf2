"""Several things at once: a new owner, an exchange and a late correction in one quarter hour, with restarts between."""

from pathlib import Path
from typing import Any

import pytest

from efficiency.service.park import ParkUsage
from efficiency.usage.intervals import DAY_MS, HOUR_MS, QUARTER_MS
from ingest.arrivals import ArrivalSource, Extent, Trace
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE
from tests.efficiency.service.test_edits import BEGIN, METERS, NOW, UTILITY, begun, everything, raw_park, written

MINUTE_MS = 60_000
OWNED = "2026-09-21T10:30:00+07:00"
FITTED = "2026-09-21T10:37:00+07:00"
LEFT = "2026-09-21T16:00:00+07:00"
BACK = "2026-09-22T09:15:00+07:00"
AT = BEGIN + 10 * HOUR_MS + 37 * MINUTE_MS
NEW_OWNER = [{"tenant": "weaver"}, {"from": OWNED, "tenant": "brewer"}]
EXCHANGED = [
    {"closing": {"energy_kwh": 5100.0}},
    {"from": FITTED, "multiplier": 2.0, "opening": {"energy_kwh": -3.0}},
]
Changes = dict[str, Any]
STEPS: dict[str, list[Changes]] = {
    "owner, exchange, correction": [
        {"belongs": NEW_OWNER},
        {"belongs": NEW_OWNER, "instruments": [{}, EXCHANGED[1]]},
        {"belongs": NEW_OWNER, "instruments": EXCHANGED},
        {"belongs": [{"tenant": "brewer"}], "instruments": EXCHANGED},
        {"tenant": "weaver"},
    ],
    "an end, with readings after it": [
        {"tenant": "weaver", "until": OWNED},
        {"tenant": "weaver", "until": BACK},
        {"tenant": "weaver", "from": OWNED, "until": BACK},
        {"tenant": "weaver"},
    ],
    "gone and back": [
        {"belongs": [{"tenant": "weaver"}, {"from": LEFT}, {"from": BACK, "tenant": "weaver"}]},
        {"belongs": [{"tenant": "weaver"}, {"from": LEFT}, {"from": BACK, "tenant": "weaver", "parent": "e-3"}]},
        {"belongs": [{"tenant": "weaver"}, {"from": LEFT, "tenant": "smith"}, {"from": BACK, "tenant": "weaver"}]},
        {"belongs": [{"tenant": "weaver", "until": BACK}]},
    ],
}


def readings(park: str, corrected: int) -> list[str]:
    """A net register each 5 minutes around zero, with `corrected` readings around the exchange; others each hour."""
    found = []
    for number, name in enumerate(METERS):
        measurement, field = UTILITY[name[0]]
        step = 5 * MINUTE_MS if name == "e-1" else HOUR_MS
        for ms in range(BEGIN, NOW + 1, step):
            shown = 1000.0 * number + (ms - BEGIN) / HOUR_MS * 10
            if name == "e-1":
                shown = 5100.0 - (ms - BEGIN) / HOUR_MS * 4 if ms < AT else -3.0 + (ms - AT) / HOUR_MS * 7
                shown += 0.25 if abs(ms - AT) < corrected * step else 0.0
            found.append(f"{measurement},park={park},meter={name} {field}={shown!r} {ms * NS_PER_MS}")
    return found


def with_change(park: str, change: Changes) -> dict[str, Any]:
    raw = raw_park(park)
    (meter,) = [each for each in raw["meters"] if each["id"] == "e-1"]
    del meter["tenant"], meter["parent"]
    raw["meters"] = [each for each in raw["meters"] if each["id"] != "e-2"]
    meter |= {"interval_s": 300, "export": True, "registers": {"energy_kwh": {}}, **change}
    return raw


@pytest.mark.parametrize("said", STEPS)
async def test_several_changes_in_one_quarter_hour_are_as_computed_from_scratch(
    said: str, store: Store, tmp_path: Path
) -> None:
    file, now = tmp_path / "park.yaml", NOW
    usage: ParkUsage | None = None
    for step, change in enumerate(STEPS[said]):
        park = written(file, with_change("along", change))
        corrected = step % 3
        await store.write(readings("along", corrected), OPERATOR_DATABASE)
        if usage is None or step % 2:
            usage = await begun(store, park, now)
        usage.park = park
        now += QUARTER_MS
        changed = Extent(AT - 3 * 5 * MINUTE_MS, AT + 3 * 5 * MINUTE_MS)
        trace = Trace("ingest-1").lines({ArrivalSource("along", "e-1"): changed}, now - MINUTE_MS)
        await store.write(trace, OPERATOR_DATABASE)
        await usage.cycle(now)
        await usage.cycle(now + DAY_MS // 1000)
        now += DAY_MS // 1000
        assert not usage.aside.things
        plain = f"plain-{step}"
        await store.write(readings(plain, corrected), OPERATOR_DATABASE)
        scratch = await begun(store, written(file, with_change(plain, change)), now)
        await scratch.cycle(now)
        along, wanted = await everything(store, "along"), await everything(store, plain)
        for name in sorted({*along, *wanted}):
            one, other = along.get(name, []), wanted.get(name, [])
            assert ([row for row in one if row not in other], [row for row in other if row not in one]) == ([], []), (
                f"{name}, step {step}"
            )
        assert wanted[" usage"]
