"""What was truly used, per meter and tenant, in quarter hours: the plant's own book, which no field event touches."""

from datetime import datetime

import numpy as np

from ecopark.plant.clock import QUARTER_MS
from ecopark.plant.counters import Array, Instants
from ecopark.plant.plant import Plant
from metering.meters import Meter
from metering.park import Park
from metering.quantities import Utility
from metering.wire import milliseconds


class Ledger:
    """The true use behind a plant's registers, in primary units."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def meter(self, meter_id: str, start: datetime, end: datetime, quantity: str | None = None) -> Array:
        """Use of each quarter hour that begins from `start` up to, but without, `end`.

        `quantity` is the meter's main counter unless another counter is named, such as `energy_export_kwh`.
        """
        edges = quarter_hours(start, end)
        edges = np.append(edges, edges[-1:] + QUARTER_MS)
        name = quantity or self._plant.park.meter[meter_id].counter
        used: Array = np.diff(self._plant.counters.true(meter_id, name, edges))
        return used

    def tenant(self, tenant: str, utility: Utility, start: datetime, end: datetime) -> Array:
        """Use of a tenant: the sum of its meters that do not hang below another of its own, without generation."""
        used = np.zeros(len(quarter_hours(start, end)))
        for meter in outermost(self._plant.park, tenant, utility):
            used += self.meter(meter.id, start, end)
        return used


def quarter_hours(start: datetime, end: datetime) -> Instants:
    """Beginnings of the quarter hours from `start` up to, but without, `end`, in milliseconds since the epoch."""
    first = -(-milliseconds(start) // QUARTER_MS) * QUARTER_MS
    return np.arange(first, milliseconds(end), QUARTER_MS, dtype=np.int64)


def outermost(park: Park, tenant: str, utility: Utility) -> list[Meter]:
    """Meters through which a tenant takes a utility in."""
    return [
        meter
        for meter in park.meters
        if meter.tenant == tenant
        and meter.utility is utility
        and (meter.parent is None or park.meter[meter.parent].tenant != tenant)
    ]
