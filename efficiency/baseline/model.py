"""F5 to F7: expected use from the drivers that explain it, and the savings against it.

Least squares over a chosen period (ISO 50006 practice). A poor fit is shown with its numbers but refused; an accepted
one is frozen into a `Baseline`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from efficiency.usage.intervals import Bools, Floats
from metering.model import Identifier, Localized, Model, Number
from metering.quantities import Utility

MIN_PERIODS = 12
MIN_R2 = 0.75
MAX_INFLATION = 10.0
"""A slope whose variance the other drivers inflate by more than this says little about its own driver."""
MIN_FREEDOM = 2.0
"""How many independent days must remain beyond what the drivers need."""
MAX_AUTOCORRELATION = 0.95
MAX_DRIVERS = 6
_EXACT = 1e-18
"""Residuals whose squares are a smaller share than this are rounding errors."""

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
    ALIKE = "alike"


REFUSAL_TEXT: dict[BaselineRefusal, str] = {
    BaselineRefusal.TOO_FEW: "fewer than 12 complete periods, or not more than the drivers need",
    BaselineRefusal.POOR_FIT: "R² is under 0.75",
    BaselineRefusal.NO_VARIATION: "the use or a driver does not vary",
    BaselineRefusal.DEPENDENT: (
        "the drivers cannot be separated: one follows from the others (VIF above 10); leave one of them out"
    ),
    BaselineRefusal.ALIKE: "days resemble the days before them so much that too few independent ones are left",
}


class BaselineDriver(Model):
    """What explains use: slope in units of use per unit of the driver, and the range in the fitted days.

    `mean` is of the fitted days; `error` is the standard error of the slope, `inflation` its VIF: by how much the other
    drivers inflate its variance.
    """

    name: Annotated[str, Field(min_length=1)]
    unit: str
    slope: Number
    low: Number
    high: Number
    mean: Number | None = None
    error: Number | None = None
    inflation: Number | None = None


class Fit(Model):
    """A regression with its quality measures; None where they are not defined.

    `rmse`: standard error of one period, in the unit of the use. `autocorrelation`: of the residuals of successive
    periods, 0 to 1; it widens the uncertainty of sums. `nmbe`: mean bias as a share of the mean. `levers`: a matrix
    that turns the distance of a period's drivers from their means into numbers whose squares add up to the variance
    from the error of the slopes (F21).
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
    nmbe: float | None = None
    levers: tuple[tuple[Number, ...], ...] = ()

    @property
    def independent(self) -> float:
        """F21: n', the equivalent number of independent periods."""
        return self.n * (1 - self.autocorrelation) / (1 + self.autocorrelation)

    @property
    def freedom(self) -> float:
        """Degrees of freedom: independent periods beyond the drivers and the intercept."""
        return max(1.0, self.independent - len(self.drivers) - 1)

    @property
    def offered(self) -> bool:
        """Whether it may become a baseline."""
        return not self.refusals


class DriverName(NamedTuple):
    """What a driver of use is called, and its unit."""

    name: str
    unit: str


