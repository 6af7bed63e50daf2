"""Cycle after cycle, whatever meters show and however often the service looks, all is as if computed once at the end.

Running hours are computed and valued for all meters at once, compared with what is in memory: with meters that stand
still, fall silent, fail, jump, count coarsely or are exchanged, over edges of bands and of days.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from efficiency.service.plainrows import RowChanges
from efficiency.service.results import Results
from efficiency.usage.intervals import DAY_MS, HOUR_MS, Span
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.efficiency.service.test_edits import BEGIN, METERS, begun, everything, raw_park, written

MINUTE_MS = 60_000
START = BEGIN + 12 * HOUR_MS
EXAMPLES = 6


def park_of_minutes(name: str) -> dict[str, Any]:
    raw = raw_park(name)
    for meter in raw["meters"]:
        meter["interval_s"] = 60
    coarse, exchanged = (next(each for each in raw["meters"] if each["id"] == name) for name in ("w-1", "e-2"))
    coarse["registers"] = {"volume_m3": {"resolution": 0.5}}
    exchanged["instruments"] = [
        {"registers": exchanged.pop("registers")},
        {"from": "2026-09-21T11:30:00+07:00", "registers": {"energy_kwh": {}}, "multiplier": 2.0},
    ]
    return raw


def shown(random_: random.Random, minutes: int) -> dict[str, list[str | None]]:
    """Fields of each meter by the minute; None where it is silent."""
    found: dict[str, list[str | None]] = {}
    for number, name in enumerate(METERS):
        field, step = ("volume_m3", 0.5) if name.startswith("w") else ("energy_kwh", 0.01)
        value, mood = 1000.0 * number, "usual"
        found[name] = []
        for _ in range(minutes):
            if random_.random() < 0.001:
                mood = random_.choice(("still", "silent", "jump", "fault"))
            elif random_.random() < 0.05:
                mood = "usual"
            if mood == "jump":
                value, mood = value + 10_000, "usual"
            value += 0.0 if mood == "still" else random_.random() * 3
            state = ',state="fault"' if mood == "fault" else ""
            found[name].append(None if mood == "silent" else f"{field}={value // step * step!r}{state}")
    return found


def lines(park: str, fields: dict[str, list[str | None]], minutes: range) -> Iterator[str]:
    for meter, by_minute in fields.items():
        measurement = "water" if meter.startswith("w") else "electricity"
        for minute in minutes:
            if (text := by_minute[minute]) is not None:
                yield f"{measurement},park={park},meter={meter} {text} {START + minute * MINUTE_MS}000000"


@pytest.mark.parametrize("seed", range(EXAMPLES))
async def test_cycle_after_cycle_is_as_computed_once(
    seed: int, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random_ = random.Random(seed)
    minutes = 13 * 60
    fields = shown(random_, minutes)
    file = tmp_path / "park.yaml"
    together = 0
    overwrite = Results.overwrite

    async def counted(self: Results, found: list[RowChanges], window: Span) -> None:
        nonlocal together
        together += sum(len(each.rows.meters) for each in found)
        await overwrite(self, found, window)

    monkeypatch.setattr(Results, "overwrite", counted)
    ready = random_.randrange(360, 480)
    await store.write(list(lines("along", fields, range(ready))), OPERATOR_DATABASE)
    park = written(file, park_of_minutes("along"))
    now = START + ready * MINUTE_MS
    usage = await begun(store, park, now)
    await usage.cycle(now)
    while ready < minutes:
        new = min(minutes, ready + random_.choice((1, 1, 2, 3, 5, 14, 31)))
        await store.write(list(lines("along", fields, range(ready, new))), OPERATOR_DATABASE)
        ready = new
        now = START + ready * MINUTE_MS - random_.randrange(MINUTE_MS)
        await usage.cycle(now)
        assert not usage.aside.things
    await store.write(list(lines("once", fields, range(minutes))), OPERATOR_DATABASE)
    once = await begun(store, written(file, park_of_minutes("once")), now)
    for one in (usage, once):
        await one.cycle(now + MINUTE_MS)
    along, wanted = await everything(store, "along"), await everything(store, "once")
    for name in {*along, *wanted}:
        one_, other = along.get(name, []), wanted.get(name, [])
        assert ([row for row in one_ if row not in other], [row for row in other if row not in one_]) == ([], []), name
    assert wanted[" usage"]
    assert together > 100, "they were computed one by one"
    assert now < BEGIN + 3 * DAY_MS
