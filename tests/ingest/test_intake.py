"""Fair shares: a gateway that floods delays only itself, and memory is bounded."""

import asyncio
import json
from typing import Any, cast

import pytest

from ingest.batch import BATCH_BYTES, BATCH_READINGS, Batch
from ingest.connection import Connection, Delivery
from ingest.directory import Directory
from ingest.intake import HELD_BYTES, MESSAGE_BYTES, SHARE_BYTES, Intake
from ingest.pace import MOST_GATHER_S, QUIET_PER_S, WINDOW_S, Pace
from ingest.refusal import Ledger
from tests.ingest.conftest import taken_of
from wire.messages import MAX_READINGS

NOW = 1_795_000_000_000
FLOODER, OTHER = ("ecopark/v1/demo/gw-1/readings", "ecopark/v1/demo/gw-2/readings")


class Socket:
    """Counts what is asked of a connection."""

    def __init__(self) -> None:
        self.paused = False
        self.sent = 0

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def delivery(self, topic: str, payload: bytes, *, retained: bool = False) -> Delivery:
        self.sent += 1
        return Delivery(topic, payload, self.sent, cast("Connection", self), retained)


@pytest.fixture
async def intake(known: Directory) -> Intake:
    made = Intake(lambda: NOW, Ledger("one"))
    made.know(known)
    return made


def unknown(count: int) -> bytes:
    readings = [{"meter": "em-9", "ts": NOW - n, "values": {"energy_kwh": 1.0}} for n in range(count)]
    return json.dumps({"readings": readings}).encode()


GOOD = json.dumps({"meter": "wm-2", "ts": NOW, "values": {"volume_m3": 1.0}}).encode()
POLL = json.dumps(
    {"readings": [{"meter": "em-1", "ts": NOW - n, "values": {"energy_kwh": 1.0}} for n in range(1_000)]}
).encode()


def good_of_other(batch: Batch) -> bool:
    return any(taken.meter.meter == "wm-2" for taken in taken_of(batch))


