"""The cost of the accept step, counted in steps of the interpreter for a reading: the same on every machine.

Time is not measured here: `ecopark bench` does that.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest

from ingest.accept import accept
from ingest.connection import Connection, Delivery
from ingest.directory import Directory, directory
from ingest.glance import glance
from ingest.intake import Intake
from ingest.refusal import Ledger
from ingest.taken import lines_of
from metering.parkfile import load_park
from proving.demo.plan import EXAMPLE
from wire.topics import Channel, topic

NOW_MS = 1_795_000_000_000
TOPIC = topic("song-xanh", "gw-west", Channel.READINGS)
METERS = ("em-plastics", "em-furniture", "em-packaging", "em-pharma", "em-feed")
RECORDED = {"single": 63.3, "batch": 33.5}
"""Steps of one reading, on CPython 3.11: lines that are run, and functions of C that are called."""

RECORDED_TOGETHER = 52.9
"""Likewise of one of many messages that came together, until it is in the batch."""

LIMIT = 1.25


@pytest.fixture(scope="module")
def known() -> Directory:
    return directory(load_park(EXAMPLE))


def reading(number: int) -> dict[str, object]:
    values = {"energy_kwh": 48_211.25 + number, "power_kw": 212.4}
    return {"meter": METERS[number % len(METERS)], "ts": NOW_MS - 1_000 * number, "values": values}


def messages(shape: str) -> list[bytes]:
    if shape == "single":
        return [json.dumps(reading(number)).encode() for number in range(100)]
    polls = range(0, 100, len(METERS))
    batches = [{"id": "b-1", "readings": [reading(first + n) for n in range(len(METERS))]} for first in polls]
    return [json.dumps(batch).encode() for batch in batches]


def steps(work: Callable[[], None]) -> int:
    """How many lines are run and functions called."""
    count = 0

    def trace(_frame: Any, _event: str, _argument: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    def profile(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "c_call"

    sys.setprofile(profile)
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("shape", RECORDED)
def test_a_reading_costs_no_more_than_was_recorded(shape: str, known: Directory) -> None:
    payloads = messages(shape)

    def lines_of_all() -> None:
        taken = [each for payload in payloads for each in accept(TOPIC, payload, NOW_MS, known).taken]
        "\n".join(lines_of(taken)).encode()
        assert len(taken) == 100

    found = steps(lines_of_all) / 100
    assert found < LIMIT * RECORDED[shape], f"{found:.1f} steps a reading; {RECORDED[shape]} were recorded"


def together(count: int) -> list[Delivery]:
    """Messages of one reading that came with one look at the socket."""
    return [
        Delivery(TOPIC, json.dumps(reading(number)).encode(), number + 1, cast("Connection", None))
        for number in range(count)
    ]


async def test_a_message_that_came_with_others_costs_no_more_than_was_recorded(known: Directory) -> None:
    """From the socket's messages to the batch; the first count includes what is done once for all of them."""
    intake = Intake(lambda: NOW_MS, Ledger("one"))
    intake.know(known)
    spent = [steps(partial(intake.receive, together(count))) for count in (50, 100)]
    found = (spent[1] - spent[0]) / 50
    assert (await intake.next_batch()).readings == 150
    assert found < LIMIT * RECORDED_TOGETHER, f"{found:.1f} steps a message; {RECORDED_TOGETHER} were recorded"


def test_a_refused_message_costs_the_same_however_many_readings_it_holds(known: Directory) -> None:
    """So a gateway that floods with refused readings does not delay others once its ration is used up."""
    carrier = known.carriers[TOPIC]

    def cost(count: int) -> int:
        readings = [reading(number) | {"meter": f"em-unknown-{number}"} for number in range(count)]
        payload = json.dumps({"id": "f-1", "readings": readings}).encode()

        def look() -> None:
            found = glance(payload, carrier, NOW_MS)
            assert found is not None
            assert found.counts.total() == count

        return steps(look)

    assert cost(10) == cost(2_000)
