"""A meter that was silent for long, sends garbage, or sends one very old reading does not harm others."""

from math import exp, log
from pathlib import Path
from random import Random

import pytest

from efficiency.usage.intervals import DAY_MS, HOUR_MS, QUARTER_MS
from ingest.accept import accept
from ingest.arrivals import ArrivalSource, Extent, Trace
from ingest.directory import directory
from ingest.taken import lines_of
from metering.parkfile import load_park
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE, reading_series
from tests.efficiency.conftest import usage_rows
from tests.efficiency.service.test_aside import HEAD, METER, NOW, begun, events, lines, park_of, sums

READINGS = Path(__file__).parents[2] / "cases" / "readings"
SILENCES_MS = {
    f"m-{number}": round(60_000 * (400 * 24 * 60) ** (number / 11)) // 60_000 * 60_000 for number in range(12)
}
"""From a minute to 400 days, each about three times the one before."""


async def test_a_meter_that_is_heard_again_stops_nobody_however_long_it_was_silent(
    store: Store, tmp_path: Path
) -> None:
    park = park_of(tmp_path, [*SILENCES_MS])
    heard = {meter: NOW - silence for meter, silence in SILENCES_MS.items()}
    for meter, last in heard.items():
        await store.write(lines(park, meter, last - 10 * DAY_MS, last), OPERATOR_DATABASE)
    usage = await begun(store, park, NOW - 1)
    for meter in SILENCES_MS:
        await store.write(lines(park, meter, NOW, NOW), OPERATOR_DATABASE)
    await usage.cycle(NOW + 1000)
    assert not usage.aside.things
    assert await events(store) == []
    for meter, used in (await sums(store)).items():
        assert used == pytest.approx((NOW - heard[meter] + 10 * DAY_MS) / QUARTER_MS), meter
    along = await usage_rows(store)
    for measurement in ("usage", "usage_cursor", "usage_basis"):
        await store.query(f'DROP MEASUREMENT "{measurement}"', OPERATOR_DATABASE)
    await begun(store, park, NOW + 1000)
    assert await usage_rows(store) == along


EXAMPLES = 1000


async def test_each_of_a_thousand_meters_that_were_silent_gets_all_of_its_use(store: Store, tmp_path: Path) -> None:
    silence = {f"m-{number}": round(exp(Random(number).uniform(*_LOGS))) for number in range(EXAMPLES)}
    park = park_of(tmp_path, [*silence])
    heard = {meter: NOW - ms for meter, ms in silence.items()}
    before = [line for meter, last in heard.items() for line in lines(park, meter, last - 4 * QUARTER_MS, last)]
    await store.write(before, OPERATOR_DATABASE)
    usage = await begun(store, park, NOW - 1)
    await store.write([line for meter in silence for line in lines(park, meter, NOW, NOW)], OPERATOR_DATABASE)
    await usage.cycle(NOW + 1000)
    assert not usage.aside.things
    wanted = {meter: ms / QUARTER_MS + 4 for meter, ms in silence.items()}
    assert await sums(store) == pytest.approx(wanted)


_LOGS = (log(60_000), log(30 * DAY_MS))


def garbage(random_: Random, count: int) -> list[float]:
    """What a broken register may show: numbers of any size, falls, leaps, one value for hours."""
    shown: list[float] = []
    while len(shown) < count:
        high = 10.0 ** random_.randrange(-3, 300)
        value = random_.choice((0.0, -1.0, 1.0)) * random_.uniform(0, high)
        step = random_.choice((0.0, random_.uniform(-high, high), random_.uniform(0, 500)))
        shown += [value + step * place for place in range(random_.randrange(1, 12))]
    return shown[:count]


