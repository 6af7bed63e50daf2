"""What must hold of one metering point: whom it refers to and when, registers that fit what it measures, its history.

A rule looks at one part of a meter; what could not be read of that part keeps only the rules from speaking that need
it, and only about that part.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Generic, TypeVar
from zoneinfo import ZoneInfo

from metering.dated import DatedLimit
from metering.instants import ALWAYS_AFTER, ALWAYS_BEFORE, Span
from metering.lenient import Broken, UnreadError, as_far_as_read
from metering.meters import Belonging, Bounds, Instrument, Meter, MeterModel, Register, Role
from metering.quantities import UTILITIES, Utility
from metering.yamllines import KeyPath


@dataclass(frozen=True, slots=True)
class Scope:
    """What a meter can refer to, by name; None where not every name could be read.

    `tenants`: when each is in the park. `by_id`: meters that have a name. `zone`: in which messages give times.
    """

    tenants: Mapping[str, Span] | None
    gateways: frozenset[str] | None
    meters: frozenset[str] | None
    models: Mapping[str, MeterModel] | None
    by_id: Mapping[str, Meter]
    zone: ZoneInfo

    def said(self, ms: int) -> str:
        """An instant as a person writes it: the day, with the time where it is not midnight."""
        local = datetime.fromtimestamp(ms / 1000, self.zone)
        return local.date().isoformat() if (local.hour, local.minute) == (0, 0) else local.isoformat(timespec="minutes")


@dataclass(frozen=True, slots=True)
class Owned:
    """One belonging of a meter."""

    meter: Meter
    belonging: Belonging


@dataclass(frozen=True, slots=True)
class Fitted:
    """One instrument of a meter."""

    meter: Meter
    instrument: Instrument


@dataclass(frozen=True, slots=True)
class Served:
    """One register of one instrument of a meter."""

    meter: Meter
    instrument: Instrument
    name: str
    register: Register


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rule(Generic[T]):
    """`holds` of a part, else `says` what would be right; `key` is where, below the part."""

    key: KeyPath
    holds: Callable[[T, Scope], bool]
    says: Callable[[T, Scope], str]

    def broken(self, path: KeyPath, part: T, scope: Scope) -> Iterator[Broken]:
        """The fault of one part, if it has one."""
        if not self.holds(part, scope):
            yield (*path, *self.key), self.says(part, scope)


def _of_meter(meter: Meter) -> Iterator[tuple[KeyPath, Meter]]:
    yield (), meter


def _owned(meter: Meter) -> Iterator[tuple[KeyPath, Owned]]:
    for place, belonging in enumerate(meter.belongs):
        yield ("belongs", place), Owned(meter, belonging)


def _fitted(meter: Meter) -> Iterator[tuple[KeyPath, Fitted]]:
    for place, instrument in enumerate(meter.instruments):
        yield ("instruments", place), Fitted(meter, instrument)


def _served(meter: Meter) -> Iterator[tuple[KeyPath, Served]]:
    for path, fitted in _fitted(meter):
        for name, register in fitted.instrument.registers.items():
            yield (*path, "registers", name), Served(meter, fitted.instrument, name, register)


def _permitted(meter: Meter) -> Iterator[tuple[KeyPath, DatedLimit]]:
    for name, limits in meter.limits.items():
        for place, limit in enumerate(limits):
            yield ("limits", name, place), limit


def _bounded(meter: Meter) -> Iterator[tuple[KeyPath, Bounds]]:
    for name, bounds in meter.ranges.items():
        yield ("ranges", name), bounds


def _known(names: Iterable[str] | None, name: str | None) -> bool:
    return names is None or name is None or name in names


def _parent(part: Owned, scope: Scope) -> Meter | None:
    return scope.by_id.get(part.belonging.parent or "")


def _inside(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _life(name: str, span: Span, scope: Scope) -> str:
    begins = "" if span.start == ALWAYS_BEFORE else f" from {scope.said(span.start)}"
    ends = "" if span.end == ALWAYS_AFTER else f" until {scope.said(span.end)}"
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
    """Looks up from where this entry begins; a circle begins with one of its entries."""
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


def _from_point(part: Owned | Fitted, scope: Scope) -> str:
    span = part.meter.span
    begins = "since ever" if span.start == ALWAYS_BEFORE else f"from {scope.said(span.start)}"
    return f"the point is there {begins}; begin with it"


def _until_point(part: Owned | Fitted, scope: Scope) -> str:
    span = part.meter.span
    ends = "without an end" if span.end == ALWAYS_AFTER else f"until {scope.said(span.end)}"
    return f"the point is there {ends}; end with it"


def _instrument_begins_in_time(part: Fitted, _: Scope) -> bool:
    return part.instrument.span.start >= part.meter.span.start


def _instrument_ends_in_time(part: Fitted, _: Scope) -> bool:
    return part.instrument.span.end <= part.meter.span.end


def _model_of(part: Fitted, scope: Scope) -> MeterModel | None:
    if part.instrument.model is None:
        return None
    if scope.models is None or part.instrument.model not in scope.models:
        raise UnreadError
    return scope.models[part.instrument.model]


def _all_registers(part: Fitted, scope: Scope) -> Mapping[str, Register]:
    """What the instrument serves; its model's registers were put into it, unless they could not be read."""
    model = _model_of(part, scope)
    return part.instrument.registers if model is None else {**model.registers, **part.instrument.registers}


