"""Refusals: what was refused, why, and enough of it to send it again.

The ledger counts every refusal and keeps as many as the ration of its gateway allows. A kept one becomes a point of
`refused` at the time of its receipt, which is unique; counts become a point of `refused_count` per minute, gateway and
reason. Tags come from the park files, so their number is bounded; texts are truncated where they are made.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from store.lines import point, series
from store.schema import NS_PER_MS, REFUSED, REFUSED_COUNT
from wire.messages import Reading, Reason, RefusedReading

KEPT_BYTES = 60_000
"""InfluxDB's text fields end at 64 KB; longer content is cut off."""

TEXT = 200
"""Most characters of a topic or a detail; no topic of ours is longer."""

NAME = 64

RATION_BYTES = 4 * 2**20
"""How much of a gateway's refusals may be kept at once: about fifteen thousand readings.

While they are checked one by one and written, the good readings behind them wait: about half a second.
"""

RATION_BYTES_PER_S = 2_048
"""And in the long run: about seven readings a second, 180 MB a day."""

POINT_BYTES = 200
"""What a refusal takes besides its payload."""

AGAIN_BYTES = KEPT_BYTES + POINT_BYTES
"""A ration that was used up stays so until any refusal fits again, half a minute later."""

PERIOD_MS = 60_000


class Refusal(NamedTuple):
    """One value of a reading (`quantity` names it), a reading, or a message that could not be taken apart.

    `ts` is the sender's own, where it is usable as a time.
    """

    reason: Reason
    detail: str
    original: bytes | Reading
    meter: str | None = None
    ts: Any = None
    quantity: str | None = None

    @property
    def payload(self) -> bytes:
        """What was refused, as a message that can be sent again."""
        if isinstance(self.original, bytes):
            return self.original
        reading = self.original
        if self.quantity is not None:
            reading = reading.model_copy(update={"values": {self.quantity: reading.values[self.quantity]}})
        return reading.model_dump_json(exclude_defaults=True, exclude={"id"}).encode()

    def for_sender(self) -> RefusedReading:
        """The refusal as it is sent to the gateway: without the whole reading."""
        return RefusedReading(
            meter=self.meter,
            ts=self.ts,
            quantity=None if self.quantity is None else self.quantity[:NAME],
            reason=self.reason,
            detail=self.detail,
        )


def refusal(
    reason: Reason,
    detail: str,
    original: bytes | Reading,
    *,
    meter: str | None = None,
    ts: Any = None,
    quantity: str | None = None,
) -> Refusal:
    """Make a refusal whose texts are bounded, whatever was sent."""
    return Refusal(
        reason, detail[:TEXT], original, meter=None if meter is None else meter[:NAME], ts=ts, quantity=quantity
    )


class Kept(NamedTuple):
    """A refusal that is stored: the park and gateway it belongs to, and the topic on which it came."""

    park: str
    gateway: str
    topic: str
    refusal: Refusal
    payload: bytes
    received_ms: int

    @property
    def digest(self) -> str:
        """A digest of the content: a message that is delivered twice has one."""
        digest = hashlib.blake2b(self.payload, digest_size=8, person=self.refusal.reason.value.encode()[:16])
        digest.update(self.topic.encode())
        return digest.hexdigest()


class _Ration:
    """A token bucket, in bytes; `now_s` only grows."""

    __slots__ = ("_filled", "_left", "_used_up")

    def __init__(self, now_s: float) -> None:
        self._left = float(RATION_BYTES)
        self._filled = now_s
        self._used_up = False

    def take(self, size: int, now_s: float) -> bool:
        self._fill(now_s)
        if size > self._left:
            self._used_up = True
            return False
        self._left -= size
        return True

    def used_up(self, now_s: float) -> bool:
        """Whether it was used up and has not refilled: a few bytes would let in one message after the other."""
        self._fill(now_s)
        self._used_up = self._used_up and self._left < AGAIN_BYTES
        return self._used_up

    def _fill(self, now_s: float) -> None:
        self._left = min(RATION_BYTES, self._left + (now_s - self._filled) * RATION_BYTES_PER_S)
        self._filled = now_s


class _Tally(NamedTuple):
    park: str
    gateway: str
    reason: Reason


