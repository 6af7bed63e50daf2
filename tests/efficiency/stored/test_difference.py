"""What must be written where stored quarter hours change, and whose figures that changes."""

import numpy as np

from efficiency.stored.usage import Difference, SeriesKey, StoredUsage
from efficiency.usage.intervals import QUARTER_MS
from efficiency.valuation.rows import AMOUNT, NUMBERS, Rows

OLD, NEW = (SeriesKey(tenant, "electricity", "billing", "normal") for tenant in ("weaver", "brewer"))


def rows(*amounts: float) -> Rows:
    numbers = np.full((len(amounts), len(NUMBERS)), np.nan)
    numbers[:, AMOUNT] = amounts
    return Rows(QUARTER_MS * np.arange(len(amounts)), numbers, np.zeros(len(amounts), dtype=np.int64))


def starts(before: dict[SeriesKey, Rows], after: dict[SeriesKey, Rows]) -> dict[str, list[int]]:
    found = Difference(StoredUsage(before), after).starts()
    return {tenant: (times // QUARTER_MS).tolist() for tenant, times in found.items()}


def test_who_loses_a_quarter_hour_is_named_as_well_as_who_gets_it() -> None:
    assert starts({OLD: rows(1.0, 2.0, 3.0)}, {OLD: rows(1.0)}) == {"weaver": [1, 2]}
    later = rows(1.0, 2.0, 3.0).where(slice(1, None))
    assert starts({OLD: rows(1.0, 2.0, 3.0)}, {OLD: rows(1.0), NEW: later}) == {"weaver": [1, 2], "brewer": [1, 2]}


def test_what_is_the_same_names_nobody() -> None:
    assert starts({OLD: rows(1.0, np.nan)}, {OLD: rows(1.0, np.nan)}) == {}
    assert starts({OLD: rows(1.0, 2.0)}, {OLD: rows(1.0, 2.5)}) == {"weaver": [1]}
