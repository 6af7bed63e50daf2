"""F26: compares a supplier's bill of a month, line by line, with what the park's own main meters measured.

It flags a quantity or demand that differs by more than the meters' error, a price other than that of the purchase
tariff, an amount that is not quantity times price, and a total that is not the sum of its lines.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from efficiency.closing.account import EdgeFlow, ParkAccount
from efficiency.closing.amounts import billed, dong, total
from efficiency.closing.statement import Charge, ChargeKind
from metering.errors import OperatorError
from metering.model import Model, NotNegative
from metering.quantities import Utility
from metering.tariffs import Band

Vnd = Annotated[int, Field(strict=True)]


class BillLine(Model):
    """One line of use; `band` is `all` if the price is the same at all hours."""

    band: Band = Band.ALL
    quantity: NotNegative
    price: NotNegative
    amount_vnd: Vnd


class BillDemand(Model):
    """The line of a two-component bill for the highest half hour, kW."""

    quantity: NotNegative
    price: NotNegative
    amount_vnd: Vnd


class Bill(Model):
    """A bill for one utility, for the days from `first` to `last`, as it was entered."""

    utility: Utility
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    lines: tuple[BillLine, ...] = Field(min_length=1)
    demand: BillDemand | None = None
    reactive_vnd: Vnd = 0
    vat_vnd: Vnd
    total_vnd: Vnd


class Item(StrEnum):
    """What is compared."""

    QUANTITY = "quantity"
    PRICE = "price"
    AMOUNT = "amount"
    DEMAND = "demand"
    DEMAND_PRICE = "demand_price"
    DEMAND_AMOUNT = "demand_amount"
    REACTIVE = "reactive"
    VAT = "vat"
    TOTAL = "total"


class Comparison(Model):
    """One comparison: the bill's figure, the park's own, and by how much they may differ (`error`)."""

    item: Item
    band: Band = Band.ALL
    unit: str = "₫"
    billed: float
    own: float
    error: float = 0.0

    @property
    def difference(self) -> float:
        """The bill's figure less the park's own."""
        return total((self.billed, -self.own))

    @property
    def flagged(self) -> bool:
        """Whether they differ by more than they may."""
        return abs(self.difference) > self.error


class CheckedBill(Model):
    """A bill with all its comparisons."""

    bill: Bill
    comparisons: tuple[Comparison, ...]


def checked_bill(bill: Bill, account: ParkAccount) -> CheckedBill:
    """Compare a bill with the account of its month.

    Raises `OperatorError` where the park has no purchase of that utility.
    """
    found = next((each for each in account.utilities if each.utility is bill.utility), None)
    if found is None or found.flow is None or not found.flow.purchase:
        raise OperatorError(
            f"the park's account has no purchase of {bill.utility.value}: give tariffs.purchase in the park file, and "
            "close the month with it"
        )
    return CheckedBill(bill=bill, comparisons=tuple(_compared(bill, found.flow, found.unit)))


def _compared(bill: Bill, flow: EdgeFlow, unit: str) -> Iterator[Comparison]:
    share = flow.error / flow.intake if flow.intake else 0.0
    use = [charge for charge in flow.purchase if charge.kind is ChargeKind.USE]
    for band in Band:
        lines = [each for each in bill.lines if each.band is band]
        own = [each for each in use if each.band is band]
        if not lines and not own:
            continue
        measured = total(each.quantity for each in own)
        said = total(each.quantity for each in lines)
        yield Comparison(
            item=Item.QUANTITY, band=band, unit=unit, billed=said, own=measured, error=billed(share * measured)
        )
        prices = [each.price for each in own]
        for line in lines:
            nearest = min(prices, key=lambda price: abs(price - line.price), default=0.0)
            yield Comparison(item=Item.PRICE, band=band, unit=f"₫/{unit}", billed=line.price, own=nearest)
            due = dong(line.quantity, line.price)
            yield Comparison(item=Item.AMOUNT, band=band, billed=line.amount_vnd, own=due, error=_ROUNDING)
    yield from _of_demand(bill.demand, [each for each in flow.purchase if each.kind is ChargeKind.DEMAND], share)
    surcharge = sum(charge.net_vnd for charge in flow.purchase if charge.kind is ChargeKind.REACTIVE)
    near = billed(share * max(surcharge, bill.reactive_vnd)) + _ROUNDING
    yield Comparison(item=Item.REACTIVE, billed=bill.reactive_vnd, own=surcharge, error=near)
    net = sum(each.amount_vnd for each in bill.lines) + bill.reactive_vnd
    net += bill.demand.amount_vnd if bill.demand is not None else 0
    tax = dong(net, flow.purchase[-1].vat)
    yield Comparison(item=Item.VAT, billed=bill.vat_vnd, own=tax, error=_ROUNDING)
    yield Comparison(item=Item.TOTAL, billed=bill.total_vnd, own=net + bill.vat_vnd)


def _of_demand(line: BillDemand | None, own: Sequence[Charge], share: float) -> Iterator[Comparison]:
    """F28 against the bill; in a month with two prices, the higher half hour and the nearer price count."""
    if line is None and not own:
        return
    said = line or BillDemand(quantity=0.0, price=0.0, amount_vnd=0)
    top = max((each.quantity for each in own), default=0.0)
    yield Comparison(item=Item.DEMAND, unit="kW", billed=said.quantity, own=top, error=billed(share * top))
    prices = [each.price for each in own]
    nearest = min(prices, key=lambda price: abs(price - said.price), default=0.0)
    yield Comparison(item=Item.DEMAND_PRICE, unit="₫/kW", billed=said.price, own=nearest)
    due = dong(said.quantity, said.price)
    yield Comparison(item=Item.DEMAND_AMOUNT, billed=said.amount_vnd, own=due, error=_ROUNDING)


_ROUNDING = 1.0
"""A dong: a bill may round differently."""
