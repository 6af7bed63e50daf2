"""How far gateways' clocks are off: for each gateway and minute, the least time from sampling to receipt.

A reading arrives shortly after it was taken, so the least of a minute is about zero where the clocks agree. Below zero,
the gateway's clock is ahead of the ingester's. Above it, the clock is behind, or everything came late: a gateway that
sends its backlog sends new readings in between.
"""

import asyncio
from collections.abc import Callable

from store.client import Store, dropping
from store.lines import point, series
from store.schema import GATEWAY_CLOCK, NS_PER_MS, OPERATOR_DATABASE

EVERY_S = 60.0
_FAR = 10**18
"""In ms; more than this is no clock error."""


class Clocks:
    """The clocks of all gateways that one ingester hears."""

    def __init__(self) -> None:
        self._least: dict[str, int] = {}

    def note(self, carrier: str, newest_ms: int, now_ms: int) -> None:
        """Take note of the newest reading that has just come from a carrier."""
        behind = now_ms - newest_ms
        if behind < self._least.get(carrier, _FAR):
            self._least[carrier] = behind

    def lines(self, instance: str, now_ms: int) -> list[str]:
        """A point for each gateway heard since the last call."""
        least, self._least = self._least, {}
        return [
            point(
                series(GATEWAY_CLOCK, {"park": park, "gateway": gateway, "instance": instance}),
                {"behind_s": behind / 1000},
                now_ms * NS_PER_MS,
            )
            for carrier, behind in least.items()
            for park, _, gateway in [carrier.partition("/")]
        ]

    async def run(self, store: Store, instance: str, clock_ms: Callable[[], int]) -> None:
        """Write them each minute; what cannot be written is dropped."""
        while True:
            await asyncio.sleep(EVERY_S)
            if lines := self.lines(instance, clock_ms()):
                with dropping("writing the clocks of gateways"):
                    await store.write(lines, OPERATOR_DATABASE, timeout_s=EVERY_S)
