"""docs/scale.md, made of what `ecopark bench country` measured: what so many parks need, and what would break first."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from proving.bench.country import KEEPS_UP_S

PARKS = (1, 10, 40, 100, 400)
YEAR_DAYS = 365
FULL_CORE = 0.7
"""How much of a core a process may use on average: it must be able to catch up."""
OPEN_FILES = 65_536
"""The limit in Debian's unit of InfluxDB."""
_WEEKS = 52
_PER_DAY = 24 * 60
_QUARTERS = 96
_GIB = 1024.0
_LEAST_MIB = 1024.0
"""Less is never planned: broker, database and services take some memory before the first meter."""
_TB = 1e12


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a core, a GiB of memory and a TB of disk in a month, with where and when they were read; 0 is not known."""

    core: float = 0.0
    gib: float = 0.0
    tb: float = 0.0
    source: str = ""

    @property
    def options(self) -> str:
        """As the command takes them."""
        if not self.source:
            return ""
        return f' --core-price {self.core:g} --gib-price {self.gib:g} --tb-price {self.tb:g} --prices "{self.source}"'


@dataclass(frozen=True, slots=True)
class Need:
    """What a number of parks needs: cores by part, memory (GiB), disk a year (TB)."""

    parks: int
    readings_per_s: float
    cores: dict[str, float]
    memory_gib: float
    disk_tb: float

    @property
    def all_cores(self) -> float:
        """Of all parts together."""
        return sum(self.cores.values())

    def services(self, part: str) -> int:
        """Processes of a part that works on one core."""
        return services(self.cores[part])


def services(cores: float) -> int:
    """Processes that so many cores are, where each works on one."""
    return max(1, -int(-cores // FULL_CORE))


def needs(figures: dict[str, Any]) -> list[Need]:
    """What each number of parks needs: everything grows with the number of readings."""
    return [_need(figures, parks) for parks in PARKS]


def _need(figures: dict[str, Any], parks: int) -> Need:
    times = parks / figures["simulated"]
    cores = {part: share * times for part, share in figures["cpu_share"].items()}
    memory, disk = figures["memory_mb"], figures["disk"]
    # Each ingester reads all park files, however many share the readings.
    held = memory["broker"] + memory["database"] + memory["usage"] + memory["ingest"] * services(cores["ingest"])
    whole = max(held * times, _LEAST_MIB)
    meters = parks * figures["meters"]
    per_meter = _PER_DAY * disk["bytes_per_reading"] + _QUARTERS * disk["bytes_per_quarter_hour"]
    return Need(
        parks,
        readings_per_s=figures["readings_per_s"] * times,
        cores=cores,
        memory_gib=whole / _GIB,
        disk_tb=meters * per_meter * YEAR_DAYS / _TB,
    )


def document(figures: dict[str, Any], day: str, prices: Prices) -> str:
    """The whole page."""
    parts = [*_head(figures, day, prices), *_table(figures, prices), *_breaks(figures), *_single(figures)]
    paragraphs = "\n".join(parts).split("\n\n")
    return "\n\n".join(part if part.startswith("|") else _filled(part) for part in paragraphs) + "\n"


def _filled(paragraph: str) -> str:
    """Wrapped like other pages, whatever figures are in it."""
    return textwrap.fill(" ".join(paragraph.split()), 120, break_long_words=False, break_on_hyphens=False)


def _head(figures: dict[str, Any], day: str, prices: Prices) -> Iterator[str]:
    simulated, meters = figures["simulated"], figures["meters"]
    disk, panels = figures["disk"], figures["panels"]
    keeps_up = figures["usage_lag_s"] <= KEEPS_UP_S
    late = "" if keeps_up else " The usage service did not keep up: it needs more than is said here."
    sizes = f"--share {simulated / figures['parks']:g} --minutes {figures['minutes']} --index {figures['index']}"
    yield f"""\
# What a country takes

`ecopark bench country {sizes}{prices.options} --out docs/scale.md` has measured and written this page: do not edit it.

Measured on {day} on {figures["cores"]} cores (load average {figures["load_average_before"]} before), with Debian's
mosquitto and InfluxDB on the same machine: {simulated} parks of {meters:,} meters. Each meter sends a reading of eight
values a minute, by gateways of a hundred meters, for {figures["minutes"]} minutes: {figures["readings_per_s"]:,} a
second. All arrived. The registers of the {figures["past_minutes"] / 60:.0f} hours before were there: as many as the
usage service keeps. Before measuring it had made the databases of all tenants and caught up, in {figures["start_s"]} s.
Meanwhile it computed all parks again and again, each time in {figures["usage_cycle_s"]} s; in
the end the park furthest behind was computed up to {figures["usage_lag_s"]} s before. The panels of one park's operator
were asked at the same time: {panels["queries"]} queries, of which half took {panels["p50_ms"]} ms and 95 % less than
{panels["p95_ms"]} ms.{late} A
reading takes {disk["bytes_per_reading"]} bytes on the disk, a quarter hour of use {disk["bytes_per_quarter_hour"]}, in
the operator's and the tenant's database together.

Everything else is extrapolated in proportion to the readings: cores, disk, and memory from 1 GiB on. Not measured are
months of stored readings (the services keep the last hours in memory, whatever is stored), what the database spends on
packing full days again, and several services on several machines. The memory of tenants' databases was not measured
either: the running hours are written again all the time, and InfluxDB 1.x keeps up to `cache-snapshot-memory-size` of a
shard in memory before it packs it, 25 MiB as delivered; with hundreds of tenants, set that size lower. Here it packed
after ten minutes without writes, as delivered. It collected garbage when the heap had grown fourfold (`GOGC=400`), in
half of the machine's memory (`GOMEMLIMIT`): where that is less than what is in use, it does little else.

