"""A month is closed once, from whole data, and what changes afterwards is stated once, with its reason."""

from datetime import date
from pathlib import Path

import pytest

from efficiency.closing.file import ClosedMonth, file_of_month, load_closed, may_close, write_closed
from efficiency.closing.making import MonthMaker
from efficiency.closing.statement import ChargeKind, CorrectionReason
from efficiency.usage.intervals import HOUR_MS
from metering.errors import OperatorError
from metering.months import next_month
from proving.servers import Influxd
from store.client import Store
from tests.efficiency.closing.monthpark import (
    EXCHANGED,
    MOVED,
    NOVEMBER,
    NOW,
    OCTOBER,
    SEPTEMBER,
    START,
    Desk,
    computed,
    month_park,
    of,
    passed,
    two_o_clock,
    write_readings,
)


async def test_what_is_charged_is_what_passed_between_the_registers(desk: Desk) -> None:
    closed = await desk.close(OCTOBER)
    assert closed == await desk.draft(OCTOBER), "what is written is read back the same"
    assert not closed.obstacles
    begin, end = (two_o_clock(desk.park, day) - 2 * HOUR_MS for day in (OCTOBER, NOVEMBER))
    alpha, beta = (of(closed, tenant) for tenant in ("alpha", "beta"))
    for point, meter, until in ((alpha.points[0], "em-alpha", end), (beta.points[0], "em-beta", MOVED)):
        assert point.quantity == pytest.approx(passed(meter, until) - passed(meter, begin), abs=0.1)
        assert sum(each.use or 0 for each in point.stretches if each.counter == "energy_kwh") == pytest.approx(
            point.quantity, abs=0.01
        )
    first, second = (each for each in alpha.points[0].stretches if each.counter == "energy_kwh")
    assert (first.serial, second.serial, first.until.timestamp() * 1000) == ("A-1", "A-2", EXCHANGED)
    assert (first.multiplier, second.multiplier) == (40, 60)
    bands = {charge.band: charge for charge in alpha.charges if charge.point == "em-alpha"}
    assert {band: charge.price for band, charge in bands.items()} == {"off_peak": 1190, "normal": 1833, "peak": 3398}
    cost = sum(charge.net_vnd for charge in bands.values())
    assert [(each.quantity, each.net_vnd) for each in alpha.charges if each.kind is ChargeKind.REACTIVE] == [
        (4.65, round(cost * 0.0465))
    ], "power factor 1/√(1 + 0.6²) = 0.86"
    assert alpha.total_vnd == sum(each.net_vnd + each.vat_vnd for each in alpha.taxed)
    assert [each.rate for each in alpha.taxed] == [0.05, 0.08]


@pytest.mark.parametrize(
    ("changes", "reason", "point"),
    [
        ({"off_peak: 1190.0": "off_peak: 1200.0"}, CorrectionReason.PRICE, "em-alpha"),
        ({"serial: A-1, multiplier: 40": "serial: A-1, multiplier: 50"}, CorrectionReason.INSTRUMENT, "em-alpha"),
        ({"value: 0.05": "value: 0.08"}, CorrectionReason.VAT, "wm-alpha"),
        (
            {"tenant: alpha, gateway: gw-1, utility: water": "gateway: gw-1, utility: water"},
            CorrectionReason.OWNER,
            "wm-alpha",
        ),
    ],
    ids=["price", "instrument", "vat", "owner"],
)
async def test_what_changes_afterwards_is_a_correction_in_the_next_month_and_stated_once(
    desk: Desk, changes: dict[str, str], reason: CorrectionReason, point: str
) -> None:
    before = await desk.close(SEPTEMBER)
    kept = file_of_month(desk.file, SEPTEMBER).read_bytes()
    await desk.edit(**changes)
    october = await desk.close(OCTOBER)
    assert file_of_month(desk.file, SEPTEMBER).read_bytes() == kept
    found = [each for each in of(october, "alpha").corrections if each.point == point]
    assert {(each.month, each.reasons) for each in found} == {(SEPTEMBER, (reason,))}
    restated = next(each for each in october.restated[0].statements if each.tenant == "alpha")
    owed = sum(each.net_vnd for each in of(october, "alpha").corrections)
    assert owed == restated.net_vnd - of(before, "alpha").net_vnd
    file = desk.folder / "park.closed" / "2026-10.yaml"
    assert load_closed(desk.file, "demo")[-1] == october
    maker = MonthMaker(desk.store, desk.park, two_o_clock(desk.park, NOW))
    november = await maker.draft(NOVEMBER, load_closed(desk.file, "demo"))
    assert not november.restated, f"{file} has stated it already"


