"""Formulas are cited by number: each number that is cited is explained, and each that is explained is cited."""

import re
from pathlib import Path

from efficiency.reports.words import FORMULAS
from metering.figures import FIGURES, MATCH_FIGURES
from metering.quantities import UTILITIES

ROOT = Path(__file__).parents[1]
PRODUCT = [
    file
    for room in ("metering", "efficiency", "dashboards")
    for file in sorted((ROOT / room).rglob("*.py"))
    if "generated" not in file.parts
]
NUMBER = re.compile(r"(?<![\w#])F\d{1,2}(?!\w)")


def cited() -> set[str]:
    return {number for file in PRODUCT for number in NUMBER.findall(file.read_text(encoding="utf-8"))}


def explained() -> set[str]:
    lines = (ROOT / "docs" / "formulas.md").read_text(encoding="utf-8").splitlines()
    return {found[1] for line in lines if (found := re.match(r"\| (F\d+) \|", line))}


def test_each_formula_that_is_cited_is_explained_and_each_explained_is_cited() -> None:
    assert cited() == explained()


def test_reports_explain_each_formula_of_a_figure_in_both_languages() -> None:
    assert {spec.formula for spec in (FIGURES | MATCH_FIGURES).values()} <= FORMULAS.keys() <= explained()


def test_every_file_that_the_page_names_exists() -> None:
    text = (ROOT / "docs" / "formulas.md").read_text(encoding="utf-8")
    for name in re.findall(r"`((?:efficiency|metering)/[\w/.]+)`", text):
        assert (ROOT / name).exists(), name


def test_the_name_of_a_utilitys_figure_is_written_in_one_module() -> None:
    names = [spec.figure for spec in UTILITIES.values() if spec.figure != spec.counter]
    pattern = re.compile("|".join(rf"[\"']{name}[\"']" for name in names))
    found = [file.relative_to(ROOT).as_posix() for file in PRODUCT if pattern.search(file.read_text(encoding="utf-8"))]
    assert found == ["metering/quantities.py"]
