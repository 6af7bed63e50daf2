"""A two-component tariff in a closed month: the demand charge of tenants and of the park, corrected and compared."""

from datetime import date
from pathlib import Path

import pytest

from efficiency.closing.bill import Bill, BillDemand, BillLine, Item, checked_bill
from efficiency.closing.comparison import compared, summed, with_other_tariffs
from efficiency.closing.file import ClosedMonth, load_closed, write_closed
from efficiency.closing.making import MonthMaker
from efficiency.closing.statement import Charge, ChargeKind, CorrectionReason, Statement
from efficiency.usage.intervals import QUARTER_MS
from metering.errors import OperatorError
from metering.instants import midnight_ms
from metering.park import Park
from metering.quantities import Utility
from metering.tariffs import Purchase
from store.client import Store
from tests.efficiency.closing.monthpark import (
    MOVED,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    START,
    computed,
    month_park,
    passed,
    two_o_clock,
    write_readings,
)

NOW = date(2026, 11, 2)
ONE = 'v22kv: [{from: 2026-01-01, off_peak: 1190.0, normal: 1833.0, peak: 3398.0, source: "[C] 22 to under 110 kV"}]'
BOUGHT = "off_peak: 1168.0"
TWO = (
    'v22kv: [{from: 2026-01-01, off_peak: 1190.0, normal: 1833.0, peak: 3398.0, source: "old"}, {from: 2026-10-01, '
    'demand: 235414.0, off_peak: 860.0, normal: 1275.0, peak: 2190.0, source: "trial"}]'
)


def highest(meters: tuple[str, ...], first: int, until: int) -> tuple[float, int]:
    """kW and start of the highest half hour by the line that the registers follow."""
    best = (0.0, 0)
    for ms in range(first, until - 2 * QUARTER_MS + 1, 2 * QUARTER_MS):
        kw = 2 * sum(passed(meter, ms + 2 * QUARTER_MS) - passed(meter, ms) for meter in meters)
        best = max(best, (kw, -ms))
    return best[0], -best[1]


def charges(statement: Statement) -> list[Charge]:
    return [each for each in statement.charges if each.kind is ChargeKind.DEMAND]


def of(closed: ClosedMonth, tenant: str) -> Statement:
    return next(each for each in closed.statements if each.tenant == tenant)


async def drafted(store: Store, park: Park, month: date, folder: Path) -> ClosedMonth:
    maker = MonthMaker(store, park, two_o_clock(park, NOW))
    return await maker.draft(month, load_closed(folder / "park.yaml", park.id))


async def test_the_highest_half_hour_is_charged_stated_checked_and_corrected(store: Store, tmp_path: Path) -> None:
    park = month_park(tmp_path, {ONE: TWO, BOUGHT: f"demand: 230000.0, {BOUGHT}"})
    await write_readings(store, park, START, NOW)
    await computed(store, park, NOW)
    september, october = [await drafted(store, park, month, tmp_path) for month in (SEPTEMBER, OCTOBER)]
    assert not any(charges(each) for each in september.statements)

    begin, end = (midnight_ms(day, park.zone) for day in (OCTOBER, NOVEMBER))
    (alpha,), (beta,) = (charges(of(october, tenant)) for tenant in ("alpha", "beta"))
    for charge, meter, until in ((alpha, "em-alpha", end), (beta, "em-beta", MOVED)):
        kw, at = highest((meter,), begin, until)
        assert charge.quantity == pytest.approx(kw, abs=0.3)
        assert charge.peak is not None
        assert charge.peak.at.timestamp() * 1000 == at
        assert charge.peak.known == 1
        part = (until - begin) / (end - begin)
        assert charge.part == pytest.approx(part)
        assert charge.net_vnd == pytest.approx(charge.quantity * 235_414 * part, abs=1)
    assert alpha.price == 235_414
    flow = october.account.utilities[0].flow
    assert flow is not None
    (intake,) = (each for each in flow.purchase if each.kind is ChargeKind.DEMAND)
    assert (intake.quantity, intake.price) == (flow.peak.kw if flow.peak is not None else 0, 230_000)
    assert october.account.utilities[0].demand_vnd == alpha.net_vnd + beta.net_vnd
    use = sum(each.net_vnd for each in flow.purchase if each.kind is ChargeKind.USE)
    assert flow.losses_vnd == pytest.approx(flow.losses * (use + intake.net_vnd) / flow.intake, abs=1)
    rows = [each for each in of(october, "alpha").charges if each.kind is ChargeKind.REACTIVE]
    energy = sum(each.net_vnd for each in of(october, "alpha").charges if each.point == "em-alpha")
    assert [each.net_vnd for each in rows] == [round(energy * 0.0465)], "the surcharge is on the energy alone"

    lines = [
        BillLine(band=each.band, quantity=each.quantity, price=each.price, amount_vnd=each.net_vnd)
        for each in flow.purchase
        if each.kind is ChargeKind.USE
    ]
    reactive = sum(each.net_vnd for each in flow.purchase if each.kind is ChargeKind.REACTIVE)
    net = use + intake.net_vnd + reactive
    bill = Bill(
        utility=Utility.ELECTRICITY,
        first=OCTOBER,
        last=date(2026, 10, 31),
        lines=tuple(lines),
        demand=BillDemand(quantity=intake.quantity, price=intake.price, amount_vnd=intake.net_vnd),
        reactive_vnd=reactive,
        vat_vnd=round(net * 0.08),
        total_vnd=net + round(net * 0.08),
    )
    assert not [each for each in checked_bill(bill, october.account).comparisons if each.flagged]
    higher = BillDemand(quantity=intake.quantity * 1.01, price=intake.price + 1, amount_vnd=intake.net_vnd)
    wrong = bill.model_copy(update={"demand": higher})
    assert {each.item for each in checked_bill(wrong, october.account).comparisons if each.flagged} == {
        Item.DEMAND,
        Item.DEMAND_PRICE,
        Item.DEMAND_AMOUNT,
    }
    without = bill.model_copy(update={"demand": None})
    flagged = {each.item for each in checked_bill(without, october.account).comparisons if each.flagged}
    assert {Item.DEMAND, Item.DEMAND_PRICE} <= flagged

    write_closed(tmp_path / "park.yaml", october)
    dearer = month_park(tmp_path, {ONE: TWO.replace("235414.0", "240000.0"), BOUGHT: f"demand: 230000.0, {BOUGHT}"})
    await computed(store, dearer, NOW)
    november = await drafted(store, dearer, NOVEMBER, tmp_path)
    (correction,) = of(november, "alpha").corrections
    assert (correction.kind, correction.reasons) == (ChargeKind.DEMAND, (CorrectionReason.PRICE,))
    assert correction.net_vnd == pytest.approx(alpha.quantity * (240_000 - 235_414), abs=1)


