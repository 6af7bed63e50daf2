"""The accept step keeps its speed, told as a ratio to a loop that never changes.

Path and reference take turns, and the least of many short turns counts for each, so that a busy machine slows both or
neither.
"""

import json
import time

import pytest

from ingest.accept import accept, lines_of
from ingest.directory import Directory, directory
from metering.parkfile import load_park
from proving.demo.plan import EXAMPLE
from wire.topics import Channel, topic

NOW_MS = 1_795_000_000_000
TURNS = 200
LIMIT = 1.5
TOPIC = topic("song-xanh", "gw-west", Channel.READINGS)
METERS = ("em-plastics", "em-furniture", "em-packaging", "em-pharma", "em-feed")
RECORDED = {"single": 72.0, "batch": 51.0}
"""Processor time of one reading over that of one round of the reference, on CPython 3.11."""


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


def reference(rounds: int) -> int:
    total = 0
    for number in range(rounds):
        total += number * number % 7
    return total


@pytest.mark.parametrize("shape", RECORDED)
def test_a_reading_costs_no_more_than_was_recorded(shape: str, known: Directory) -> None:
    payloads = messages(shape)
    least_reference = least_path = float("inf")
    for _ in range(TURNS):
        began = time.process_time_ns()
        reference(4_000)
        between = time.process_time_ns()
        taken = [each for payload in payloads for each in accept(TOPIC, payload, NOW_MS, known).taken]
        "\n".join(lines_of(taken)).encode()
        ended = time.process_time_ns()
        assert len(taken) == 100
        least_reference = min(least_reference, (between - began) / 4_000)
        least_path = min(least_path, (ended - between) / 100)
    ratio = least_path / least_reference
    assert ratio < LIMIT * RECORDED[shape], f"{ratio:.1f} rounds of the reference; {RECORDED[shape]} was recorded"