async def test_late_readings_are_a_correction_and_a_gap_prevents_closing(store: Store, tmp_path: Path) -> None:
    park = month_park(tmp_path)
    await write_readings(store, park, START, NOW, [name for name in park.meter if name != "wm-alpha"])
    await write_readings(store, park, START, date(2026, 9, 20), ["wm-alpha"])
    await computed(store, park, NOW)
    desk = Desk(store, tmp_path, park)
    draft = await desk.draft(SEPTEMBER)
    assert [(each.subject, each.text.en) for each in draft.obstacles] == [
        ("wm-alpha", "use of 1056 quarter hours is not known, from 2026-09-20 00:00 to 2026-10-01 00:00")
    ]
    before = of(await desk.close(SEPTEMBER), "alpha")
    await write_readings(store, park, date(2026, 9, 20), NOW, ["wm-alpha"])
    usage_again = month_park(
        tmp_path, {"interval_s: 900, rated: 90, registers": "interval_s: 900, rated: 91, registers"}
    )
    await computed(store, usage_again, NOW)
    desk.park = usage_again
    (correction,) = of(await desk.close(OCTOBER), "alpha").corrections
    begin, end = (two_o_clock(park, day) - 2 * HOUR_MS for day in (date(2026, 9, 20), OCTOBER))
    assert correction.reasons == (CorrectionReason.READINGS,)
    assert correction.quantity == pytest.approx(passed("wm-alpha", end) - passed("wm-alpha", begin), abs=0.01)
    assert correction.net_vnd == pytest.approx(correction.quantity * 14500, abs=1)
    assert before.taxed[0].rate == 0.05


async def test_a_closed_month_that_can_no_longer_be_computed_prevents_closing_the_next(desk: Desk) -> None:
    await desk.close(SEPTEMBER)
    await desk.edit(**{"water: [{from: 2026-01-01, value: 0.05": "water: [{from: 2026-09-20, value: 0.05"})
    assert [(each.subject, each.text.en) for each in (await desk.draft(OCTOBER)).obstacles] == [
        ("water", "2026-09: no VAT rate is dated for a day of this period")
    ]


async def test_what_prevents_closing_is_named(desk: Desk, influx: Influxd) -> None:
    del influx
    await desk.edit(**{"water: [{from: 2026-01-01, value: 0.05": "water: [{from: 2026-10-20, value: 0.05"})
    await write_readings(desk.store, desk.park, NOW, date(2026, 11, 3))
    desk.park = month_park(desk.folder, {"off_peak: 1190.0": "off_peak: 1191.0"})
    found = {each.subject: each.text.en for each in (await desk.draft(OCTOBER)).obstacles}
    assert found["electricity"] == "not computed yet by the newest park file"
    late = await MonthMaker(desk.store, desk.park, two_o_clock(desk.park, NOW)).draft(NOVEMBER, ())
    assert late.obstacles[0].text.en == "the usage service has not computed the month to its end"
    await desk.edit(**{"water: [{from: 2026-01-01, value: 0.05": "water: [{from: 2026-10-20, value: 0.05"})
    assert [(each.subject, each.text.en) for each in (await desk.draft(OCTOBER)).obstacles] == [
        ("water", "no VAT rate is dated for a day of this period")
    ]


NOTHING = {"utilities": [], "net_vnd": 0, "vat_vnd": 0, "total_vnd": 0}


def closed_month(month: date) -> ClosedMonth:
    return ClosedMonth.model_validate(
        {"park": "demo", "month": month, "closed_at": "2026-11-02T00:00:00+07:00", "statements": [], "account": NOTHING}
    )


