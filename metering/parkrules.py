"""What must hold between the parts of a park file: names that exist, registers that fit, meters that hang together."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from metering.meters import Meter, Role
from metering.park import Gateway, Park, Tenant
from metering.quantities import UTILITIES, Utility
from metering.tariffs import Tariffs
from metering.yamllines import KeyPath

Broken = tuple[KeyPath, str]


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of a park file that are right in themselves, by their place in it, and every id written in it."""

    tenants: Mapping[int, Tenant]
    gateways: Mapping[int, Gateway]
    meters: Mapping[int, Meter]
    tariffs: Tariffs | None
    tenant_ids: frozenset[str]
    gateway_ids: frozenset[str]
    meter_ids: frozenset[str]
    model_names: frozenset[str]


def parts_of(park: Park) -> Parts:
    """Take a whole park apart."""
    return Parts(
        dict(enumerate(park.tenants)),
        dict(enumerate(park.gateways)),
        dict(enumerate(park.meters)),
        park.tariffs,
        frozenset(park.tenant),
        frozenset(gateway.id for gateway in park.gateways),
        frozenset(park.meter),
        frozenset(park.meter_models),
    )


def broken_rules(parts: Parts) -> Iterator[Broken]:
    """Yield the place of each fault and what would be right."""
    yield from _repeated("tenants", parts.tenants)
    yield from _repeated("gateways", parts.gateways)
    yield from _repeated("meters", parts.meters)
    yield from _tenants(parts)
    by_id = {meter.id: meter for meter in parts.meters.values()}
    for index, meter in parts.meters.items():
        for path, right in _meter(meter, parts, by_id):
            yield ("meters", index, *path), right


def _repeated(
    section: str, items: Mapping[int, Tenant] | Mapping[int, Gateway] | Mapping[int, Meter]
) -> Iterator[Broken]:
    seen: set[str] = set()
    for index, item in items.items():
        if item.id in seen:
            yield (section, index, "id"), "used before; every id is used once"
        seen.add(item.id)


def _tenants(parts: Parts) -> Iterator[Broken]:
    electricity = parts.tariffs.electricity if parts.tariffs else None
    for index, tenant in parts.tenants.items():
        voltage = tenant.contract.voltage
        if voltage is not None and electricity is not None and voltage not in electricity.prices:
            yield ("tenants", index, "contract", "voltage"), one_of(electricity.prices, "a voltage level of the tariff")


def _meter(meter: Meter, parts: Parts, by_id: Mapping[str, Meter]) -> Iterator[Broken]:
    if meter.tenant is not None and meter.tenant not in parts.tenant_ids:
        yield ("tenant",), one_of(parts.tenant_ids, "a tenant of this file")
    if meter.gateway not in parts.gateway_ids:
        yield ("gateway",), one_of(parts.gateway_ids, "a gateway of this file")
    if meter.model is not None and meter.model not in parts.model_names:
        yield ("model",), one_of(parts.model_names, "a meter model of this file")
    for rule in _METER_RULES:
        yield from rule(meter)
    yield from _hangs_right(meter, parts, by_id)


def _registers_fit(meter: Meter) -> Iterator[Broken]:
    known = UTILITIES[meter.utility].quantities
    for name, register in meter.registers.items():
        if name not in known:
            yield ("registers", name), one_of(known, f"a quantity of {meter.utility.value}")
        elif register.rollover is not None and not known[name].counter:
            yield ("registers", name, "rollover"), "only a counter rolls over; leave it out here"
        if (register.address is None) != (register.type is None):
            yield ("registers", name), "address and type go together: give both, or neither"
        if meter.modbus is not None and register.address is None:
            yield ("registers", name, "address"), "a meter on Modbus needs the address and type of each register"
    if not meter.registers and meter.model is None:
        yield ("registers",), "name the registers that this meter serves, or its model"


def _limits_fit(meter: Meter) -> Iterator[Broken]:
    for name, limits in meter.limits.items():
        if name not in meter.registers:
            yield ("limits", name), one_of(meter.registers, "a register of this meter")
        for index, limit in enumerate(limits):
            if limit.low is None and limit.high is None:
                yield ("limits", name, index), "a limit has low, high or both"
            elif limit.low is not None and limit.high is not None and limit.low >= limit.high:
                yield ("limits", name, index, "low"), f"must be under high, which is {limit.high:g}"


def _swaps_fit(meter: Meter) -> Iterator[Broken]:
    for index, (earlier, later) in enumerate(pairwise(meter.swaps), start=1):
        if later.at <= earlier.at:
            yield ("swaps", index, "at"), f"must be after the swap before it, {earlier.at.isoformat()}"
    if meter.swaps and meter.counter not in meter.registers:
        yield ("swaps",), f"a swap needs the register {meter.counter}, which this meter does not serve"


def _unit_fits(meter: Meter) -> Iterator[Broken]:
    if meter.utility is Utility.PRODUCTION and meter.output_unit is None:
        yield ("output_unit",), "a production meter says what it counts, such as t or pieces"
    if meter.utility is not Utility.PRODUCTION and meter.output_unit is not None:
        yield ("output_unit",), "only a production meter has one; leave it out here"


def _export_fits(meter: Meter) -> Iterator[Broken]:
    if meter.export and meter.utility is not Utility.ELECTRICITY:
        yield ("export",), "only electricity can be exported; leave it out here"


_METER_RULES: tuple[Callable[[Meter], Iterator[Broken]], ...] = (
    _registers_fit,
    _limits_fit,
    _swaps_fit,
    _unit_fits,
    _export_fits,
)


def _hangs_right(meter: Meter, parts: Parts, by_id: Mapping[str, Meter]) -> Iterator[Broken]:
    if meter.parent is None:
        return
    if meter.parent not in parts.meter_ids:
        yield ("parent",), one_of(parts.meter_ids, "a meter of this file")
        return
    parent = by_id.get(meter.parent)
    if parent is None:
        return
    if parent.utility is not meter.utility:
        yield ("parent",), f"must measure {meter.utility.value} too; {parent.id} measures {parent.utility.value}"
    if parent.role is Role.GENERATION:
        yield ("parent",), f"{parent.id} generates; a sub-meter hangs below a main or consumption meter"
    seen = {meter.id}
    above: Meter | None = parent
    while above is not None:
        if above.id in seen:
            yield ("parent",), f"{meter.id} would hang below itself; break the circle"
            return
        seen.add(above.id)
        above = by_id.get(above.parent) if above.parent is not None else None


def one_of(names: Iterable[str], what: str) -> str:
    """Say which names would be right, as many as a person wants to read."""
    ordered = sorted(names)
    shown = ", ".join(ordered[:8]) + (", ..." if len(ordered) > 8 else "")  # noqa: PLR2004 (as many as one line holds)
    return f"must be {what}: {shown}" if ordered else f"must be {what}, and there is none"
