"""Use from readings in one call, as the service computes it in several."""

from efficiency.usage.counters import Counter
from efficiency.usage.fromsteps import usage_of
from efficiency.usage.gaps import NO_PAST, Past
from efficiency.usage.intervals import Span
from efficiency.usage.line import Readings
from efficiency.usage.quality import Rule
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.steps import steps_of

UNKNOWN_RULES = Rule.RESET | Rule.RESTORED | Rule.BOUND | Rule.WRAPS | Rule.LOST
"""Rules that leave use unknown, besides an exchange without its registers."""


def usage(counter: Counter, readings: Readings, window: Span, past: Past = NO_PAST) -> QuarterHours:
    return usage_of(counter, steps_of(counter, readings), window, past)
