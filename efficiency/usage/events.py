"""Events of a meter, found in its registers: one per occurrence, at its instant, with a text for people.

Every step of unknown use is an event that asks the operator what only somebody on site can know. Events depend on steps
and use alone, so computing again finds the same ones: the instant is that of the reading that shows it, of the last
reading before a gap, of the first of those that repeat one register, or the start of the first of the quarter hours of
equal use.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from babel.numbers import format_decimal

from efficiency.usage.counters import Counter
from efficiency.usage.intervals import HOUR_MS, QUARTER_MS, Bools, Span
from efficiency.usage.judging import StepMeaning
from efficiency.usage.quality import Rule
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.steps import Steps
from metering.instants import midnight_ms
from metering.meters import Meter
from metering.model import Localized
from metering.park import Park

_GAP_MS = HOUR_MS
"""A gap that is no longer than this is no event; nor is one that the meter's own interval explains."""
_INTERVALS = 1.5


UNIT: Final = "unit"
"""Kind of an event: use changed by a power of ten, as if the register counted in another unit."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at `at`, ms; `kind` as in `store.schema.EVENTS`."""

    at: int
    kind: str
    text: Localized


def meter_events(meter: Meter, counter: Counter, steps: Steps, use: QuarterHours, window: Span) -> list[Event]:
    """Events of `window`, of the meter's main register; `use` begins a quarter hour or more before it."""
    held = _held(steps)
    found = [*_exchanges(counter, meter.unit), *_steps(steps, meter.unit), *_spikes(steps), *_stood_still(steps, held)]
    found += [*_gaps(counter, steps, held), *_stuck(use, meter.unit), *_units(steps, meter.unit)]
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


def _exchanges(counter: Counter, unit: str) -> Iterator[Event]:
    for old, new in zip(counter.instruments, counter.instruments[1:], strict=False):
        if new.continues:
            continue
        closing, opening = (_quantity(value, unit) for value in (old.closing, new.opening))
        missing = not np.isfinite(old.closing) or not np.isfinite(new.opening)
        yield Event(
            new.since,
            "swap",
            Localized(
                en=f"Meter replaced: closing register {closing.en}, opening register {opening.en}."
                + (_EXCHANGE.en if missing else ""),
                vi=f"Thay đồng hồ: chỉ số tháo {closing.vi}, chỉ số lắp {opening.vi}."
                + (_EXCHANGE.vi if missing else ""),
            ),
        )


_EXCHANGE = Localized(
    en=" The use in between is unknown. Is the missing register written down anywhere? Then enter it.",
    vi=" Không xác định được mức tiêu thụ trong khoảng này. Chỉ số còn thiếu có được ghi lại ở đâu không? Nếu có, hãy"
    " khai báo.",
)


@dataclass(frozen=True, slots=True)
class _Step:
    """One step in words: registers on both sides, use, and how long it took."""

    before: Localized
    after: Localized
    used: Localized
    lasted: Localized
    fell: bool


def _reset(step: _Step) -> Localized:
    return Localized(
        en=f"The counter was reset: it went from {step.before.en} to {step.after.en}; the use in between is not known."
        " Was the instrument replaced? Then enter it under `instruments`.",
        vi=f"Bộ đếm bị đặt lại: chỉ số từ {step.before.vi} về {step.after.vi}; không xác định được mức tiêu thụ trong"
        " khoảng này. Có thay công tơ, đồng hồ không? Nếu có, hãy khai báo trong mục `instruments`.",
    )


def _restored(step: _Step) -> Localized:
    return Localized(
        en=f"The counter fell from {step.before.en} to {step.after.en} and counted on from there; the use in between is"
        " not known. Did the power fail, so that the meter took up an older value, or was the instrument replaced?",
        vi=f"Chỉ số lùi từ {step.before.vi} về {step.after.vi} rồi đếm tiếp; không xác định được mức tiêu thụ trong"
        " khoảng này. Có mất điện khiến đồng hồ lấy lại giá trị cũ, hay đã thay công tơ, đồng hồ?",
    )


def _rise(step: _Step) -> Localized:
    return Localized(
        en=f"The counter rose from {step.before.en} to {step.after.en}, more than can have passed; none of it is"
        " counted. Was the instrument replaced? Then enter it under `instruments`. If not, is `rated` too low?",
        vi=f"Chỉ số tăng từ {step.before.vi} lên {step.after.vi}, quá mức có thể; lượng này không được tính. Có thay"
        " công tơ, đồng hồ không? Nếu có, hãy khai báo trong mục `instruments`. Nếu không, `rated` có quá thấp không?",
    )


