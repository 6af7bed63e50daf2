"""What is listed as refused: what the database does not have, whatever was replayed before."""

import time

from ecopark.refused import Filter, find
from ingest.refusal import Refusal
from store.client import Store
from store.lines import point, series
from store.schema import OPERATOR_DATABASE, REFUSED
from wire.messages import Reason


async def test_what_is_refused_again_after_it_was_replayed_is_listed_again(store: Store) -> None:
    now_ms = time.time_ns() // 1_000_000
    refusal = Refusal(Reason.UNKNOWN_METER, "the park file has no such meter", b"{}", meter="em-9", ms=now_ms)

    async def listed() -> list[int]:
        return [found.received for found in await find(store, Filter())]

    first, later = (refusal.line("demo", "gw-1", "t", now_ms + after) for after in (0, 2_000))
    await store.write([first], OPERATOR_DATABASE)
    assert await listed() == [now_ms]
    head = series(REFUSED, {"park": "demo", "gateway": "gw-1", "reason": "unknown_meter"})
    await store.write([point(head, {"replayed": now_ms + 1_000}, int(first.rpartition(" ")[2]))], OPERATOR_DATABASE)
    assert await listed() == []
    await store.write([later], OPERATOR_DATABASE)
    assert await listed() == [now_ms + 2_000]
