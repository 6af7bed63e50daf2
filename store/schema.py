"""The store's measurements and databases by name; what is written to them and what is read from them meet here."""

from typing import Final

from metering.meters import Meter
from store.lines import series

OPERATOR_DATABASE: Final = "ecopark"

REFUSED: Final = "refused"
PIPELINE: Final = "pipeline"
METER_STATUS: Final = "meter_status"
USAGE: Final = "usage"
EFFICIENCY: Final = "efficiency"
BALANCE: Final = "balance"

NS_PER_MS: Final = 1_000_000


def tenant_database(park: str, tenant: str) -> str:
    """Database in which a tenant sees itself and nothing else."""
    return f"{OPERATOR_DATABASE}_{park}_{tenant}"


def reading_series(park: str, meter: Meter) -> str:
    """Series of a meter's raw readings: its utility, tagged by what the park file says of it."""
    return series(meter.utility.value, {"park": park, "tenant": meter.tenant, "meter": meter.id})
