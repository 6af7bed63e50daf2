"""The bench of the use: a small run, and registers that are as they should be."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from efficiency.usage.intervals import DAY_MS, Span
from metering.parkfile import load_park
from proving.bench.manyfold import METERS, PARK, lines, write_park
from proving.bench.table import flat
from proving.bench.usage import measure
from tests.store.lineparser import parse

ROOT = Path(__file__).parents[2]
ORIGIN = 1_790_000_000_000 // DAY_MS * DAY_MS


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return asyncio.run(measure(tmp_path_factory.mktemp("usage"), copies=1, days=1, interval_s=900))


def test_a_small_run_has_computed_something(figures: dict[str, Any]) -> None:
    assert (figures["park"], figures["meters"]) == (PARK, METERS)
    assert figures["recompute"]["quarter_hours"] >= METERS * 96
    assert figures["recompute"]["cpu_s"] > 0
    assert figures["cycle"]["cpu_s"] > 0


def test_every_key_is_explained(figures: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "notes" / "bench.md").read_text(encoding="utf-8")
    section = text[text.index("## Keys of `ecopark bench usage`") :]
    assert {path for path in flat(figures) if f"`{path}`" not in section} == set()


def test_registers_only_rise_and_parts_of_a_window_fit_together(tmp_path: Path) -> None:
    write_park(tmp_path / "park.yaml", 5, 900)
    park = load_park(tmp_path / "park.yaml")
    assert len(park.meters) == 5 * METERS
    assert {meter.belongs[-1].tenant for meter in park.meters if meter.belongs[-1].tenant} == {
        tenant.id for tenant in park.tenants
    }
    halves = [Span(ORIGIN, ORIGIN + DAY_MS), Span(ORIGIN + DAY_MS, ORIGIN + 2 * DAY_MS)]
    whole = list(lines(park, Span(ORIGIN, halves[1].end), ORIGIN))
    assert [
        first + second for first, second in zip(*(lines(park, half, ORIGIN) for half in halves), strict=True)
    ] == whole
    for meter, of_meter in zip(park.meters, whole, strict=True):
        shown = [float(parse(line).fields[meter.counter]) for line in of_meter]
        assert shown == sorted(shown), meter.id
