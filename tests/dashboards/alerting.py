"""Which instances of a rule fire, for tests that do not care about the number that was compared."""

from datetime import datetime
from typing import Any

from dashboards.alerts.evaluate import Labels, evaluate
from store.client import Store


async def fired(
    store: Store, rule: dict[str, Any], now: datetime, firing: frozenset[Labels] = frozenset()
) -> dict[Labels, bool] | None:
    states = await evaluate(store, rule, now, firing)
    return None if states is None else {labels: state.fires for labels, state in states.items()}