@pytest.mark.parametrize(
    "payload", [unknown(MAX_READINGS // 2), b"\xff" * 250_000, POLL], ids=["unknown", "noise", "backlog"]
)
async def test_a_good_reading_is_in_the_batch_after_the_one_that_is_written(intake: Intake, payload: bytes) -> None:
    socket = Socket()
    for _ in range(40):
        intake.receive([socket.delivery(FLOODER, payload)])
    writing = await intake.next_batch()
    await asyncio.sleep(0)  # the open batch fills from what waits
    intake.receive([socket.delivery(OTHER, GOOD)])
    intake.written(writing)
    assert good_of_other(await intake.next_batch())


def wrong(what: str, count: int) -> bytes:
    """A message without a good reading, which only decoding can show."""
    reading: dict[str, Any] = {"meter": "em-1", "ts": NOW, "values": {"energy_kwh": 1.0}}
    others: dict[str, dict[str, Any]] = {
        "meter": {"meter": "em-9"},
        "escaped": {"meter": "em-9\n"},
        "elsewhere": {"meter": "wm-2"},
        "time": {"ts": 1},
        "future": {"ts": NOW * 2},
        "value": {"values": {"energy_kwh": -5}},
        "quantity": {"values": {"volume_m3": 1, "ph": 7}},
    }
    reading |= others[what]
    return json.dumps({"id": "x-1", "readings": [reading | {"ts": reading["ts"] + n} for n in range(count)]}).encode()


WRONG = ("meter", "escaped", "elsewhere", "time", "future", "value", "quantity")


async def spent(intake: Intake, socket: Socket) -> None:
    """Use up the flooder's ration of refusals, and write what that took."""
    for _ in range(60):
        intake.receive([socket.delivery(FLOODER, unknown(1_000))])
        intake.written(await intake.next_batch())
    while intake.held_bytes:
        intake.written(await intake.next_batch())


@pytest.mark.parametrize("what", WRONG)
async def test_a_good_reading_is_received_whatever_was_refused_before_it(intake: Intake, what: str) -> None:
    """Large messages of a gateway whose ration is used up: nothing waits or stays in memory, all is counted."""
    socket = Socket()
    await spent(intake, socket)
    payload = wrong(what, 2_000)
    for _ in range(300):
        intake.receive([socket.delivery(FLOODER, payload)])
    intake.receive([socket.delivery(OTHER, GOOD)])
    assert not socket.paused
    assert intake.held_bytes < HELD_BYTES // 50
    batch = await intake.next_batch()
    assert good_of_other(batch)
    assert batch.messages == 301
    assert batch.counted >= 300 * 2_000
    assert {(each.answers, each.id) for each in batch.receipts} == {("ecopark/v1/demo/gw-1", "x-1")}
    intake.written(batch)
    assert intake.held_bytes == 0


@pytest.mark.parametrize("what", WRONG)
async def test_a_good_reading_among_thousands_that_are_refused_is_kept(intake: Intake, what: str) -> None:
    socket = Socket()
    await spent(intake, socket)
    message = json.loads(wrong(what, 2_000))
    good = {"meter": "em-1", "ts": NOW - 7, "values": {"power_kw": 5.0, "volume_m3": 1.0}}
    for place in (0, 1_000, 2_000):
        readings = [*message["readings"][:place], good, *message["readings"][place:]]
        intake.receive([socket.delivery(FLOODER, json.dumps({"readings": readings}).encode())])
        intake.receive(
            [socket.delivery(FLOODER, json.dumps({"readings": readings}).replace("em", "\\u0065m").encode())]
        )
        found = []
        while intake.held_bytes:
            batch = await intake.next_batch()
            intake.written(batch)
            found += [taken.values for taken in taken_of(batch)]
        assert found == [{"power_kw": 5.0}] * 2


OWN = json.dumps({"meter": "em-1", "ts": NOW - 1, "values": {"energy_kwh": 1.0}}).encode()
FALSE = b'{"meter":"wm-2","ts":%d,"values":{"volume_m3":9}}' % NOW


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ([OWN + b"," + FALSE], [b'{"meter":"}', b'{","ts":1,"values":{"energy_kwh":1}}']),
        ([OWN + b"," + FALSE], [b'{"meter":"em-1","ts":1,"values":{"energy_kwh":1}', b'"state":"fault"}']),
        ([OWN + b"," + FALSE, b'{"meter":"em-1","ts":1,"values":{"energy_kwh":1},"id":[{}'], [b"{}]}"]),
        ([OWN + b"," + FALSE, b""], []),
        ([OWN + b"," + FALSE], [b" "]),
        ([OWN + b",{"], [FALSE[1:], OWN]),
    ],
    ids=["text", "object", "list", "empty", "space", "half"],
)
async def test_messages_that_are_decoded_together_do_not_reach_into_each_other(
    intake: Intake, before: list[bytes], behind: list[bytes]
) -> None:
    """A gateway's messages around another's, made so that together they hold as many readings as there are messages."""
    socket = Socket()
    around = [socket.delivery(FLOODER, payload) for payload in (*before, *behind)]
    intake.receive([*around[: len(before)], socket.delivery(OTHER, GOOD), *around[len(before) :]])
    batch = await intake.next_batch()
    found = [taken for taken in taken_of(batch) if taken.meter.gateway == "gw-2"]
    assert [(taken.meter.meter, taken.values) for taken in found] == [("wm-2", {"volume_m3": 1.0})]
    assert batch.messages == len(around) + 1


