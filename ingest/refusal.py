"""A refusal: what was refused, why, and enough of it to send it again.

It becomes a point of `refused` whose time and tags depend on its content alone, so that a message that is delivered
twice is refused once: the time is that of the reading where it has a usable one, else one in the hour before
the hour of receipt (`received` has the exact one); what lies below the resolution is drawn from a digest of the
content.

A repeat has nothing in common with the first delivery but its content, and an ingester may not read. So where a reading
without a usable time is delivered again in another hour there are two points of one digest, and whoever counts
refusals counts digests: then it is one.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from metering.model import IDENTIFIER
from metering.wire import Reason, RefusedReading
from store.lines import point, series
from store.schema import NS_PER_MS, REFUSED

KEPT_BYTES = 60_000
"""InfluxDB's text fields end at 64 KB; of what is longer only the beginning is kept."""

_HOUR_MS = 3_600_000


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

    def line(self, park: str, gateway: str, topic: str, now_ms: int) -> str:
        """Point of `refused`, received on `topic` at `now_ms`."""
        digest = hashlib.blake2b(self.payload, digest_size=8, person=self.reason.value.encode()[:16])
        digest.update(topic.encode())
        number = int.from_bytes(digest.digest())
        if self.ms is not None:
            ns = self.ms * NS_PER_MS + number % NS_PER_MS
        else:
            ns = (now_ms // _HOUR_MS - 1) * _HOUR_MS * NS_PER_MS + number % (_HOUR_MS * NS_PER_MS)
        payload, encoding = _as_text(self.payload[:KEPT_BYTES])
        return point(
            series(REFUSED, {"park": _tag(park), "gateway": _tag(gateway), "reason": self.reason.value}),
            {
                "meter": self.meter or "",
                "detail": self.detail,
                "topic": topic,
                "payload": payload,
                "encoding": encoding,
                "size": len(self.payload),
                "digest": digest.hexdigest(),
                "received": now_ms,
            },
            ns,
        )


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
