"""Writes closed months as points of the store (`store.schema.CLOSING`), for dashboards and alerts.

The files next to the park file hold what was stated; the points say how far that differs from what would be stated now.
A month is checked again when its stored figures, the park file or the files of closed months change.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from efficiency.closing.file import ClosedMonth, folder_of, load_closed
from efficiency.closing.making import MonthMaker, NotYetStated
from efficiency.closing.monthuse import month_span
from efficiency.closing.statement import CORRECTION_TEXT, Correction, Statement
from efficiency.indicators.figure import Figure, absent, fields_of, figure, total
from efficiency.stored.fields import Fields, PointStore, SeriesPoints
from efficiency.stored.writer import ParkWriter
from efficiency.valuation.valued import ValueReason
from metering.errors import OperatorError
from metering.figures import Period
from metering.instants import local_day
from metering.months import next_month
from metering.park import Park
from metering.quantities import Utility
from metering.words import Language
from running.filestamp import FileStamp, stamp_of
from running.trouble import Trouble
from store.client import Store
from store.schema import BALANCE, CLOSING, EDGE, EFFICIENCY

log = logging.getLogger(__name__)

AT_ONCE = 3
"""How many months are checked in one round: each is some work for the database and the processor."""
_THE_PARK = ""
"""In place of a tenant."""


@dataclass(slots=True)
class _Seen:
    """What was found for one park. `basis` has the stored figures of each month when it was last checked.

    The month that was checked longest ago comes first in `basis`. `written`: the points that were last written.
    """

    park: Park
    files: Mapping[Path, FileStamp]
    closed: tuple[ClosedMonth, ...]
    basis: dict[date, Fields] = field(default_factory=dict)
    written: dict[str, dict[int, Fields]] = field(default_factory=dict)
    waiting: dict[date, NotYetStated] = field(default_factory=dict)


class ClosingState:
    """Keeps the points of closed months up to date; files that cannot be used are logged."""

    def __init__(self, store: Store, clock_ms: Callable[[], int], seconds: Callable[[], float]) -> None:
        self._store = store
        self._clock_ms = clock_ms
        self._seconds = seconds
        self._seen: dict[str, _Seen] = {}
        self._troubles: dict[str, Trouble] = {}

    async def write(self, park: Park, file: Path) -> None:
        """Update the points of one park; without closed months there are none.

        Raises `UnavailableError` if the database does not answer.
        """
        trouble = self._troubles.setdefault(park.id, Trouble(log, f"closed months of {park.id}", self._seconds))
        try:
            seen = self._look(park, file)
        except OperatorError as error:
            trouble.happened(str(error))
            return
        trouble.over()
        now_ms = self._clock_ms()
        writer = ParkWriter(self._store, park.id)
        points = PointStore(self._store, park.id, writer)
        await self._look_again(seen, points, now_ms)
        state = state_of(park, seen.closed, seen.waiting, local_day(now_ms, park.zone))
        if state == seen.written:
            return
        for tenant, found in state.items():
            tags = {"park": park.id, "tenant": tenant}
            await points.replace_all([SeriesPoints(CLOSING, tags, tenant or None, found)])
        await writer.flush()
        seen.written = state

    def _look(self, park: Park, file: Path) -> _Seen:
        files = {each: stamp_of(each) for each in folder_of(file).glob("*.yaml")}
        seen = self._seen.get(park.id)
        if seen is None or seen.park is not park or seen.files != files:
            seen = self._seen[park.id] = _Seen(park, files, load_closed(file, park.id))
        return seen

    async def _look_again(self, seen: _Seen, points: PointStore, now_ms: int) -> None:
        """Find the corrections of months whose figures changed since they were last checked.

        Months that were never checked come first, newest first; then those checked longest ago, so that a month whose
        figures change all the time does not hold up the others.
        """
        maker = MonthMaker(self._store, seen.park, now_ms)
        stored = await _stored(points, seen.park, [each.month for each in seen.closed])
        fresh = [each.month for each in reversed(seen.closed) if each.month not in seen.basis]
        due = [month for month in (*fresh, *seen.basis) if seen.basis.get(month) != stored[month]]
        for month in due[:AT_ONCE]:
            seen.waiting[month] = await maker.waiting(month, seen.closed)
            seen.basis.pop(month, None)
            seen.basis[month] = stored[month]


async def _stored(points: PointStore, park: Park, months: Sequence[date]) -> dict[date, Fields]:
    """The stored figures of some months, by month: whatever statements and the park's account may depend on."""
    starts = {month_span(park, month).start: month for month in months}
    found: dict[date, Fields] = {month: {} for month in months}
    if not months:
        return found
    of_month, ends = {"park": park.id, "period": Period.MONTH.value}, (min(starts), max(starts))
    tenants = await points.stored_of_many(EFFICIENCY, {**of_month, "tenant": [*park.tenant]}, *ends)
    edges = await points.stored_of_many(BALANCE, {**of_month, "main": EDGE, "utility": [*Utility]}, *ends)
    for key, by_start in (*tenants.items(), *edges.items()):
        for start, fields in by_start.items():
            if start in starts:
                found[starts[start]] |= {f"{'/'.join(key)} {name}": value for name, value in fields.items()}
    return found


