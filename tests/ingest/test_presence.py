"""Ingesters know of each other: one that stops knows whether another stays."""

from typing import Any, cast

import pytest

from ingest.connection import Connection, Delivery
from ingest.presence import LEAVING, Presence
from wire.topics import ingester


class Broker:
    """Answers an announcement with what others announce just then."""

    def __init__(self, presence: Presence, **others: bytes) -> None:
        self._presence = presence
        self._others = others

    def announce(self, said: bytes) -> None:
        assert said == LEAVING
        for name, life in self._others.items():
            self._presence.hears(Delivery(ingester(name), life, None, cast("Any", None)))


@pytest.mark.parametrize(
    ("others", "stays"),
    [
        ({"one": b"its-life"}, True),  # it has just come, and was not heard before
        ({}, False),
        ({"one": LEAVING}, True),  # both stop: the first by name counts as the last
        ({"three": LEAVING}, True),
        ({"zwei": LEAVING}, False),
    ],
)
async def test_an_ingester_that_stops_knows_who_stays(others: dict[str, bytes], stays: bool) -> None:
    presence = Presence("two")
    assert await presence.somebody_stays(cast("Connection", Broker(presence, **others))) is stays
