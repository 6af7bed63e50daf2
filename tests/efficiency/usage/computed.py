"""Use from readings in one call, as the service computes it in several."""

from enum import IntEnum

import numpy as np

from efficiency.usage.counters import Counter
from efficiency.usage.fromsteps import usage_of
from efficiency.usage.gaps import NO_PAST, Past
from efficiency.usage.intervals import Span
from efficiency.usage.line import Readings
from efficiency.usage.quality import SUSPECT_RULES, Rule
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.steps import steps_of

UNKNOWN_RULES = Rule.RESET | Rule.RESTORED | Rule.BOUND | Rule.WRAPS | Rule.LOST
"""Rules that leave use unknown, besides an exchange without its registers."""


def usage(counter: Counter, readings: Readings, window: Span, past: Past = NO_PAST) -> QuarterHours:
    return usage_of(counter, steps_of(counter, readings), window, past)


class Quality(IntEnum):
    """Best first; a quarter hour has the worst that applies."""

    MEASURED = 0
    SUSPECT = 1
    ESTIMATED = 2
    PARTIAL = 3
    MISSING = 4


def quality(use: QuarterHours) -> list[Quality]:
    found = np.select(
        [np.isnan(use.amount), use.completeness < 1, use.estimated > 0, (use.rules & np.uint32(SUSPECT_RULES)) > 0],
        [Quality.MISSING, Quality.PARTIAL, Quality.ESTIMATED, Quality.SUSPECT],
        Quality.MEASURED,
    )
    return [Quality(each) for each in found.tolist()]