def _registers_of(meter: Meter, scope: Scope) -> Mapping[str, Register]:
    return {name: register for _, part in _fitted(meter) for name, register in _all_registers(part, scope).items()}


def _quantity_fits(part: Served, _: Scope) -> bool:
    return part.name in UTILITIES[part.meter.utility].quantities


def _counts(part: Served) -> bool:
    quantity = UTILITIES[part.meter.utility].quantities.get(part.name)
    return quantity is None or quantity.counter


def _counters_of(part: Fitted, scope: Scope) -> list[str]:
    known = UTILITIES[part.meter.utility].quantities
    return [name for name in _all_registers(part, scope) if name in known and known[name].counter]


def _has_two_sides(limit: DatedLimit | Bounds, _: Scope) -> bool:
    return limit.low is not None or limit.high is not None


def _sides_fit(limit: DatedLimit | Bounds, _: Scope) -> bool:
    return limit.low is None or limit.high is None or limit.low < limit.high


def _under_high(limit: DatedLimit | Bounds, _: Scope) -> str:
    return f"must be under high, which is {limit.high:g}"


def _says(text: str) -> Callable[[object, Scope], str]:
    return lambda _, __: text


_METER_RULES: Final[tuple[Rule[Meter], ...]] = (
    Rule(
        ("gateway",),
        lambda meter, scope: _known(scope.gateways, meter.gateway),
        lambda _, scope: one_of(scope.gateways or (), "a gateway of this file"),
    ),
    Rule(
        ("until",),
        lambda meter, _: meter.since_ms is None or meter.until_ms is None or meter.since_ms < meter.until_ms,
        lambda meter, scope: f"must be after from, which is {scope.said(meter.span.start)}",
    ),
    Rule(
        ("output_unit",),
        lambda meter, _: meter.utility is not Utility.PRODUCTION or meter.output_unit is not None,
        _says("a production meter says what it counts, such as t or pieces"),
    ),
    Rule(
        ("output_unit",),
        lambda meter, _: meter.utility is Utility.PRODUCTION or meter.output_unit is None,
        _says("only a production meter has one; leave it out here"),
    ),
    Rule(
        ("export",),
        lambda meter, _: not meter.export or meter.utility is Utility.ELECTRICITY,
        _says("only electricity can be exported; leave it out here"),
    ),
)

_BELONGING_RULES: Final[tuple[Rule[Owned], ...]] = (
    Rule(
        ("tenant",),
        lambda part, scope: _known(scope.tenants, part.belonging.tenant),
        lambda _, scope: one_of(scope.tenants or (), "a tenant of this file"),
    ),
    Rule(
        ("parent",),
        lambda part, scope: _known(scope.meters, part.belonging.parent),
        lambda _, scope: one_of(scope.meters or (), "a meter of this file"),
    ),
    Rule(("from",), _starts_with_the_point, _from_point),
    Rule(("until",), _ends_with_the_point, _until_point),
    Rule(("tenant",), _tenant_is_there, _tenant_is_gone),
    Rule(("parent",), _parent_is_there, _parent_is_gone),
    Rule(("parent",), _parent_measures_the_same, _parent_measures_another),
    Rule(
        ("parent",),
        _parent_consumes,
        lambda part, _: f"{part.belonging.parent} generates; a sub-meter hangs below a main or consumption meter",
    ),
    Rule(
        ("parent",),
        _hangs_in_no_circle,
        lambda part, _: f"{part.meter.id} would hang below itself; break the circle",
    ),
)