@pytest.mark.parametrize(
    ("month", "told"),
    [
        (SEPTEMBER, "2026-09 is closed already"),
        (date(2026, 8, 1), "2026-08 is older than 2026-09, which is closed"),
        (NOVEMBER, "2026-11 is not over yet: close it from 2026-12-01 on"),
    ],
)
def test_a_month_is_closed_once_and_in_order(month: date, told: str) -> None:
    with pytest.raises(OperatorError, match=told):
        may_close([closed_month(SEPTEMBER)], month, NOW)
    may_close([closed_month(SEPTEMBER)], next_month(SEPTEMBER), NOW)
    with pytest.raises(OperatorError, match="close 2026-10 before 2026-11"):
        may_close([closed_month(SEPTEMBER)], NOVEMBER, date(2026, 12, 1))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("net_vnd: 1000", "net_vnd: 900", "2026-09.yaml:5: statements[0]: the lines of alpha do not add up"),
        ("rate: 0.08", "rate: x", "2026-09.yaml:"),
        ("park: demo", "park: other", "is of other, 2026-09"),
        ("month: 2026-09", "month: 2026-13", "a month is written as in 2026-10"),
        ("statements:", "statements: [", "cannot be read"),
    ],
)
def test_a_file_that_was_changed_by_hand_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    charge = {"utility": "water", "since": SEPTEMBER, "until": OCTOBER, "unit": "m³", "source": "s", "vat_source": "s"}
    month = closed_month(SEPTEMBER).model_dump() | {
        "statements": [
            {
                "tenant": "alpha",
                "charges": [charge | {"quantity": 2.0, "price": 500.0, "net_vnd": 1000, "vat": 0.08}],
                "taxed": [{"rate": 0.08, "net_vnd": 1000, "vat_vnd": 80}],
            }
        ]
    }
    month["account"] = {
        "utilities": [{"utility": "water", "unit": "m³", "use_vnd": 1000}],
        "net_vnd": 1000,
        "vat_vnd": 80,
        "total_vnd": 1080,
    }
    file = write_closed(tmp_path / "park.yaml", ClosedMonth.model_validate(month))
    assert load_closed(tmp_path / "park.yaml", "demo")[0].statements[0].total_vnd == 1080
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(OperatorError) as error:
        load_closed(tmp_path / "park.yaml", "demo")
    assert told in str(error.value)
    assert "restore the file from a backup" in str(error.value)


async def test_the_park_s_account_adds_up_and_shares_are_of_what_losses_and_common_use_cost(desk: Desk) -> None:
    closed = await desk.close(OCTOBER)
    power, water = closed.account.utilities
    flow = power.flow
    assert flow is not None
    begin, end = (two_o_clock(desk.park, day) - 2 * HOUR_MS for day in (OCTOBER, NOVEMBER))
    assert flow.intake == pytest.approx(passed("em-grid", end) - passed("em-grid", begin), abs=1)
    moved = passed("em-beta", end) - passed("em-beta", MOVED)
    office = passed("em-office", end) - passed("em-office", begin)
    assert flow.own == pytest.approx(office + moved, abs=0.1), "what the tenant left is the park's own use"
    assert flow.losses == pytest.approx(flow.intake - flow.sold - flow.own, abs=0.001)
    assert flow.losses == pytest.approx(50 / 850 * (flow.sold + flow.own), rel=0.001)
    use = sum(charge.net_vnd for charge in flow.purchase if charge.kind is ChargeKind.USE)
    assert flow.losses_vnd == round(flow.losses * use / flow.intake)
    assert flow.peak is not None
    assert flow.peak.kw == pytest.approx(900 * 1.4, rel=0.1)
    shares = {
        (each.tenant, charge.kind): charge
        for each in closed.statements
        for charge in each.charges
        if charge.share is not None
    }
    assert len(shares) == 4
    for kind, quantity in ((ChargeKind.LOSSES, flow.losses), (ChargeKind.COMMON, office)):
        alike = [charge for (_, each), charge in shares.items() if each is kind]
        (share,) = {each.share for each in alike}
        assert share is not None
        assert sum(each.net_vnd for each in alike) == share.amount_vnd
        assert share.amount_vnd == pytest.approx(flow.worth(quantity), abs=100)
    assert shares["beta", ChargeKind.COMMON].quantity == round(2000 * 16 / 31, 3), "on 16 of 31 days"
    assert shares["alpha", ChargeKind.LOSSES].quantity == of(closed, "alpha").points[0].quantity
    assert power.margin_vnd == power.sales_vnd - sum(charge.net_vnd for charge in flow.purchase)
    assert water.flow is not None
    assert water.sales_vnd + power.sales_vnd == sum(each.net_vnd for each in closed.statements)
    assert closed.account.total_vnd == sum(each.total_vnd for each in closed.statements)


async def test_a_cost_without_a_purchase_price_or_a_key_without_weights_prevents_closing(desk: Desk) -> None:
    await desk.edit(**{"off_peak: 1168.0": "until: 2026-10-10, off_peak: 1168.0", "floor_area_m2: 8000.0,": ""})
    found = [(each.subject, each.text.en) for each in (await desk.draft(OCTOBER)).obstacles]
    assert found == [
        ("em-grid", "no price is dated for a day of this period"),
        ("alpha", "the floor area is not given"),
    ]
