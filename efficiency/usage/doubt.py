"""When a register's unit is in doubt: from a change of use by a power of ten until somebody explains it.

The park file answers with an instrument from there on, with another multiplier or, where use did change, with
`continues: true`. A second change, back again, ends the doubt too.
"""

from collections.abc import Iterable

from efficiency.usage.events import UNIT, Event
from efficiency.usage.intervals import ALWAYS_AFTER, Span
from metering.meters import Meter


def in_doubt(meter: Meter, events: Iterable[Event]) -> tuple[Span, ...]:
    """The spans of a meter's events in which the unit of its register is unknown."""
    answers = [each.since_ms for each in meter.instruments if each.since_ms is not None]
    spans: list[Span] = []
    for at in sorted(event.at for event in events if event.kind == UNIT):
        if spans and spans[-1].end > at:
            spans[-1] = Span(spans[-1].start, at)
        else:
            spans.append(Span(at, min((ms for ms in answers if ms > at), default=ALWAYS_AFTER)))
    return tuple(spans)
