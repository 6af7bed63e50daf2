"""What was truly used, per meter and tenant, in quarter hours: the plant's own book, which no field event touches."""

from datetime import datetime

import numpy as np

from metering.instants import milliseconds
from metering.park import Park, Tenure
from metering.quantities import Utility
from proving.plant.clock import MINUTE_MS, QUARTER_MS
from proving.plant.counters import Array, CounterName, Instants
from proving.plant.plant import Plant


class PlantLedger:
    """The true use behind a plant's registers, in primary units, from `start` to `end`.

    `quarters` are the instants at which its quarter hours begin: from `start` up to, but without, `end`.
    """

    def __init__(self, plant: Plant, start: datetime, end: datetime) -> None:
        self._plant = plant
        self.quarters = quarter_hours(start, end)
        edges = np.append(self.quarters, self.quarters[-1:] + QUARTER_MS)
        passed = np.empty((len(plant.counters.row), len(edges)))
        for part in plant.counters.by_day(edges):
            passed[:, part.chosen] = part.day.true_before[:, None] + part.day.passed[:, part.ms // MINUTE_MS]
        self._used = np.diff(passed, axis=1)

    def meter(self, meter_id: str, quantity: str | None = None) -> Array:
        """Use of each quarter hour by the meter's main counter, or another one, such as `energy_export_kwh`."""
        name = quantity or self._plant.park.meter[meter_id].counter
        used: Array = self._used[self._plant.counters.row[CounterName(meter_id, name)]]
        return used

    def tenant(self, tenant: str, utility: Utility) -> Array:
        """Use of a tenant in each quarter hour: what it takes in through its outermost meters while they are its own.

        What it generates itself is below one of them and is not added.
        """
        used = np.zeros(len(self.quarters))
        for tenure in outermost(self._plant.park, tenant, utility):
            span = tenure.belonging.span
            theirs = (self.quarters >= span.start) & (self.quarters < span.end)
            used += np.where(theirs, self.meter(tenure.meter.id), 0.0)
        return used


def quarter_hours(start: datetime, end: datetime) -> Instants:
    """Beginnings of the quarter hours from `start` up to, but without, `end`, in milliseconds since the epoch."""
    first = -(-milliseconds(start) // QUARTER_MS) * QUARTER_MS
    return np.arange(first, milliseconds(end), QUARTER_MS, dtype=np.int64)


def outermost(park: Park, tenant: str, utility: Utility) -> list[Tenure]:
    """Meters through which a tenant takes a utility in, and while it has them."""
    own = {tenure.meter.id for tenure in park.points_of_tenant(tenant)}
    return [
        tenure
        for tenure in park.points_of_tenant(tenant)
        if tenure.meter.utility is utility and tenure.belonging.parent not in own
    ]
