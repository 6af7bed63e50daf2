"""An ingester's own health while messages wait, and while none do."""

import logging
from dataclasses import dataclass
from typing import cast

from ingest.connection import Connection
from ingest.health import STUCK_S, Health, faults
from ingest.intake import Intake
from ingest.refusal import Ledger
from ingest.writer import Writer
from running.monitor import MetricValues
from running.patience import Patience


@dataclass
class Waiting:
    """A connection on which so many messages wait."""

    unacknowledged: int = 0
    is_open: bool = True
    window: int = 0


@dataclass
class Written:
    """The counters of a writer."""

    patience: Patience
    stored: int = 0
    refused: int = 0
    writes: int = 0
    writing_s: float = 0.0
    last_write_ms: int | None = None
    newest_ms: int | None = None


class Told:
    """An ingester's health; the test moves its clock and says what waits."""

    def __init__(self) -> None:
        self.ms = 1_795_000_000_000
        self.values: MetricValues = {}
        self.connection = Waiting()
        self.writer = Written(Patience("writing", logging.getLogger(), lambda: 0.0))
        intake = Intake(lambda: self.ms, Ledger("one"))
        self._health = Health("one", intake, cast("Writer", self.writer), lambda: self.ms, self._take)

    def after(self, seconds: float, waiting: int, *, written: bool = False) -> list[str]:
        """What is wrong so many seconds later."""
        self.ms += round(seconds * 1000)
        if written:
            self.writer.last_write_ms = self.writer.newest_ms = self.ms
        self.connection.unacknowledged = waiting
        self._health.line(cast("Connection", self.connection), 0)
        return faults(self.values)

    def _take(self, values: MetricValues) -> None:
        self.values = values


async def test_one_message_after_a_long_silence_is_no_fault() -> None:
    told = Told()
    assert told.after(10, 0, written=True) == []
    assert told.after(24 * 3600, 1) == []
    assert told.after(10, 0, written=True) == []


async def test_the_first_message_of_all_is_no_fault() -> None:
    assert Told().after(3600, 1) == []


async def test_messages_that_wait_while_nothing_is_written_are_a_fault() -> None:
    told = Told()
    told.after(10, 0, written=True)
    assert told.after(3600, 5) == []
    assert told.after(STUCK_S - 1, 6) == []
    assert told.after(1, 6) == ["6 messages wait, and the database has taken none for 60 s"]
    assert told.after(10, 900, written=True) == []
    assert told.after(STUCK_S, 900) != []