async def test_a_thousand_meters_that_send_garbage_do_not_harm_a_hundred_good_ones(
    store: Store, tmp_path: Path
) -> None:
    good, bad = ([f"{name}-{number}" for number in range(count)] for name, count in (("ok", 100), ("bad", EXAMPLES)))
    park = park_of(tmp_path, [*good, *bad])
    since, running = NOW - 6 * HOUR_MS, NOW - QUARTER_MS
    times = range(since, NOW + 1, QUARTER_MS)
    written = {meter: lines(park, meter, since, NOW) for meter in good}
    for meter in bad:
        head = reading_series(park.id, park.meter[meter])
        shown = zip(times, garbage(Random(meter), len(times)), strict=True)
        written[meter] = [f"{head} energy_kwh={value!r} {ms}000000" for ms, value in shown]
    first = len(range(since, running + 1, QUARTER_MS))
    await store.write([line for each in written.values() for line in each[:first]], OPERATOR_DATABASE)
    usage = await begun(store, park, running)
    for place in range(first, len(times)):
        await store.write([each[place] for each in written.values()], OPERATOR_DATABASE)
        await usage.cycle(times[place] + 1000)
    assert not usage.aside.things
    found = await sums(store)
    assert {meter: found[meter] for meter in good} == pytest.approx(dict.fromkeys(good, len(times) - 1))
    most = await store.query('SELECT max("amount") AS most FROM "usage"', OPERATOR_DATABASE)
    assert most[0]["most"] <= 2 * 900 / 4, "no meter of 900 kW uses that much in a quarter hour"


@pytest.mark.parametrize("days", [66, 400, 10_957])
async def test_a_late_reading_of_long_ago_stops_nobody(days: int, store: Store, tmp_path: Path) -> None:
    """Up to thirty years: as of a device whose clock begins at its factory date, where nobody refused it."""
    # One shard a week would be hundreds of them.
    await store.query(f'ALTER RETENTION POLICY "autogen" ON "{OPERATOR_DATABASE}" SHARD DURATION 10950d', "")
    file = tmp_path / "own.yaml"
    meter = METER.replace("tenant: textile, ", "").replace("electricity", "water").replace("energy_kwh", "volume_m3")
    file.write_text(HEAD.replace("PARK", "demo") + meter.replace("ID", "one") + meter.replace("ID", "two"))
    park = load_park(file)

    async def write(name: str, first: int, last: int) -> None:
        found = [line.replace("energy_kwh", "volume_m3") for line in lines(park, name, first, last)]
        await store.write(found, OPERATOR_DATABASE)

    for name in ("one", "two"):
        await write(name, NOW - DAY_MS, NOW)
    usage = await begun(store, park, NOW)
    old = NOW - days * DAY_MS
    await write("one", old, old)
    await store.write(Trace("ingest-1").lines({ArrivalSource("demo", "one"): Extent(old, old)}, NOW), OPERATOR_DATABASE)
    await write("two", NOW, NOW + QUARTER_MS)
    await usage.cycle(NOW + QUARTER_MS)
    assert (await sums(store))["two"] == pytest.approx(97)
    for more in range(1, 4):  # so long a past is computed over some cycles
        await usage.cycle(NOW + QUARTER_MS + more * 1000)
    assert not usage.aside.things
    assert await sums(store) == pytest.approx({"one": days * DAY_MS / QUARTER_MS, "two": 97})


async def test_what_came_by_the_factory_date_of_a_clock_begins_no_history(store: Store, tmp_path: Path) -> None:
    """Field case 15: as the ingester takes it, no use is written for the years before the device had the time."""
    park, now = park_of(tmp_path, ["em-a"]), 1_795_150_860_000
    taken = [
        each
        for case in ("clock-of-a-new-battery", "clock-of-the-factory")
        for line in (READINGS / case / "input.jsonl").read_bytes().splitlines()
        for each in accept("ecopark/v1/demo/gw-1/readings", line, now, directory(park)).taken
    ]
    await store.write(lines_of(taken), OPERATOR_DATABASE)
    usage = await begun(store, park, now)
    await usage.cycle(now + HOUR_MS)
    rows, begins = await usage_rows(store), (now - 60_000) * NS_PER_MS
    assert min(row["time"] for row in rows) == begins
    assert [(row["time"], row["amount"], row["completeness"]) for row in rows if row["amount"] is not None] == [
        (begins, pytest.approx(0.2), pytest.approx(60 / 900))
    ]
    assert [row for row in await store.query('SELECT * FROM "events"', OPERATOR_DATABASE) if row["time"] < begins] == []
