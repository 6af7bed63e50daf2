"""`ecopark account` as an operator calls it: the account adds up, and a bill is compared line by line."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from openpyxl import load_workbook

from efficiency.closing.account import EdgeFlow, ParkAccount, UtilityAccount
from efficiency.closing.file import load_closed
from efficiency.closing.statement import ChargeKind
from efficiency.reports.statements.account import own_makes
from efficiency.reports.statements.words import ITEM, KEY, WORDS
from metering.quantities import Utility
from metering.words import Language

Run = Callable[..., Any]


def flow_of(folder: Path) -> EdgeFlow:
    flow = load_closed(folder / "park.yaml", "demo")[-1].account.utilities[0].flow
    assert flow is not None
    return flow


def bill_of(flow: EdgeFlow) -> dict[str, Any]:
    """A bill that agrees with the park's own meters."""
    lines: list[dict[str, Any]] = [
        {"band": each.band.value, "quantity": each.quantity, "price": each.price, "amount_vnd": each.net_vnd}
        for each in flow.purchase
        if each.kind is ChargeKind.USE
    ]
    reactive = sum(each.net_vnd for each in flow.purchase if each.kind is ChargeKind.REACTIVE)
    net = sum(line["amount_vnd"] for line in lines) + reactive
    return {
        "utility": "electricity",
        "from": "2026-10-01",
        "to": "2026-10-31",
        "lines": lines,
        "reactive_vnd": reactive,
        "vat_vnd": round(net * 0.08),
        "total_vnd": net + round(net * 0.08),
    }


def written(bill: dict[str, Any], file: Path) -> str:
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(bill, sort_keys=False), encoding="utf-8")
    return str(file)


def as_csv(bill: dict[str, Any], file: Path) -> str:
    rows = ["item,value,quantity,price,amount", *(f"{key},{bill[key]},,," for key in ("utility", "from", "to"))]
    rows += [f"{each['band']},,{each['quantity']},{each['price']},{each['amount_vnd']}" for each in bill["lines"]]
    rows += [f"{key},,,,{bill[f'{key}_vnd']}" for key in ("reactive", "vat", "total")]
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(rows), encoding="utf-8")
    return str(file)


def test_a_bill_that_agrees_and_one_that_does_not(call: Run, tmp_path: Path) -> None:
    flow = flow_of(tmp_path)
    out = ("--out", str(tmp_path / "out"), "--json")
    right = call("account", "2026-10", "--bill", written(bill_of(flow), tmp_path / "bills" / "bill.yaml"), *out)
    assert right.returncode == 0, right.stdout
    table = call("account", "2026-10", "--bill", as_csv(bill_of(flow), tmp_path / "bills" / "bill.csv"), *out)
    assert table.returncode == 0, table.stdout + table.stderr
    assert table.stdout == right.stdout
    for language in Language:
        page = (tmp_path / "out" / f"2026-10-account-{language.value}.html").read_text(encoding="utf-8")
        for amount in (flow.purchase_vnd, flow.losses_vnd, flow.own_vnd):
            assert amount is not None
            assert language.number(amount, 0) in page
        assert (tmp_path / "out" / f"2026-10-account-{language.value}.pdf").read_bytes().startswith(b"%PDF")

    wrong = bill_of(flow)
    peak = wrong["lines"][2]
    error = flow.error / flow.intake * peak["quantity"]
    peak["quantity"] += 1.01 * error
    wrong["lines"][0]["price"] = 1169.0
    wrong["lines"][1]["amount_vnd"] += 2
    wrong["total_vnd"] += 10
    done = call("account", "2026-10", "--bill", written(wrong, tmp_path / "bills" / "bill.yaml"), *out)
    assert done.returncode == 1
    compared = json.loads(done.stdout.splitlines()[-1])["bills"][0]["comparisons"]
    told = [line.split(":")[0] for line in done.stdout.splitlines()[8:-1]]
    assert told == ["off_peak price", "off_peak amount", "normal amount", "peak quantity", "peak amount", "all total"]
    assert len(compared) == 3 * len(wrong["lines"]) + 3
    peak["quantity"] -= 0.02 * error
    within = call("account", "2026-10", "--bill", written(wrong, tmp_path / "bills" / "bill.yaml"), *out)
    assert "peak quantity" not in within.stdout


