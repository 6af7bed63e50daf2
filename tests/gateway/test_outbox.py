"""When a message is sent again, and how much is under way: bookkeeping with a clock that the test moves."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outbox import Outbox, Resend, SendWindow
from gateway.spool import Spooled

SMALL = SendWindow(in_flight=10, in_flight_bytes=100, unconfirmed=20, reserved=4)


@dataclass
class Clocked:
    """An outbox and its clock."""

    by_broker: bool = False
    window: SendWindow = SMALL
    probes: int = 100
    now: float = 0.0
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = Outbox(
            now=lambda: self.now,
            jitter=lambda: 1.0,
            window=self.window,
            resend=Resend(probes=self.probes),
            by_broker=self.by_broker,
        )

    def send(self, *seqs: int, size: int = 1) -> None:
        for seq in seqs:
            self.outbox.leaves(Spooled(seq, f"id-{seq}", 1, bytes(size)))


def test_without_receipt_a_message_is_due_after_30_s_and_then_ever_later_up_to_10_minutes() -> None:
    at = Clocked()
    sent = []
    at.send(1)
    at.outbox.acknowledged(1)
    for second in range(4_000):
        at.now = float(second)
        if at.outbox.due():
            sent.append(second)
            at.send(1)
            at.outbox.acknowledged(1)
    assert sent[:6] == [30, 90, 210, 450, 930, 1530]
    assert at.outbox.resent == len(sent)


def test_after_a_lost_connection_only_what_the_broker_did_not_acknowledge_is_due_at_once() -> None:
    at = Clocked()
    at.send(1, 2, 3)
    at.outbox.acknowledged(2)
    at.now = 5.0
    assert at.outbox.due() == []
    at.outbox.disconnected()
    assert at.outbox.due() == [1, 3]
    assert at.outbox.in_flight == 0
    at.now = 30.0
    assert at.outbox.due() == [1, 2, 3]


def test_the_backlog_leaves_room_for_live_readings_and_stays_within_the_bytes() -> None:
    at = Clocked()
    at.send(*range(6))
    assert not at.outbox.room(live=False)
    assert at.outbox.room(live=True)
    at.send(*range(6, 10))
    assert not at.outbox.room(live=True)
    at.outbox.acknowledged(0)
    assert at.outbox.room(live=True)
    large = Clocked()
    large.send(1, size=100)
    assert not large.outbox.room(live=False)
    assert large.outbox.room(live=True)


def test_no_more_than_the_bound_are_unconfirmed() -> None:
    at = Clocked()
    for seq in range(20):
        at.send(seq)
        at.outbox.acknowledged(seq)
    assert not at.outbox.room(live=True)
    at.outbox.confirm(["id-3"])
    at.outbox.forgotten(at.outbox.confirmed())
    assert at.outbox.room(live=True)
    assert not at.outbox.room(live=False)


def test_the_backlog_stops_at_the_bytes_that_wait_for_receipts_and_live_readings_at_twice_as_many() -> None:
    at = Clocked(window=SendWindow(unconfirmed_bytes=100))
    at.send(1, 2, size=50)
    at.outbox.acknowledged(1)
    at.outbox.acknowledged(2)
    assert not at.outbox.room(live=False)
    assert at.outbox.room(live=True)
    at.outbox.confirm(["id-1", "id-1"])
    assert at.outbox.room(live=False)
    at.outbox.forgotten(["id-1", "id-2"])
    at.send(3, size=99)
    at.outbox.acknowledged(3)
    assert at.outbox.room(live=False)
    at.send(4, size=101)
    at.outbox.acknowledged(4)
    assert not at.outbox.room(live=True)


def test_the_brokers_receive_maximum_is_respected() -> None:
    at = Clocked()
    at.outbox.receive_maximum = 1
    assert at.outbox.room(live=False)
    at.send(1)
    assert not at.outbox.room(live=True)


def test_while_no_receipts_come_only_the_oldest_are_repeated() -> None:
    at = Clocked(probes=2)
    at.send(1, 2, 3, 4)
    for seq in range(1, 5):
        at.outbox.acknowledged(seq)
    at.now = 40.0
    assert at.outbox.due() == [1, 2]
    at.outbox.confirm(["id-of-another-message"])
    assert at.outbox.due() == [1, 2, 3, 4]


def test_once_others_are_answered_a_message_that_was_sent_often_is_due_soon() -> None:
    at = Clocked()
    at.send(1)
    at.outbox.acknowledged(1)
    for now in (30.0, 90.0, 210.0):
        at.now = now
        assert at.outbox.due() == [1]
        at.send(1)
        at.outbox.acknowledged(1)
    at.now = 275.0
    assert at.outbox.due() == [], "it waits 240 s more, as long as nobody is answered"
    at.send(2)
    at.outbox.acknowledged(2)
    at.outbox.confirm(["id-2"])
    assert at.outbox.due() == [1]


def test_a_refusal_by_the_broker_is_tried_again_later_and_confirms_nothing() -> None:
    at = Clocked(by_broker=True)
    at.send(1)
    at.outbox.refused(1)
    assert at.outbox.confirmed() == []
    assert at.outbox.due() == []
    at.now = 31.0
    assert at.outbox.due() == [1]


@pytest.mark.parametrize("by_broker", [True, False])
def test_the_brokers_acknowledgement_confirms_only_where_configured(by_broker: bool) -> None:
    at = Clocked(by_broker=by_broker)
    at.send(1)
    at.outbox.acknowledged(1)
    assert at.outbox.confirmed() == (["id-1"] if by_broker else [])
    assert at.outbox.published == 1


@given(
    st.lists(
        st.tuples(st.sampled_from(["send", "ack", "refuse", "receipt", "forget", "cut", "wait"]), st.integers(0, 9)),
        max_size=80,
    )
)
def test_whatever_the_order_of_events_nothing_is_forgotten_without_a_receipt_and_nothing_stays_unsent(
    events: list[tuple[str, int]],
) -> None:
    at = Clocked(window=SendWindow(unconfirmed=100))
    sent: set[int] = set()
    receipts: set[int] = set()
    gone: set[int] = set()
    for event, seq in events:
        if event == "send" and seq not in sent:
            at.send(seq)
            sent.add(seq)
        elif event == "ack":
            at.outbox.acknowledged(seq)
        elif event == "refuse":
            at.outbox.refused(seq)
        elif event == "receipt":
            assert at.outbox.confirm([f"id-{seq}", "stranger"])[-1] == "stranger"
            receipts |= {seq} & sent
        elif event == "forget":
            gone |= {int(name[3:]) for name in at.outbox.confirmed()}
            at.outbox.forgotten(at.outbox.confirmed())
        elif event == "cut":
            at.outbox.disconnected()
        else:
            at.now += seq * 10.0
        assert gone <= receipts
        assert at.outbox.in_flight >= 0
        assert at.outbox.unconfirmed == len(sent - receipts)
    at.outbox.disconnected()
    at.now += 10_000.0
    assert set(at.outbox.due()) == sent - receipts
