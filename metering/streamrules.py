"""Rules for streams: names exist, there is one way to know its quantity, and the quality it is judged by is given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from metering.lenient import Broken, as_far_as_read
from metering.meters import Meter
from metering.quantities import COUNTERS, QUANTITIES, Utility
from metering.rules import ParkRule, Scope, known, one_of, says
from metering.streams import LIQUIDS, Side, Stream, StreamKind

TEMPERATURES: Final = ("temperature_c", "return_c")
"""Gauges that give a stream's temperature: that of its meter, or of the return of a chilled-water meter."""
_QUALITIES: Final = QUANTITIES.keys() - COUNTERS


@dataclass(frozen=True, slots=True)
class Named:
    """A quantity that a stream states or limits."""

    quantity: str


def broken_streams(streams: Sequence[Stream], scope: Scope) -> Iterator[Broken]:
    """The path of each fault of the streams and what would be right."""
    for place, stream in enumerate(streams):
        for rule in _RULES:
            yield from as_far_as_read(rule.broken(("streams", place), stream, scope))
        for key in ("quality", "limits"):
            for name in getattr(stream, key, {}):
                yield from _KNOWN.broken(("streams", place, key, name), Named(name), scope)


def _meter(name: str | None, scope: Scope) -> Meter | None:
    return scope.by_id.get(name or "")


def liquid(meter: Meter | None) -> bool:
    """Whether what a meter counts is water that carries heat."""
    return meter is not None and meter.utility in LIQUIDS


def _is_hot(stream: Stream, scope: Scope) -> bool:
    """Heat of unknown temperature cannot be matched with any demand."""
    if stream.kind is not StreamKind.HEAT or stream.temperature_c:
        return True
    gauges = _meter(stream.quality_from, scope)
    return stream.side is Side.SURPLUS and gauges is not None and bool({*TEMPERATURES} & gauges.quantities.keys())


def _hot_says(stream: Stream, _: Scope) -> str:
    if stream.side is Side.DEMAND:
        return "a demand of heat needs the temperature that it must have, °C"
    return "a surplus of heat needs its temperature, °C, or quality_from with a meter that measures temperature_c"


def _is_judged(stream: Stream, scope: Scope) -> bool:
    by = stream.spec.judged_by
    if by is None:
        return True
    said = {*(stream.limits if stream.side is Side.DEMAND else stream.quality)}
    gauges = _meter(stream.quality_from, scope) if stream.side is Side.SURPLUS else None
    said |= gauges.quantities.keys() if gauges is not None else set()
    return by in said if by else bool(said)


def _judged_says(stream: Stream, _: Scope) -> str:
    what = stream.spec.judged_by or "such as cod_mgl"
    if stream.side is Side.DEMAND:
        return f"must say what quality it can take: {what}, with low or high, from and source"
    return f"must say its quality, {what}, or quality_from must name a meter that measures it"


def _fits(stream: Stream, scope: Scope) -> bool:
    meter = _meter(stream.meter, scope)
    same = meter is None or meter.unit == stream.spec.unit or bool(stream.per_unit)
    return same or (stream.kind is StreamKind.HEAT and liquid(meter))


def _fits_says(stream: Stream, scope: Scope) -> str:
    meter = _meter(stream.meter, scope)
    counts = meter.unit if meter is not None else ""
    return f"{stream.meter} counts {counts}: per_unit must say how many {stream.spec.unit} come with one"


def _is_heated_from(stream: Stream, scope: Scope) -> bool:
    heats = stream.kind is StreamKind.HEAT and stream.side is Side.DEMAND and liquid(_meter(stream.meter, scope))
    return not heats or bool(stream.cold_c)


_RULES: Final[tuple[ParkRule[Stream], ...]] = (
    ParkRule(
        ("tenant",),
        lambda stream, scope: known(scope.tenants, stream.tenant),
        lambda _, scope: one_of(scope.tenants or (), "a tenant of this file"),
    ),
    ParkRule(
        ("meter",),
        lambda stream, scope: known(scope.meters, stream.meter),
        lambda _, scope: one_of(scope.meters or (), "a meter of this file"),
    ),
    ParkRule(
        ("quality_from",),
        lambda stream, scope: known(scope.meters, stream.quality_from),
        lambda _, scope: one_of(scope.meters or (), "a meter of this file"),
    ),
    ParkRule(
        ("until",),
        lambda stream, _: stream.until is None or stream.until > stream.since,
        lambda stream, _: f"must be after from, which is {stream.since}",
    ),
    ParkRule(
        ("rate",),
        lambda stream, _: (stream.meter is None) is bool(stream.rate),
        says("how much there is comes from either meter or rate (per hour): name one of them"),
    ),
    ParkRule(("per_unit",), _fits, _fits_says),
    ParkRule(("temperature_c",), _is_hot, _hot_says),
    ParkRule(("cold_c",), _is_heated_from, says("needs the temperature that the flow is heated from, °C")),
    ParkRule(
        ("material",),
        lambda stream, _: stream.kind is not StreamKind.BY_PRODUCT or stream.material is not None,
        says("a by-product needs the name of its material, the same on both sides"),
    ),
    ParkRule(("limits",), lambda stream, scope: stream.side is Side.SURPLUS or _is_judged(stream, scope), _judged_says),
    ParkRule(("quality",), lambda stream, scope: stream.side is Side.DEMAND or _is_judged(stream, scope), _judged_says),
    ParkRule(
        ("replaces",),
        lambda stream, _: stream.side is Side.DEMAND or not (stream.replaces or stream.price_vnd),
        says("what a unit saves is stated at the demand"),
    ),
    ParkRule(
        ("replaces",),
        lambda stream, _: Utility.PRODUCTION not in stream.replaces,
        says("production is no utility that could be saved"),
    ),
)
_KNOWN: Final[ParkRule[Named]] = ParkRule(
    (), lambda part, _: part.quantity in _QUALITIES, lambda _, __: one_of(_QUALITIES, "a quantity that gauges measure")
)