def _wraps(step: _Step) -> Localized:
    return Localized(
        en=f"The counter went from {step.before.en} to {step.after.en} in {step.lasted.en}: it may have rolled over,"
        " perhaps more than once, or been reset; the use in between is not known. Was the meter without power, or only"
        " its connection?",
        vi=f"Chỉ số từ {step.before.vi} đến {step.after.vi} sau {step.lasted.vi}: bộ đếm có thể đã quay vòng một hoặc"
        " nhiều lần, hoặc bị đặt lại; không xác định được mức tiêu thụ. Đồng hồ bị mất điện hay chỉ mất kết nối?",
    )


def _ambiguous(step: _Step) -> Localized:
    if not step.fell:
        return Localized(
            en=f"The counter fell for a while and came back; {step.used.en} in {step.lasted.en} is counted as"
            " estimated. Was the meter or its connection restarted?",
            vi=f"Chỉ số giảm một thời gian rồi trở lại; {step.used.vi} trong {step.lasted.vi} được coi là ước tính."
            " Đồng hồ hoặc kết nối có bị khởi động lại không?",
        )
    return Localized(
        en=f"The counter went from {step.before.en} to {step.after.en}: taken for a roll-over, {step.used.en} is"
        " counted as estimated. It may have been reset instead: was the meter without power, or the instrument"
        " replaced?",
        vi=f"Chỉ số từ {step.before.vi} về {step.after.vi}: coi là bộ đếm quay vòng, {step.used.vi} được tính là ước"
        " tính. Cũng có thể bộ đếm bị đặt lại: đồng hồ có bị mất điện hoặc bị thay không?",
    )


def _rollover(step: _Step) -> Localized:
    return Localized(
        en=f"The counter rolled over; {step.used.en} counted across it.",
        vi=f"Bộ đếm quay vòng; lượng đếm qua thời điểm này là {step.used.vi}.",
    )


def _lost(step: _Step) -> Localized:
    return Localized(
        en=f"A message of what passed is missing; the use of {step.lasted.en} is not known. Does the meter show a total"
        " that could be sent as well?",
        vi=f"Thiếu bản tin về lượng tiêu thụ; không xác định được mức tiêu thụ trong {step.lasted.vi}. Đồng hồ có chỉ"
        " số tổng để gửi kèm không?",
    )


def _unfit(step: _Step) -> Localized:
    return Localized(
        en=f"The counter went from {step.before.en} to {step.after.en} where only its ratio changed by the park file;"
        " the use in between is not known. Is the instant right, or was the instrument replaced?",
        vi=f"Chỉ số từ {step.before.vi} đến {step.after.vi} tại thời điểm tệp cấu hình chỉ đổi hệ số nhân; không xác"
        " định được mức tiêu thụ. Thời điểm có đúng không, hay đã thay công tơ, đồng hồ?",
    )


_OF_KIND: dict[StepMeaning, tuple[str, Callable[[_Step], Localized]]] = {
    StepMeaning.ROLLOVER: ("rollover", _rollover),
    StepMeaning.AMBIGUOUS: ("ambiguous", _ambiguous),
    StepMeaning.RESET: ("reset", _reset),
    StepMeaning.RESTORED: ("restored", _restored),
    StepMeaning.BOUND: ("rise", _rise),
    StepMeaning.WRAPS: ("ambiguous", _wraps),
    StepMeaning.LOST: ("gap", _lost),
}


def _steps(steps: Steps, unit: str) -> Iterator[Event]:
    told = np.isin(steps.kind, [int(kind) for kind in _OF_KIND])
    for place in np.flatnonzero(told).tolist():
        name, words = _OF_KIND[StepMeaning(int(steps.kind[place]))]
        at = steps.start if name == "gap" else steps.end
        yield Event(int(at[place]), name, words(_step(steps, place, unit)))
    for place in np.flatnonzero(steps.unfit).tolist():
        yield Event(int(steps.end[place]), "swap", _unfit(_step(steps, place, unit)))


def _step(steps: Steps, place: int, unit: str) -> _Step:
    before, after = float(steps.before[place]), float(steps.after[place])
    return _Step(
        _quantity(before, unit),
        _quantity(after, unit),
        _quantity(float(steps.delta[place]), unit),
        lasted(int(steps.end[place] - steps.start[place])),
        after < before,
    )


