"""F15: water that runs outside working hours."""

from collections.abc import Sequence

import numpy as np

from efficiency.indicators.figure import Figure, absent, figure
from efficiency.indicators.series import UseSeries
from efficiency.usage.intervals import Bools
from efficiency.valuation.localtime import Slots, day_of, minutes_in, runs
from efficiency.valuation.valued import ValueReason
from metering.calendar import Calendar, Window
from metering.dated import HistoryEntry, at

NIGHT = (2 * 60, 4 * 60)
"""From 02:00 to 04:00, minutes of the local day."""


def at_night(when: Slots) -> Bools:
    """Quarter hours of the night."""
    return np.asarray((when.minute >= NIGHT[0]) & (when.minute < NIGHT[1]))


Shifts = Sequence[HistoryEntry[tuple[Window, ...]]]


def working(shifts: Shifts, calendar: Calendar, when: Slots) -> Bools:
    """Quarter hours that lie in a shift, by the shifts of their day."""
    found = np.zeros(len(when), dtype=np.bool_)
    for number, of_day in runs(when.day):
        day = day_of(number)
        entry = at(shifts, day)
        if entry is not None:
            found[of_day] = minutes_in(calendar.minutes(entry.value, day))[when.minute[of_day]]
    return found


def night_share(water: UseSeries | None, when: Slots, shifts: Shifts, calendar: Calendar) -> Figure:
    """F15: mean flow at night over mean flow of the day, for days on which the tenant does not work at night.

    Only quarter hours that are fully known count on either side; a day without any at night is left out.
    """
    if water is None:
        return absent("1", ValueReason.NO_METER)
    idle = ~np.isin(when.day, when.day[working(shifts, calendar, when) & at_night(when)])
    if not idle.any():
        return absent("1", ValueReason.NO_NIGHT, water.complete)
    night, known = at_night(when) & idle, water.whole
    with_night = idle & np.isin(when.day, when.day[night & known])
    if not with_night.any():
        return absent("1", ValueReason.NO_DATA)
    of_idle = water.where(idle)
    mean = float(water.amount[with_night & known].mean())
    if mean == 0:
        return absent("1", ValueReason.ZERO_DENOMINATOR, of_idle.complete)
    return figure(float(water.amount[night & known].mean()) / mean, "1", of_idle.complete, of_idle.spread, over=mean)
