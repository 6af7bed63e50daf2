"""A refusal: what was refused, why, and enough of it to send it again.

It becomes a point of `refused` whose time and tags depend on its content alone, so that a message that is delivered
twice is refused once, however long that takes: the time is that of the reading where it has a usable one, else one in
the first hour of `EARLIEST_MS`; what lies below the resolution is drawn from a digest of the content. When it was
refused is noted beside it, in `refused_at`.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from metering.model import IDENTIFIER
from store.lines import point, series
from store.schema import NS_PER_MS, REFUSED, REFUSED_AT
from wire.messages import Reason, RefusedReading

EARLIEST_MS = 946_684_800_000
"""The year 2000: what is older is a clock that was never set, or seconds taken for milliseconds."""

KEPT_BYTES = 60_000
"""InfluxDB's text fields end at 64 KB; of what is longer only the beginning is kept."""

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """`payload` is the reading as JSON, or the whole message where it could not be taken apart.

    `ts` is what the sender wrote; `ms` the same in milliseconds where it is usable as a time.
    """

    reason: Reason
    detail: str
    payload: bytes
    meter: str | None = None
    ts: Any = None
    ms: int | None = None

    def told(self) -> RefusedReading:
        """What the gateway is told."""
        return RefusedReading(meter=self.meter, ts=self.ts, reason=self.reason, detail=self.detail)

    def line(self, park: str, gateway: str, topic: str, now_ms: int, timeless_ms: int = EARLIEST_MS) -> str:
        """Point of `refused`, received on `topic` at `now_ms`; without a usable time it stands in the hour given."""
        digest = self._digest(topic)
        number = int(digest, 16)
        if self.ms is not None:
            ns = self.ms * NS_PER_MS + number % NS_PER_MS
        else:
            ns = timeless_ms * NS_PER_MS + number % (HOUR_MS * NS_PER_MS)
        payload, encoding = _as_text(self.payload[:KEPT_BYTES])
        return point(
            series(REFUSED, self._tags(park, gateway)),
            {
                "meter": self.meter or "",
                "detail": self.detail,
                "topic": topic,
                "payload": payload,
                "encoding": encoding,
                "size": len(self.payload),
                "digest": digest,
                "received": now_ms,
            },
            ns,
        )

    def note(self, park: str, gateway: str, topic: str, now_ms: int) -> str:
        """Point of `refused_at`: that it was refused at `now_ms`."""
        digest = self._digest(topic)
        ns = now_ms * NS_PER_MS + int(digest, 16) % NS_PER_MS
        return point(series(REFUSED_AT, self._tags(park, gateway)), {"digest": digest}, ns)

    def _digest(self, topic: str) -> str:
        digest = hashlib.blake2b(self.payload, digest_size=8, person=self.reason.value.encode()[:16])
        digest.update(topic.encode())
        return digest.hexdigest()

    def _tags(self, park: str, gateway: str) -> dict[str, str | None]:
        return {"park": _tag(park), "gateway": _tag(gateway), "reason": self.reason.value}


def _tag(name: str) -> str | None:
    """Keep what could be the name of a park or gateway: a topic may hold anything, of any length."""
    return name if IDENTIFIER.fullmatch(name) else None


def _as_text(payload: bytes) -> tuple[str, str]:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return base64.b64encode(payload).decode(), "base64"
    printable = text.translate(dict.fromkeys(map(ord, "\t\r\n"))).isprintable()
    return (text, "utf-8") if printable else (base64.b64encode(payload).decode(), "base64")
