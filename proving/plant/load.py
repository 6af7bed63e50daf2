"""What truly flows through every meter, minute by minute, one local day at a time.

A day depends on the park, the seed and its own date only, so any day can be computed alone. A meter with others below
it carries what they carry, less what is generated there, and the losses on the way; so balances close by construction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from metering.calendar import Window
from metering.dated import value_on
from metering.meters import Meter, Role
from metering.park import Park
from metering.quantities import Utility
from proving.plant.clock import HOUR_MS, MINUTE_MS, MINUTES, LocalDays, chance, date_of, fraction
from proving.plant.events import Leak
from proving.plant.profiles import COUPLINGS, DEFAULTS, LOSSES, PROFILES, Coupling, Profile, Rhythm
from proving.plant.weather import Minutes, Weather, smooth, weather_of

_ORDER = (
    Utility.PRODUCTION,
    Utility.WATER,
    Utility.WASTEWATER,
    Utility.STEAM,
    Utility.NATURAL_GAS,
    Utility.COMPRESSED_AIR,
    Utility.CHILLED_WATER,
    Utility.ELECTRICITY,
)
"""A flow follows only flows that come before it here."""
_KNOTS = 97
_RAMP = 20  # minutes in which a shift starts up and runs down
_CACHED_DAYS = 6


@dataclass(frozen=True, slots=True)
class Day:
    """Flows of a local day: `net` per hour by meter and minute, negative where more is generated than used.

    `wobble` is the slow noise of each meter, of standard deviation 1.
    """

    number: int
    net: NDArray[np.float64]
    wobble: NDArray[np.float64]
    weather: Weather


@dataclass(frozen=True, slots=True)
class _Today:
    """What all flows of a day have in common; `net` fills up in the order of the steps."""

    number: int
    weather: Weather
    levels: dict[str, float]
    net: NDArray[np.float64]


class LoadModel:
    """The true flows of a park."""

    def __init__(
        self,
        park: Park,
        seed: int,
        days: LocalDays,
        leaks: Iterable[Leak] = (),
        moves: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """`moves`: when tenants leave the park, ms; what was theirs then stands idle."""
        self._park = park
        self._seed = seed
        self._days = days
        self._leaks = tuple(leaks)
        self._moves = moves
        self.index = {meter.id: row for row, meter in enumerate(park.meters)}
        self._steps = _in_order(park)
        self._activity = {tenant.id: _activity(value_on(tenant.shifts, date.max) or ()) for tenant in park.tenants}
        self._rhythm: dict[Rhythm, NDArray[np.float64]] = {
            "always": np.ones((7, MINUTES)),
            "night": _activity((_daily(18 * 60, 6 * 60),)),
            "day": _activity((_daily(6 * 60 + 30, 17 * 60 + 30),)),
        }
        self.day = lru_cache(maxsize=_CACHED_DAYS)(self._compute)

    def _compute(self, number: int) -> Day:
        weather = weather_of(self._seed, number)
        meters = self._park.meters
        net = np.zeros((len(meters), MINUTES))
        knots = np.empty((len(meters), _KNOTS))
        jitter = np.empty((len(meters), MINUTES))
        for row, meter in enumerate(meters):
            random = chance(self._seed, meter.id, number)
            knots[row] = random.standard_normal(_KNOTS)
            jitter[row] = random.standard_normal(MINUTES)
        wobble = smooth(np.clip(knots, -2.5, 2.5))
        levels = {tenant.id: self._level(tenant.id, number) for tenant in self._park.tenants}
        today = _Today(number, weather, levels, net)
        for meter in self._steps:
            row = self.index[meter.id]
            noise = wobble[row] + 0.3 * np.clip(jitter[row], -3.0, 3.0)
            net[row] = self._flow(meter, today, noise)
        return Day(number, net, wobble, weather)

    def _flow(self, meter: Meter, today: _Today, noise: Minutes) -> Minutes:
        below = list({tenure.meter.id: tenure.meter for tenure in self._park.children(meter.id)}.values())
        if below:
            signs = [-1.0 if child.belongs[0].role is Role.GENERATION else 1.0 for child in below]
            flows = [sign * today.net[self.index[child.id]] for sign, child in zip(signs, below, strict=True)]
            lost = LOSSES[meter.utility] * np.sum([np.maximum(flow, 0.0) for flow in flows], axis=0)
            total: Minutes = np.sum(flows, axis=0) + lost
            return total
        if meter.belongs[0].role is Role.GENERATION:
            return meter.rated * 0.82 * today.weather.sun
        coupling = COUPLINGS.get(meter.id)
        if coupling is not None and all(source in self.index for source in coupling.sources):
            flow = self._coupled(coupling, today, noise)
        else:
            profile = PROFILES.get(meter.id, DEFAULTS[meter.utility])
            flow = meter.rated * self._share(meter, profile, today, noise)
        for leak in self._leaks:
            if leak.meter == meter.id:
                flow = flow + self._leaking(leak, today.number)
        return np.clip(flow, 0.0, meter.rated)

    def _coupled(self, coupling: Coupling, today: _Today, noise: Minutes) -> Minutes:
        source: Minutes = np.sum([today.net[self.index[name]] for name in coupling.sources], axis=0)
        even = coupling.buffered * source.mean() + (1.0 - coupling.buffered) * source
        warmth = 1.0 + coupling.per_degree * (today.weather.temperature - 28.0)
        flow: Minutes = (coupling.per_unit * even * warmth + coupling.constant) * (1.0 + 0.02 * noise)
        return flow

    def _share(self, meter: Meter, profile: Profile, today: _Today, noise: Minutes) -> Minutes:
        weekday, tenant = date_of(today.number).weekday(), meter.belongs[0].tenant
        if profile.rhythm == "shifts":
            work = self._activity[tenant][weekday] if tenant is not None else np.ones(MINUTES)
        else:
            work = self._rhythm[profile.rhythm][weekday]
        work = work * (today.levels[tenant] if tenant is not None else 1.0)
        if profile.cycle_min:
            phase = fraction(self._seed, meter.id)
            angle = 2 * np.pi * ((today.number * MINUTES + np.arange(MINUTES)) / profile.cycle_min + phase)
            work = work * (1.0 - profile.cycle_depth * (np.tanh(4.0 * np.sin(angle)) + 1.0) / 2.0)
        warmth = 1.0 + profile.per_degree * np.maximum(today.weather.temperature - 24.0, 0.0)
        share: Minutes = profile.share * (profile.standby + (1.0 - profile.standby) * work) * warmth
        share = np.maximum(share * (1.0 + profile.noise * noise), 0.0)
        if tenant is not None and tenant in self._moves:
            instants = self._days.start(today.number) + np.arange(MINUTES) * MINUTE_MS
            share = np.where(instants < self._moves[tenant], share, 0.0)
        return share

    def _level(self, tenant: str, number: int) -> float:
        """How busy the company is that day: orders, absences, holidays."""
        level = float(chance(self._seed, tenant, number).uniform(0.72, 1.04))
        today = date_of(number)
        return level * 0.12 if self._park.calendar.holiday(today) is not None else level

    def _leaking(self, leak: Leak, number: int) -> Minutes:
        instants = self._days.start(number) + np.arange(MINUTES) * MINUTE_MS
        hour = (instants + self._days.offset_ms) // HOUR_MS % 24
        night = (hour >= leak.FROM_HOUR) | (hour < leak.TO_HOUR)
        return np.where(night & (instants >= leak.span.start) & (instants < leak.span.end), leak.flow, 0.0)


def _in_order(park: Park) -> tuple[Meter, ...]:
    """Every meter after those it follows: utility by utility, sub-meters before the meter above them."""
    depth: dict[str, int] = {}
    for meter in park.meters:
        above, depth[meter.id] = meter.belongs[0].parent, 0
        while above is not None:
            depth[meter.id] += 1
            above = park.meter[above].belongs[0].parent
    coupled_to_main = {name for name, coupling in COUPLINGS.items() if set(coupling.sources) & park.parents}

    def rank(meter: Meter) -> tuple[int, bool, int]:
        same = meter.id in coupled_to_main and meter.belongs[0].parent is None
        return _ORDER.index(meter.utility), same, -depth[meter.id]

    return tuple(sorted(park.meters, key=rank))


def _daily(start: int, end: int) -> Window:
    return Window(days=frozenset(range(7)), start=start, end=end)


def _covers(shift: Window, weekday: int, minute: int) -> bool:
    """Whether the local `minute` (0..1439) of `weekday` (Monday 0) lies in it; ignores holidays and seasons."""
    if shift.start < shift.end:
        return weekday in shift.days and shift.start <= minute < shift.end
    before = (weekday - 1) % 7
    return (weekday in shift.days and minute >= shift.start) or (before in shift.days and minute < shift.end)


def _activity(shifts: tuple[Window, ...]) -> NDArray[np.float64]:
    """Share of full work by weekday and minute: ramps at the edges of shifts, breaks, quieter nights."""
    week = np.zeros(7 * MINUTES)
    for weekday in range(7):
        for minute in range(MINUTES):
            if any(_covers(shift, weekday, minute) for shift in shifts):
                week[weekday * MINUTES + minute] = 0.85 if minute < 6 * 60 or minute >= 22 * 60 else 1.0
    around = np.concatenate([week[-_RAMP:], week, week[:_RAMP]])
    ramped = np.convolve(around, np.full(_RAMP, 1.0 / _RAMP), mode="same")[_RAMP:-_RAMP].reshape(7, MINUTES)
    lunch = slice(11 * 60 + 30, 12 * 60 + 15)
    ramped[:, lunch] *= 0.8
    return ramped
