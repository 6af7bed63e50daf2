"""What a database keeps, computes and tells, beside Debian's InfluxDB with the same data."""

import asyncio
import json
import math
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any, Self

from dashboards.alerts.files import all_rules
from dashboards.filling import Choice, filled, with_macros
from dashboards.filling import as_sent as as_grafana
from dashboards.panels import Page
from dashboards.setting import Setting
from ecopark.commands.store import FROM, TO
from ecopark.tenants.wanted import databases as tenants_databases
from metering.errors import OperatorError, UnavailableError
from metering.park import Park
from metering.parkfile import load_park
from proving.demo.plan import EXAMPLE
from proving.servers import Influxd, PrivateDatabase
from store.answers import RejectedError, Row
from store.client import Store
from store.copying import databases, measurements
from store.schema import BALANCE, EFFICIENCY, OPERATOR_DATABASE, PARK_EFFICIENCY, USAGE
from tests.conftest import ECOPARK
from tests.dashboards.conftest import DAY, NOW
from tests.dashboards.realpast import write_past
from tests.dashboards.synthetic import Plant
from tests.dashboards.test_pages_ask import RANGES, TENANTS, choices, pages
from tests.peers.cell import Cell, cell
from tests.peers.influx2 import Influx2d

DAYS = 2
FIGURES = (USAGE, EFFICIENCY, PARK_EFFICIENCY, BALANCE)
SHOWS_S = 30.0
"""So long a database may take to show what it has confirmed."""
CLOSE = 1e-9


async def refusals(store: Store) -> Cell:
    """One value of a wrong kind among many lines is found, and the lines beside it are stored."""
    lines = [f"refusing,meter=m{number % 7} value={number}.5 {number}000000000" for number in range(1, 200)]
    await store.write(lines[:50], OPERATOR_DATABASE)
    bad = {77: 'refusing,meter=m3 value="text" 900000000000', 150: "refusing,meter=m3 value=true 901000000000"}
    mixed = [bad.get(place, line) for place, line in enumerate(lines)]
    rejected = await store.write_each(mixed, OPERATOR_DATABASE)
    faults = [] if rejected.keys() == bad.keys() else [f"rejected are {sorted(rejected)}, not {sorted(bad)}"]
    due = len(lines) - len(bad)
    count = await _until(store, 'SELECT count("value") AS "n" FROM "refusing"', OPERATOR_DATABASE, due)
    if count != due:
        faults.append(f"{count} lines are stored, not {due}")
    return cell(f"{len(rejected)} of {len(lines)} lines", faults)


async def _until(store: Store, statement: str, database: str, due: int) -> int:
    deadline, count = asyncio.get_running_loop().time() + SHOWS_S, 0
    while asyncio.get_running_loop().time() < deadline:
        rows = await store.query(statement, database)
        count = int(rows[0]["n"]) if rows else 0
        if count == due:
            break
        await asyncio.sleep(0.2)
    return count


@dataclass(frozen=True, slots=True)
class Reference:
    """What Debian's InfluxDB has of both pasts, and answers."""

    figures: Mapping[str, list[Row]]
    synthetic: Mapping[str, list[Row]]
    answers: Mapping[str, list[Row]]

    @classmethod
    async def made(cls, folder: Path) -> Self:
        """Write the pasts to a server of its own, and ask."""
        server = Influxd(folder / "influxd")
        try:
            await server.start()
            async with server.store() as store:
                await write_past(store, folder, NOW, DAYS)
                figures = {name: await _rows(store, name) for name in FIGURES}
            async with server.store() as store:
                await store.query(f'DROP DATABASE "{OPERATOR_DATABASE}"', "")
                await store.create_database(OPERATOR_DATABASE)
                await Plant(load_park(EXAMPLE), NOW).write(store)
                synthetic = {name: await _rows(store, name) for name in await measurements(store, OPERATOR_DATABASE)}
                answers = {asked: await store.query(asked, OPERATOR_DATABASE) for asked in _statements()}
                return cls(figures, synthetic, answers)
        finally:
            await asyncio.to_thread(server.process.stop)


async def figures(here: PrivateDatabase, store: Store, folder: Path, due: Reference) -> Cell:
    """Days of the example park as the services write them, then the last one recomputed by the command."""
    if isinstance(here, Influx2d):
        await here.have(tenants_databases([load_park(EXAMPLE)]))
    await write_past(store, folder, NOW, DAYS)
    faults = await _unlike(store, due.figures)
    day = str(DAY - timedelta(days=1))
    known = {"ECOPARK_PARK": str(folder / "park.yaml"), **here.environment}
    env = {name: value for name, value in os.environ.items() if not name.startswith("ECOPARK_")} | known
    done = await asyncio.to_thread(
        subprocess.run,
        [str(ECOPARK), "usage", "recompute", "--from", day, "--to", day],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        faults.append(f"recompute ended with {done.returncode}: {done.stderr[-300:]}")
    # Figures of a running month are made as of the present then, use is not.
    faults += [f"recomputed: {fault}" for fault in await _unlike(store, {USAGE: due.figures[USAGE]})]
    return cell(f"{sum(map(len, due.figures.values())):,} points", faults)


async def _unlike(store: Store, due: Mapping[str, list[Row]]) -> list[str]:
    """What a database does not show as the reference does, once it has had time to."""
    faults: list[str] = []
    for name, ours in due.items():
        theirs = await _rows(store, name)
        deadline = asyncio.get_running_loop().time() + SHOWS_S
        while len(theirs) != len(ours) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.5)
            theirs = await _rows(store, name)
        faults += [f"{name}: {fault}" for fault in differences(theirs, ours)]
    return faults


