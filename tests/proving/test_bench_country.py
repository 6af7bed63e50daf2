"""The bench of many parks: a small run, and a page that says what was measured and what follows."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from metering.errors import OperatorError
from proving.bench.country import CountryScale, measure
from proving.bench.countrygateway import values_of
from proving.bench.parks import TENANTS
from proving.bench.scaledoc import PARKS, Prices, document, needs, shortages
from proving.bench.table import flat

ROOT = Path(__file__).parents[2]
SMALL = CountryScale(
    parks=4,
    meters=110,
    share=0.5,
    minutes=1,
    past_minutes=3,
    weighed_meters=2,
    weighed_days=2,
    minute_s=8.0,
    packed_s=0.0,
)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return asyncio.run(measure(tmp_path_factory.mktemp("country"), SMALL))


def test_a_small_run_has_measured_something(figures: dict[str, Any]) -> None:
    assert (figures["parks"], figures["meters"], figures["simulated"]) == (4, 110, 2)
    assert figures["readings_per_s"] == 2 * 110 / 8
    assert figures["panels"]["queries"] > 100
    assert figures["disk"]["bytes_per_reading"] > 0
    assert figures["disk"]["quarter_hours"] >= 2 * 96
    files = figures["open_files"]
    assert files["operators"] >= files["operators_shards"] >= 1
    assert files["all"] - files["operators"] >= 8 * 2 * TENANTS, "each tenant's database has some"
    assert all(figures["memory_mb"].values())


def test_more_parks_than_the_shell_allows_files_for_are_refused_first(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"up to 480,000,000,000 files open.*ulimit -Hn"):
        asyncio.run(measure(tmp_path / "country", CountryScale(parks=10**9, share=1.0)))
    assert not (tmp_path / "country").exists()


def test_the_registers_add_up_what_the_power_was() -> None:
    shown = [values_of(3, minute) for minute in range(3 * 1440)]
    for one, following in pairwise(shown):
        assert following["energy_kwh"] - one["energy_kwh"] == pytest.approx(one["power_kw"] / 60, abs=0.002)
        assert following["reactive_kvarh"] > one["reactive_kvarh"]


def test_every_key_of_the_country_is_explained(figures: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "notes" / "bench.md").read_text(encoding="utf-8")
    section = text[text.index("## Keys of `ecopark bench country`") :]
    assert {path for path in flat(figures) if f"`{path}`" not in section} == set()


MEASURED: dict[str, Any] = {
    "parks": 400,
    "meters": 1_000,
    "tenants": 40,
    "simulated": 10,
    "index": "inmem",
    "cores": 2,
    "load_average_before": 0.5,
    "past_minutes": 660,
    "minutes": 5,
    "start_s": 21.5,
    "readings_per_s": 166.7,
    "cpu_share": {"ingest": 0.01, "broker": 0.002, "database": 0.1, "usage": 0.065},
    "memory_mb": {"ingest": 100.0, "broker": 10.0, "database": 300.0, "usage": 102.0, "usage_peak": 110.0},
    "usage_lag_s": 4.0,
    "usage_cycle_s": 1.5,
    "open_files": {"all": 4_110, "operators": 110, "operators_shards": 2},
    "panels": {"queries": 170, "p50_ms": 3.0, "p95_ms": 40.0},
    "disk": {"bytes_per_reading": 20.0, "bytes_per_quarter_hour": 50.0, "quarter_hours": 192},
}


def test_what_is_needed_grows_with_the_parks() -> None:
    found = {need.parks: need for need in needs(MEASURED)}
    assert list(found) == list(PARKS)
    assert found[10].cores == MEASURED["cpu_share"]
    assert found[1].memory_gib == found[10].memory_gib == 1.0, "services weigh something before their first meter"
    assert found[40].memory_gib == pytest.approx(4 * 512 / 1024)
    assert found[400].memory_gib == pytest.approx(40 * 512 / 1024)
    many = {need.parks: need for need in needs(MEASURED | {"cpu_share": MEASURED["cpu_share"] | {"ingest": 0.1}})}
    assert many[400].services("ingest") == 6
    assert many[400].memory_gib == pytest.approx(40 * (412 + 6 * 100) / 1024), "each ingester knows all meters"
    assert found[400].cores["usage"] == pytest.approx(2.6)
    assert found[400].services("usage") == 4
    assert found[1].services("usage") == 1
    assert found[10].disk_tb == pytest.approx(10_000 * 365 * (1440 * 20 + 96 * 50) / 1e12)


def test_what_runs_out_first_is_named_first() -> None:
    found = {short.what.split(" (")[0]: short.parks for short in shortages(MEASURED)}
    assert list(found) == ["one usage service", "open files of the database", "one ingester", "the broker"]
    assert found["one usage service"] == pytest.approx(0.7 * 10 / 0.065)
    assert found["open files of the database"] == pytest.approx((65_536 - 52 * 55) / 400)
    more = MEASURED | {"open_files": {"all": 20_110, "operators": 110, "operators_shards": 2}}
    assert shortages(more)[0].parks == pytest.approx((65_536 - 52 * 55) / 2_000)


def test_the_page_says_what_was_measured_and_what_it_costs() -> None:
    plain = document(MEASURED, "2026-11-27", Prices())
    assert max(len(line) for line in plain.splitlines()) <= 120
    plain = " ".join(plain.split())
    assert "| 10 (measured) | 167 | 0.01 | 0.00 | 0.10 | 0.07 | 1.0 GiB | 0.12 TB |" in plain
    assert "did not keep up" not in plain
    assert "did not keep up" in document(MEASURED | {"usage_lag_s": 300.0}, "2026-11-27", Prices())
    assert "One usage service is full at 107,000 meters" in plain
    assert "| one usage service | 100 |" in plain
    assert "had 4,110 files open, 10.0 for each tenant" in plain
    assert "20,000 meters that send each minute take 0.13 of a core" in plain
    priced = document(MEASURED, "2026-11-27", Prices(core=10, gib=2, tb=100, source="a list of 2026-11-01, USD"))
    assert "| 1.0 GiB | 0.12 TB | 16 |" in priced
    assert "Money by a list of 2026-11-01, USD" in priced
    given = '--core-price 10 --gib-price 2 --tb-price 100 --prices "a list of 2026-11-01, USD" --out docs/scale.md'
    assert given in " ".join(priced.split()), "the page says how it is made"
