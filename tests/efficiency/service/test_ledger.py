"""The plant's own book against the stored usage, for every field event of the demo park."""

from datetime import UTC, datetime

import numpy as np
import pytest

from efficiency.service.park import ParkUsage
from efficiency.stored.spanhours import aligned
from efficiency.stored.usagestore import UsageStore
from efficiency.stored.writer import ParkWriter
from efficiency.usage.intervals import DAY_MS, QUARTER_MS, Span
from metering.meters import Meter
from proving.plant.events import FIELD_EVENTS, FieldEvent, Lasting, Stuck
from store.client import Store
from tests.efficiency.conftest import Field
from tests.proving.plant.ledger import PlantLedger

FLOAT32 = float(np.finfo(np.float32).eps)


def resolution(meter: Meter, reading: float) -> float:
    """The register's resolution, in real units, at both ends of an interval."""
    register = meter.instruments[-1].registers[meter.counter]
    count = FLOAT32 * reading if register.floating else register.resolution
    return 2 * count * meter.instruments[-1].multiplier + 1e-6


def window(field: Field, event: FieldEvent) -> Span:
    """The day before an event to the day after it."""
    begin = field.plant.at(event)
    end = field.plant.span(event).end if isinstance(event, Lasting) else begin
    day = (begin - field.plant.start_ms) // DAY_MS
    first = field.plant.start_ms + max(day - 1, 0) * DAY_MS
    last = field.plant.start_ms + ((end - field.plant.start_ms) // DAY_MS + 2) * DAY_MS
    return Span(first, last)


async def test_stored_usage_agrees_with_the_plants_ledger_in_every_field_event(
    song_xanh_field: Field, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    field = song_xanh_field
    begin, end = (datetime.fromtimestamp(field.ms(days=days) / 1000, UTC) for days in (0, 31))
    ledger = PlantLedger(field.plant, begin, end)
    worst: list[tuple[float, str]] = []
    for event in FIELD_EVENTS:
        await field.write(store, [event.meter], *_ends(window(field, event)))
    usage = ParkUsage(store, field.park)
    await usage.begin(field.ms(days=40))
    await usage.cycle(field.ms(days=40))
    for event in FIELD_EVENTS:
        span, meter = window(field, event), field.park.meter[event.meter]
        stored = (await UsageStore(store, field.park.id, ParkWriter(store, field.park.id)).stored([meter.id], span))[
            meter.id
        ]
        use = aligned(stored, span)
        truth = ledger.meter(meter.id)[np.isin(ledger.quarters, use.start)]
        good = (use.completeness == 1) & (use.estimated == 0)
        good[-1] = False  # nobody read the register at its end
        free = np.ones(len(good), dtype=bool)
        if isinstance(event, Stuck):
            frozen = field.plant.span(event)  # the value of a frozen register is no reading
            free = (use.start + QUARTER_MS <= frozen.start) | (use.start >= frozen.end)
            good &= free
        high = max(abs(value) for values in field.plant.columns(meter.id, use.start).values() for value in values)
        deviation = float(np.max(np.abs(use.amount - truth)[good])) / resolution(meter, high)
        worst.append((deviation, f"{type(event).__name__} of {meter.id}"))
        assert good[free].mean() > 0.6, event
    with capsys.disabled():
        print(f"\nworst deviation from the ledger: {max(worst)[0]:.3f} of the resolution, {max(worst)[1]}")  # noqa: T201 - the figure that docs/usage.md states
    assert max(worst)[0] <= 1, sorted(worst)[-3:]


def _ends(span: Span) -> tuple[int, int]:
    return span.start, span.end