async def _rows(store: Store, measurement: str) -> list[Row]:
    rows = await store.query(f'SELECT * FROM "{measurement}"', OPERATOR_DATABASE)
    return [{key: value for key, value in row.items() if key != "revised"} for row in rows]


def differences(theirs: Sequence[Row], ours: Sequence[Row]) -> list[str]:
    """What is not the same in two answers, in whatever order; absent and null are one."""
    left, right = sorted(map(_key, theirs), key=repr), sorted(map(_key, ours), key=repr)
    if len(left) != len(right):
        return [f"{len(left)} rows, not {len(right)}"]
    return [
        f"{dict(one)} in the place of {dict(other)}"
        for one, other in zip(left, right, strict=True)
        if not _alike(dict(one), dict(other))
    ]


def _key(row: Row) -> tuple[tuple[str, Any], ...]:
    """What it is first, what it says then: sums that differ in the last digit must not change the order."""
    held = {name: value for name, value in row.items() if value not in {None, ""}}
    return tuple(sorted(held.items(), key=lambda pair: (isinstance(pair[1], float), pair[0])))


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(value, other[name], rel_tol=CLOSE, abs_tol=CLOSE)
        if isinstance(value, float | int) and isinstance(other[name], float | int)
        else value == other[name]
        for name, value in one.items()
    )


async def answers(here: PrivateDatabase, due: Reference) -> Cell:
    """Every statement of panels, variables, annotations and alert rules, over a past that has all there is.

    `here` is empty, for it takes some databases long to drop what they have.
    """
    try:
        await here.start()
        async with here.store() as store:
            await Plant(load_park(EXAMPLE), NOW).write(store)
            faults = await _unlike(store, due.synthetic)
            for asked, ours in due.answers.items():
                faults += await _told(store, asked, ours)
    finally:
        await asyncio.to_thread(here.process.stop)
    return cell(f"{len(due.answers):,} statements", faults)


async def _told(store: Store, asked: str, ours: list[Row]) -> list[str]:
    try:
        found = differences(await store.query(asked, OPERATOR_DATABASE), ours)
    except (RejectedError, UnavailableError, OperatorError) as error:
        return [f"{error} to {asked}"]
    return [f"{found[0]} ({len(found)} in all) to {asked}"] if found else []


def _statements() -> list[str]:
    park = load_park(EXAMPLE)
    setting = Setting((park,), DAY)
    found: dict[str, None] = {}
    for page, tenants in product(pages(setting), TENANTS.values()):
        found |= dict.fromkeys(_of_page(page, choices(page, tenants, park), park))
    for rule in all_rules(setting):
        for step in rule.provisioned()["data"]:
            if step["datasourceUid"] != "__expr__":
                span = step["relativeTimeRange"]
                start, end = (NOW - timedelta(seconds=span[edge]) for edge in ("from", "to"))
                found[with_macros(step["model"]["query"], start, end, 60)] = None
    return list(found)


def _of_page(page: Page, chosen: list[Choice], park: Park) -> Iterator[str]:
    for variable in page.variables:
        if variable.query is not None:
            yield filled(variable.query, chosen)
    for panel, length in product(page.panels, RANGES.values()):
        for target in panel.targets:
            yield as_grafana(target.query, panel, chosen, NOW - length, NOW, park.zone)


async def copied(here: PrivateDatabase, there: PrivateDatabase, journal: Path) -> Cell:
    """`ecopark store copy` from one database to another, and every row compared."""
    if isinstance(there, Influx2d):
        async with here.store() as ours:
            await there.have(await databases(ours, OPERATOR_DATABASE))
    accounts = {
        f"{prefix}_{name}": known
        for prefix, server in ((FROM, here), (TO, there))
        for name in ("USER", "TOKEN")
        if (known := server.environment.get(f"ECOPARK_INFLUX_{name}"))
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [
            *(str(ECOPARK), "store", "copy", "--json", "--journal", str(journal)),
            *("--from", here.url, "--to", there.url),
        ],
        env=os.environ | accounts,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return cell("store copy", [f"it ended with {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}"])
    points = json.loads(done.stdout)["points"]
    faults = await unlike(here, there) if points else ["there was nothing to copy"]
    return cell(f"{points:,} points", faults)


async def unlike(here: PrivateDatabase, there: PrivateDatabase) -> list[str]:
    """What is not the same in all of Ecopark's databases of two servers, row by row."""
    async with here.store() as ours, there.store() as theirs:
        return against(await everything(theirs), await everything(ours))


Contents = Mapping[str, list[Row]]
"""All rows by database and measurement."""


async def everything(store: Store) -> Contents:
    """All that is in Ecopark's databases."""
    return {
        f"{database}.{measurement}": await store.query(f'SELECT * FROM "{measurement}"', database)
        for database in await databases(store, OPERATOR_DATABASE)
        for measurement in await measurements(store, database)
    }


def against(theirs: Contents, ours: Contents) -> list[str]:
    """What is not there as it is here."""
    return [f"{name}: {fault}" for name, rows in ours.items() for fault in differences(theirs.get(name, []), rows)]