class Ledger:
    """Counts the refusals of one ingester and decides which are kept. No two of its points have the same time."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._rations: dict[tuple[str, str], _Ration] = {}
        self._counted: Counter[_Tally] = Counter()
        self._stored: Counter[_Tally] = Counter()
        self._changed: set[_Tally] = set()
        self._due: list[str] = []
        self._period_ns = 0
        self._last_ns = 0

    def note(self, park: str, gateway: str, topic: str, refusals: Iterable[Refusal], now_ms: int) -> list[Kept]:
        """Count refusals of a message that was received now; returns those to keep.

        All topics that no park file names share one ration: a stranger cannot get a new one by inventing a topic.
        """
        self._turn_the_minute(now_ms)
        ration = self._ration(park, gateway, now_ms)
        kept: list[Kept] = []
        waiting = iter(refusals)
        for each in waiting:
            tally = _Tally(park, gateway, each.reason)
            self._counted[tally] += 1
            self._changed.add(tally)
            if not ration.take(POINT_BYTES, now_ms / 1000):
                break
            payload = each.payload
            if not ration.take(min(len(payload), KEPT_BYTES), now_ms / 1000):
                continue
            self._stored[tally] += 1
            kept.append(Kept(park, gateway, topic[:TEXT], refusal=each, payload=payload, received_ms=now_ms))
        # Nothing more can be kept; all the others are counted at once.
        self.count(park, gateway, Counter([each.reason for each in waiting]), now_ms)
        return kept

    def count(self, park: str, gateway: str, counts: Mapping[Reason, int], now_ms: int) -> None:
        """Count refusals that are not kept."""
        self._turn_the_minute(now_ms)
        for reason, number in counts.items():
            tally = _Tally(park, gateway, reason)
            self._counted[tally] += number
            self._changed.add(tally)

    def used_up(self, park: str, gateway: str, now_ms: int) -> bool:
        """Whether a gateway has used up its ration of refusals."""
        return self._ration(park, gateway, now_ms).used_up(now_ms / 1000)

    def _turn_the_minute(self, now_ms: int) -> None:
        if now_ms * NS_PER_MS >= self._period_ns + PERIOD_MS * NS_PER_MS:
            self._due += self._count_lines()
            self._counted.clear()
            self._stored.clear()
            self._period_ns = max(now_ms * NS_PER_MS, self._period_ns + 1)

    def _ration(self, park: str, gateway: str, now_ms: int) -> _Ration:
        ration = self._rations.get((park, gateway))
        if ration is None:
            ration = self._rations[park, gateway] = _Ration(now_ms / 1000)
        return ration

    def counts(self) -> list[str]:
        """Points of what was counted since the last call: one a minute for each gateway and reason."""
        lines, self._due = self._due + self._count_lines(), []
        return lines

    def _count_lines(self) -> list[str]:
        lines = [
            point(
                series(REFUSED_COUNT, self._tags(*tally)),
                {"count": self._counted[tally], "kept": self._stored[tally]},
                self._period_ns,
            )
            for tally in self._changed
        ]
        self._changed.clear()
        return lines

    def line(self, kept: Kept, *, whole: bool = True) -> str:
        """Point of `refused`; not `whole`: without the content, for a database that rejected it."""
        refused, digest = kept.refusal, kept.digest
        first = kept.received_ms * NS_PER_MS + int(digest, 16) % NS_PER_MS
        self._last_ns = max(first, self._last_ns + 1)
        payload = _as_text(kept.payload[:KEPT_BYTES])
        said = {
            "meter": refused.meter or "",
            "quantity": (refused.quantity or "")[:NAME],
            "detail": refused.detail,
            "topic": kept.topic,
            "payload": payload.text,
            "encoding": payload.encoding,
        }
        return point(
            series(REFUSED, self._tags(kept.park, kept.gateway, refused.reason)),
            (said if whole else {}) | {"size": len(kept.payload), "digest": digest, "received": kept.received_ms},
            self._last_ns,
        )

    def _tags(self, park: str, gateway: str, reason: Reason) -> dict[str, str | None]:
        return {"park": park, "gateway": gateway, "reason": reason.value, "instance": self._instance}


class _PayloadText(NamedTuple):
    """A payload as the database keeps it."""

    text: str
    encoding: str


def _as_text(payload: bytes) -> _PayloadText:
    with suppress(UnicodeDecodeError):
        text = payload.decode()
        if text.translate(dict.fromkeys(map(ord, "\t\r\n"))).isprintable():
            return _PayloadText(text, "utf-8")
    return _PayloadText(base64.b64encode(payload).decode(), "base64")
