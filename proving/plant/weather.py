"""Weather of one local day in the Red River delta: air temperature and what the sun gives, minute by minute.

Invented, but with the right shape: seasons, a warm afternoon, spells of days, clouds that come and go.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proving.plant.clock import MINUTES, chance, date_of

Minutes = NDArray[np.float64]
"""One value for each of the 1440 minutes of a local day."""

_LATITUDE = np.radians(20.9)
_SOLAR_NOON = 11 * 60 + 55
_MINUTE = np.arange(MINUTES, dtype=np.float64)
_KNOTS = 97  # one each quarter hour, and the end of the day


@dataclass(frozen=True, slots=True)
class Weather:
    """`temperature` in °C; `sun` as a share of what a solar plant's rating assumes (1000 W/m2)."""

    temperature: Minutes
    sun: Minutes


def weather_of(seed: int, day: int) -> Weather:
    """Weather of a local day."""
    year_angle = 2 * np.pi * (date_of(day).timetuple().tm_yday - 1) / 365.25
    mean = 23.8 + 6.0 * np.cos(year_angle - 2 * np.pi * 197 / 365.25)
    spell = np.linspace(_spell(seed, day), _spell(seed, day + 1), MINUTES)
    temperature = mean + spell + 3.6 * np.cos(2 * np.pi * (_MINUTE - 14 * 60) / MINUTES)
    return Weather(temperature, _sun(seed, day, float(year_angle)))


def smooth(knots: Minutes) -> Minutes:
    """Join quarter-hourly values (97 a row) by straight lines to minutes (1440 a row)."""
    first, weight = np.divmod(np.arange(MINUTES), 15)
    share = weight / 15.0
    joined: Minutes = knots[..., first] * (1.0 - share) + knots[..., first + 1] * share
    return joined


def _spell(seed: int, day: int) -> float:
    around = [float(chance(seed, "spell", day - back).normal()) for back in range(4)]
    return 1.6 * float(np.mean(around)) * 2.0


def _sun(seed: int, day: int, year_angle: float) -> Minutes:
    declination = np.radians(-23.44) * np.cos(year_angle + 2 * np.pi * 10 / 365.25)
    hour_angle = 2 * np.pi * (_MINUTE - _SOLAR_NOON) / MINUTES
    height = np.sin(_LATITUDE) * np.sin(declination) + np.cos(_LATITUDE) * np.cos(declination) * np.cos(hour_angle)
    clear = np.maximum(height, 0.0) ** 1.15
    random = chance(seed, "clouds", day)
    cover = random.beta(1.6, 1.9)  # few days are wholly clear or wholly grey
    clouds = np.clip(cover + 0.25 * random.standard_normal(_KNOTS), 0.0, 1.0)
    sun: Minutes = clear * (1.0 - 0.78 * smooth(clouds))
    return sun