def fit(use: Floats, values: Floats, names: Sequence[DriverName], complete: Bools) -> Fit:
    """F5: least squares of `use` (n) on the drivers' `values` (n, k).

    Only `complete` periods with finite numbers count. R² is not adjusted; CV(RMSE) uses n - k - 1 degrees of freedom.
    """
    good = complete & np.isfinite(use) & np.isfinite(values).all(axis=1)
    y, x = use[good], values[good]
    n, k = x.shape
    refusals = [] if n >= MIN_PERIODS and n > k + 1 else [BaselineRefusal.TOO_FEW]
    intercept, r2, cv, nmbe, rmse, lag = 0.0, None, None, None, None, 0.0
    slopes = _Slopes.none(k)
    spread = float(((y - y.mean()) ** 2).sum()) if n else 0.0
    if spread <= 0 or bool((x.min(axis=0) == x.max(axis=0)).any()):
        refusals.append(BaselineRefusal.NO_VARIATION)
    elif n > k + 1:
        slopes = _least_squares(x, y)
        mean = float(y.mean())
        intercept = mean - float(x.mean(axis=0) @ slopes.values)
        residuals = y - intercept - x @ slopes.values
        error = float((residuals**2).sum())
        r2, rmse = 1 - error / spread, float(np.sqrt(error / (n - k - 1)))
        lag = _lag_one(residuals, k) if error > _EXACT * float((y**2).sum()) else 0.0
        cv, nmbe = (rmse / mean, float(residuals.sum()) / ((n - k - 1) * mean)) if mean > 0 else (None, None)
        refusals += [BaselineRefusal.DEPENDENT] * slopes.dependent + [BaselineRefusal.POOR_FIT] * (r2 < MIN_R2)
        if n * (1 - lag) / (1 + lag) - k - 1 < MIN_FREEDOM <= n - k - 1:
            refusals.append(BaselineRefusal.ALIKE)
    found = Fit(
        n=n,
        left_out=len(use) - n,
        intercept=intercept,
        drivers=(),
        r2=r2,
        cv_rmse=cv,
        refusals=tuple(refusals),
        rmse=rmse,
        autocorrelation=lag,
        nmbe=nmbe,
        levers=tuple(tuple(map(float, row)) for row in slopes.levers),
    )
    return found.model_copy(update={"drivers": _drivers(found, x, names, slopes)})


def _drivers(found: Fit, x: Floats, names: Sequence[DriverName], slopes: "_Slopes") -> tuple[BaselineDriver, ...]:
    """The drivers of a fit, each with the standard error of its slope corrected for autocorrelation."""
    scatter = None if found.rmse is None else found.rmse * np.sqrt(found.n / found.independent)
    return tuple(
        BaselineDriver(
            name=each.name,
            unit=each.unit,
            slope=float(slopes.values[place]),
            low=float(x[:, place].min()) if len(x) else 0.0,
            high=float(x[:, place].max()) if len(x) else 0.0,
            mean=float(x[:, place].mean()) if len(x) else None,
            error=float(scatter * slopes.errors[place]) if scatter is not None and len(slopes.levers) else None,
            inflation=float(slopes.inflation[place]) if len(slopes.levers) else None,
        )
        for place, each in enumerate(names)
    )


def _lag_one(residuals: Floats, k: int) -> float:
    """Correlation of each residual with the one before; a negative one counts as none.

    A fit with an intercept and k drivers biases it low by about (1 + k + 3r) / n, which is added back.
    """
    r = float((residuals[1:] * residuals[:-1]).sum() / (residuals**2).sum())
    return min(MAX_AUTOCORRELATION, max(0.0, r + (1 + k + 3 * r) / len(residuals)))


@dataclass(frozen=True, slots=True)
class _Slopes:
    """Least squares solved on standardized drivers; `errors` and `levers` are per unit of the standard error."""

    values: Floats
    errors: Floats
    inflation: Floats
    levers: Floats
    dependent: bool

    @classmethod
    def none(cls, k: int) -> Self:
        """Where there is no solution."""
        return cls(np.zeros(k), np.zeros(k), np.ones(k), np.zeros((0, 0)), dependent=False)


def _least_squares(x: Floats, y: Floats) -> _Slopes:
    n, k = x.shape
    scale = x.std(axis=0)
    standard = (x - x.mean(axis=0)) / scale
    solved, _, rank, _ = np.linalg.lstsq(standard, y - y.mean(), rcond=1e-9)
    if int(rank) < k:
        return _Slopes(solved / scale, np.zeros(k), np.full(k, np.inf), np.zeros((0, 0)), dependent=True)
    inverse = np.linalg.inv(standard.T @ standard)
    inflation = n * np.diag(inverse)
    levers = np.linalg.cholesky(inverse).T / scale
    errors = np.sqrt(np.diag(inverse)) / scale
    return _Slopes(solved / scale, errors, inflation, levers, dependent=bool((inflation > MAX_INFLATION).any()))