async def test_two_readings_in_one_message_beside_single_ones_are_refused_and_the_others_taken(intake: Intake) -> None:
    """Together they are a list of readings like any other, but one longer than there are messages."""
    socket = Socket()
    payloads = [(OTHER, GOOD), (FLOODER, OWN + b"," + FALSE), (OTHER, GOOD.replace(b"1.0", b"2.0"))]
    intake.receive([socket.delivery(*each) for each in payloads])
    batch = await intake.next_batch()
    found = [(taken.meter.meter, taken.values) for taken in taken_of(batch)]
    assert found == [("wm-2", {"volume_m3": 1.0}), ("wm-2", {"volume_m3": 2.0})]
    assert [(kept.topic, kept.payload) for kept in batch.kept] == [(FLOODER, OWN + b"," + FALSE)]
    assert batch.messages == 3


async def test_bare_readings_that_came_together_are_accepted_as_one_by_one(intake: Intake) -> None:
    socket = Socket()
    mixed = [
        (FLOODER, OWN),
        (OTHER, GOOD),
        (OTHER, b'{"meter":"wm-2","ts":%d,"values":{"volume_m3":"2"}}' % NOW),
        (FLOODER, b'{"readings":[%b],"id":"b-1"}' % OWN),
        ("ecopark/v1/demo/gw-9/readings", OWN),
        (FLOODER, b"no JSON"),
        (FLOODER, OWN[:-1] + b',"id":"c-1"}'),
    ]

    def outcome(batches: list[Batch]) -> list[list[str]]:
        taken = [each for batch in batches for each in taken_of(batch)]
        return [
            sorted(f"{each.meter.meter} {each.values} {each.ms}" for each in taken),
            sorted(f"{each.topic} {each.refusal} {each.payload!r}" for batch in batches for each in batch.kept),
            sorted(each.id for batch in batches for each in batch.receipts),
        ]

    for some in (mixed, [mixed[0], mixed[1], mixed[6]]):
        intake.receive([socket.delivery(*each) for each in some])
        at_once = await intake.next_batch()
        one_by_one = []
        for each in some:
            intake.receive([socket.delivery(*each)])
            one_by_one.append(await intake.next_batch())
        assert outcome([at_once]) == outcome(one_by_one)
        assert at_once.messages == len(some)


def bare(second: int) -> bytes:
    return json.dumps({"meter": "em-1", "ts": NOW - 9_000_000 + 1_000 * second, "values": {"energy_kwh": 1.0}}).encode()


