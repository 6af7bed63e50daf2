"""The accept step keeps its cost, told as what the interpreter is asked to do for a reading: the same on every machine.

Time is not measured here: `ecopark bench` does that.
"""

import json
import sys
from typing import Any

import pytest

from ingest.accept import accept, lines_of
from ingest.directory import Directory, directory
from metering.parkfile import load_park
from proving.demo.plan import EXAMPLE
from wire.topics import Channel, topic

NOW_MS = 1_795_000_000_000
TOPIC = topic("song-xanh", "gw-west", Channel.READINGS)
METERS = ("em-plastics", "em-furniture", "em-packaging", "em-pharma", "em-feed")
RECORDED = {"single": 63.3, "batch": 33.5}
"""Steps of one reading, on CPython 3.11: lines that are run, and functions of C that are called."""

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


def steps(payloads: list[bytes], known: Directory) -> int:
    """How many lines are run and functions called to make the lines of all readings of these messages."""
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
        taken = [each for payload in payloads for each in accept(TOPIC, payload, NOW_MS, known).taken]
        "\n".join(lines_of(taken)).encode()
    finally:
        sys.settrace(None)
        sys.setprofile(None)
    assert len(taken) == 100
    return count


@pytest.mark.parametrize("shape", RECORDED)
def test_a_reading_costs_no_more_than_was_recorded(shape: str, known: Directory) -> None:
    found = steps(messages(shape), known) / 100
    assert found < LIMIT * RECORDED[shape], f"{found:.1f} steps a reading; {RECORDED[shape]} were recorded"
