"""Baselines: fitted where the fit is good, refused with its numbers where it is not, frozen in a file."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficiency.baseline.file import current, described, equation, file_of, freeze, judged_by, load_baselines
from efficiency.baseline.model import (
    CUSUM_CONVENTION,
    REFUSAL_TEXT,
    Baseline,
    BaselineRefusal,
    DriverName,
    Fit,
    Subject,
    cusum,
    enpi,
    fit,
    performance,
    student_95,
    uncertainty,
)
from efficiency.usage.intervals import Floats
from metering.errors import OperatorError
from metering.parkfile import park_files
from metering.quantities import Utility

OUTPUT = (DriverName("output", "t"),)
WEATHERED = (DriverName("output", "t"), DriverName("cdd:19", "K·d"))


def sample(n: int = 24, noise: float = 20.0) -> tuple[Floats, Floats]:
    random = np.random.default_rng(3)
    output = random.uniform(50, 150, n)
    return 1000 + 12 * output + random.normal(0, noise, n), output[:, np.newaxis]


def alike(random: np.random.Generator, count: int, correlation: float, spread: float) -> Floats:
    """Noise that is correlated with the noise of the day before."""
    noise = random.normal(0, spread, count + 50)
    for place in range(1, len(noise)):
        noise[place] += correlation * noise[place - 1]
    return noise[50:]


def years_of_work(random: np.random.Generator, count: int, correlation: float) -> tuple[Floats, Floats]:
    """Use of days that follows output and cooling degree days, in a season that goes on after the baseline."""
    day = np.arange(count)
    warm = 25 + 5 * np.sin(2 * np.pi * (day + random.integers(60, 120)) / 365) + alike(random, count, 0.7, 1.2)
    output = random.uniform(50, 150, count) * np.where(day % 7 == 6, 0.4, 1.0)
    drivers = np.stack([output, np.maximum(0.0, warm - 19)], axis=1)
    return 1000 + drivers @ np.array([12.0, 30.0]) + alike(random, count, correlation, 20.0), drivers


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.5, 0.7])
@pytest.mark.parametrize(("fitted_days", "days"), [(90, 30), (180, 180), (365, 90)])
def test_savings_of_known_size_lie_within_the_stated_band_95_times_in_100(
    correlation: float, fitted_days: int, days: int
) -> None:
    """Of 800 simulated retrofits; the binomial says how far the count may be off by chance, at 3 sigma."""
    random = np.random.default_rng(fitted_days + days)
    saved, trials, within, found = 50.0, 800, 0, 0
    for _ in range(trials):
        use, drivers = years_of_work(random, fitted_days + days, correlation)
        everything = np.ones(fitted_days, dtype=np.bool_)
        model = fit(use[:fitted_days], drivers[:fitted_days], WEATHERED, everything)
        after = performance(model, use[fitted_days:] - saved, drivers[fitted_days:])
        off = uncertainty(model)
        assert off is not None
        band = off.band(days, after.levers.sum(axis=0))
        within += abs(after.saving.sum() - saved * days) <= band
        found += after.saving.sum() > band
    chance = 3 * np.sqrt(0.95 * 0.05 / trials)
    assert 0.95 - chance <= within / trials <= 0.95 + chance
    assert found / trials > 0.5, "a band that holds everything says nothing"


def test_a_band_without_the_levers_of_another_season_would_be_too_narrow() -> None:
    random = np.random.default_rng(9)
    hits = {"with": 0, "without": 0}
    for _ in range(300):
        use, drivers = years_of_work(random, 150, 0.3)
        model = fit(use[:60], drivers[:60], WEATHERED, np.ones(60, dtype=np.bool_))
        after, off = performance(model, use[60:], drivers[60:]), uncertainty(model)
        assert off is not None
        hits["with"] += abs(after.saving.sum()) <= off.band(90, after.levers.sum(axis=0))
        hits["without"] += abs(after.saving.sum()) <= off.band(90)
    assert hits["with"] / 300 > 0.9 > hits["without"] / 300


def test_the_numbers_of_a_fit_are_those_of_a_textbook() -> None:
    random = np.random.default_rng(4)
    use, drivers = years_of_work(random, 120, 0.0)
    found = fit(use, drivers, WEATHERED, np.ones(120, dtype=np.bool_))
    design = np.column_stack([np.ones(120), drivers])
    solved = np.linalg.solve(design.T @ design, design.T @ use)
    residuals = use - design @ solved
    assert [found.intercept, *(driver.slope for driver in found.drivers)] == pytest.approx(solved, rel=1e-8)
    assert found.rmse == pytest.approx(np.sqrt((residuals**2).sum() / 117))
    assert found.nmbe == pytest.approx(0, abs=1e-12)
    raw = (residuals[1:] * residuals[:-1]).sum() / (residuals**2).sum()
    assert found.autocorrelation == pytest.approx(max(0.0, raw + (3 + 3 * raw) / 120))
    independent = 120 * (1 - found.autocorrelation) / (1 + found.autocorrelation)
    assert found.independent == pytest.approx(independent)
    covariance = np.linalg.inv(design.T @ design)
    inflated = (residuals**2).sum() / 117 * 120 / independent
    assert [driver.error for driver in found.drivers] == pytest.approx(np.sqrt(np.diag(covariance)[1:] * inflated))
    between = np.asarray(np.corrcoef(drivers.T))[0, 1]
    assert [driver.inflation for driver in found.drivers] == pytest.approx([1 / (1 - between**2)] * 2)
    ahead = drivers[:30] + np.array([40.0, 6.0])
    sums = np.array([30.0, *ahead.sum(axis=0)])
    off = uncertainty(found)
    assert off is not None
    spread = student_95(independent - 3) * np.sqrt((residuals**2).sum() / 120 * independent / (independent - 3))
    exact = spread * np.sqrt(120 / independent * (30 + sums @ covariance @ sums))
    band = off.band(30, performance(found, use[:30], ahead).levers.sum(axis=0))
    assert band == pytest.approx(exact)


def test_drivers_that_nearly_follow_from_each_other_are_refused_by_their_vif() -> None:
    random = np.random.default_rng(2)
    output = random.uniform(50, 150, 60)
    use = 1000 + 12 * output + random.normal(0, 20, 60)
    for scatter, refused in ((2.0, True), (40.0, False)):
        hours = output / 10 + random.normal(0, scatter / 10, 60)
        both = (DriverName("output", "t"), DriverName("hours", "h"))
        found = fit(use, np.stack([output, hours], axis=1), both, np.ones(60, dtype=np.bool_))
        assert (BaselineRefusal.DEPENDENT in found.refusals) is refused
        assert any("VIF = " in line for line in judged_by(found))
    assert "VIF above 10" in REFUSAL_TEXT[BaselineRefusal.DEPENDENT]


def test_days_that_resemble_each_other_too_much_are_no_baseline() -> None:
    use, output = sample(14)
    use = use + 200 * np.sin(np.arange(14) / 4)
    found = fit(use, output, OUTPUT, np.ones(14, dtype=np.bool_))
    assert BaselineRefusal.ALIKE in found.refusals


def test_an_engineer_sees_bias_scatter_and_significance_with_their_limits() -> None:
    use, drivers = years_of_work(np.random.default_rng(4), 60, 0.0)
    chance = np.random.default_rng(8).normal(0, 1, 60)
    found = fit(
        use, np.column_stack([drivers, chance]), (*WEATHERED, DriverName("chance", "1")), np.ones(60, dtype=np.bool_)
    )
    told = judged_by(found)
    assert told[0].startswith("n' = ")
    assert "Guideline 14 allows 0.005%" in told[1]
    assert "CV(RMSE) = " in told[2]
    assert [": not significant" in line for line in told[3:]] == [False, False, True]


@pytest.mark.parametrize(("freedom", "quantile"), [(10, 2.2281), (20, 2.0860), (60, 2.0003), (1000, 1.9623)])
def test_quantiles_of_student(freedom: int, quantile: float) -> None:
    assert student_95(freedom) == pytest.approx(quantile, abs=1e-3)


def fitted(n: int = 24, noise: float = 20.0) -> Fit:
    use, output = sample(n, noise)
    return fit(use, output, OUTPUT, np.ones(n, dtype=np.bool_))


@given(st.floats(0, 1e5), st.floats(0.1, 1e3), st.floats(-50, 50))
def test_a_fit_finds_what_made_the_data(base: float, per_output: float, per_degree: float) -> None:
    random = np.random.default_rng(1)
    drivers = np.stack([random.uniform(10, 90, 20), random.uniform(20, 35, 20)], axis=1)
    use = base + drivers @ np.array([per_output, per_degree]) + 2000
    found = fit(use, drivers, (DriverName("output", "t"), DriverName("outdoor", "°C")), np.ones(20, dtype=np.bool_))
    assert found.offered
    assert found.intercept == pytest.approx(base + 2000, rel=1e-6)
    assert [driver.slope for driver in found.drivers] == pytest.approx([per_output, per_degree], abs=1e-6 * (1 + base))
    assert found.r2 == pytest.approx(1)


def test_a_fit_shows_the_numbers_it_is_judged_by() -> None:
    found = fitted()
    assert found.offered
    assert found.n == 24
    assert found.r2 is not None
    assert found.r2 > 0.99
    assert found.cv_rmse is not None
    assert 0.005 < found.cv_rmse < 0.02
    assert 50 <= found.drivers[0].low < found.drivers[0].high <= 150
    assert "n = 24, R2 = 0.99" in described(found)


@pytest.mark.parametrize(
    ("n", "noise", "refusal"),
    [(11, 1.0, BaselineRefusal.TOO_FEW), (24, 2000.0, BaselineRefusal.POOR_FIT), (0, 1.0, BaselineRefusal.TOO_FEW)],
)
def test_a_poor_fit_is_refused(n: int, noise: float, refusal: BaselineRefusal) -> None:
    found = fitted(n, noise)
    assert refusal in found.refusals
    assert not found.offered
    assert found.n == n


def test_drivers_that_do_not_vary_or_follow_from_each_other_are_refused() -> None:
    use, output = sample()
    everything = np.ones(24, dtype=np.bool_)
    still = fit(use, np.full((24, 1), 5.0), OUTPUT, everything)
    assert still.refusals == (BaselineRefusal.NO_VARIATION,)
    twice = fit(use, np.hstack([output, 2 * output]), (DriverName("a", "t"), DriverName("b", "t")), everything)
    assert BaselineRefusal.DEPENDENT in twice.refusals
    assert set(REFUSAL_TEXT) == set(BaselineRefusal)


def test_incomplete_periods_are_left_out() -> None:
    use, output = sample()
    use[3] = np.nan
    complete = np.ones(24, dtype=np.bool_)
    complete[:3] = False
    found = fit(use, output, OUTPUT, complete)
    assert (found.n, found.left_out) == (20, 4)


def test_saving_is_positive_when_less_was_used_than_expected() -> None:
    found = fitted()
    output = np.array([[100.0], [100.0], [400.0], [100.0]])
    expected = found.intercept + found.drivers[0].slope * output[:, 0]
    use = np.array([expected[0] - 50, expected[1] - 30, expected[2], np.nan])
    result = performance(found, use, output)
    assert result.saving[:3] == pytest.approx([50, 30, 0], abs=1e-9)
    assert cusum(result.saving) == pytest.approx([50, 80, 80, 80])
    assert list(result.out_of_range) == [False, False, True, False]
    assert enpi(90.0, 100.0) == pytest.approx(0.9)
    assert enpi(90.0, 0.0) is None
    assert "positive is saving" in CUSUM_CONVENTION.en


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(-5, 40)), min_size=1, max_size=30))
def test_a_day_is_expected_the_same_alone_and_among_others(drivers: list[tuple[float, float]]) -> None:
    use, values = np.ones(len(drivers)), np.array(drivers)
    found = fit(
        np.linspace(100, 900, 20) + np.sin(np.arange(20)),
        np.stack([np.linspace(1, 77, 20), np.cos(np.arange(20))], axis=1),
        (DriverName("output", "t"), DriverName("outdoor", "°C")),
        np.ones(20, dtype=np.bool_),
    )
    together = performance(found, use, values).expected
    alone = [float(performance(found, use[:1], row[np.newaxis]).expected[0]) for row in values]
    assert together.tolist() == alone


def draft(name: str, found: Fit, holds_from: date, tenant: str = "textile") -> Baseline:
    return Baseline(
        id=name,
        version=1,
        subject=Subject(tenant=tenant, utility=Utility.ELECTRICITY),
        unit="kWh",
        period_from=date(2025, 1, 1),
        period_to=date(2025, 12, 31),
        holds_from=holds_from,
        frozen_on=date(2026, 1, 5),
        reason="first year of full metering",
        fit=found,
    )


def test_versions_are_frozen_one_after_the_other(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "baselines.json"
    assert load_baselines(file) == ()
    first = freeze(file, draft("textile-kwh", fitted(), date(2026, 1, 1)))
    kept = file.read_text(encoding="utf-8")
    second = freeze(file, draft("textile-kwh", fitted(18), date(2026, 7, 1)))
    other = freeze(file, draft("brewery-kwh", fitted(), date(2026, 1, 1), "brewery"))
    assert (first.version, second.version, other.version) == (1, 2, 1)
    held = load_baselines(file)
    assert held == (first, second, other)
    assert kept.rstrip("\n ]}") in file.read_text(encoding="utf-8")
    assert [entry.name for entry in file.parent.iterdir()] == ["baselines.json"]
    assert current((first, second), date(2026, 6, 30)) == first
    assert current((first, second), date(2026, 7, 1)) == second
    assert current((first, second), date(2025, 7, 1)) is None


def test_a_refused_fit_is_not_frozen_and_says_why_with_its_numbers(tmp_path: Path) -> None:
    file = tmp_path / "baselines.json"
    with pytest.raises(OperatorError, match=r"n = 24, R2 = 0\.\d+, CV.*R² is under 0\.75"):
        freeze(file, draft("x", fitted(24, 2000.0), date(2026, 1, 1)))
    assert not file.exists()


def test_a_baseline_stays_with_its_subject_and_a_subject_with_its_baseline(tmp_path: Path) -> None:
    file = tmp_path / "park.baselines.json"
    freeze(file, draft("textile-kwh", fitted(), date(2026, 1, 1)))
    kept = file.read_bytes()
    with pytest.raises(OperatorError, match=r"textile-kwh: is of electricity of tenant textile, not of .* brewery"):
        freeze(file, draft("textile-kwh", fitted(), date(2026, 1, 1), "brewery"))
    with pytest.raises(OperatorError, match="another: textile-kwh is of electricity of tenant textile already"):
        freeze(file, draft("another", fitted(), date(2026, 1, 1)))
    assert file.read_bytes() == kept
    content = json.loads(kept)
    content["baselines"].append(content["baselines"][0] | {"id": "another"})
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(OperatorError, match="another: textile-kwh is of"):
        load_baselines(file)


def test_the_file_is_next_to_the_park_file_and_is_not_read_as_one(tmp_path: Path) -> None:
    for park in ("north.yaml", "south.yaml", "east/park.yaml"):
        (tmp_path / park).parent.mkdir(exist_ok=True)
        (tmp_path / park).write_text("", encoding="utf-8")
    files = park_files(tmp_path)
    for file in files:
        freeze(file_of(file), draft("x", fitted(), date(2026, 1, 1)))
    assert [file_of(file).name for file in files] == [
        "park.baselines.json",
        "north.baselines.json",
        "south.baselines.json",
    ]
    assert park_files(tmp_path) == files


def test_an_equation_reads_as_an_engineer_writes_it() -> None:
    assert equation(fitted(), "kWh").startswith("expected = 100")
    assert " kWh +1" in equation(fitted(), "kWh")
    assert equation(fitted(), "kWh").endswith("kWh/t * output")


def test_a_broken_file_is_named_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "baselines.json"
    freeze(file, draft("x", fitted(), date(2026, 1, 1)))
    content = json.loads(file.read_text(encoding="utf-8"))
    content["baselines"] *= 2
    for text in ("{", '{"baselines": [{"id": 3}]}', json.dumps(content), "\udcff"):
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(OperatorError, match=r"baselines\.json"):
            freeze(file, draft("x", fitted(), date(2026, 1, 1)))
        assert file.read_bytes() == text.encode("utf-8", "surrogateescape")
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    with pytest.raises(OperatorError):
        freeze(blocked / "baselines.json", draft("x", fitted(), date(2026, 1, 1)))
