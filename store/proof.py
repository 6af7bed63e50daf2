"""Proof that an answer is fresh: an empty answer alone is no proof that nothing is stored.

A server that starts, replays or lags may answer a query with nothing, or with an earlier state, and report success.
Whoever deletes or fills in something because of what it reads must not rely on that. A `Proof` is a number that its
owner writes last, and queries along with each question, in one request: an answer without the newest number came from a
server that does not yet show what it has confirmed.
"""

import time
from typing import Any

from metering.errors import UnavailableError
from metering.instants import HOUR_MS
from store.lines import point, series
from store.schema import NS_PER_MS, PROOF
from store.select import Of, select, where


class Proof:
    """Proof numbers of one reader of a `database`: milliseconds since the epoch, so that they grow across restarts."""

    def __init__(self, reader: str, database: str) -> None:
        self.database = database
        self._reader = reader
        self._number = 0

    def next(self) -> int:
        """The number to write next."""
        return max(self._number + 1, time.time_ns() // NS_PER_MS)

    def line(self, number: int) -> str:
        """The line that writes a number; there is one point per hour, overwritten again and again."""
        head = series(PROOF, {"reader": self._reader})
        return point(head, {"number": number}, number // HOUR_MS * HOUR_MS * NS_PER_MS)

    def written(self, number: int) -> None:
        """From now on every answer must contain this number."""
        self._number = number

    def beside(self, statement: str) -> str:
        """The statement, followed by the question."""
        return f"{statement};{self.question}"

    @property
    def question(self) -> str:
        """The statement that queries the number."""
        return select(PROOF, [Of("max", "number")], where({"reader": self._reader}, self._number // HOUR_MS * HOUR_MS))

    def check(self, values: list[Any]) -> None:
        """Check the numbers in the answer to `question`.

        Raises `UnavailableError` where the newest is missing.
        """
        if max(values, default=0) < self._number:
            raise UnavailableError(
                "InfluxDB answers, but does not show what it has confirmed: it is starting, or lags behind; nothing is "
                "computed from that"
            )
