"""What is listed as refused: what the database does not have, whatever was replayed before."""

import time

from ecopark.refused import Filter, find
from ingest.refusal import Ledger, refusal
from store.client import Store
from store.lines import parse, point, series
from store.schema import OPERATOR_DATABASE, REFUSED
from wire.messages import Reason


async def test_what_is_refused_again_after_it_was_replayed_is_listed_again(store: Store) -> None:
    now_ms = time.time_ns() // 1_000_000
    refused = refusal(Reason.UNKNOWN_METER, "the park file has no such meter", b"{}", meter="em-9")
    ledger = Ledger("one")

    async def listed() -> list[int]:
        return [found.received for found in await find(store, Filter())]

    first, later = (
        ledger.line(kept)
        for after in (0, 2_000)
        for kept in ledger.note("demo", "gw-1", "t", [refused], now_ms + after)
    )
    await store.write([first], OPERATOR_DATABASE)
    assert await listed() == [now_ms]
    written = parse(first)
    await store.write(
        [point(series(REFUSED, written.tags), {"replayed": now_ms + 1_000}, written.ns)], OPERATOR_DATABASE
    )
    assert await listed() == []
    await store.write([later], OPERATOR_DATABASE)
    assert await listed() == [now_ms + 2_000]