async def test_both_tariffs_are_compared_for_the_same_quarter_hours(store: Store, tmp_path: Path) -> None:
    park = month_park(tmp_path)
    last = date(2026, 9, 25)
    await write_readings(store, park, START, NOW, [name for name in park.meter if name != "em-beta"])
    await write_readings(store, park, START, last, ["em-beta"])
    await computed(store, park, NOW)
    maker = MonthMaker(store, park, two_o_clock(park, NOW))
    months = [each for month in (SEPTEMBER, OCTOBER) for each in compared(await maker.month(month))]
    assert [(f"{each.month:%m}", each.tenant) for each in months] == [
        ("09", "alpha"),
        ("09", "beta"),
        ("09", None),
        ("10", "alpha"),
        ("10", "beta"),
        ("10", None),
    ]
    alpha = months[3]
    stated = (await maker.draft(OCTOBER, ())).statements[0]
    assert alpha.holding.by_kind == {
        kind: sum(each.net_vnd for each in stated.charges if each.kind is kind and each.utility == "electricity")
        for kind in alpha.holding.by_kind
    }
    two = dict(zip(("off_peak", "normal", "peak"), (860, 1275, 2190), strict=True))
    energy = sum(round(each.quantity * two[each.band]) for each in stated.charges if each.point == "em-alpha")
    assert alpha.other.by_kind[ChargeKind.USE] == pytest.approx(energy, abs=3)
    assert alpha.peak is not None
    assert alpha.other.by_kind[ChargeKind.DEMAND] == round(alpha.peak.kw * 235_414)
    assert alpha.other.by_kind[ChargeKind.REACTIVE] == pytest.approx(energy * 0.0465, abs=1)
    beta = months[1]
    assert beta.completeness == pytest.approx(24 / 30, abs=0.01)
    assert beta.peak is not None
    assert beta.peak.known == pytest.approx(24 / 30, abs=0.01)
    sums = {each.tenant: each for each in summed(months)}
    assert sums["alpha"].other - sums["alpha"].holding == sum(
        each.difference or 0 for each in months if each.tenant == "alpha"
    )
    assert (sums["alpha"].compared, sums["alpha"].months) == (2, 2)
    park_itself = months[5]
    assert park_itself.peak is not None
    assert park_itself.other.by_kind[ChargeKind.DEMAND] == round(park_itself.peak.kw * 230_000)

    none = month_park(tmp_path, {"compared: {v22kv: v22kv-two}": "compared: {v22kv-two: v22kv-two}"})
    (first, *_) = compared(await MonthMaker(store, none, two_o_clock(none, NOW)).month(OCTOBER))
    assert first.other.total is None
    assert "gives no other tariff for the voltage level" in first.other.missing[0].en
    undated = month_park(tmp_path, {"v22kv-two: [{from: 2026-01-01": "v22kv-two: [{from: 2026-10-10"})
    (first, *_) = compared(await MonthMaker(store, undated, two_o_clock(undated, NOW)).month(OCTOBER))
    assert first.difference is None
    assert first.other.missing[0].en == "no price is dated for a day of this period"


def test_without_a_tariff_to_compare_with_there_is_a_message(tmp_path: Path) -> None:
    park = month_park(tmp_path, {"compared: {v22kv: v22kv-two}": "compared: {}"})
    alone = park.with_parts(tariffs=park.tariffs.model_copy(update={"purchase": Purchase()}))
    with pytest.raises(OperatorError, match=r"gives no tariff to compare with: see tariffs\.electricity\.compared"):
        with_other_tariffs(alone)
