"""F25: compares a month as it was stated with the month as it would be stated now; every difference has a reason.

Charges are matched by kind, utility, point and VAT rate. A month that was corrected is compared as corrected, so that
each difference is stated only once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from efficiency.closing.amounts import total
from efficiency.closing.statement import (
    Charge,
    ChargeKind,
    Correction,
    CorrectionReason,
    PointUse,
    Statement,
)


class _Subject(NamedTuple):
    """What the charges of two statements are matched by."""

    kind: ChargeKind
    utility: str
    point: str | None
    vat: float


_OF_KIND = {
    ChargeKind.REACTIVE: CorrectionReason.POWER_FACTOR,
    ChargeKind.LOSSES: CorrectionReason.ALLOCATION,
    ChargeKind.COMMON: CorrectionReason.ALLOCATION,
}


def corrections(month: date, stated: Statement, now: Statement) -> tuple[Correction, ...]:
    """How `now` differs from what was stated for the same tenant and month."""
    before, after = _by_subject(stated.charges), _by_subject(now.charges)
    found = []
    for subject in sorted({*before, *after}, key=str):
        old, new = before.get(subject, []), after.get(subject, [])
        net = sum(each.net_vnd for each in new) - sum(each.net_vnd for each in old)
        quantity = total([*(each.quantity for each in new), *(-each.quantity for each in old)])
        if not net:
            continue
        found.append(
            Correction(
                month=month,
                kind=subject.kind,
                utility=(new or old)[0].utility,
                point=subject.point,
                quantity=quantity,
                unit=(new or old)[0].unit,
                net_vnd=net,
                vat=subject.vat,
                reasons=tuple(
                    _reasons(subject.kind, [_point(each, subject.point) for each in (stated, now)], [old, new])
                ),
            )
        )
    return tuple(found)


def differing(stated: Mapping[str, Statement], now: Iterable[Statement]) -> Iterator[Statement]:
    """The statements of `now` whose charges differ, and empty ones for tenants that no longer have charges."""
    found = {each.tenant: each for each in now}
    for tenant in sorted({*stated, *found}):
        old, new = (side.get(tenant, Statement(tenant=tenant)) for side in (stated, found))
        if _by_subject(old.charges) != _by_subject(new.charges):
            yield new


def _by_subject(charges: Iterable[Charge]) -> dict[_Subject, list[Charge]]:
    found: dict[_Subject, list[Charge]] = {}
    for each in charges:
        found.setdefault(_Subject(each.kind, each.utility.value, each.point, each.vat), []).append(each)
    return found


def _reasons(
    kind: ChargeKind, points: Sequence[PointUse | None], charges: Sequence[Sequence[Charge]]
) -> Iterator[CorrectionReason]:
    """Why the charges of one subject differ; `points` and `charges` as stated and as they are now."""
    there = all(points)
    if kind in _OF_KIND:
        yield _OF_KIND[kind]
    elif kind is ChargeKind.DEMAND:
        yield from _of_demand(*charges)
    elif not all(charges):
        yield CorrectionReason.VAT if there else CorrectionReason.OWNER
    else:
        if _differ({(each.band, each.price) for each in side} for side in charges):
            yield CorrectionReason.PRICE
        if there and _differ(map(_fitted, filter(None, points))):
            yield CorrectionReason.INSTRUMENT
        elif there and _differ((each.since, each.until) for each in points if each is not None):
            yield CorrectionReason.OWNER
        elif _differ(total(each.quantity for each in side) for side in charges):
            yield CorrectionReason.READINGS


def _of_demand(old: Sequence[Charge], new: Sequence[Charge]) -> Iterator[CorrectionReason]:
    """Why a demand charge differs: price, time at the points, or the half hour itself."""
    if _differ([round(each.price / each.part, 6) for each in side] for side in (old, new)):
        yield CorrectionReason.PRICE
    elif _differ([(each.since, each.until, each.part) for each in side] for side in (old, new)):
        yield CorrectionReason.OWNER
    if _differ([each.quantity for each in side] for side in (old, new)) and old and new:
        yield CorrectionReason.READINGS


def _differ(sides: Iterable[object]) -> bool:
    old, new = sides
    return old != new


def _fitted(point: PointUse) -> list[tuple[object, ...]]:
    """What the park file says about the instruments."""
    return [(each.counter, each.serial, each.since, each.until, each.multiplier) for each in point.stretches]


def _point(statement: Statement, point: str | None) -> PointUse | None:
    return next((each for each in statement.points if each.point == point), None)
