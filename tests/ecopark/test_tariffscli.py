"""`ecopark tariffs compare` as an operator calls it: both tariffs side by side, in a table and in files."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from metering.words import Language

Run = Callable[..., Any]


def test_months_are_compared_in_a_table_and_in_files_of_both_languages(call: Run, tmp_path: Path) -> None:
    out = tmp_path / "tariffs"
    done = call("tariffs", "compare", "--from", "2026-09", "--to", "2026-10", "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    months = json.loads(done.stdout.splitlines()[-1])["months"]
    assert [(each["month"], each["tenant"]) for each in months] == [
        (month, tenant) for month in ("2026-09", "2026-10") for tenant in ("alpha", "beta", None)
    ]
    alpha = [each for each in months if each["tenant"] == "alpha"]
    sums = [sum(each[side]["total_vnd"] for each in alpha) for side in ("holding", "other")]
    row = next(line for line in done.stdout.splitlines() if line.strip().startswith("Alpha Co."))
    shown = [Language.EN.number(amount, 0) for amount in (*sums, sums[1] - sums[0])]
    assert [cell for cell in row.split() if cell in shown] == shown
    assert "2 of 2" in row
    for language in Language:
        stem = out / f"tariffs-2026-09-2026-10-{language.value}"
        with stem.with_suffix(".csv").open(encoding="utf-8-sig") as opened:
            rows = list(csv.reader(opened))
        assert [line[0] for line in rows[1:]] == [each["month"] for each in months]
        assert [float(line[10]) for line in rows[1:]] == [each["holding"]["total_vnd"] for each in months]
        assert [float(line[14]) for line in rows[1:]] == [each["other"]["total_vnd"] for each in months]
        together, by_month = load_workbook(stem.with_suffix(".xlsx")).worksheets
        assert [cell.value for cell in together[2]][5:7] == sums
        assert by_month.max_row == 1 + len(months)
    words = Language.VI, Language.EN
    heads = [(out / f"tariffs-2026-09-2026-10-{each.value}.csv").read_text("utf-8-sig").split(",")[0] for each in words]
    assert heads == ["Tháng", "Month"]


def test_what_cannot_be_compared_is_refused_in_one_message(call: Run) -> None:
    for words, told in (
        (("--from", "2026-10", "--to", "2026-09"), "--to 2026-09 lies before --from 2026-10"),
        (("--from", "2026-10", "--to", "2199-01"), "--to 2199-01: the month is not over yet"),
        (("--from", "2026-13", "--to", "2026-12"), "2026-13: a month is written as in 2026-10"),
        (("--from", "2026-09", "--to", "2026-10", "--tenant", "gamma"), "demo has no tenant gamma; there are alpha, b"),
    ):
        done = call("tariffs", "compare", *words)
        assert done.returncode == 2
        assert told in done.stderr
    empty = call("tariffs", "compare", "--from", "2026-02", "--to", "2026-02", "--tenant", "alpha")
    assert "2026-02 Alpha Co.: no comparison: no data in this period" in empty.stdout
    assert "0 of 1" in empty.stdout
