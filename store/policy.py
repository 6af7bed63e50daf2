"""How a database keeps its points: how long, in shards of which length, and in how many copies."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from metering.instants import DAY_MS, HOUR_MS
from store.answers import Row
from store.schema import OPERATOR_DATABASE, TENANT_SHARD_DAYS
from store.select import name

_UNITS_MS = {"w": 7 * DAY_MS, "d": DAY_MS, "h": HOUR_MS, "m": 60_000, "s": 1000}


@dataclass(frozen=True, slots=True)
class KeepingPolicy:
    """The default retention policy of a database; `keeps_ms` is None where it keeps all."""

    name: str
    keeps_ms: int | None
    shard_ms: int
    copies: int

    def suits(self, database: str) -> bool:
        """Whether its shards are as long as they should be; a database with a retention is left as it is."""
        days = shard_days(database)
        return days is None or self.keeps_ms is not None or self.shard_ms == days * DAY_MS


def shard_days(database: str) -> int | None:
    """Days in a shard of a database that keeps all; None where what the server takes by default is right."""
    return TENANT_SHARD_DAYS if database.startswith(f"{OPERATOR_DATABASE}_") else None


def policies(database: str) -> str:
    """A query for the retention policies of a database."""
    return f"SHOW RETENTION POLICIES ON {name(database)}"


def default_of(found: Iterable[Row]) -> KeepingPolicy | None:
    """The default one in the answer to `policies`."""
    for row in found:
        if row.get("default"):
            shard_ms = _ms(str(row.get("shardGroupDuration", ""))) or 0
            return KeepingPolicy(str(row["name"]), _ms(str(row["duration"])), shard_ms, int(row.get("replicaN", 1)))
    return None


def create(database: str, copies: int = 1) -> str:
    """Creates a database where there is none; only openGemini knows more copies than one."""
    days = shard_days(database)
    shards = "" if days is None else f" WITH SHARD DURATION {days}d"
    return f"CREATE DATABASE {name(database)}{shards}{f' REPLICAS {copies}' if copies > 1 else ''}"


def lengthen(database: str, policy: str, days: int) -> str:
    """Gives a database's new shards another length; those that exist stay as they are."""
    return f"ALTER RETENTION POLICY {name(policy)} ON {name(database)} SHARD DURATION {days}d"


def _ms(duration: str) -> int | None:
    """A duration such as `168h0m0s`, ms; None for an unlimited one."""
    return sum(int(count) * _UNITS_MS[unit] for count, unit in re.findall(r"(\d+)([wdhms])", duration)) or None
