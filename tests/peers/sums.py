"""Sums while they are written: what a server adds up against the rows that it shows at the same moment.

The usage service writes the running quarter hour again whenever a reading came, so each aggregate is asked while its
points are overwritten. A server that counts both the old and the new one shows too much for a while.
"""

import asyncio
import math
import time

from store.client import Store
from store.lines import point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE
from store.select import Of, select
from tests.peers.cell import Cell, cell

LOOKS = 120
METERS = 40
QUARTER_MS = 900_000
QUARTERS = 96
RUNNING = 4
"""Quarter hours that are written again and again."""
MEASUREMENT = "summing"
SHOWS_S = 30.0
CLOSE = 1e-9


async def sums(store: Store, due: int = LOOKS) -> Cell:
    """Write and ask, side by side; each of the `due` looks asks for the rows, for their sum, and for the rows again."""
    last = int(time.time() * 1000) // QUARTER_MS * QUARTER_MS
    first = last - (QUARTERS - 1) * QUARTER_MS
    await store.write(
        [_line(meter, first + n * QUARTER_MS, 1.0) for meter in range(METERS) for n in range(QUARTERS)],
        OPERATOR_DATABASE,
    )
    await _shown(store)
    writing = asyncio.create_task(_rewrite(store, last))
    faults, looks = [], 0
    try:
        while looks < due:
            fault = await _look(store)
            if fault is not None:
                looks += 1
                faults += [fault] if fault else []
    finally:
        writing.cancel()
    return cell(f"{looks} looks", faults)


async def _shown(store: Store) -> None:
    """Wait until all is shown that was confirmed: some show new series late."""
    async with asyncio.timeout(SHOWS_S):
        while len(await store.query(select(MEASUREMENT, ["amount"]), OPERATOR_DATABASE)) < METERS * QUARTERS:  # noqa: ASYNC110 (a server sets no event of ours)
            await asyncio.sleep(0.1)


def _line(meter: int, start: int, amount: float) -> str:
    return point(series(MEASUREMENT, {"meter": f"m{meter}"}), {"amount": amount}, start * NS_PER_MS)


async def _rewrite(store: Store, last: int) -> None:
    amount = 1.0
    while True:
        amount += 0.5
        starts = [last - n * QUARTER_MS for n in range(RUNNING)]
        await store.write(
            [_line(meter, start, amount) for meter in range(METERS) for start in starts], OPERATOR_DATABASE
        )
        await asyncio.sleep(0.2)


async def _look(store: Store) -> str | None:
    """What is wrong; empty where nothing is, None where the rows changed meanwhile."""
    rows = select(MEASUREMENT, ["amount"])
    both = select(MEASUREMENT, [Of("sum", "amount", "total"), Of("count", "amount", "n")])
    before = await store.query(rows, OPERATOR_DATABASE)
    added = await store.query(both, OPERATOR_DATABASE)
    after = await store.query(rows, OPERATOR_DATABASE)
    if before != after:
        return None
    due = sum(row["amount"] for row in before)
    if not math.isclose(added[0]["total"], due, rel_tol=CLOSE) or added[0]["n"] != len(before):
        return f"sum {added[0]['total']} of {added[0]['n']} where the rows are {len(before)} and add up to {due}"
    return ""
