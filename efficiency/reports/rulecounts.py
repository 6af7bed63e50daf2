"""Counts, for each rule of `usage`, the quarter hours of a period that it affected, and of which meters."""

from dataclasses import dataclass

import numpy as np

from efficiency.reports.periods import ReportPeriod
from efficiency.reports.reading import owner, within
from efficiency.stored.usage import SUPERSEDED, mask_of
from efficiency.usage.quality import Rule
from metering.meters import Meter
from metering.park import Park
from store.client import Store
from store.schema import OPERATOR_DATABASE, USAGE
from store.select import differs, select


@dataclass(frozen=True, slots=True)
class RuleCount:
    """A rule, and how many quarter hours of these meters it affected."""

    rule: Rule
    count: int
    meters: tuple[Meter, ...]


async def rule_counts(
    store: Store, park: Park, period: ReportPeriod, tenant: str | None = None
) -> tuple[RuleCount, ...]:
    """The rules that affected the use of a park, or of one tenant, most quarter hours first."""
    condition = f"{within(park, period, owner(tenant))} AND {differs('rule', '')}"
    tables = await store.tables(select(USAGE, ["rule"], condition, ["meter"]), OPERATOR_DATABASE)
    counts: dict[Rule, dict[str, int]] = {}
    for table in (table for table in tables if table.tags["meter"] in park.meter):
        masks = np.array([mask_of(str(text)) for text in table.fields["rule"].tolist()], dtype=np.int64)
        holds = (masks >= 0) & (masks != SUPERSEDED)
        _, once = np.unique(table.times[holds], return_index=True)  # a quarter hour across bands has a point in each
        for rule in Rule:
            if count := int(np.count_nonzero(masks[holds][once] & rule)):
                counts.setdefault(rule, {})[table.tags["meter"]] = count
    found = (
        RuleCount(rule, sum(by_meter.values()), tuple(meter for meter in park.meters if meter.id in by_meter))
        for rule, by_meter in counts.items()
    )
    return tuple(sorted(found, key=lambda each: -each.count))
