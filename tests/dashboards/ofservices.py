"""What the services write about their own work, for the synthetic past."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from metering.park import Park
from store.lines import FieldValue, point, series
from store.schema import GATEWAY_CLOCK, PIPELINE, REFUSED_COUNT


def ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1000) * 1_000_000


def pipeline(park: Park, now: datetime) -> Iterator[str]:
    head = series(PIPELINE, {"service": "ingest", "instance": "ingest-1"})
    for step in range(360):
        fields: dict[str, FieldValue] = {
            "messages_per_s": 0.4,
            "readings_per_s": 1.4 + 0.2 * math.sin(step / 9),
            "refused_per_s": 0.0,
            "stored": 1000 + step * 14,
            "refused": 3,
            "connected": True,
            "unacknowledged": 0,
            "held_bytes": 2048,
            "retries": 0,
            "reconnects": 0,
            "resident_mb": 41.0,
            "write_ms": 6.0 + math.sin(step / 5),
            "last_write_age_s": 3.0,
            "waiting_s": 0.0,
            "lag_s": 1.2,
        }
        yield point(head, fields, ns(now - timedelta(minutes=360 - step)))
        for number, gateway in enumerate(park.gateways):
            tags = {"park": park.id, "gateway": gateway.id, "instance": "ingest-1"}
            behind = 0.6 + number + 0.2 * math.sin(step / 7)
            yield point(series(GATEWAY_CLOCK, tags), {"behind_s": behind}, ns(now - timedelta(minutes=360 - step)))


def refused(park: Park, now: datetime) -> Iterator[str]:
    for hours, gateway, reason in (
        (0.5, "gw-east", "out_of_range"),
        (3, "gw-water", "unknown_meter"),
        (50, "gw-east", "bad_time"),
    ):
        tags = {"park": park.id, "gateway": gateway, "reason": reason}
        yield point(series(REFUSED_COUNT, tags), {"count": 1}, ns(now - timedelta(hours=hours)))
