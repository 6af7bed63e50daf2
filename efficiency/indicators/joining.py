"""Figures of a longer period from those of its parts: sums, sums over sums, and reasons of parts without a value.

A sum needs every month that was the tenant's: one without a price leaves the year without a cost, as the sum of the
others would be read as the year's; one without data lowers the completeness, so that the sum is indicative. A ratio
weights each month by its divisor, which gives the sum over the sum of the time in which both were known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from math import hypot, sqrt
from typing import NamedTuple

from efficiency.indicators.figure import Figure, absent, figure, ratio
from efficiency.valuation.valued import NOTHING, ValueReason
from metering.figures import FIGURES, FigureSpec, Joined

_NEVER = ValueReason.NO_METER | ValueReason.NO_OUTPUT | ValueReason.NO_BASELINE | ValueReason.ONE_COMPONENT
"""Reasons of a month that a figure does not apply to: its meter, baseline or price per kW did not exist."""
_NOTHING_THERE = _NEVER | ValueReason.NO_DATA | ValueReason.NOT_COMPUTED | ValueReason.ZERO_DENOMINATOR
"""Reasons that exclude a month, but not the year: there was nothing to add."""


def joined_figures(
    months: Mapping[date, Mapping[str, Figure]],
    lengths: Mapping[date, float],
    specs: Mapping[str, FigureSpec] = FIGURES,
) -> dict[str, Figure]:
    """Figures of the year that these months belong to (or of the month that some days belong to).

    `lengths`: for how long each was the tenant's up to now, in quarter hours for instance; parts without any are left
    out. A part in `lengths` that `months` lacks counts as one without data.
    """
    due = [month for month, length in sorted(lengths.items()) if length > 0]
    weights = [lengths[month] for month in due]
    found: dict[str, Figure] = {}
    for name, spec in specs.items():
        parts = [months.get(month, {}).get(name) or absent(spec.unit, ValueReason.NOT_COMPUTED) for month in due]
        if all(part.reasons == ValueReason.NOT_COMPUTED for part in parts):
            continue
        unit = next((part.unit for part in reversed(parts) if part.value is not None), spec.unit)
        found[name] = _JOIN[spec.joined](parts, weights, unit)
    return found | _apart(months, due, weights, found)


class _JoinedQuality(NamedTuple):
    completeness: float
    estimated: float


def _quality(parts: Sequence[Figure], weights: Sequence[float]) -> _JoinedQuality:
    """Weighted by the length of each part that the figure applies to."""
    whole = [(part, weight) for part, weight in zip(parts, weights, strict=True) if not _never(part)]
    size = sum(weight for _, weight in whole)
    if not size:
        return _JoinedQuality(0.0, 0.0)
    complete = sum(_known(part) * weight for part, weight in whole) / size
    return _JoinedQuality(complete, sum(part.estimated * weight for part, weight in whole) / size)


def _never(part: Figure) -> bool:
    return part.value is None and bool(part.reasons & _NEVER)


def _known(part: Figure) -> float:
    return part.completeness if part.value is not None else 0.0


def _reasons(parts: Sequence[Figure]) -> ValueReason:
    found = NOTHING
    for part in parts:
        found |= part.reasons & ~ValueReason.INDICATIVE
    return found


def _summed(parts: Sequence[Figure], weights: Sequence[float], unit: str) -> Figure:
    known = [part for part in parts if part.value is not None]
    complete, estimated = _quality(parts, weights)
    lacking = _reasons([part for part in parts if part.value is None])
    if not known or lacking & ~_NOTHING_THERE:
        return absent(unit, lacking or ValueReason.NO_DATA, complete)
    return figure(sum(part.value or 0.0 for part in known), unit, complete, estimated, _remarks(parts, known))


def _remarks(parts: Sequence[Figure], known: Sequence[Figure]) -> ValueReason:
    """Remarks of the parts that count, and that others have no value."""
    partly = any(part.value is None and not _never(part) for part in parts)
    return _reasons(known) | (ValueReason.PARTLY if partly else NOTHING)


def _divided(parts: Sequence[Figure], weights: Sequence[float], unit: str) -> Figure:
    known = [part for part in parts if part.value is not None and part.over is not None]
    complete, estimated = _quality(parts, weights)
    lacking = _reasons([part for part in parts if part.value is None])
    over = sum(part.over or 0.0 for part in known)
    if not known or lacking & ~(_NOTHING_THERE | ValueReason.NO_BUDGET):
        return absent(unit, lacking or ValueReason.NO_DATA, complete)
    if over == 0:
        return absent(unit, ValueReason.ZERO_DENOMINATOR, complete)
    value = sum((part.value or 0.0) * (part.over or 0.0) for part in known) / over
    return figure(value, unit, complete, estimated, _remarks(parts, known), over=over)


def _highest(parts: Sequence[Figure], weights: Sequence[float], unit: str) -> Figure:
    known = [part for part in parts if part.value is not None]
    complete, estimated = _quality(parts, weights)
    if not known:
        return absent(unit, _reasons(parts) or ValueReason.NO_DATA, complete)
    most = max(known, key=lambda part: part.value or 0.0)
    return figure(most.value, unit, complete, estimated, (most.reasons & ~ValueReason.INDICATIVE) | _remarks(parts, []))


def _newest(parts: Sequence[Figure], weights: Sequence[float], unit: str) -> Figure:
    known = [part for part in parts if part.value is not None]
    complete, estimated = _quality(parts, weights)
    if not known:
        return absent(unit, _reasons(parts) or ValueReason.NO_DATA, complete)
    return figure(known[-1].value, unit, complete, estimated, known[-1].reasons & ~ValueReason.INDICATIVE)


def _none(parts: Sequence[Figure], weights: Sequence[float], unit: str) -> Figure:
    return absent(unit, ValueReason.NOT_OF_YEARS, _quality(parts, weights).completeness)


_JOIN = {
    Joined.SUM: _summed,
    Joined.RATIO: _divided,
    Joined.MOST: _highest,
    Joined.LAST: _newest,
    Joined.APART: _none,
}


def _apart(
    months: Mapping[date, Mapping[str, Figure]],
    due: Sequence[date],
    weights: Sequence[float],
    found: Mapping[str, Figure],
) -> dict[str, Figure]:
    """Figures that are derived from several others of the months."""
    result: dict[str, Figure] = {}
    if "load_factor" in found:
        result["load_factor"] = replace(ratio(found["mean_demand_kw"], found["peak_demand_kw"], "1"), over=None)
    if "power_factor" in found:
        parts = [months.get(month, {}).get("power_factor") or absent("cosφ", ValueReason.NOT_COMPUTED) for month in due]
        result["power_factor"] = _joined_power_factor(parts, weights)
    for name in ("completeness", "estimated"):
        shares = [months[m][name].value or 0.0 if name in months.get(m, {}) else 0.0 for m in due]
        size = sum(weights)
        if size:
            mean = sum(share * weight for share, weight in zip(shares, weights, strict=True)) / size
            result[name] = Figure(mean, "1")
    return result


def _joined_power_factor(parts: Sequence[Figure], weights: Sequence[float]) -> Figure:
    """F8 over several months, from the active energy and the power factor of each."""
    known = [part for part in parts if part.value is not None and part.over]
    complete, estimated = _quality(parts, weights)
    if not known:
        return absent("cosφ", _reasons(parts) or ValueReason.NO_DATA, complete)
    real = sum(part.over or 0.0 for part in known)
    blind = sum((part.over or 0.0) * sqrt(max(0.0, 1 / (part.value or 1.0) ** 2 - 1)) for part in known)
    return figure(real / hypot(real, blind), "cosφ", complete, estimated, _remarks(parts, known), over=real)
