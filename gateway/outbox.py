"""Which message to send next: what is in flight, what waits for its receipt, what must be sent again.

Pure bookkeeping in memory, bounded by the window; after a crash everything is simply sent again. A receipt may be lost,
late, duplicated or unknown, and may come before the broker's own acknowledgement.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.spool import Spooled


@dataclass(frozen=True, slots=True)
class SendWindow:
    """How much may be in flight.

    `in_flight` messages and `in_flight_bytes` are unacknowledged by the broker; `unconfirmed` messages wait for their
    receipt, so the broker's queue holds no more than these. The backlog leaves `reserved` of each to live readings, and
    stops at `unconfirmed_bytes`: what is queued ahead of the ingester delays live readings, of other gateways too. Live
    readings stop at twice as many.
    """

    in_flight: int = 100
    in_flight_bytes: int = 256 * 1024
    unconfirmed: int = 2_000
    unconfirmed_bytes: int = 1024 * 1024
    reserved: int = 20


@dataclass(frozen=True, slots=True)
class Resend:
    """Seconds without a receipt until a message is sent again: `first`, doubled each time up to `longest`.

    While no receipt at all comes in, the other side is down and repeats only fill the broker: then only the `probes`
    oldest are sent again. Once others are answered, a message waits no longer than twice `first`, however often it was
    sent while the other side was down.
    """

    first: float = 30.0
    longest: float = 600.0
    probes: int = 10


@dataclass(slots=True)
class _Sent:
    """A message that was sent at least once; `due`: when to send it again, unless it is `in_flight` now."""

    id: str
    readings: int
    size: int
    sent_at: float
    due: float
    times: int = 1
    in_flight: bool = True
    acked: bool = False


class Outbox:
    """Every message that was sent and is not confirmed; `now`: monotonic seconds; `jitter`: a factor around 1."""

    def __init__(
        self,
        *,
        now: Callable[[], float],
        jitter: Callable[[], float],
        window: SendWindow,
        resend: Resend,
        by_broker: bool,
    ) -> None:
        self._now = now
        self._jitter = jitter
        self._window = window
        self._resend = resend
        self._by_broker = by_broker
        self._sent: dict[int, _Sent] = {}
        self._seq_of: dict[str, int] = {}
        self._in_flight = 0
        self._in_flight_bytes = 0
        self._unconfirmed_bytes = 0
        self._heard = float("-inf")
        self._confirmed: dict[str, int] = {}
        self.receive_maximum = 65_535
        self.published = 0
        self.resent = 0

    def __contains__(self, seq: int) -> bool:
        return seq in self._sent

    @property
    def unconfirmed(self) -> int:
        """Messages that were sent and not confirmed."""
        return len(self._sent) - len(self._confirmed)

    @property
    def waiting_to_be_forgotten(self) -> bool:
        """Whether the spool can delete something."""
        return bool(self._confirmed)

    @property
    def in_flight(self) -> int:
        """Messages that the broker has not acknowledged yet."""
        return self._in_flight

    @property
    def oldest_in_flight(self) -> float | None:
        """When the oldest unacknowledged message was sent."""
        return min((sent.sent_at for sent in self._sent.values() if sent.in_flight), default=None)

    def room(self, *, live: bool) -> bool:
        """Whether one more new message may be sent now."""
        # Live readings may use as much again, so that a backlog never shuts them out; a source that yields more than
        # can be delivered builds a backlog even while live.
        if self._unconfirmed_bytes >= self._window.unconfirmed_bytes * (2 if live else 1):
            return False
        reserved = 0 if live else self._window.reserved
        return self._line_is_free(live=live) and len(self._sent) < self._window.unconfirmed - reserved

    def room_to_repeat(self) -> bool:
        """Whether a message may be sent again now."""
        return self._line_is_free(live=False)

    def _line_is_free(self, *, live: bool) -> bool:
        most = min(self._window.in_flight, self.receive_maximum)
        if live:  # past the byte limit too, or a slow line full of backlog would shut live readings out
            return self._in_flight < most
        few = max(1, most - min(self._window.reserved, most // 2))
        return self._in_flight < few and self._in_flight_bytes < self._window.in_flight_bytes

    def leaves(self, message: Spooled) -> None:
        """Note that the message was sent."""
        now = self._now()
        size = len(message.payload)
        sent = self._sent.get(message.seq)
        if sent is None:
            self._sent[message.seq] = _Sent(message.id, message.readings, size, now, self._timer(now, 1))
            self._seq_of[message.id] = message.seq
            self._unconfirmed_bytes += size
        else:
            sent.times += 1
            sent.sent_at = now
            sent.in_flight = True
            sent.due = self._timer(now, sent.times)
            self.resent += 1
        self._in_flight += 1
        self._in_flight_bytes += size

    def acknowledged(self, seq: int) -> None:
        """Note that the broker has it."""
        sent = self._sent.get(seq)
        if sent is None or not self._landed(sent):
            return
        self._arrived(sent)
        if self._by_broker:
            self._confirm(seq, sent)

    def refused(self, seq: int) -> None:
        """Note that the broker refused it: as if it had not answered, it is sent again when due."""
        sent = self._sent.get(seq)
        if sent is not None:
            self._landed(sent)

    def confirm(self, ids: Iterable[str]) -> list[str]:
        """Note receipts; returns the ids among them that this outbox did not send."""
        self._heard = self._now()
        unknown = []
        for name in ids:
            seq = self._seq_of.get(name)
            if seq is None:
                unknown.append(name)
            else:
                self._arrived(self._sent[seq])
                self._confirm(seq, self._sent[seq])
        return unknown

    def confirmed(self) -> list[str]:
        """Ids for the spool to delete; call `forgotten` afterwards."""
        return list(self._confirmed)

    def forgotten(self, ids: Iterable[str]) -> None:
        """Drop messages that are no longer in the spool."""
        for name in ids:
            seq = self._seq_of.pop(name, None)
            if seq is not None:
                sent = self._sent.pop(seq)
                self._landed(sent)
                self._confirm(seq, sent)
                del self._confirmed[name]

    def drop(self, seqs: Iterable[int]) -> None:
        """Drop messages that the spool gave up."""
        self.forgotten([self._sent[seq].id for seq in seqs if seq in self._sent])

    def disconnected(self) -> None:
        """Make due at once what the broker has not acknowledged; the rest waits for its receipt."""
        now = self._now()
        for sent in self._sent.values():
            if self._landed(sent):
                sent.due = now

    def broker_forgot(self) -> None:
        """Make due at once also what the broker had acknowledged: it has lost its memory."""
        now = self._now()
        for sent in self._sent.values():
            if sent.acked:
                sent.acked, sent.due = False, now

    def due(self) -> list[int]:
        """What must be sent again now, oldest first."""
        now = self._now()
        found = []
        for place, (seq, sent) in enumerate(sorted(self._sent.items())):
            answered = self._heard >= sent.sent_at
            due = min(sent.due, sent.sent_at + 2 * self._resend.first) if answered else sent.due
            if sent.in_flight or due > now or sent.id in self._confirmed:
                continue
            if not sent.acked or answered or place < self._resend.probes:
                found.append(seq)
        return found

    def held_by_broker(self) -> list[int]:
        """Messages that the broker has, oldest first."""
        return sorted(seq for seq, sent in self._sent.items() if sent.acked)

    def _arrived(self, sent: _Sent) -> None:
        if not sent.acked:
            sent.acked = True
            self.published += sent.readings

    def _confirm(self, seq: int, sent: _Sent) -> None:
        if sent.id not in self._confirmed:
            self._confirmed[sent.id] = seq
            self._unconfirmed_bytes -= sent.size

    def _landed(self, sent: _Sent) -> bool:
        """Note that one message is no longer in flight; returns whether it was."""
        if not sent.in_flight:
            return False
        sent.in_flight = False
        self._in_flight -= 1
        self._in_flight_bytes -= sent.size
        return True

    def _timer(self, now: float, times: int) -> float:
        return now + self._jitter() * min(self._resend.longest, self._resend.first * 2.0 ** (times - 1))
