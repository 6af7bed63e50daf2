"""Servers of other versions and makes, found as programs in a folder; each is started by a small adapter of its own.

The folder holds a folder for each server, called as people call it (`mosquitto-2.1.2`). What is in it says what it is:
`mosquitto` (beside it perhaps the plugin persist-sqlite of 2.1), `influxd` (with 2.x's `influx` for its backups),
`ts-server` or `ts-meta`, `ts-store` and `ts-sql` (openGemini), or HiveMQ's `lib` and `extensions`, where an extension
lets clients in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from metering.park import Park
from proving.servers import GuardedMosquitto, Influxd, PrivateBroker, PrivateDatabase, Servers
from tests.peers.hivemq import HiveMQ
from tests.peers.influx2 import Influx2d, is_influx2
from tests.peers.opengemini import ClusterGemini, SingleGemini

DEBIAN = "Debian's"
KEEPER = "mosquitto_persist_sqlite.so"


class KeepingMosquitto(GuardedMosquitto):
    """mosquitto 2.1 with its plugin for persistence, which keeps shared subscriptions, too."""

    def __init__(self, folder: Path, parks: list[Park], *, executable: Path, plugin: Path) -> None:
        super().__init__(folder, parks, executable=executable)
        self._plugin = plugin

    def _text(self) -> str:
        kept = f"global_plugin {self._plugin.absolute()}\nplugin_opt_db_file {self.folder.absolute()}/kept.sqlite3\n"
        text = super()._text().replace("persistence true\n", "").replace("autosave_interval 300\n", "")
        first = "per_listener_settings true\n"
        return text.replace(first, first + kept)

    def forget(self) -> None:
        """It forgets nothing when it is killed."""


@dataclass(frozen=True, slots=True)
class PeerBroker:
    """`guarded`: it keeps the rules of `ecopark broker accounts`."""

    name: str
    make: Callable[[Path, list[Park]], PrivateBroker]
    guarded: bool

    @property
    def servers(self) -> Servers:
        """A crew's, with Debian's database."""
        return Servers(broker=self.make)


@dataclass(frozen=True, slots=True)
class PeerDatabase:
    """`make` takes a folder and whether it asks for accounts (`authenticate`)."""

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
            if (plugin := place / KEEPER).is_file():
                kept = partial(KeepingMosquitto, executable=mosquitto, plugin=plugin)
                yield PeerBroker(f"{place.name} with persist-sqlite", kept, guarded=True)
        elif any(place.glob("lib/hivemq-*.jar")):
            yield PeerBroker(place.name, partial(HiveMQ, place), guarded=False)


def databases(folder: Path | None) -> Iterator[PeerDatabase]:
    """Debian's InfluxDB, and what the folder holds."""
    yield PeerDatabase(f"{DEBIAN} InfluxDB", Influxd)
    for place in sorted(folder.iterdir()) if folder else ():
        if (influxd := place / "influxd").is_file():
            kind = partial(Influx2d, influxd) if is_influx2(influxd) else partial(Influxd, executable=influxd)
            yield PeerDatabase(place.name, kind)
        if (place / "ts-server").is_file():
            yield PeerDatabase(place.name, partial(SingleGemini, place))
        if all((place / name).is_file() for name in ("ts-meta", "ts-store", "ts-sql")):
            yield PeerDatabase(f"{place.name}, three nodes", partial(ClusterGemini, place))
