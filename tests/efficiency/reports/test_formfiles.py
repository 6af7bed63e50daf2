"""No text of a form is run as a formula, however it begins."""

import pytest

from efficiency.reports.formfiles import plain_cell


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "|", "%", "\t=", "\r=", "\n=", " =", "\u00a0=", "\uff1d", "\uff0b", "\ufeff="]
)
def test_what_could_be_a_formula_is_a_text(start: str) -> None:
    assert str(plain_cell(f"{start}HYPERLINK(1)")).startswith("'")


def test_other_texts_and_numbers_stay_as_they_are() -> None:
    cells: list[str | float | None] = ["Dệt may", "", "%", -1.5, None]
    assert [plain_cell(cell) for cell in cells] == cells


def test_control_characters_are_left_out() -> None:
    assert "\x07" not in str(plain_cell("a\x07b"))
