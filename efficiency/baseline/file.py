"""The file of baselines beside a park file: every version that was ever frozen, written atomically.

A version is never changed: a review adds the next one. All versions of a baseline have one subject, and a subject has
one baseline.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from pydantic import Field, ValidationError

from efficiency.baseline.model import REFUSAL_TEXT, Baseline, Fit, Subject, student_95
from metering.errors import OperatorError
from metering.model import Model
from running.wholefile import write_whole


class _Content(Model):
    baselines: tuple[Baseline, ...] = Field(default=())


def file_of(park_file: Path) -> Path:
    """The file of a park's baselines: `park.baselines.json` beside `park.yaml`."""
    return park_file.with_suffix(".baselines.json")


def load_baselines(file: Path) -> tuple[Baseline, ...]:
    """All versions of all baselines, oldest first; none where there is no file yet.

    Raises `OperatorError` where the file cannot be used.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{file}: cannot be read: {error}") from error
    try:
        content = _Content.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        told = [str(file), *filter(None, [".".join(map(str, first["loc"]))]), first["msg"]]
        raise OperatorError(f"{': '.join(told)}; restore the file from a backup") from error
    seen: set[tuple[str, int]] = set()
    names: dict[str, Subject] = {}
    for entry in content.baselines:
        if (entry.id, entry.version) in seen:
            raise OperatorError(f"{file}: {entry.id}: version {entry.version} is there twice; remove one")
        seen.add((entry.id, entry.version))
        _check_subject(file, entry, names)
        names[entry.id] = entry.subject
    return content.baselines


def _check_subject(file: Path, entry: Baseline, names: Mapping[str, Subject]) -> None:
    """Keep the savings of different subjects apart, and one subject's together."""
    same = names.get(entry.id, entry.subject)
    if same != entry.subject:
        raise OperatorError(f"{file}: {entry.id}: is of {same}, not of {entry.subject}; choose another name")
    other = next((name for name, subject in names.items() if subject == entry.subject and name != entry.id), None)
    if other is not None:
        raise OperatorError(f"{file}: {entry.id}: {other} is of {entry.subject} already; freeze its next version")


def freeze(file: Path, draft: Baseline) -> Baseline:
    """Add `draft` as the next version of its baseline and return it as it was written.

    Raises `OperatorError` where the fit was refused, or the file cannot be used.
    """
    if not draft.fit.offered:
        raise OperatorError(f"{file}: {draft.id}: no baseline from this fit: {described(draft.fit)}")
    known = load_baselines(file)
    _check_subject(file, draft, {entry.id: entry.subject for entry in known})
    version = max((entry.version for entry in known if entry.id == draft.id), default=0) + 1
    frozen = draft.model_copy(update={"version": version})
    _write(file, [*known, frozen])
    return frozen


def described(fit: Fit) -> str:
    """The numbers that a fit is judged by, in one line for an engineer."""
    why = "; ".join(REFUSAL_TEXT[refusal] for refusal in fit.refusals)
    r2 = "-" if fit.r2 is None else f"{fit.r2:.3f}"
    cv = "-" if fit.cv_rmse is None else f"{fit.cv_rmse:.1%}"
    ranges = ", ".join(f"{driver.name} {driver.low:g} to {driver.high:g} {driver.unit}" for driver in fit.drivers)
    return f"n = {fit.n}, R2 = {r2}, CV(RMSE) = {cv}, {ranges}" + (f": {why}" if why else "")


def judged_by(fit: Fit) -> list[str]:
    """Further criteria of a fit, one per line, with the limits of ASHRAE Guideline 14 (F21, F37)."""
    if fit.rmse is None or fit.nmbe is None or fit.cv_rmse is None:
        return []
    alike, bias, scatter = f"{fit.autocorrelation:.2f}", f"{fit.nmbe:.4%}", f"{fit.cv_rmse:.1%}"
    lines = [
        f"n' = {fit.independent:.1f} independent days, as each resembles the day before it by r = {alike}",
        f"NMBE = {bias}; Guideline 14 allows 0.005%",
        f"CV(RMSE) = {scatter}; Guideline 14 allows calibrated models 15% of months, 30% of hours, none for days",
    ]
    for driver in fit.drivers:
        if driver.error and driver.inflation is not None:
            t = driver.slope / driver.error
            weak = "" if abs(t) >= student_95(fit.freedom) else ": not significant"
            lines.append(
                f"{driver.name}: slope {driver.slope:.6g} ± {driver.error:.3g}, t = {t:.1f}{weak}, VIF = "
                f"{driver.inflation:.1f}"
            )
    return lines


def equation(fit: Fit, unit: str) -> str:
    """The fit as a formula for an engineer."""
    terms = "".join(f" {driver.slope:+.6g} {unit}/{driver.unit} * {driver.name}" for driver in fit.drivers)
    return f"expected = {fit.intercept:.6g} {unit}{terms}"


def current(versions: Sequence[Baseline], day: date) -> Baseline | None:
    """The version of a baseline that holds on `day`: the newest of those that hold from that day or before."""
    held = [entry for entry in versions if entry.holds_from <= day]
    return max(held, key=lambda entry: (entry.holds_from, entry.version), default=None)


def _write(file: Path, baselines: Sequence[Baseline]) -> None:
    content = {"baselines": [entry.model_dump(mode="json") for entry in baselines]}
    write_whole(file, json.dumps(content, ensure_ascii=False, indent=2))
