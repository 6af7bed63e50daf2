"""Times every query of every panel as Grafana would send it, over a day, a month and thirteen months.

The fastest of three answers counts, so that other work of the machine matters little; the database's processor time is
their mean. Queries that a range does not need (`dashboards.queries.SHORT`) are left out: they take no time and would
only improve the result.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from dashboards.filling import EVERYTHING, Choice, as_sent, stands_aside
from dashboards.generate import OPERATOR
from dashboards.panels import Page
from dashboards.setting import Setting
from metering.park import Park
from metering.parkfile import load_park
from proving.bench.parkyear import write_large_park, write_year
from proving.bench.processtime import cpu_s
from proving.servers import Influxd
from store.client import Store
from store.schema import OPERATOR_DATABASE

RANGES = {"24 h": timedelta(days=1), "30 d": timedelta(days=30), "13 months": timedelta(days=395)}
TARGET_MS = 200.0
REPETITIONS = 3
SLOWEST = 15


@dataclass(frozen=True, slots=True)
class Timed:
    """How long one question of a panel took over one range, and how much of the database's processor time."""

    ms: float
    cpu_ms: float
    range: str
    panel: str


def choices(page: Page, park: Park) -> list[Choice]:
    """The choices with which a page opens: everything where that is possible, else the first."""
    tenant = park.tenants[0].id
    found = {
        "park": Choice("park", park.id),
        "tenant": Choice("tenant", tenant),
        "meter": Choice("meter", park.points_of_tenant(tenant)[0].meter.id),
        "period": Choice("period", "month"),
    }
    everything = Choice("tenant", (EVERYTHING,), ".*")
    return [everything if variable.many else found[variable.name] for variable in page.variables]


async def time_panels(
    store: Store, park: Park, now: datetime, pid: int, ranges: Mapping[str, timedelta] = RANGES
) -> list[Timed]:
    """Ask everything, one after the other, on pages that end at `now`; `pid` is the database's process."""
    found = []
    setting = Setting((park,), now.astimezone(park.zone).date())
    for page in (make(setting) for make in OPERATOR):
        chosen = choices(page, park)
        for length, back in ranges.items():
            for panel in page.panels:
                for target in panel.targets:
                    statement = as_sent(target.query, panel, chosen, start=now - back, end=now, zone=park.zone)
                    if not stands_aside(statement):
                        place = f"{page.name}/{panel.id} {panel.title.en}"
                        found.append(await _timed(store, statement, pid, length, place))
    return found


async def _timed(store: Store, statement: str, pid: int, length: str, place: str) -> Timed:
    times = []
    used = cpu_s(pid)
    for _ in range(REPETITIONS):
        began = time.perf_counter()
        await store.query(statement, OPERATOR_DATABASE)
        times.append((time.perf_counter() - began) * 1000)
    return Timed(min(times), (cpu_s(pid) - used) * 1000 / REPETITIONS, length, place)


def report(timed: Sequence[Timed]) -> str:
    """The distribution by range, and the slowest."""
    lines = [f"{'':<17} {'queries':>8} {'under 200 ms':>13} {'p50':>6} {'p95':>6} {'p99':>6} {'most':>6}"]
    for length in (*RANGES, "all"):
        own = [one for one in timed if length in {one.range, "all"}]
        lines.append(_spread(f"{length}, ms", [one.ms for one in own]))
        lines.append(_spread(f"{length}, cpu ms", [one.cpu_ms for one in own]))
    slowest = sorted(timed, key=lambda one: -one.ms)[:SLOWEST]
    return "\n".join(
        [*lines, "", *(f"{one.ms:>6.0f} ms, cpu {one.cpu_ms:>6.0f} ms  {one.range:<10} {one.panel}" for one in slowest)]
    )


def _spread(name: str, values: list[float]) -> str:
    ordered = sorted(values)
    under = sum(value < TARGET_MS for value in ordered) / len(ordered)
    shown = (ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.95, 0.99, 1))
    return f"{name:<17} {len(ordered):>8} {under:>13.1%}" + "".join(f" {value:>6.0f}" for value in shown)


async def of_server(url: str, pid: int, park: Path, now: datetime) -> str:
    """The report on a database that has a park's data; `pid` is its process."""
    async with Store(url) as store:
        return report(await time_panels(store, load_park(park), now, pid))


async def of_large_park(folder: Path, now: datetime) -> str:
    """The report on a private database, filled with a large park's thirteen months."""
    file = folder / "park.yaml"
    write_large_park(file)
    server = Influxd(folder / "influx")
    try:
        await server.start()
        async with Store(server.url) as store:
            park = load_park(file)
            points = await write_year(store, park, now)
            filled = f"{len(park.meters)} meters, {len(park.tenants)} tenants, {points:,} points\n"
            return filled + report(await time_panels(store, park, now, server.process.pid))
    finally:
        server.process.stop()