def test_the_account_is_a_table_and_a_workbook_too(call: Run, tmp_path: Path) -> None:
    account = load_closed(tmp_path / "park.yaml", "demo")[-1].account
    flow = flow_of(tmp_path)
    bill = written(bill_of(flow), tmp_path / "bills" / "bill.yaml")
    kinds = ("--kind", "csv", "--kind", "xlsx", "--lang", "en")
    done = call("account", "2026-10", "--bill", bill, "--out", str(tmp_path / "out"), *kinds)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(file.suffix for file in (tmp_path / "out").iterdir()) == [".csv", ".xlsx"]
    with (tmp_path / "out" / "2026-10-account-en.csv").open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    bought = [row for row in rows if row["Part"] == "Purchase" and row["Utility"] == "Electricity"]
    assert sum(int(row["Amount, ₫"]) for row in bought) == flow.purchase_vnd
    losses = next(row for row in rows if row["What"] == "Losses" and row["Utility"] == "Electricity")
    assert (float(losses["Quantity"]), int(losses["Amount, ₫"])) == (flow.losses, flow.losses_vnd)
    sold = [row for row in rows if row["What"] == "Sold"]
    assert sum(int(row["Amount, ₫"]) for row in sold) == account.net_vnd
    due = [row for row in rows if row["What"].endswith("To be paid, ₫")]
    assert sum(int(row["Amount, ₫"]) for row in due) == account.total_vnd
    book = load_workbook(tmp_path / "out" / "2026-10-account-en.xlsx")
    assert book.sheetnames[-1] == "Bills"
    judged = [row[-1].value for row in book["Bills"].iter_rows(min_row=2, max_col=8)]
    assert judged
    assert set(judged) == {"agrees"}


def test_the_margin_of_a_park_that_sells_what_it_converts_is_marked() -> None:
    flow = EdgeFlow(
        intake=100.0,
        generated=0.0,
        exported=0.0,
        sold=100.0,
        own=0.0,
        losses=0.0,
        band=1.0,
        error=1.0,
        purchase_vnd=100,
    )
    gas = UtilityAccount(utility=Utility.NATURAL_GAS, unit="Nm³", flow=flow, use_vnd=50)
    steam = UtilityAccount(utility=Utility.STEAM, unit="t", use_vnd=300)
    both = ParkAccount(utilities=(gas, steam), net_vnd=350, vat_vnd=0, total_vnd=350)
    said = own_makes(both, Language.EN)
    assert "makes steam itself" in said
    assert "purchase of natural gas" in said
    alone = ParkAccount(utilities=(gas,), net_vnd=50, vat_vnd=0, total_vnd=50)
    assert own_makes(alone, Language.EN) == ""


def test_the_bill_in_the_documentation_agrees(call: Run, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "month.md").read_text(encoding="utf-8")
    begin = page.index("    utility: electricity\n")
    file = tmp_path / "bills" / "bill.yaml"
    file.parent.mkdir()
    file.write_text(dedent(page[begin : page.index("\n\n", begin)]), encoding="utf-8")
    done = call("account", "2026-10", "--bill", str(file), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("to: '2026-10-31'", "to: '2026-10-30'", "bill.yaml:3: to: is 2026-10-30: the bill must be of 2026-10"),
        ("from: '2026-10-01'", "from: '2026-09-01'", "bill.yaml:2: from: is 2026-09-01: the bill must be of 2026-10"),
        ("vat_vnd:", "vat:", "bill.yaml:18: vat: unknown key; did you mean vat_vnd?"),
        ("band: peak", "band: top", "bill.yaml:13: lines[2].band: input should be 'off_peak'"),
        ("utility: electricity", "utility: steam", "the park's account has no purchase of steam"),
        ("lines:", "lines: [", "bill.yaml: is not YAML"),
    ],
)
def test_a_bill_that_cannot_be_used_is_refused_with_its_line(
    call: Run, tmp_path: Path, old: str, new: str, told: str
) -> None:
    file = tmp_path / "bills" / "bill.yaml"
    text = Path(written(bill_of(flow_of(tmp_path)), file)).read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    done = call("account", "2026-10", "--bill", str(file), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert told in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_table_with_another_period_or_no_number_is_refused_with_its_row(call: Run, tmp_path: Path) -> None:
    file = tmp_path / "bills" / "bill.csv"
    text = Path(as_csv(bill_of(flow_of(tmp_path)), file)).read_text(encoding="utf-8")
    for old, new, told in (
        ("2026-10-31", "2026-11-01", "bill.csv:4: to: is 2026-11-01"),
        ("reactive,,,,", "reactive,,,,x", "bill.csv:8: amount: 'x"),
    ):
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        done = call("account", "2026-10", "--bill", str(file), "--out", str(tmp_path / "out"))
        assert done.returncode == 2
        assert told in done.stderr


def test_every_text_of_the_account_takes_the_same_fillings_in_both_languages() -> None:
    for text in (*WORDS.values(), *ITEM.values(), *KEY.values()):
        assert sorted(part.split("}")[0] for part in text.en.split("{")[1:]) == sorted(
            part.split("}")[0] for part in text.vi.split("{")[1:]
        )