Of history only the disk grows. All readings are kept.
"""


def _table(figures: dict[str, Any], prices: Prices) -> Iterator[str]:
    priced = prices.core > 0
    yield "| parks | readings a second | cores: ingest | broker | database | usage | memory | disk a year |" + (
        " a month |" if priced else ""
    )
    yield "|---|---|---|---|---|---|---|---|" + ("---|" if priced else "")
    for need in needs(figures):
        measured = " (measured)" if need.parks == figures["simulated"] else ""
        cores = " | ".join(f"{need.cores[part]:.2f}" for part in ("ingest", "broker", "database", "usage"))
        row = f"| {need.parks}{measured} | {need.readings_per_s:,.0f} | {cores} "
        row += f"| {need.memory_gib:,.1f} GiB | {need.disk_tb:,.2f} TB |"
        if priced:
            cost = need.all_cores * prices.core + need.memory_gib * prices.gib + need.disk_tb * prices.tb
            row += f" {cost:,.0f} |"
        yield row
    yield ""
    if priced:
        yield f"Money by {prices.source}: cores and memory as they are used, the disk full with the first year's data."
        yield "Buy more cores than are used on an average; and nothing here is there twice."
    else:
        yield "What that costs: give `--core-price`, `--gib-price`, `--tb-price` and, for their source, `--prices`."
    yield ""


@dataclass(frozen=True, slots=True)
class Shortage:
    """A resource that runs out with this many parks, and what to do before."""

    what: str
    parks: float
    remedy: str


def shortages(figures: dict[str, Any]) -> list[Shortage]:
    """Which resource runs out with how many parks, the first one first."""
    simulated, share = figures["simulated"], figures["cpu_share"]
    per_park = (figures["open_files"]["all"] - figures["open_files"]["operators"]) / simulated
    on_core = {part: FULL_CORE * simulated / max(share[part], 1e-4) for part in ("ingest", "usage", "broker")}
    found = [
        Shortage(
            f"open files of the database ({OPEN_FILES:,})",
            (OPEN_FILES - _of_operators_year(figures)) / per_park,
            "raise `LimitNOFILE` and `vm.max_map_count`",
        ),
        Shortage("one ingester", on_core["ingest"], "several on one shared subscription"),
        Shortage("one usage service", on_core["usage"], "several that divide the parks (`ECOPARK_SHARE_PARKS`)"),
        Shortage("the broker", on_core["broker"], "one for each region, or a cluster"),
    ]
    return sorted(found, key=lambda short: short.parks)


def _of_operators_year(figures: dict[str, Any]) -> float:
    """Files of the operator's database after a year, with a shard a week."""
    files = figures["open_files"]
    return float(files["operators"] / files["operators_shards"] * _WEEKS)


def _breaks(figures: dict[str, Any]) -> Iterator[str]:
    last, files = needs(figures)[-1], figures["open_files"]
    tenants = figures["simulated"] * figures["tenants"]
    yield "## Where it breaks first"
    yield ""
    yield "| what is full | with parks | before that |"
    yield "|---|---|---|"
    yield from (f"| {short.what} | {_rounded(short.parks):,} | {short.remedy} |" for short in shortages(figures))
    yield ""
    yield f"""\
Broker, ingester and usage service work on one core each; {FULL_CORE:.0%} of it leaves room to catch up. {last.parks}
parks take this many ingesters on one shared subscription: {last.services("ingest")}; and usage services that divide the
parks: {last.services("usage")}. One usage service is full at {_most(figures, "usage"):,} meters, one ingester at
{_most(figures, "ingest"):,}.

Each tenant has its own database. With {tenants:,} of them the database had {files["all"]:,} files open,
{(files["all"] - files["operators"]) / tenants:.1f} for each tenant; Debian's unit allows {OPEN_FILES:,}. Its index was
{"on disk" if figures["index"] == "tsi1" else "in memory"} (`index-version = "{figures["index"]}"`). On disk, as always
on InfluxDB 2.x, it has eight more open for each shard; in memory it takes memory for each series instead. A shard has a
few files more until the database has packed them into one. A tenant's shard lasts ten years, one of the operator's
database a week, which is {_of_operators_year(figures):,.0f} files more each year. The kernel must allow about as many
memory maps (`vm.max_map_count`, 65,530 unless set) after a restart of the database.

The database is one program, so that where files are no limit it is the next to be full: {last.parks} parks take
{last.cores["database"]:.1f} cores of it and {last.disk_tb:,.1f} TB a year, in {last.parks * figures["meters"]:,} series
of readings and several times as many of use. Before that, give each region its own database, or take a distributed
store ([servers.md](servers.md) says what was tried).
"""


def _rounded(parks: float) -> int:
    """An extrapolation has no more than two significant figures."""
    size = max(0, len(str(int(parks))) - 2)
    step: int = 10**size
    return int(parks) // step * step


def _most(figures: dict[str, Any], part: str) -> int:
    meters: int = figures["simulated"] * figures["meters"]
    share: float = max(figures["cpu_share"][part], 1e-4)
    return int(meters * FULL_CORE / share / 1000) * 1000


def _single(figures: dict[str, Any]) -> Iterator[str]:
    meters = figures["simulated"] * figures["meters"]
    memory = figures["memory_mb"]
    share = figures["cpu_share"]["usage"] * 20_000 / meters
    yield f"""\
## One usage service

20,000 meters that send each minute take {share:.2f} of a core. It held {memory["usage"]:,.0f} MB with {meters:,} meters
({memory["usage_peak"]:,.0f} at most): {memory["usage"] / meters * 10_000:,.0f} MB per 10,000. An ingester held
{memory["ingest"]:,.0f} MB, {memory["ingest"] / meters * 10_000:,.0f} MB per 10,000."""
