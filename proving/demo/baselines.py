"""Baselines of the demo park: fitted to the first days of its past as `ecopark baseline fit` does, and frozen."""

from datetime import date, datetime, timedelta
from pathlib import Path

from efficiency.baseline.file import file_of, freeze
from efficiency.baseline.fitting import Wanted, fit_period
from efficiency.baseline.model import Subject
from efficiency.baseline.sources import OUTPUT
from metering.errors import OperatorError
from metering.park import Park
from metering.quantities import Utility
from store.client import Store

LEAST_DAYS = 14
"""A shorter past has no room for a fit and for what is judged by it."""
_MOST_FITTED = 20
_JUDGED = 2


async def freeze_baselines(store: Store, park: Park, park_file: Path, first: date, days: int) -> list[str]:
    """Freeze a baseline for the electricity of every tenant where the fit holds, once; returns their names."""
    if days < LEAST_DAYS or file_of(park_file).exists():
        return []
    last = first + timedelta(days=min(_MOST_FITTED, days - _JUDGED) - 1)
    frozen = []
    for tenant in park.tenants:
        subject = Subject(tenant=tenant.id, utility=Utility.ELECTRICITY)
        try:
            fitted = await fit_period(store, park, Wanted(subject, [OUTPUT], first, last))
        except OperatorError:
            continue  # makes nothing that is counted
        if fitted.fit.offered:
            today = datetime.now(park.zone).date()
            draft = fitted.draft(f"{tenant.id}-electricity", "the demo's first days", today)
            frozen.append(freeze(file_of(park_file), draft).id)
    return frozen