_INSTRUMENT_RULES: Final[tuple[Rule[Fitted], ...]] = (
    Rule(
        ("model",),
        lambda part, scope: _known(scope.models, part.instrument.model),
        lambda _, scope: one_of(scope.models or (), "a meter model of this file or of docs/devices.md"),
    ),
    Rule(("from",), _instrument_begins_in_time, _from_point),
    Rule(("until",), _instrument_ends_in_time, _until_point),
    Rule(
        ("registers",),
        lambda part, _: bool(part.instrument.registers) or part.instrument.model is not None,
        _says("name the registers that this meter serves, or its model"),
    ),
    Rule(
        ("continues",),
        lambda part, _: not part.instrument.continues or part.instrument is not part.meter.instruments[0],
        _says("there is no entry before this one that it could continue; leave it out here"),
    ),
)

_REGISTER_RULES: Final[tuple[Rule[Served], ...]] = (
    Rule(
        (),
        _quantity_fits,
        lambda part, _: one_of(UTILITIES[part.meter.utility].quantities, f"a quantity of {part.meter.utility.value}"),
    ),
    Rule(
        ("rollover",),
        lambda part, _: part.register.rollover is None or _counts(part),
        _says("only a counter rolls over; leave it out here"),
    ),
    Rule(
        ("kind",),
        lambda part, _: part.register.kind == "total" or _counts(part),
        _says("only a counter has one; leave it out here"),
    ),
    Rule(
        ("signed",),
        lambda part, _: not part.register.signed or _counts(part),
        _says("only a counter needs it; leave it out here"),
    ),
)

_LIMIT_RULES: Final[tuple[Rule[DatedLimit], ...]] = (
    Rule((), _has_two_sides, _says("a limit has low, high or both")),
    Rule(("low",), _sides_fit, _under_high),
)
_RANGE_RULES: Final[tuple[Rule[Bounds], ...]] = (
    Rule((), _has_two_sides, _says("a range has low, high or both")),
    Rule(("low",), _sides_fit, _under_high),
)


def _judged(
    parts: Callable[[Meter], Iterator[tuple[KeyPath, T]]], rules: tuple[Rule[T], ...], meter: Meter, scope: Scope
) -> Iterator[Broken]:
    for rule in rules:
        for path, part in parts(meter):
            yield from as_far_as_read(rule.broken(path, part, scope))


def _names_are_of_registers(meter: Meter, scope: Scope) -> Iterator[Broken]:
    """Names that stand for registers elsewhere in the meter."""
    for key, named in (("limits", meter.limits), ("ranges", meter.ranges)):
        if named:
            registers = _registers_of(meter, scope)
            for name in named:
                if name not in registers:
                    yield (key, name), one_of(registers, "a register of this meter")


def _names_are_of_the_instrument(meter: Meter, scope: Scope) -> Iterator[Broken]:
    for path, part in _fitted(meter):
        yield from as_far_as_read(_names_fit(path, part, scope))


def _names_fit(path: KeyPath, part: Fitted, scope: Scope) -> Iterator[Broken]:
    registers = _all_registers(part, scope)
    for place, name in enumerate(part.instrument.multiplier_for or ()):
        if name not in registers:
            yield (*path, "multiplier_for", place), one_of(registers, "a register of this instrument")
    for key, written in (("opening", part.instrument.opening), ("closing", part.instrument.closing)):
        for name in written:
            if name not in _counters_of(part, scope):
                yield (*path, key, name), one_of(_counters_of(part, scope), "a counter of this instrument")


METER_RULES: Final[tuple[Callable[[Meter, Scope], Iterator[Broken]], ...]] = (
    partial(_judged, _of_meter, _METER_RULES),
    partial(_judged, _owned, _BELONGING_RULES),
    partial(_judged, _fitted, _INSTRUMENT_RULES),
    partial(_judged, _served, _REGISTER_RULES),
    partial(_judged, _permitted, _LIMIT_RULES),
    partial(_judged, _bounded, _RANGE_RULES),
    _names_are_of_registers,
    _names_are_of_the_instrument,
)


def one_of(names: Iterable[str], what: str) -> str:
    """Say which names would be right, as many as a person wants to read."""
    ordered = sorted(names)
    shown = ", ".join(ordered[:8]) + (", ..." if len(ordered) > 8 else "")  # noqa: PLR2004 (as many as one line holds)
    return f"must be {what}: {shown}" if ordered else f"must be {what}, and there is none"
