"""Servers of other versions and makes, found as programs in a folder; each is started by a small adapter of its own.

The folder holds a folder for each server, called as people call it (`mosquitto-2.1.2`). What is in it says what it is:
`mosquitto`, `influxd` (1.x), `ts-server` or `ts-meta`, `ts-store` and `ts-sql` (openGemini), or HiveMQ's `lib` and
`extensions`, where an extension lets clients in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from proving.servers import GuardedMosquitto, Influxd, PrivateBroker, PrivateDatabase, Servers
from tests.peers.hivemq import HiveMQ
from tests.peers.opengemini import ClusterGemini, SingleGemini

DEBIAN = "Debian's"


@dataclass(frozen=True, slots=True)
class PeerBroker:
    """`guarded`: it keeps the rules of `ecopark broker accounts`."""

    name: str
    make: Callable[[Path, list], PrivateBroker]  # type: ignore[type-arg]
    guarded: bool

    @property
    def servers(self) -> Servers:
        """A crew's, with Debian's database."""
        return Servers(broker=self.make)


@dataclass(frozen=True, slots=True)
class PeerDatabase:
    """`guarding` makes one that asks for accounts, where it is known how."""

    name: str
    make: Callable[..., PrivateDatabase]

    @property
    def servers(self) -> Servers:
        """A crew's, with Debian's broker."""
        return Servers(database=self.make)


def brokers(folder: Path | None) -> Iterator[PeerBroker]:
    """Debian's mosquitto, and what the folder holds."""
    yield PeerBroker(f"{DEBIAN} mosquitto", GuardedMosquitto, guarded=True)
    for place in sorted(folder.iterdir()) if folder else ():
        if (mosquitto := place / "mosquitto").is_file():
            yield PeerBroker(place.name, partial(GuardedMosquitto, executable=mosquitto), guarded=True)
        elif any(place.glob("lib/hivemq-*.jar")):
            yield PeerBroker(place.name, partial(HiveMQ, place), guarded=False)


def databases(folder: Path | None) -> Iterator[PeerDatabase]:
    """Debian's InfluxDB, and what the folder holds."""
    yield PeerDatabase(f"{DEBIAN} InfluxDB", Influxd)
    for place in sorted(folder.iterdir()) if folder else ():
        if (influxd := place / "influxd").is_file():
            yield PeerDatabase(place.name, partial(Influxd, executable=influxd))
        if (place / "ts-server").is_file():
            yield PeerDatabase(place.name, partial(SingleGemini, place))
        if all((place / name).is_file() for name in ("ts-meta", "ts-store", "ts-sql")):
            yield PeerDatabase(f"{place.name}, three nodes", partial(ClusterGemini, place))
