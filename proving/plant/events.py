"""What goes wrong in the field, as a fixed schedule relative to the start of the plant.

Most touch only what the registers show or how readings travel. Two change what is truly used: a leak, and a tenant that
moves out.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from metering.instants import Span
from metering.model import Identifier, Model, NotNegative, Positive


class FieldEvent(Model):
    """Something happens to a meter `after` the plant's start."""

    meter: Identifier
    after: timedelta


class Lasting(FieldEvent):
    """It holds for a while: from its beginning up to, but without, its end."""

    lasting: timedelta


class Rollover(FieldEvent):
    """The counter passes its highest value and starts again from zero."""


class Reset(FieldEvent):
    """All counters of the meter are set to zero."""


class Swap(FieldEvent):
    """The instrument is replaced by one whose main counter already shows `opening`, its others zero.

    With `multiplier` it hangs behind other transformers than the one before.
    """

    opening: NotNegative
    multiplier: Positive | None = None


class Restored(FieldEvent):
    """The counters go back to what they showed `back` before, as after a power failure, and count on from there."""

    back: timedelta


class MovesOut(FieldEvent):
    """The firm of the meter leaves the park, with all its meters: they are the park's own from then on and stand idle.

    It happens at the beginning of the quarter hour.
    """


class Stuck(Lasting):
    """The meter shows what it showed at the beginning, then catches up."""


class Gap(Lasting):
    """The meter does not answer; what it would have shown is never read."""


class Spike(Lasting):
    """The main counter shows `by` (register units) too much."""

    by: Positive


class Delayed(Lasting):
    """Readings of that time are delivered only `delay` after it is over."""

    delay: timedelta


class LeakAtNight(Lasting):
    """Between 22:00 and 04:00 local time `flow` more passes, in the counter's unit per hour."""

    flow: Positive


@dataclass(frozen=True, slots=True)
class Leak:
    """A leak placed in time."""

    FROM_HOUR: ClassVar[int] = 22
    TO_HOUR: ClassVar[int] = 4
    meter: str
    span: Span
    flow: float


def _after(days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0) -> timedelta:
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


FIELD_EVENTS: tuple[FieldEvent, ...] = (
    # The first day, so that a short demo shows one of each.
    LeakAtNight(meter="wm-furniture", after=_after(), lasting=_after(days=2), flow=2.5),
    Gap(meter="em-seafood-processing", after=_after(hours=3), lasting=_after(minutes=40)),
    Spike(meter="em-furniture-cnc", after=_after(hours=5), lasting=_after(minutes=1), by=250_000.0),
    Stuck(meter="em-brewery-filling", after=_after(hours=7, seconds=30), lasting=_after(hours=2)),
    Rollover(meter="em-plastics-injection", after=_after(hours=9, seconds=20)),
    Reset(meter="wm-packaging", after=_after(hours=11, seconds=10)),
    Swap(meter="em-pharma-hvac", after=_after(hours=14, minutes=7, seconds=30), opening=3.2),
    Delayed(meter="sm-brewery", after=_after(hours=15), lasting=_after(hours=2), delay=_after(hours=1)),
    # The days between.
    Delayed(meter="em-steel-furnace", after=_after(days=4, hours=6), lasting=_after(hours=9), delay=_after(hours=26)),
    Reset(meter="em-feed", after=_after(days=6, hours=2, seconds=40)),
    Gap(meter="wm-seafood", after=_after(days=9, hours=1), lasting=_after(hours=7)),
    Swap(meter="wm-brewery", after=_after(days=11, hours=3, minutes=12), opening=0.0),
    Spike(meter="gm-steel", after=_after(days=13, hours=8), lasting=_after(minutes=5), by=60_000.0),
    Rollover(meter="wm-textile-washing", after=_after(days=15, hours=10, minutes=2)),
    Swap(meter="em-furniture", after=_after(days=12, hours=2, minutes=37), opening=88_120.0, multiplier=300.0),
    MovesOut(meter="em-feed", after=_after(days=16, hours=14, minutes=30)),
    Stuck(meter="am-plastics", after=_after(days=18), lasting=_after(days=4)),
    Restored(meter="wm-pharma", after=_after(days=23, hours=5, minutes=20), back=_after(hours=9)),
    LeakAtNight(meter="wm-steel", after=_after(days=20), lasting=_after(days=4), flow=6.0),
    # The last day, so that today's pictures show some.
    Gap(meter="cm-pharma", after=_after(days=29, hours=6), lasting=_after(hours=1)),
    Stuck(meter="em-textile-finishing", after=_after(days=29, hours=9), lasting=_after(hours=1, minutes=30)),
    Spike(meter="wm-brewery", after=_after(days=29, hours=12), lasting=_after(minutes=5), by=40_000.0),
    Delayed(meter="em-packaging", after=_after(days=29, hours=14), lasting=_after(hours=3), delay=_after(hours=2)),
)
"""The schedule of the demo park."""
