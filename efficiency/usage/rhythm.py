"""A meter's reading interval: one that is read once a month is not silent after a day, nor is its month estimated."""

import numpy as np

from efficiency.usage.intervals import Floats
from efficiency.usage.quality import Rule
from efficiency.usage.quarterhours import QuarterHours

_ABOUT = 0.9
"""Months differ in length, and nobody reads a meter by hand at the very hour."""
_SPREAD = np.uint32(Rule.SPARSE)
_GAPS = np.uint32(Rule.GAP_INTERPOLATED | Rule.GAP_SHAPED | Rule.GAP_LINEAR | Rule.HELD | Rule.AMBIGUOUS | Rule.DAILY)


def estimated_in_sums(hours: QuarterHours, interval_ms: int, period_ms: int) -> Floats:
    """The estimated share of each quarter hour, for sums over periods of `period_ms`.

    Between two readings the total is known. What was spread over the quarter hours of one interval of the meter is
    estimated as a quarter hour, and measured as part of a day, or of a month for a meter that is read once a month.
    """
    if period_ms < _ABOUT * interval_ms:
        return hours.estimated
    own = ((hours.rules & _SPREAD) > 0) & ((hours.rules & _GAPS) == 0)
    return np.where(own, 0.0, hours.estimated)
