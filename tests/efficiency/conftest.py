"""The demo park's plant, its readings written straight to a real database and computed by the usage service."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from metering.meters import Meter
from metering.park import Park
from metering.parkfile import load_park
from proving.demo.plan import EXAMPLE, SEED
from proving.plant.demopark import demo_park_text
from proving.plant.history import samples
from proving.plant.plant import Plant
from store.answers import Row
from store.client import Store
from store.schema import OPERATOR_DATABASE, reading_series

START = datetime.fromisoformat("2026-10-05T00:00:00+07:00")
AT_ONCE = 5000


class Field:
    """A plant and the truthful park file of it; `write` puts readings into the database as the ingester would."""

    def __init__(self, folder: Path) -> None:
        example = load_park(EXAMPLE)
        self.file = folder / "park.yaml"
        plant = Plant(example, seed=SEED, start=START)
        self.file.write_text(demo_park_text(EXAMPLE.read_text(), plant), encoding="utf-8")
        self.park: Park = load_park(self.file)
        self.plant = Plant(self.park, seed=SEED, start=START)

    def lines(self, meter: Meter, first: int, last: int, *, late: bool = True) -> list[str]:
        """Lines of every reading from `first` up to `last`, ms; without `late` only what would be delivered by then."""
        instants = samples(self.plant, meter, first, last)
        there = self.plant.answers(meter.id, instants)
        if not late:
            there &= self.plant.delivered(meter.id, instants) < last
        instants = instants[there]
        shown = {
            name: values.tolist()
            for name, values in self.plant.columns(meter.id, instants).items()
            if meter.quantities[name].counter
        }
        series = reading_series(self.park.id, meter)
        return [
            f"{series} {','.join(f'{name}={values[place]!r}' for name, values in shown.items())} {ms}000000"
            for place, ms in enumerate(instants.tolist())
        ]

    async def write(self, store: Store, meters: Iterable[str], first: int, last: int, *, late: bool = True) -> None:
        """Write the readings of some meters."""
        lines = [line for name in meters for line in self.lines(self.park.meter[name], first, last, late=late)]
        for at in range(0, len(lines), AT_ONCE):
            await store.write(lines[at : at + AT_ONCE], OPERATOR_DATABASE)

    def ms(self, **after: float) -> int:
        """An instant after the plant's start."""
        return self.plant.start_ms + round(timedelta(**after).total_seconds() * 1000)


@pytest.fixture
def song_xanh_field(tmp_path: Path) -> Field:
    return Field(tmp_path)


async def usage_rows(store: Store, database: str = OPERATOR_DATABASE) -> list[Row]:
    """All of `usage`, without when it was revised."""
    rows = await store.query('SELECT * FROM "usage"', database)
    for row in rows:
        row.pop("revised", None)
    return sorted(rows, key=lambda row: (row["meter"], row["time"], row["band"], row["role"]))