class Subject(Model):
    """Whose use a baseline expects: all that a tenant uses of a utility, or what one meter measures of it."""

    tenant: Identifier | None = None
    meter: Identifier | None = None
    utility: Utility

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.tenant is None) == (self.meter is None):
            raise ValueError("a baseline is of a tenant or of a meter: name one of them")
        return self

    def __str__(self) -> str:
        return f"{self.utility.value} of " + (f"meter {self.meter}" if self.tenant is None else f"tenant {self.tenant}")


class Baseline(Model):
    """A frozen fit of daily use; it holds from `holds_from` on. Both ends of the period count."""

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
    """Expected use by period, the savings (F6), and whether a driver lay outside the range of the fit.

    Where use or a driver is unknown, `saving` is NaN. `levers` (n, k): the distance of the drivers from their means,
    scaled by the error of the slopes (F21); their sums over periods go into `Uncertainty.band`.
    """

    expected: Floats
    saving: Floats
    out_of_range: Bools
    levers: Floats


def performance(model: Fit, use: Floats, values: Floats) -> Performance:
    """F5 and F6 of periods with `use` (n) and drivers' `values` (n, k)."""
    expected = np.full(len(use), float(model.intercept))
    outside = np.zeros(len(use), dtype=np.bool_)
    # Driver by driver: a product of matrices may round otherwise for one day than for many.
    for driver, column in zip(model.drivers, values.T, strict=True):
        expected += driver.slope * column
        outside |= (column < driver.low) | (column > driver.high)
    levers = np.zeros((len(use), len(model.levers)))
    for place, row in enumerate(model.levers):
        for weight, driver, column in zip(row, model.drivers, values.T, strict=True):
            levers[:, place] += weight * (column - (driver.mean or 0.0))
    return Performance(expected=expected, saving=expected - use, out_of_range=outside, levers=levers)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """F21: uncertainty of the savings of periods under one fit, at 95 %.

    `spread` is that of one period from the scatter of the fit alone; the fit's own error (`fitted` periods went into
    it) is the same in all periods and so grows with their number.
    """

    spread: float
    fitted: float

    def band(self, periods: int, levers: Iterable[float] = ()) -> float:
        """Half the width of the interval of the sum over so many periods; `levers` are the sums of theirs."""
        slopes = sum(each**2 for each in levers)
        return self.spread * float(np.sqrt(periods + periods**2 / self.fitted + slopes))


def uncertainty(model: Fit) -> Uncertainty | None:
    """F21 of a fit; None where it gives no scatter.

    Autocorrelated residuals are worth less than as many independent ones: n' = n (1 - r) / (1 + r), as in ASHRAE
    Guideline 14 and the IPMVP, in the standard error, its degrees of freedom and the sum alike.
    """
    if model.rmse is None:
        return None
    n, k = model.n, len(model.drivers)
    error = model.rmse * np.sqrt((n - k - 1) / n * model.independent / model.freedom)
    return Uncertainty(float(student_95(model.freedom) * error * np.sqrt(n / model.independent)), float(n))


def student_95(freedom: float) -> float:
    """Two-sided 95 % quantile of Student's t, by the Cornish-Fisher expansion; good to 0.001 from 8 degrees."""
    z = 1.959964
    terms = (
        z,
        (z**3 + z) / (4 * freedom),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3),
    )
    return sum(terms)


def cusum(saving: Floats) -> Floats:
    """F6: the running sum; it is constant where the saving is unknown."""
    return np.cumsum(np.where(np.isfinite(saving), saving, 0.0))


def enpi(use: float, expected: float) -> float | None:
    """F7 of sums of the same periods; None where nothing was expected."""
    return use / expected if expected > 0 else None
