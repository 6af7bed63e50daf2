"""Obstacles to closing a month: data that are missing or suspect, and missing prices."""

from collections.abc import Iterator
from datetime import date

import numpy as np

from efficiency.closing.monthuse import MonthUse, Passed
from efficiency.closing.statement import Stretch
from efficiency.usage.counters import Counter, counter_of
from efficiency.usage.intervals import QUARTER_MS
from efficiency.usage.quality import RULE_TEXT, SUSPECT_RULES, Rule, rules_in
from metering.model import Localized, Model
from metering.words import Language

_SUSPECT = SUSPECT_RULES | Rule.AMBIGUOUS
_SHARE = 0.001
"""Registers and quarter hours may differ by this share, since the registers at the ends are interpolated."""
_COUNTS = 2.0
_EN, _VI = Language.EN, Language.VI


class Obstacle(Model):
    """One obstacle: the meter, tenant or utility it concerns, and what is wrong."""

    subject: str
    text: Localized

    def of(self, month: date) -> "Obstacle":
        """The same obstacle, for an earlier month that was made again."""
        return _obstacle(self.subject, f"{month:%Y-%m}: {self.text.en}", f"{month:%m/%Y}: {self.text.vi}")


def faults_of(month: MonthUse, passed: Passed) -> Iterator[Obstacle]:
    """What is wrong with what passed at a point."""
    hours, meter = passed.hours, passed.meter
    unknown = (hours.completeness < 1) | np.isnan(hours.amount)
    if unknown.any():
        first, last = (int(hours.start[unknown][place]) for place in (0, -1))
        count = int(unknown.sum())
        quarters = "quarter hour" if count == 1 else "quarter hours"
        yield _obstacle(
            meter.id,
            f"use of {count} {quarters} is not known, from {month.readable(first)} to "
            f"{month.readable(last + QUARTER_MS)}",
            f"chưa xác định được lượng tiêu thụ của {count} khoảng 15 phút, từ {month.readable(first)} đến "
            f"{month.readable(last + QUARTER_MS)}",
        )
    for rule in rules_in(passed.rules & int(_SUSPECT)):
        text = RULE_TEXT[rule]
        yield _obstacle(meter.id, f"suspect: {text.en}", f"nghi vấn: {text.vi}")
    yield from _registers(month, passed)


def _registers(month: MonthUse, passed: Passed) -> Iterator[Obstacle]:
    """An obstacle if the registers at both ends differ from the sum of the quarter hours between them."""
    meter = passed.meter
    main = [each for each in month.stretches_of(passed) if each.counter == meter.counter]
    if not main or any(each.use is None for each in main):
        return
    said = sum(each.use or 0.0 for each in main)
    summed = float(np.nansum(passed.hours.amount))
    if abs(said - summed) > _tolerance(counter_of(meter, meter.counter, month.park.zone), main, said):
        en, vi = ([f"{each.number(amount)} {meter.unit}" for amount in (said, summed)] for each in (_EN, _VI))
        yield _obstacle(
            meter.id,
            f"registers at the ends say {en[0]}, the quarter hours between them {en[1]}",
            f"chỉ số đầu và cuối cho {vi[0]}, cộng các khoảng 15 phút được {vi[1]}",
        )


def _tolerance(counter: Counter, stretches: list[Stretch], use: float) -> float:
    """How far they may differ: registers are interpolated at the ends, and those of coarse counters in between, too."""
    return max(_SHARE * abs(use), _COUNTS * len(stretches) * float(counter.count.max()))


def _obstacle(subject: str, en: str, vi: str) -> Obstacle:
    return Obstacle(subject=subject, text=Localized(en=en[:256], vi=vi[:256]))
