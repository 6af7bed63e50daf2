"""Rules for a metering point, apart from its owners: registers fit its utility, instruments follow one another."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from metering.dated import DatedLimit
from metering.lenient import Broken, UnreadError, as_far_as_read
from metering.meters import Bounds, Instrument, Meter, MeterModel, Register
from metering.ownerrules import OWNER_RULES, owned
from metering.quantities import UTILITIES, Utility
from metering.rules import (
    GAP_RULES,
    ORDER_RULES,
    ParkRule,
    Placed,
    Scope,
    following,
    from_point,
    judged,
    known,
    one_of,
    says,
    until_point,
)
from metering.yamllines import KeyPath


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


def _of_meter(meter: Meter) -> Iterator[Placed[Meter]]:
    yield Placed((), meter)


def _fitted(meter: Meter) -> Iterator[Placed[Fitted]]:
    for place, instrument in enumerate(meter.instruments):
        yield Placed(("instruments", place), Fitted(meter, instrument))


def _served(meter: Meter) -> Iterator[Placed[Served]]:
    for path, fitted in _fitted(meter):
        for name, register in fitted.instrument.registers.items():
            yield Placed((*path, "registers", name), Served(meter, fitted.instrument, name, register))


def _permitted(meter: Meter) -> Iterator[Placed[DatedLimit]]:
    for name, limits in meter.limits.items():
        for place, limit in enumerate(limits):
            yield Placed(("limits", name, place), limit)


def _bounded(meter: Meter) -> Iterator[Placed[Bounds]]:
    for name, bounds in meter.ranges.items():
        yield Placed(("ranges", name), bounds)


def _instrument_begins_in_time(part: Fitted, _: Scope) -> bool:
    return part.instrument.span.start >= part.meter.span.start


def _instrument_ends_in_time(part: Fitted, _: Scope) -> bool:
    point = part.meter.span
    return point.end <= point.start or part.instrument.span.end <= point.end


def _model_of(part: Fitted, scope: Scope) -> MeterModel | None:
    if part.instrument.model is None:
        return None
    if scope.models is None or part.instrument.model not in scope.models:
        raise UnreadError
    return scope.models[part.instrument.model]


def _all_registers(part: Fitted, scope: Scope) -> Mapping[str, Register]:
    """What the instrument serves, including its model's registers, unless they could not be read."""
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


_METER_RULES: Final[tuple[ParkRule[Meter], ...]] = (
    ParkRule(
        ("gateway",),
        lambda meter, scope: known(scope.gateways, meter.gateway),
        lambda _, scope: one_of(scope.gateways or (), "a gateway of this file"),
    ),
    ParkRule(
        ("until",),
        lambda meter, _: meter.since_ms is None or meter.until_ms is None or meter.since_ms < meter.until_ms,
        lambda meter, scope: f"must be after from, which is {scope.readable(meter.span.start)}",
    ),
    ParkRule(
        ("output_unit",),
        lambda meter, _: meter.utility is not Utility.PRODUCTION or meter.output_unit is not None,
        says("a production meter says what it counts, such as t or pieces"),
    ),
    ParkRule(
        ("output_unit",),
        lambda meter, _: meter.utility is Utility.PRODUCTION or meter.output_unit is None,
        says("only a production meter has one; leave it out here"),
    ),
    ParkRule(
        ("export",),
        lambda meter, _: not meter.export or meter.utility is Utility.ELECTRICITY,
        says("only electricity can be exported; leave it out here"),
    ),
)

