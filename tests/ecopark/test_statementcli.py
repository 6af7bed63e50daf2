"""`ecopark statement` as an operator calls it: what is written is what was closed, in both languages."""

import csv
import json
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from efficiency.closing.file import ClosedMonth, load_closed
from efficiency.closing.statement import CORRECTION_TEXT, Charge, Statement
from efficiency.reports.statements.words import KIND, WORDS
from metering.words import Language

Run = Callable[..., Any]
WATER = "value: 14500.0"


def october(folder: Path) -> ClosedMonth:
    return load_closed(folder / "park.yaml", "demo")[-1]


def of(month: ClosedMonth, tenant: str) -> Statement:
    return next(each for each in month.statements if each.tenant == tenant)


def test_all_statements_are_written_as_they_were_closed(call: Run, tmp_path: Path) -> None:
    out = tmp_path / "new" / "statements"
    done = call("statement", "2026-10", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert f"16 files of 2 statements in {out}" in done.stdout
    assert "16/16 files" in done.stderr
    names = {f"2026-10-{who}-{lang}.{kind}" for who in ("alpha", "beta") for lang in ("en", "vi") for kind in KINDS}
    assert {file.name for file in out.iterdir()} == names
    for language in Language:
        for statement in october(tmp_path).statements:
            page = (out / f"2026-10-{statement.tenant}-{language.value}.html").read_text(encoding="utf-8")
            for amount in (statement.net_vnd, statement.total_vnd, *(each.net_vnd for each in statement.charges)):
                assert f">{language.number(amount, 0)}<" in page
            with (out / f"2026-10-{statement.tenant}-{language.value}.csv").open(encoding="utf-8-sig") as opened:
                rows = list(csv.reader(opened))
            assert len(rows) == 1 + len(statement.charges) + len(statement.corrections)
            assert sum(int(row[11]) for row in rows[1:]) == statement.net_vnd
            book = load_workbook(out / f"2026-10-{statement.tenant}-{language.value}.xlsx")
            charges, registers = book.worksheets
            assert [row[-1].value for row in charges.iter_rows(max_col=12)][-1] == statement.total_vnd
            assert registers.max_row == 1 + sum(len(point.stretches) for point in statement.points)
            assert (out / f"2026-10-{statement.tenant}-{language.value}.pdf").read_bytes().startswith(b"%PDF")


KINDS = ("html", "pdf", "xlsx", "csv")


def test_a_page_shows_registers_multipliers_and_the_correction_with_its_reason(call: Run, tmp_path: Path) -> None:
    words = ("--tenant", "alpha", "--kind", "html")
    assert call("statement", "2026-10", "--out", str(tmp_path), *words).returncode == 0
    (correction,) = of(october(tmp_path), "alpha").corrections
    for language, reason, month in (
        (Language.EN, "corrected price or tariff hours", "September 2026"),
        (Language.VI, "sửa đơn giá hoặc khung giờ", "tháng 9/2026"),
    ):
        page = (tmp_path / f"2026-10-alpha-{language.value}.html").read_text(encoding="utf-8")
        row = re.search(rf"<tr><td>{month}</td>.*?</tr>", page)
        assert row is not None
        assert reason in row[0]
        assert language.number(correction.net_vnd, 0) in row[0]
        for stretch in of(october(tmp_path), "alpha").points[0].stretches:
            for end in (stretch.opening, stretch.closing):
                assert end is not None
                assert language.exact(end.shown) in page
        assert "A-1" in page
        assert "A-2" in page
        assert re.search(r">4[.,]65 ?% (of|của) [\d.,]+ ₫<|, 4[.,]65 ?% (of|của)", page)


def test_the_report_of_a_closed_month_says_what_was_stated_and_what_corrects_it(call: Run, tmp_path: Path) -> None:
    september, closed = load_closed(tmp_path / "park.yaml", "demo")
    out = tmp_path / "report.html"
    words = ("report", "tenant", "alpha", "--lang", "en", "--out", str(out))
    assert call(*words, "--month", "2026-09").returncode == 0
    page = out.read_text(encoding="utf-8")
    for amount in (of(september, "alpha").total_vnd, of(closed, "alpha").corrections[0].net_vnd):
        assert Language.EN.number(amount, 0) in page
    assert re.search(r"<td>October 2026</td>.*corrected price or tariff hours", page)
    assert call(*words, "--month", "2026-08").returncode == 0
    assert "What was stated" not in out.read_text(encoding="utf-8")


def test_only_a_closed_month_has_statements_but_a_draft_can_be_seen(call: Run, tmp_path: Path) -> None:
    kept = october(tmp_path)
    (tmp_path / "park.closed" / "2026-10.yaml").unlink()
    words = ("--out", str(tmp_path), "--kind", "html", "--lang", "vi")
    refused = call("statement", "2026-10", *words)
    assert refused.returncode == 2
    assert "2026-10 is not closed: run ecopark close 2026-10, or add --draft" in refused.stderr
    assert call("statement", "2026-10", "--draft", *words).returncode == 0
    page = (tmp_path / "2026-10-alpha-vi.html").read_text(encoding="utf-8")
    assert "Bản nháp: tháng chưa khóa sổ." in page
    assert Language.VI.number(of(kept, "alpha").total_vnd, 0) in page
    assert not (tmp_path / "park.closed" / "2026-10.yaml").exists()
    nobody = call("statement", "2026-09", "--tenant", "nobody", *words)
    assert nobody.returncode == 2
    assert "2026-09 has no statement of nobody; there are alpha, beta" in nobody.stderr


EQUATION = re.compile(r"    (?P<left>\S.*) = (?P<right>[\d,.]+)( (?P<unit>\S+))?")
BY_HAND = [
    found
    for line in (Path(__file__).parents[2] / "docs" / "month.md").read_text(encoding="utf-8").splitlines()
    if (found := EQUATION.fullmatch(line))
]


@pytest.mark.parametrize("equation", BY_HAND, ids=lambda equation: equation["left"])
def test_an_equation_of_the_page_is_right(equation: re.Match[str]) -> None:
    plain = equation["left"].replace(",", "").replace("·", "*").replace("²", "**2").replace("√", "sqrt")
    numbers = re.sub(r"\d+(\.\d+)?", lambda found: f"Decimal('{found[0]}')", plain.replace("**2", "**two"))
    value = eval(numbers, {"Decimal": Decimal, "sqrt": Decimal.sqrt, "two": 2, "__builtins__": {}})  # noqa: S307 (an equation that our own page shows)
    right = Decimal(equation["right"].replace(",", ""))
    assert value.quantize(right, ROUND_HALF_UP) == right


def test_the_month_of_the_page_is_the_one_that_was_closed(call: Run, tmp_path: Path) -> None:
    done = call("tariffs", "compare", "--from", "2026-10", "--to", "2026-10", "--tenant", "alpha", "--json")
    (alpha,) = json.loads(done.stdout.splitlines()[-1])["months"]
    totals = [alpha[side]["total_vnd"] for side in ("holding", "other")]
    by_other = {*alpha["other"].values(), *totals, totals[0] - totals[1]}
    assert alpha["peak"]["at"] == "2026-10-27T14:00:00+07:00"
    month = october(tmp_path)
    flows = [each.flow for each in month.account.utilities if each.flow is not None]
    lines = [line for each in month.statements for line in each.lines]
    known = {line.net_vnd for line in [*lines, *(charge for flow in flows for charge in flow.purchase)]}
    known |= {each.vat_vnd for statement in month.statements for each in statement.taxed}
    known |= {each.net_vnd for statement in month.statements for each in statement.taxed}
    known |= {line.share.amount_vnd for line in lines if isinstance(line, Charge) and line.share is not None}
    known |= by_other | {each.total_vnd for each in month.statements} | {month.account.total_vnd}
    shown = {int(each["right"].replace(",", "")) for each in BY_HAND if each["unit"] == "₫"}
    assert len(shown) > 20
    assert not shown - known
    quantities = {flow.losses for flow in flows} | {flow.intake for flow in flows}
    quantities |= {point.quantity for each in month.statements for point in each.points}
    assert {37234.794, 670222.4, 297876.5, 93588.181} <= quantities
    assert alpha["peak"]["kw"] == 579.36


def test_every_text_is_in_both_languages_and_takes_the_same_fillings() -> None:
    for text in (*WORDS.values(), *KIND.values(), *CORRECTION_TEXT.values()):
        assert sorted(re.findall(r"{\w+}", text.en)) == sorted(re.findall(r"{\w+}", text.vi))