def state_of(
    park: Park, closed: Sequence[ClosedMonth], waiting: Mapping[date, NotYetStated], today: date
) -> dict[str, dict[int, Fields]]:
    """Points of closed months by tenant, those of the park under an empty name; also of months still to be closed."""
    found: dict[str, dict[int, Fields]] = {}
    for each in closed:
        start = month_span(park, each.month).start
        stated = {statement.tenant: statement for statement in each.statements}
        later = _corrections(closed, each.month)
        owed = waiting.get(each.month)
        figures = {}
        for tenant in dict.fromkeys([*stated, *later, *(owed.corrections if owed else ())]):
            statement = stated.get(tenant, Statement(tenant=tenant))
            figures[tenant] = _figures(statement, later.get(tenant, ()), owed)
            lines = [*later.get(tenant, ()), *(owed.corrections.get(tenant, ()) if owed else ())]
            found.setdefault(tenant, {})[start] = {**fields_of(figures[tenant]), **_why(lines)}
        names = next(iter(figures.values()), {})
        whole = {name: total([one[name] for one in figures.values()], "₫") for name in names}
        every = [line for lines in later.values() for line in lines]
        every += [line for lines in (owed.corrections.values() if owed else ()) for line in lines]
        found.setdefault(_THE_PARK, {})[start] = {
            **fields_of(whole),
            **_why(every),
            "open_days": 0.0,
            "closed": each.closed_at.timestamp() * 1000,
            "obstacles": float(len(each.obstacles)),
        }
    for month in _open(closed, today):
        fields: Fields = {"open_days": float((today - next_month(month)).days)}
        found.setdefault(_THE_PARK, {})[month_span(park, month).start] = fields
    return found


def _open(closed: Sequence[ClosedMonth], today: date) -> Iterator[date]:
    """Months after the newest closed one that are over; none if no month was ever closed."""
    month = next_month(closed[-1].month) if closed else today
    while next_month(month) <= today:
        yield month
        month = next_month(month)


def _corrections(closed: Sequence[ClosedMonth], month: date) -> dict[str, list[Correction]]:
    """The corrections of a month in statements of later months, by tenant."""
    found: dict[str, list[Correction]] = {}
    for statement in (statement for each in closed for statement in each.statements):
        lines = [line for line in statement.corrections if line.month == month]
        if lines:
            found.setdefault(statement.tenant, []).extend(lines)
    return found


def _figures(statement: Statement, later: Sequence[Correction], owed: NotYetStated | None) -> dict[str, Figure]:
    completeness = min((point.completeness for point in statement.points), default=1.0)
    shares = [point.estimated / point.quantity for point in statement.points if point.quantity]
    quality = completeness, max(shares, default=0.0)
    waiting = absent("₫", ValueReason.NOT_COMPUTED)
    if owed is not None and owed.obstacles:
        waiting = absent("₫", ValueReason.INCOMPLETE)
    elif owed is not None:
        waiting = figure(_sum(owed.corrections.get(statement.tenant, ())), "₫")
    return {
        "stated_vnd": figure(statement.total_vnd, "₫", *quality),
        "of_earlier_vnd": figure(_sum(statement.corrections), "₫"),
        "later_vnd": figure(_sum(later), "₫"),
        "waiting_vnd": waiting,
    }


def _sum(lines: Iterable[Correction]) -> int:
    return sum(line.with_vat_vnd for line in lines)


def _why(lines: Iterable[Correction]) -> Fields:
    reasons = sorted({reason for line in lines for reason in line.reasons})
    texts = [CORRECTION_TEXT[reason] for reason in reasons]
    return {f"why_{language}": "; ".join(map(language.say, texts)) for language in Language}
