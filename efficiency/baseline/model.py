"""F5 to F7: what use should have been, from the drivers that explain it; and the saving that is left.

Least squares over a chosen period (ISO 50006 practice). A fit that does not hold is shown with its numbers but refused;
an accepted one is frozen into a `Baseline`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from efficiency.usage.intervals import Bools, Floats
from metering.model import Identifier, Localized, Model, Number
from metering.quantities import Utility

MIN_PERIODS = 12
MIN_R2 = 0.75

CUSUM_CONVENTION = Localized(
    en="CUSUM is the running sum of expected minus actual use: positive is saving",
    vi="CUSUM là tổng lũy kế của mức tiêu thụ kỳ vọng trừ mức thực tế: giá trị dương là tiết kiệm",
)


class BaselineRefusal(StrEnum):
    """Why a fit is not offered as a baseline."""

    TOO_FEW = "too_few"
    POOR_FIT = "poor_fit"
    NO_VARIATION = "no_variation"
    DEPENDENT = "dependent"


REFUSAL_TEXT: dict[BaselineRefusal, Localized] = {
    BaselineRefusal.TOO_FEW: Localized(
        en="fewer than 12 complete periods, or not more than the drivers need",
        vi="ít hơn 12 kỳ đủ số liệu, hoặc không đủ so với số biến",
    ),
    BaselineRefusal.POOR_FIT: Localized(en="R² is under 0.75", vi="R² dưới 0,75"),
    BaselineRefusal.NO_VARIATION: Localized(
        en="the use or a driver does not vary", vi="mức tiêu thụ hoặc một biến không thay đổi"
    ),
    BaselineRefusal.DEPENDENT: Localized(
        en="the drivers cannot be told apart: one follows from the others",
        vi="không tách được các biến: có biến phụ thuộc các biến khác",
    ),
}


class BaselineDriver(Model):
    """What explains use: slope in units of use per unit of the driver, and the range that the fit has seen."""

    name: Annotated[str, Field(min_length=1)]
    unit: str
    slope: Number
    low: Number
    high: Number


class Fit(Model):
    """A regression with the numbers that it is judged by; None where they are not defined.

    `rmse`: standard error of one period, in the unit of the use. `autocorrelation`: of the residuals of periods that
    follow each other, 0 to 1; it widens the uncertainty of sums.
    """

    n: int
    left_out: int
    intercept: Number
    drivers: tuple[BaselineDriver, ...]
    r2: float | None
    cv_rmse: float | None
    refusals: tuple[BaselineRefusal, ...]
    rmse: float | None = None
    autocorrelation: float = 0.0

    @property
    def offered(self) -> bool:
        """Whether it may become a baseline."""
        return not self.refusals


def fit(use: Floats, values: Floats, names: Sequence[tuple[str, str]], complete: Bools) -> Fit:
    """F5: least squares of `use` (n) on the drivers' `values` (n, k), named with their units.

    Only `complete` periods with finite numbers count. R² is adjusted for nothing; CV(RMSE) uses n - k - 1 degrees.
    """
    good = complete & np.isfinite(use) & np.isfinite(values).all(axis=1)
    y, x = use[good], values[good]
    n, k = x.shape
    ranges = [(float(column.min()), float(column.max())) if n else (0.0, 0.0) for column in x.T]
    refusals = [] if n >= MIN_PERIODS and n > k + 1 else [BaselineRefusal.TOO_FEW]
    intercept, slopes, r2, cv, rmse, lag = 0.0, [0.0] * k, None, None, None, 0.0
    spread = float(((y - y.mean()) ** 2).sum()) if n else 0.0
    if spread <= 0 or any(low == high for low, high in ranges):
        refusals.append(BaselineRefusal.NO_VARIATION)
    elif n > k + 1:
        intercept, slopes, dependent = _least_squares(x, y)
        residuals = y - intercept - x @ np.array(slopes)
        error, mean = float((residuals**2).sum()), float(y.mean())
        r2, rmse, lag = 1 - error / spread, float(np.sqrt(error / (n - k - 1))), _lag_one(residuals)
        cv = rmse / mean if mean > 0 else None
        refusals += [BaselineRefusal.DEPENDENT] * dependent + [BaselineRefusal.POOR_FIT] * (r2 < MIN_R2)
    drivers = tuple(
        BaselineDriver(name=name, unit=unit, slope=slope, low=low, high=high)
        for (name, unit), slope, (low, high) in zip(names, slopes, ranges, strict=True)
    )
    return Fit(
        n=n,
        left_out=len(use) - n,
        intercept=intercept,
        drivers=drivers,
        r2=r2,
        cv_rmse=cv,
        refusals=tuple(refusals),
        rmse=rmse,
        autocorrelation=lag,
    )


def _lag_one(residuals: Floats) -> float:
    """Correlation of each residual with the one before; what is negative counts as none, and 0.95 is the most."""
    square = float((residuals**2).sum())
    if square <= 0:
        return 0.0
    return min(0.95, max(0.0, float((residuals[1:] * residuals[:-1]).sum()) / square))


def _least_squares(x: Floats, y: Floats) -> tuple[float, list[float], bool]:
    """Intercept, slopes, and whether the drivers depend on each other; solved on standardized drivers."""
    centre, scale = x.mean(axis=0), x.std(axis=0)
    slopes, _, rank, _ = np.linalg.lstsq((x - centre) / scale, y - y.mean(), rcond=1e-9)
    slopes = slopes / scale
    return float(y.mean() - centre @ slopes), [float(slope) for slope in slopes], int(rank) < x.shape[1]


class Subject(Model):
    """Whose use a baseline expects: all that a tenant takes of a utility, or what one meter measures of it."""

    tenant: Identifier | None = None
    meter: Identifier | None = None
    utility: Utility

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.tenant is None) == (self.meter is None):
            msg = "a baseline is of a tenant or of a meter: name one of them"
            raise ValueError(msg)
        return self

    def __str__(self) -> str:
        return f"{self.utility.value} of " + (f"meter {self.meter}" if self.tenant is None else f"tenant {self.tenant}")


class Baseline(Model):
    """A frozen fit of daily use; it expects something from `holds_from` on. Both days of the period count."""

    id: Identifier
    version: Annotated[int, Field(ge=1)]
    subject: Subject
    unit: str
    period_from: date
    period_to: date
    holds_from: date
    frozen_on: date
    reason: Annotated[str, Field(min_length=1)]
    fit: Fit


@dataclass(frozen=True, slots=True)
class Performance:
    """Expected use by period, what was saved (F6), and whether a driver lay outside the range that the fit has seen.

    Where use or a driver is unknown, `saving` is NaN.
    """

    expected: Floats
    saving: Floats
    out_of_range: Bools


def performance(model: Fit, use: Floats, values: Floats) -> Performance:
    """F5 and F6 of periods with `use` (n) and drivers' `values` (n, k)."""
    expected = np.full(len(use), float(model.intercept))
    outside = np.zeros(len(use), dtype=np.bool_)
    # Driver by driver: a product of matrices may round otherwise for one day than for many.
    for driver, column in zip(model.drivers, values.T, strict=True):
        expected += driver.slope * column
        outside |= (column < driver.low) | (column > driver.high)
    return Performance(expected=expected, saving=expected - use, out_of_range=outside)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """F21: what the savings of periods under one fit may be off by, at 95 %.

    `spread` is that of one period by the scatter of the fit alone; the fit's own error (`fitted` periods went into it)
    is the same in all periods and so grows with their number.
    """

    spread: float
    fitted: float

    def band(self, periods: int) -> float:
        """Half the width of the interval of the sum over so many periods."""
        return self.spread * float(np.sqrt(periods + periods**2 / self.fitted))


def uncertainty(model: Fit) -> Uncertainty | None:
    """F21 of a fit; None where it does not say how it scatters.

    Residuals that follow each other are worth less than as many independent ones: n' = n (1 - r) / (1 + r), as ASHRAE
    Guideline 14 and the IPMVP have it.
    """
    if model.rmse is None:
        return None
    inflated = np.sqrt((1 + model.autocorrelation) / (1 - model.autocorrelation))
    freedom = model.n - len(model.drivers) - 1
    return Uncertainty(float(student_95(freedom) * model.rmse * inflated), float(model.n))


def student_95(freedom: int) -> float:
    """Two-sided 95 % quantile of Student's t, by the expansion of Cornish and Fisher; good to 0.001 from 8 degrees."""
    z = 1.959964
    terms = (
        z,
        (z**3 + z) / (4 * freedom),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3),
    )
    return sum(terms)


def cusum(saving: Floats) -> Floats:
    """F6: the running sum; it stands still where the saving is unknown."""
    return np.cumsum(np.where(np.isfinite(saving), saving, 0.0))


def enpi(use: float, expected: float) -> float | None:
    """F7 of sums of the same periods; None where nothing was expected."""
    return use / expected if expected > 0 else None