async def test_bare_readings_beyond_a_share_wait_and_keep_their_order(intake: Intake) -> None:
    socket = Socket()
    for first in range(0, 2_750, 250):
        intake.receive([socket.delivery(FLOODER, bare(first + n)) for n in range(250)])
    writing = await intake.next_batch()
    intake.receive([socket.delivery(FLOODER, bare(n)) for n in range(2_750, 3_000)])  # behind those that still wait
    found = [[taken.ms for taken in taken_of(writing)]]
    intake.written(writing)
    while intake.held_bytes:
        batch = await intake.next_batch()
        found.append([taken.ms for taken in taken_of(batch)])
        intake.written(batch)
    assert len(found[0]) == -(-SHARE_BYTES // (MESSAGE_BYTES + len(bare(0))))
    instants = [ms for batch in found for ms in batch]
    assert instants == sorted(set(instants))
    assert len(instants) == 3_000


async def test_bare_readings_go_into_another_batch_once_the_park_file_is_another(
    intake: Intake, known: Directory
) -> None:
    socket = Socket()
    intake.receive([socket.delivery(FLOODER, bare(n)) for n in range(2)])
    intake.know(known)
    intake.receive([socket.delivery(OTHER, GOOD) for _ in range(3)])
    assert [(await intake.next_batch()).messages for _ in range(2)] == [2, 3]


async def test_a_retained_bare_reading_is_dropped_among_others(intake: Intake) -> None:
    socket = Socket()
    kept = socket.delivery(FLOODER, bare(2), retained=True)
    intake.receive([socket.delivery(FLOODER, bare(1)), kept, socket.delivery(FLOODER, bare(3))])
    batch = await intake.next_batch()
    assert (batch.messages, batch.readings, intake.retained) == (3, 2, 1)


async def test_a_batch_is_bounded_whatever_waits(intake: Intake) -> None:
    socket = Socket()
    for _ in range(300):
        intake.receive([socket.delivery(FLOODER, unknown(200))])
    for _ in range(20):
        intake.receive([socket.delivery(OTHER, b"\xff" * 250_000)])
    batches = []
    while intake.held_bytes:
        batch = await intake.next_batch()
        batches.append(batch)
        intake.written(batch)
    assert sum(batch.messages for batch in batches) == 320
    assert all(batch.readings + batch.refused <= BATCH_READINGS + MAX_READINGS for batch in batches)
    assert all(batch.size <= BATCH_BYTES + SHARE_BYTES for batch in batches)


async def test_messages_of_one_gateway_stay_in_order(intake: Intake) -> None:
    socket = Socket()
    for _ in range(60):
        intake.receive([socket.delivery(FLOODER, POLL)])
        intake.receive([socket.delivery(OTHER, GOOD)])
    order: list[int] = []
    while intake.held_bytes:
        batch = await intake.next_batch()
        order += [each for acknowledgements in batch.acknowledgements for each in acknowledgements.packet_ids]
        intake.written(batch)
    assert sorted(order) == list(range(1, 121))
    for first in (1, 2):
        own = [each for each in order if each % 2 == first % 2]
        assert own == sorted(own)


async def test_the_socket_is_not_read_while_too_much_is_in_memory(intake: Intake) -> None:
    socket = Socket()
    while not socket.paused:
        intake.receive([socket.delivery(FLOODER, b"\xff" * 250_000)])
    assert intake.held_bytes <= HELD_BYTES + 1_000_000
    while socket.paused:
        intake.written(await intake.next_batch())
    assert intake.held_bytes <= HELD_BYTES // 2


async def test_retained_messages_are_acknowledged_and_not_stored(intake: Intake) -> None:
    socket = Socket()
    intake.receive([socket.delivery(OTHER, GOOD, retained=True)])
    batch = await intake.next_batch()
    assert batch.acknowledgements[0].packet_ids == [1]
    assert (batch.readings, batch.refused, intake.retained) == (0, 0, 1)


async def test_a_gateway_removed_from_the_park_file_goes_into_another_batch(
    intake: Intake,
) -> None:
    socket = Socket()
    intake.receive([socket.delivery(OTHER, GOOD)])
    intake.know(Directory())
    intake.receive([socket.delivery(OTHER, GOOD)])
    first = await intake.next_batch()
    assert (first.messages, first.readings) == (1, 1)
    second = await intake.next_batch()
    assert (second.messages, second.refused) == (1, 1)


def test_a_quiet_connection_never_waits_and_a_busy_one_not_for_long() -> None:
    pace, now = Pace(), 100.0
    for _ in range(50):
        pace.note(1, 100, now)
        assert pace.gather_s == 0
        now += 1.5 / QUIET_PER_S
    for rate in (500, 4_000, 12_000, 60_000):
        for _ in range(20):
            pace.note(int(rate * WINDOW_S), int(rate * WINDOW_S) * 100, now)
            now += WINDOW_S
        assert 0 < pace.gather_s <= MOST_GATHER_S
    pace.note(1, 100, now + 10)
    pace.note(1, 100, now + 20)
    assert pace.gather_s == 0


def test_large_messages_gather_no_longer_than_a_read_takes_to_fill() -> None:
    """So a flood of them is read as fast as it arrives, and nothing piles up in the broker."""
    for size_per_s, longest in ((10e6, 0.03), (100e6, 0.003), (1e9, 0.0)):
        pace, now = Pace(), 100.0
        for _ in range(20):
            pace.note(200, int(size_per_s * WINDOW_S), now)
            now += WINDOW_S
        assert pace.gather_s <= longest