_INSTRUMENT_RULES: Final[tuple[ParkRule[Fitted], ...]] = (
    ParkRule(
        ("model",),
        lambda part, scope: known(scope.models, part.instrument.model),
        lambda _, scope: one_of(scope.models or (), "a meter model of this file or of docs/devices.md"),
    ),
    ParkRule(("from",), _instrument_begins_in_time, from_point),
    ParkRule(("until",), _instrument_ends_in_time, until_point),
    ParkRule(
        ("until",),
        lambda part, _: part.instrument.span.start < part.instrument.span.end,
        lambda part, scope: f"must be after from, which is {scope.readable(part.instrument.span.start)}",
    ),
    ParkRule(
        ("until",),
        lambda part, _: (
            part.instrument is not part.meter.instruments[-1] or part.instrument.span.end >= part.meter.span.end
        ),
        lambda part, scope: (
            f"nothing measures from {scope.readable(part.instrument.span.end)} on, or no multiplier holds;"
            " add what does, or end the point with it"
        ),
    ),
    ParkRule(
        ("registers",),
        lambda part, _: bool(part.instrument.registers) or part.instrument.model is not None,
        says("name the registers that this meter serves, or its model"),
    ),
    ParkRule(
        ("continues",),
        lambda part, _: not part.instrument.continues or part.instrument is not part.meter.instruments[0],
        says("there is no entry before this one that it could continue; leave it out here"),
    ),
)

_REGISTER_RULES: Final[tuple[ParkRule[Served], ...]] = (
    ParkRule(
        (),
        _quantity_fits,
        lambda part, _: one_of(UTILITIES[part.meter.utility].quantities, f"a quantity of {part.meter.utility.value}"),
    ),
    ParkRule(
        ("rollover",),
        lambda part, _: part.register.rollover is None or _counts(part),
        says("only a counter rolls over; leave it out here"),
    ),
    ParkRule(
        ("kind",),
        lambda part, _: part.register.kind == "total" or _counts(part),
        says("only a counter has one; leave it out here"),
    ),
    ParkRule(
        ("signed",),
        lambda part, _: not part.register.signed or _counts(part),
        says("only a counter needs it; leave it out here"),
    ),
)

_LIMIT_RULES: Final[tuple[ParkRule[DatedLimit], ...]] = (
    ParkRule((), _has_two_sides, says("a limit has low, high or both")),
    ParkRule(("low",), _sides_fit, _under_high),
)
_RANGE_RULES: Final[tuple[ParkRule[Bounds], ...]] = (
    ParkRule((), _has_two_sides, says("a range has low, high or both")),
    ParkRule(("low",), _sides_fit, _under_high),
)


def _names_are_of_registers(meter: Meter, scope: Scope) -> Iterator[Broken]:
    """Names that refer to registers elsewhere in the meter."""
    for key, named in (("limits", meter.limits), ("ranges", meter.ranges)):
        if named:
            registers = _registers_of(meter, scope)
            for name in named:
                if name not in registers:
                    yield Broken((key, name), one_of(registers, "a register of this meter"))


def _names_are_of_the_instrument(meter: Meter, scope: Scope) -> Iterator[Broken]:
    for path, part in _fitted(meter):
        yield from as_far_as_read(_names_fit(path, part, scope))


def _names_fit(path: KeyPath, part: Fitted, scope: Scope) -> Iterator[Broken]:
    registers = _all_registers(part, scope)
    for place, name in enumerate(part.instrument.multiplier_for or ()):
        if name not in registers:
            yield Broken((*path, "multiplier_for", place), one_of(registers, "a register of this instrument"))
    for key, written in (("opening", part.instrument.opening), ("closing", part.instrument.closing)):
        for name in written:
            if name not in _counters_of(part, scope):
                yield Broken((*path, key, name), one_of(_counters_of(part, scope), "a counter of this instrument"))


METER_RULES: Final[tuple[Callable[[Meter, Scope], Iterator[Broken]], ...]] = (
    partial(judged, _of_meter, _METER_RULES),
    partial(judged, owned, OWNER_RULES),
    partial(
        judged, following("belongs", lambda meter: [entry.span for entry in meter.belongs]), ORDER_RULES + GAP_RULES
    ),
    partial(judged, following("instruments", lambda meter: [entry.span for entry in meter.instruments]), ORDER_RULES),
    partial(judged, _fitted, _INSTRUMENT_RULES),
    partial(judged, _served, _REGISTER_RULES),
    partial(judged, _permitted, _LIMIT_RULES),
    partial(judged, _bounded, _RANGE_RULES),
    _names_are_of_registers,
    _names_are_of_the_instrument,
)