def _units(steps: Steps, unit: str) -> Iterator[Event]:
    for place in np.flatnonzero(steps.unit).tolist():
        power = int(steps.unit[place])
        times = f"{10 ** abs(power):,}"
        english = f"{times} times" if power > 0 else f"one part in {times}"
        vietnamese = f"gấp {times} lần" if power > 0 else f"bằng 1/{times}"
        step, entered = _step(steps, place, unit), 10.0**-power
        yield Event(
            int(steps.end[place]),
            UNIT,
            Localized(
                en=f"Use is {english} of what it was before the counter went from {step.before.en} to {step.after.en}."
                f" Was its unit changed? Then enter an instrument from here on, with `multiplier` times {entered:g}; if"
                f" not, one with `continues: true`.",
                vi=f"Mức tiêu thụ {vietnamese.replace(',', '.')} so với trước khi chỉ số đi từ {step.before.vi} đến"
                f" {step.after.vi}. Có đổi đơn vị không? Nếu có, khai báo thiết bị đo từ đây với `multiplier` nhân"
                f" {entered:g}; nếu không, khai báo với `continues: true`.",
            ),
        )


def _spikes(steps: Steps) -> Iterator[Event]:
    """One for the readings of an excursion: none of them is more than an hour after the one before."""
    times = np.sort(steps.aside.times[steps.aside.rules == Rule.SPIKE])
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
    times = steps.aside.times[steps.aside.rules == Rule.HELD]
    place = np.searchsorted(steps.start, times, side="right") - 1
    held[place[(place >= 0) & (times < steps.end[place])]] = True
    return held


def _stood_still(steps: Steps, held: Bools) -> Iterator[Event]:
    for place in np.flatnonzero(held).tolist():
        took = lasted(int(steps.end[place] - steps.start[place]))
        text = Localized(
            en=f"The register stood still and then caught up, {took.en} in all; what passed is known, but when is"
            " estimated.",
            vi=f"Đồng hồ đứng số rồi nhảy bù, tổng cộng {took.vi}; tổng lượng đã biết, phân bổ là ước tính.",
        )
        yield Event(int(steps.start[place]), "stuck", text)


def _gaps(counter: Counter, steps: Steps, held: Bools) -> Iterator[Event]:
    elapsed = steps.end - steps.start
    longer = (elapsed > _GAP_MS) & (elapsed > _INTERVALS * counter.interval_ms)
    for place in np.flatnonzero(longer & ~held & (steps.kind != StepMeaning.LOST)).tolist():
        took = lasted(int(elapsed[place]))
        text = Localized(en=f"No usable readings for {took.en}.", vi=f"Thiếu số liệu trong {took.vi}.")
        yield Event(int(steps.start[place]), "gap", text)


def lasted(ms: int) -> Localized:
    """How long something lasted, for people."""
    hours, minutes = divmod(round(ms / 60_000), 60)
    return Localized(en=f"{hours} h {minutes:02d} min", vi=f"{hours} giờ {minutes:02d} phút")


def _stuck(use: QuarterHours, unit: str) -> Iterator[Event]:
    stuck = (use.rules & np.uint32(Rule.STUCK)) > 0
    for place in (np.flatnonzero(stuck[1:] & ~stuck[:-1]) + 1).tolist():
        same = _quantity(float(use.amount[place]), unit)
        text = Localized(
            en=f"The meter may be stuck: {same.en} in each of several quarter hours.",
            vi=f"Đồng hồ có thể bị đứng số: {same.vi} trong nhiều khoảng 15 phút liên tiếp.",
        )
        yield Event(int(use.start[place]), "stuck", text)


def wider(window: Span) -> Span:
    """The span of use that is needed for the events of `window`."""
    return Span(window.start - QUARTER_MS, window.end)


_ODDLY_LARGE = 1e15


def _quantity(value: float, unit: str) -> Localized:
    """A number with its unit, as it is written in each language."""
    if not np.isfinite(value):
        return Localized(en="unknown", vi="không rõ")
    if abs(value) >= _ODDLY_LARGE:  # no decimal number has so many places
        short = f"{value:.3g} {unit}"
        return Localized(en=short, vi=short.replace(".", ",", 1))
    english, vietnamese = (format_decimal(value, format="#,##0.###", locale=name) for name in ("en", "vi"))
    return Localized(en=f"{english} {unit}", vi=f"{vietnamese} {unit}")
