"""What must hold of one meter: whom it refers to, registers that fit what it measures, and what it hangs below.

Each rule stands by itself, so that what could not be read of a meter keeps only those from speaking that need it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from metering.dated import DatedLimit
from metering.lenient import Broken, UnreadError, as_far_as_read
from metering.meters import Meter, MeterModel, Register, Role, Swap
from metering.quantities import UTILITIES, Utility


@dataclass(frozen=True, slots=True)
class Scope:
    """What a meter can refer to, by name; None where not every name could be read. `by_id`: meters that have a name."""

    tenants: frozenset[str] | None
    gateways: frozenset[str] | None
    meters: frozenset[str] | None
    models: Mapping[str, MeterModel] | None
    by_id: Mapping[str, Meter]


def _tenant_exists(meter: Meter, scope: Scope) -> Iterator[Broken]:
    if scope.tenants is not None and meter.tenant is not None and meter.tenant not in scope.tenants:
        yield ("tenant",), one_of(scope.tenants, "a tenant of this file")


def _gateway_exists(meter: Meter, scope: Scope) -> Iterator[Broken]:
    if scope.gateways is not None and meter.gateway not in scope.gateways:
        yield ("gateway",), one_of(scope.gateways, "a gateway of this file")


def _model_exists(meter: Meter, scope: Scope) -> Iterator[Broken]:
    if scope.models is not None and meter.model is not None and meter.model not in scope.models:
        yield ("model",), one_of(scope.models, "a meter model of this file or of docs/devices.md")


def _parent_exists(meter: Meter, scope: Scope) -> Iterator[Broken]:
    if scope.meters is not None and meter.parent is not None and meter.parent not in scope.meters:
        yield ("parent",), one_of(scope.meters, "a meter of this file")


def _model_of(meter: Meter, scope: Scope) -> MeterModel | None:
    if meter.model is None:
        return None
    if scope.models is None or meter.model not in scope.models:
        raise UnreadError
    return scope.models[meter.model]


def _all_registers(meter: Meter, scope: Scope) -> Mapping[str, Register]:
    """What the meter serves; a model's registers were put into the meter, unless they could not be read."""
    model = _model_of(meter, scope)
    return meter.registers if model is None else {**model.registers, **meter.registers}


def _serves_something(meter: Meter, _: Scope) -> Iterator[Broken]:
    if not meter.registers and meter.model is None:
        yield ("registers",), "name the registers that this meter serves, or its model"


def _quantities_fit(meter: Meter, _: Scope) -> Iterator[Broken]:
    known = UTILITIES[meter.utility].quantities
    for name in meter.registers:
        if name not in known:
            yield ("registers", name), one_of(known, f"a quantity of {meter.utility.value}")


def _gauges_do_not_roll_over(meter: Meter, _: Scope) -> Iterator[Broken]:
    known = UTILITIES[meter.utility].quantities
    for name, register in meter.registers.items():
        if name in known and not known[name].counter:
            yield from as_far_as_read(_does_not_roll_over(name, register))


def _does_not_roll_over(name: str, register: Register) -> Iterator[Broken]:
    if register.rollover is not None:
        yield ("registers", name, "rollover"), "only a counter rolls over; leave it out here"


def _limits_are_of_registers(meter: Meter, scope: Scope) -> Iterator[Broken]:
    if meter.limits:
        registers = _all_registers(meter, scope)
        for name in meter.limits:
            if name not in registers:
                yield ("limits", name), one_of(registers, "a register of this meter")


def _limits_fit(meter: Meter, _: Scope) -> Iterator[Broken]:
    for name, limits in meter.limits.items():
        for index, limit in enumerate(limits):
            for path, right in as_far_as_read(_sides_fit(limit)):
                yield ("limits", name, index, *path), right


def _sides_fit(limit: DatedLimit) -> Iterator[Broken]:
    if limit.low is None and limit.high is None:
        yield (), "a limit has low, high or both"
    elif limit.low is not None and limit.high is not None and limit.low >= limit.high:
        yield ("low",), f"must be under high, which is {limit.high:g}"


def _swaps_follow_each_other(meter: Meter, _: Scope) -> Iterator[Broken]:
    for index, (earlier, later) in enumerate(pairwise(meter.swaps), start=1):
        for right in as_far_as_read(_follows(earlier, later)):
            yield ("swaps", index, "at"), right[1]


def _follows(earlier: Swap, later: Swap) -> Iterator[Broken]:
    if later.at <= earlier.at:
        yield (), f"must be after the swap before it, {earlier.at.isoformat()}"


def _swaps_need_the_counter(meter: Meter, scope: Scope) -> Iterator[Broken]:
    if meter.swaps and meter.counter not in _all_registers(meter, scope):
        yield ("swaps",), f"a swap needs the register {meter.counter}, which this meter does not serve"


def _unit_fits(meter: Meter, _: Scope) -> Iterator[Broken]:
    if meter.utility is Utility.PRODUCTION and meter.output_unit is None:
        yield ("output_unit",), "a production meter says what it counts, such as t or pieces"
    if meter.utility is not Utility.PRODUCTION and meter.output_unit is not None:
        yield ("output_unit",), "only a production meter has one; leave it out here"


def _export_fits(meter: Meter, _: Scope) -> Iterator[Broken]:
    if meter.export and meter.utility is not Utility.ELECTRICITY:
        yield ("export",), "only electricity can be exported; leave it out here"


def _parent(meter: Meter, scope: Scope) -> Meter | None:
    return None if meter.parent is None else scope.by_id.get(meter.parent)


def _parent_measures_the_same(meter: Meter, scope: Scope) -> Iterator[Broken]:
    parent = _parent(meter, scope)
    if parent is not None and parent.utility is not meter.utility:
        yield ("parent",), f"must measure {meter.utility.value} too; {parent.id} measures {parent.utility.value}"


def _parent_consumes(meter: Meter, scope: Scope) -> Iterator[Broken]:
    parent = _parent(meter, scope)
    if parent is not None and parent.role is Role.GENERATION:
        yield ("parent",), f"{parent.id} generates; a sub-meter hangs below a main or consumption meter"


def _hangs_in_no_circle(meter: Meter, scope: Scope) -> Iterator[Broken]:
    seen: set[str] = set()
    above = _parent(meter, scope)
    while above is not None and above.id not in seen:
        if above.id == meter.id:
            yield ("parent",), f"{meter.id} would hang below itself; break the circle"
        seen.add(above.id)
        above = _parent(above, scope)


METER_RULES: Final[tuple[Callable[[Meter, Scope], Iterator[Broken]], ...]] = (
    _tenant_exists,
    _gateway_exists,
    _model_exists,
    _parent_exists,
    _serves_something,
    _quantities_fit,
    _gauges_do_not_roll_over,
    _limits_are_of_registers,
    _limits_fit,
    _swaps_follow_each_other,
    _swaps_need_the_counter,
    _unit_fits,
    _export_fits,
    _parent_measures_the_same,
    _parent_consumes,
    _hangs_in_no_circle,
)


def one_of(names: Iterable[str], what: str) -> str:
    """Say which names would be right, as many as a person wants to read."""
    ordered = sorted(names)
    shown = ", ".join(ordered[:8]) + (", ..." if len(ordered) > 8 else "")  # noqa: PLR2004 (as many as one line holds)
    return f"must be {what}: {shown}" if ordered else f"must be {what}, and there is none"
