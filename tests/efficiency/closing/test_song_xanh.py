"""The example park: what its tenants are charged adds up to its own account, to the last dong.

In a month in which one tenant left, one meter was exchanged, and a price of the month before was corrected.
"""

from datetime import date, datetime
from functools import cache
from math import sin
from pathlib import Path

from efficiency.closing.file import load_closed, write_closed
from efficiency.closing.making import MonthMaker
from efficiency.closing.monthuse import month_span, points_of_month
from efficiency.closing.statement import ChargeKind, CorrectionReason
from efficiency.usage.intervals import HOUR_MS, QUARTER_MS
from metering.instants import midnight_ms, milliseconds
from metering.meters import Meter, Role
from metering.park import Park
from metering.parkfile import load_park
from proving.demo.plan import EXAMPLE
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE, reading_series
from tests.efficiency.closing.monthpark import NOVEMBER, OCTOBER, SEPTEMBER, START, computed, two_o_clock

EXCHANGED = milliseconds(datetime.fromisoformat("2026-10-10T09:12:00+07:00"))
LEFT = "[{tenant: furniture}, {from: 2026-10-16T14:30:00+07:00}]"
RATIOS = """\
    multiplier:
      - {from: 2025-01-01, value: 400.0, source: "[invented] current transformers 2000/5 A"}
      - {from: 2026-06-01, value: 500.0, source: "[invented] replaced by 2500/5 A"}
"""
FITTED = """\
    instruments:
      - {serial: T-1, multiplier: 500, closing: {energy_kwh: CLOSING, reactive_kvarh: BLIND}}
      - {from: 2026-10-10T09:12:00+07:00, serial: T-2, multiplier: 400, opening: {energy_kwh: 0.0, reactive_kvarh: 0.0}}
"""
STEAM = "value: 890000.0"
"""Its price, which is corrected after the first month is closed."""


def power(park: Park, meter: Meter) -> float:
    """Mean use per hour: a fifth of what can pass, and of meters above others a hundredth more than these."""
    below = park.children(meter.id)
    if not below:
        return meter.rated / 5
    signs = {tenure.meter.id: -1 if tenure.belonging.role is Role.GENERATION else 1 for tenure in below}
    return 1.01 * sum(sign * power(park, park.meter[name]) for name, sign in signs.items())


def park_in(folder: Path, closing: float = 0.0, steam: str = STEAM) -> Park:
    """The example with its three particularities, read each quarter hour."""
    text = EXAMPLE.read_text(encoding="utf-8").replace("interval_s: 60", "interval_s: 900")
    changes = {
        "  - id: furniture\n": "  - id: furniture\n    until: 2026-10-17\n",
        "    tenant: furniture\n": f"    belongs: {LEFT}\n",
        RATIOS: FITTED.replace("CLOSING", f"{closing:.3f}").replace("BLIND", f"{closing * 0.3:.3f}"),
        STEAM: steam,
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    file = folder / "park.yaml"
    file.write_text(text, encoding="utf-8")
    return load_park(file)


class Registers:
    """What every counter of a park shows."""

    def __init__(self, park: Park) -> None:
        self._park = park
        self._power = cache(lambda name: power(park, park.meter[name]))

    def passed(self, meter: str, ms: int) -> float:
        hours = (ms - midnight_ms(START, self._park.zone)) / HOUR_MS
        phase = sum(map(ord, meter))
        return self._power(meter) * (hours + 0.2 * sin(1.7 * hours + phase) + 0.5 * sin(hours / 5 + phase))

    def shown(self, meter: str, ms: int) -> float:
        if meter == "em-textile":
            if ms < EXCHANGED:
                return 100.0 + self.passed(meter, ms) / 500
            return (self.passed(meter, ms) - self.passed(meter, EXCHANGED)) / 400
        return 100.0 + self.passed(meter, ms) / self._park.meter[meter].instruments[-1].factor(
            self._park.meter[meter].counter
        )


async def write(store: Store, park: Park, registers: Registers) -> None:
    points = points_of_month(park, month_span(park, OCTOBER))
    for meter in {point.meter.id: point.meter for point in points}.values():
        head, lines = reading_series(park.id, meter), []
        blind = "reactive_kvarh" in meter.quantities
        for ms in range(midnight_ms(START, park.zone), midnight_ms(NOVEMBER, park.zone) + 1, QUARTER_MS):
            shown = registers.shown(meter.id, ms)
            more = f",reactive_kvarh={0.3 * shown:.3f}" if blind else ""
            lines.append(f"{head} {meter.counter}={shown:.3f}{more} {ms * NS_PER_MS}")
        await store.write(lines, OPERATOR_DATABASE)


async def test_statements_add_up_to_the_park_s_account(store: Store, tmp_path: Path) -> None:
    registers = Registers(park_in(tmp_path))
    closing = registers.shown("em-textile", EXCHANGED - 1)
    park = park_in(tmp_path, closing)
    await write(store, park, registers)
    now = date(2026, 11, 1)
    await computed(store, park, now)
    september = await MonthMaker(store, park, two_o_clock(park, now)).draft(SEPTEMBER, ())
    assert [each.text.en for each in september.obstacles] == []
    write_closed(tmp_path / "park.yaml", september)
    park = park_in(tmp_path, closing, "value: 900000.0")
    await computed(store, park, now)
    before = load_closed(tmp_path / "park.yaml", park.id)
    october = await MonthMaker(store, park, two_o_clock(park, now)).draft(OCTOBER, before)
    assert [each.text.en for each in october.obstacles] == []

    account, statements = october.account, october.statements
    assert {each.tenant for each in statements} == park.tenant.keys()
    assert account.net_vnd == sum(each.net_vnd for each in statements) == sum(u.sales_vnd for u in account.utilities)
    assert account.vat_vnd == sum(each.vat_vnd for each in statements)
    assert account.total_vnd == sum(each.total_vnd for each in statements) == account.net_vnd + account.vat_vnd
    charges = [charge for each in statements for charge in each.charges]
    for utility in account.utilities:
        flow = utility.flow
        if flow is None:
            continue
        into, out = flow.intake + flow.generated, flow.exported + flow.sold + flow.own + flow.losses
        assert round(into - out, 3) == 0
        used = [each for each in charges if each.utility is utility.utility and each.kind is ChargeKind.USE]
        assert round(sum(each.quantity for each in used) - flow.sold, 3) == 0
        for kind in (ChargeKind.LOSSES, ChargeKind.COMMON):
            shares = [each for each in charges if each.utility is utility.utility and each.kind is kind]
            assert len({each.share for each in shares}) <= 1
            assert all(sum(each.net_vnd for each in shares) == each.share.amount_vnd for each in shares if each.share)
    assert {each.kind for each in charges if each.share is not None} == {ChargeKind.LOSSES, ChargeKind.COMMON}

    corrections = [each for statement in statements for each in statement.corrections]
    assert {(each.utility.value, each.reasons) for each in corrections} == {("steam", (CorrectionReason.PRICE,))}
    steam = sum(
        charge.quantity for each in september.statements for charge in each.charges if charge.utility == "steam"
    )
    assert abs(sum(each.net_vnd for each in corrections) - steam * 10_000) <= len(corrections)
    (textile,) = (each for each in statements if each.tenant == "textile")
    assert {each.serial for each in textile.points[0].stretches} == {"T-1", "T-2"}
    (furniture,) = (each for each in statements if each.tenant == "furniture")
    assert {each.until.isoformat() for each in furniture.points} == {"2026-10-16T14:30:00+07:00"}
