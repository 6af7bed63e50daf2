"""What happened to a meter, found in its registers: one event an occurrence, at its instant, in words for people.

Which events there are follows from steps and use alone, so computing again finds the same ones: the instant is that of
the reading that shows it, of the last reading before a gap, of the first of those that repeat one register, or the
start of the first of the quarter hours of equal use.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from efficiency.usage.counters import Counter
from efficiency.usage.intervals import HOUR_MS, QUARTER_MS, Bools, Span
from efficiency.usage.quality import Rule
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.registers import Kind, Steps
from metering.instants import midnight_ms
from metering.meters import Meter
from metering.model import Localized
from metering.park import Park
from metering.quantities import UTILITIES

_GAP_MS = HOUR_MS
"""A gap that is no longer than this is no event; nor is one that the meter's own interval explains."""
_INTERVALS = 1.5


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at `at`, ms; `kind` as in `store.schema.EVENTS`."""

    at: int
    kind: str
    text: Localized


def meter_events(meter: Meter, counter: Counter, steps: Steps, use: QuarterHours, window: Span) -> list[Event]:
    """Events of `window`, of the meter's main register; `use` begins a quarter hour or more before it."""
    unit = UTILITIES[meter.utility].unit if meter.output_unit is None else meter.output_unit
    held = _held(steps)
    found = [*_swaps(counter, unit), *_steps(steps, unit), *_spikes(steps), *_stood_still(steps, held)]
    found += [*_gaps(counter, steps, held), *_stuck(use, unit)]
    inside = [event for event in found if window.start <= event.at < window.end]
    return sorted(inside, key=lambda event: (event.at, event.kind))


def tariff_events(park: Park, now_ms: int) -> list[Event]:
    """Days up to now on which another electricity tariff began to hold, or other hours."""
    tariff = park.tariffs.electricity
    if tariff is None:
        return []
    found: dict[int, list[str]] = {}
    for entry in tariff.bands[1:]:
        found.setdefault(midnight_ms(entry.since, park.zone), []).append(entry.source)
    for entries in tariff.prices.values():
        for price in entries[1:]:
            found.setdefault(midnight_ms(price.since, park.zone), []).append(price.source)
    events = []
    for at, sources in found.items():
        named = "; ".join(dict.fromkeys(sources))
        text = Localized(en=f"A new electricity tariff holds ({named}).", vi=f"Áp dụng biểu giá điện mới ({named}).")
        events.append(Event(at, "tariff", text))
    return [event for event in events if event.at <= now_ms]


def _swaps(counter: Counter, unit: str) -> Iterator[Event]:
    for swap in counter.swaps:
        closing, opening = (_said(value, unit) for value in (swap.closing, swap.opening))
        yield Event(
            swap.at,
            "swap",
            Localized(
                en=f"Meter replaced: closing register {closing[0]}, opening register {opening[0]}.",
                vi=f"Thay đồng hồ: chỉ số tháo {closing[1]}, chỉ số lắp {opening[1]}.",
            ),
        )


def _steps(steps: Steps, unit: str) -> Iterator[Event]:
    for place in np.flatnonzero((steps.kind == Kind.RESET) | (steps.kind == Kind.ROLLOVER)).tolist():
        at, delta = int(steps.end[place]), float(steps.delta[place])
        if steps.kind[place] == Kind.RESET:
            fell = _said(-delta, unit)
            text = Localized(
                en=f"The counter was reset: it fell by {fell[0]}; the use in between is not known.",
                vi=f"Bộ đếm bị đặt lại: chỉ số giảm {fell[1]}; không xác định được mức tiêu thụ trong khoảng này.",
            )
            yield Event(at, "reset", text)
        else:
            used = _said(delta, unit)
            text = Localized(
                en=f"The counter rolled over; {used[0]} counted across it.",
                vi=f"Bộ đếm quay vòng; lượng đếm qua thời điểm này là {used[1]}.",
            )
            yield Event(at, "rollover", text)


def _spikes(steps: Steps) -> Iterator[Event]:
    """One for the readings of an excursion: none of them is more than an hour after the one before."""
    times = np.sort(steps.aside[steps.aside_rule == Rule.SPIKE])
    if not len(times):
        return
    for run in np.split(times, np.flatnonzero(np.diff(times) > HOUR_MS) + 1):
        count = len(run)
        readings = "1 reading" if count == 1 else f"{count} readings"
        text = Localized(
            en=f"Spike: {readings} set aside as impossible.",
            vi=f"Giá trị đột biến: đã loại {count} lần đọc bất hợp lý.",
        )
        yield Event(int(run[0]), "spike", text)


def _held(steps: Steps) -> Bools:
    """Steps within which the register stood still and then caught up."""
    held = np.zeros(len(steps.start), dtype=np.bool_)
    times = steps.aside[steps.aside_rule == Rule.HELD]
    place = np.searchsorted(steps.start, times, side="right") - 1
    held[place[(place >= 0) & (times < steps.end[place])]] = True
    return held


def _stood_still(steps: Steps, held: Bools) -> Iterator[Event]:
    for place in np.flatnonzero(held).tolist():
        english, vietnamese = lasted(int(steps.end[place] - steps.start[place]))
        text = Localized(
            en=f"The register stood still and then caught up, {english} in all.",
            vi=f"Đồng hồ đứng số rồi nhảy bù, tổng cộng {vietnamese}.",
        )
        yield Event(int(steps.start[place]), "stuck", text)


def _gaps(counter: Counter, steps: Steps, held: Bools) -> Iterator[Event]:
    elapsed = steps.end - steps.start
    for place in np.flatnonzero((elapsed > _GAP_MS) & (elapsed > _INTERVALS * counter.interval_ms) & ~held).tolist():
        english, vietnamese = lasted(int(elapsed[place]))
        text = Localized(en=f"No usable readings for {english}.", vi=f"Thiếu số liệu trong {vietnamese}.")
        yield Event(int(steps.start[place]), "gap", text)


def lasted(ms: int) -> tuple[str, str]:
    """How long something lasted, in English and in Vietnamese."""
    hours, minutes = divmod(round(ms / 60_000), 60)
    return f"{hours} h {minutes:02d} min", f"{hours} giờ {minutes:02d} phút"


def _stuck(use: QuarterHours, unit: str) -> Iterator[Event]:
    stuck = (use.rules & np.uint32(Rule.STUCK)) > 0
    for place in (np.flatnonzero(stuck[1:] & ~stuck[:-1]) + 1).tolist():
        same = _said(float(use.amount[place]), unit)
        text = Localized(
            en=f"The meter may be stuck: {same[0]} in each of several quarter hours.",
            vi=f"Đồng hồ có thể bị đứng số: {same[1]} trong nhiều khoảng 15 phút liên tiếp.",
        )
        yield Event(int(use.start[place]), "stuck", text)


def wider(window: Span) -> Span:
    """What use must be known of for the events of `window`."""
    return Span(window.start - QUARTER_MS, window.end)


def _said(value: float, unit: str) -> tuple[str, str]:
    """A number with its unit, as it is written in English and in Vietnamese."""
    if not np.isfinite(value):
        return "unknown", "không rõ"
    english = f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{english} {unit}", f"{english.translate(_VIETNAMESE)} {unit}"


_VIETNAMESE = str.maketrans(",.", ".,")
