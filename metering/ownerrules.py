"""Rules for the owners of a metering point and its parent meter: who has it when, and no cycles."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from metering.instants import ALWAYS_AFTER, ALWAYS_BEFORE, Span
from metering.meters import Belonging, Meter, Role
from metering.rules import ParkRule, Placed, Scope, from_point, known, one_of, until_point


@dataclass(frozen=True, slots=True)
class Owned:
    """One belonging of a meter."""

    meter: Meter
    belonging: Belonging


def owned(meter: Meter) -> Iterator[Placed[Owned]]:
    """The belongings of a meter."""
    for place, belonging in enumerate(meter.belongs):
        yield Placed(("belongs", place), Owned(meter, belonging))


def _parent(part: Owned, scope: Scope) -> Meter | None:
    return scope.by_id.get(part.belonging.parent or "")


def _inside(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _life(name: str, span: Span, scope: Scope) -> str:
    begins = "" if span.start == ALWAYS_BEFORE else f" from {scope.readable(span.start)}"
    ends = "" if span.end == ALWAYS_AFTER else f" until {scope.readable(span.end)}"
    return f"{name} is there only{begins}{ends}"


def _tenant_span(part: Owned, scope: Scope) -> Span | None:
    return None if scope.tenants is None else scope.tenants.get(part.belonging.tenant or "")


def _tenant_is_there(part: Owned, scope: Scope) -> bool:
    stay = _tenant_span(part, scope)
    return stay is None or _inside(part.belonging.span, stay)


def _tenant_is_gone(part: Owned, scope: Scope) -> str:
    stay = _tenant_span(part, scope)
    life = "" if stay is None else _life(str(part.belonging.tenant), stay, scope)
    return f"{life}; say under belongs who has the point when"


def _parent_is_there(part: Owned, scope: Scope) -> bool:
    parent = _parent(part, scope)
    return parent is None or _inside(part.belonging.span, parent.span)


def _parent_is_gone(part: Owned, scope: Scope) -> str:
    parent = _parent(part, scope)
    life = "" if parent is None else _life(parent.id, parent.span, scope)
    return f"{life}; say under belongs what the point hangs below when"


def _parent_measures_the_same(part: Owned, scope: Scope) -> bool:
    parent = _parent(part, scope)
    return parent is None or parent.utility is part.meter.utility


def _parent_measures_another(part: Owned, scope: Scope) -> str:
    parent = _parent(part, scope)
    other = "" if parent is None else f"; {parent.id} measures {parent.utility.value}"
    return f"must measure {part.meter.utility.value} too{other}"


def _parent_consumes(part: Owned, scope: Scope) -> bool:
    parent = _parent(part, scope)
    return parent is None or all(
        above.role is not Role.GENERATION for above in parent.belongings_in(part.belonging.span)
    )


def _hangs_in_no_circle(part: Owned, scope: Scope) -> bool:
    """Looks up from the start of this entry; every cycle is found from one of its entries."""
    begin = part.belonging.span.start
    seen: set[str] = set()
    above = _parent(part, scope)
    while above is not None and above.id not in seen:
        if above.id == part.meter.id:
            return False
        seen.add(above.id)
        belonging = above.belonging_at(begin)
        above = None if belonging is None else scope.by_id.get(belonging.parent or "")
    return True


def _starts_with_the_point(part: Owned, _: Scope) -> bool:
    first = part.meter.belongs[0]
    return part.belonging is not first or first.span.start == part.meter.span.start


def _ends_with_the_point(part: Owned, _: Scope) -> bool:
    last = part.meter.belongs[-1]
    return part.belonging is not last or last.span.end == part.meter.span.end


OWNER_RULES: Final[tuple[ParkRule[Owned], ...]] = (
    ParkRule(
        ("tenant",),
        lambda part, scope: known(scope.tenants, part.belonging.tenant),
        lambda _, scope: one_of(scope.tenants or (), "a tenant of this file"),
    ),
    ParkRule(
        ("parent",),
        lambda part, scope: known(scope.meters, part.belonging.parent),
        lambda _, scope: one_of(scope.meters or (), "a meter of this file"),
    ),
    ParkRule(("from",), _starts_with_the_point, from_point),
    ParkRule(("until",), _ends_with_the_point, until_point),
    ParkRule(
        ("until",),
        lambda part, _: part.belonging.span.start < part.belonging.span.end,
        lambda part, scope: f"must be after from, which is {scope.readable(part.belonging.span.start)}",
    ),
    ParkRule(("tenant",), _tenant_is_there, _tenant_is_gone),
    ParkRule(("parent",), _parent_is_there, _parent_is_gone),
    ParkRule(("parent",), _parent_measures_the_same, _parent_measures_another),
    ParkRule(
        ("parent",),
        _parent_consumes,
        lambda part, _: f"{part.belonging.parent} generates; a sub-meter hangs below a main or consumption meter",
    ),
    ParkRule(
        ("parent",),
        _hangs_in_no_circle,
        lambda part, _: f"{part.meter.id} would hang below itself; break the circle",
    ),
)
