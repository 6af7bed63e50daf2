"""A private broker and a private database in a separate folder, on loopback ports, as child processes."""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import mqtt5

from ecopark.broker.accounts import OPERATOR
from ecopark.broker.configuration import CONFIGURATION, SHIPPED_CONFIGURATION, Listener, Listeners
from ecopark.broker.files import BrokerPlace, account_file, write_accounts
from ecopark.secretfiles import read_secrets
from metering.errors import OperatorError, UnavailableError
from metering.park import Park
from proving.processes import Child, free_port, program
from store.client import Store
from store.schema import OPERATOR_DATABASE
from wire.address import BrokerAddress

START_S = 60.0


class Struck(Protocol):
    """What can be started, stopped and struck as a unit: a program, or the programs of a cluster."""

    name: str
    log: Path

    @property
    def status(self) -> int | None:
        """Exit status of one that has ended."""

    @property
    def running(self) -> bool:
        """Whether it is alive (a paused one is)."""

    @property
    def pid(self) -> int:
        """Of its first program."""

    def start(self) -> None:
        """Start what does not run."""

    def stop(self) -> int | None:
        """Ask it to end, and insist."""

    def kill(self) -> int | None:
        """End it, or one of its programs, as a power failure would."""

    def pause(self) -> None:
        """Freeze it, or one of its programs."""

    def resume(self) -> None:
        """Let it go on."""

    def last_words(self) -> str:
        """The end of its log."""


class PrivateBroker(Protocol):
    """A broker that a crew can run with: `url` is the gateways', `address` the operator's."""

    url: str
    address: BrokerAddress

    @property
    def process(self) -> Struck:
        """What is struck."""

    async def start(self) -> None:
        """Start it and wait until it answers."""

    def account(self, name: str) -> Path:
        """File with the URL of an account, for `ECOPARK_ENV_FILE`."""

    def forget(self) -> None:
        """Throw away what it remembers, where a kill may do that."""


class PrivateDatabase(Protocol):
    """A database that a crew can run with."""

    url: str

    @property
    def process(self) -> Struck:
        """What is struck."""

    @property
    def environment(self) -> Mapping[str, str]:
        """How services find it."""

    async def start(self) -> None:
        """Start it and wait until it answers."""

    def store(self) -> Store:
        """A connection with it."""


async def until_ready(child: Struck, port: int, probe: bytes) -> None:
    """Wait until something at `port` answers `probe`.

    Raises `OperatorError` with the last words of a server that ended instead.
    """
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if not child.running:
            raise OperatorError(f"{child.name} ended with status {child.status}; its log says:\n{child.last_words()}")
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(probe)
            answer = await reader.read(1)
            writer.close()
            if answer:
                return
        except OSError:
            pass
        await asyncio.sleep(0.02)
    raise OperatorError(f"{child.name} did not answer within {START_S:.0f} s; see {child.log}")


class Mosquitto:
    """The broker with the shipped configuration and one listener, which is open to everybody on this machine."""

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        access: str = "allow_anonymous true",
        executable: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.address = BrokerAddress.parse(self.url)
        self.access = access
        """Who may do what, in the words of the broker's configuration; read when it starts."""
        self.folder = folder
        self._configuration = folder / CONFIGURATION
        command = [str(executable or program("mosquitto", "mosquitto")), "-c", str(self._configuration)]
        self.process = Child("mosquitto", command, folder / "mosquitto.log")

    async def start(self) -> None:
        """Start it and wait until it greets a client."""
        # As root it would change to a user of its own, who may not write to this folder.
        user = "user root\n" if os.getuid() == 0 else ""
        self._configuration.write_text(self._text().removesuffix(user) + user)
        self.process.start()
        greeting = mqtt5.ConnectPacket("", clean_start=True, keep_alive=5).write()
        await until_ready(self.process, self.port, greeting)

    def _text(self) -> str:
        return (
            f"{SHIPPED_CONFIGURATION.read_text()}\npersistence_location {self.folder.absolute()}/\n"
            f"listener {self.port} 127.0.0.1\n{self.access}\n"
        )

    def forget(self) -> None:
        """Throw away what it remembers, as a broker without persistence does when it is killed."""
        (self.folder / "mosquitto.db").unlink(missing_ok=True)


class GuardedMosquitto(Mosquitto):
    """The broker as `ecopark broker accounts` makes it for these parks: accounts, rules and two listeners.

    `url` is the gateways' listener without TLS, `tls_port` the one with it where `tls` is set (the folder must hold its
    certificates then); `address` is the operator's account on the inner one.
    """

    def __init__(
        self,
        folder: Path,
        parks: Iterable[Park],
        *,
        tls: bool = False,
        identity: bool = False,
        executable: Path | None = None,
    ) -> None:
        super().__init__(folder, executable=executable)
        self.inner_port = free_port()
        self.tls_port = free_port() if tls else 0
        folder = folder.absolute()
        self.place = BrokerPlace(folder, folder, folder, self.url, f"mqtt://127.0.0.1:{self.inner_port}")
        self.listeners = Listeners(
            plain=Listener(self.port, "127.0.0.1"),
            tls=Listener(self.tls_port, "127.0.0.1"),
            inner=Listener(self.inner_port, "127.0.0.1"),
            identity=identity,
        )
        write_accounts(parks, self.place, self.listeners, prune=False)
        self.address = BrokerAddress.parse(read_secrets(self.account(OPERATOR))["ECOPARK_MQTT_URL"])

    def account(self, name: str) -> Path:
        """File with the URL of an account, for `ECOPARK_ENV_FILE`."""
        return account_file(self.folder.absolute(), name)

    def _text(self) -> str:
        return self._configuration.read_text()


_COLLECTING = {"GOGC": "400", "GOMEMLIMIT": str(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)}
"""The second bounds the first: half of the machine's memory. Below what is in use it would collect without end."""


class Influxd:
    """InfluxDB 1.x with the operator's database.

    Continuous queries are off: whoever may read one database may create one there that reads any other. What was
    written is packed after half a minute of silence (`packs_after`) instead of ten: a past year goes into many shards,
    and each would keep its points unpacked in memory. Its garbage is collected when the heap has grown fourfold, not to
    twice its size: that takes a fifth off its work, for some hundred megabytes.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        *,
        authenticate: bool = False,
        executable: Path | None = None,
        index: str = "tsi1",
        packs_after: str = "30s",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {"ECOPARK_INFLUX_URL": self.url}
        self.backup_port = free_port()
        configuration = folder / "influxd.conf"
        configuration.write_text(
            f"""reporting-disabled = true
bind-address = "127.0.0.1:{self.backup_port}"
[meta]
  dir = "{folder.absolute()}/meta"
[data]
  dir = "{folder.absolute()}/data"
  wal-dir = "{folder.absolute()}/wal"
  index-version = "{index}"
  query-log-enabled = false
  cache-snapshot-write-cold-duration = "{packs_after}"
[monitor]
  store-enabled = false
[continuous_queries]
  enabled = false
[http]
  bind-address = "127.0.0.1:{self.port}"
  auth-enabled = {str(authenticate).lower()}
  log-enabled = false
[logging]
  level = "warn"
"""
        )
        self.executable = executable or Path(program("influxd", "influxdb"))
        command = [str(self.executable), "-config", str(configuration)]
        self.process = Child("influxd", command, folder / "influxd.log", _COLLECTING)

    async def start(self) -> None:
        """Start it, wait until it answers, and make the operator's database."""
        self.process.start()
        await until_ready(self.process, self.port, b"GET /ping HTTP/1.0\r\n\r\n")
        async with self.store() as store:
            await operators_database(store)

    def store(self) -> Store:
        """A connection with it."""
        return Store(self.url)


async def operators_database(store: Store) -> None:
    """Make the operator's database, as soon as the server is so far."""
    deadline = time.monotonic() + START_S
    while True:
        try:
            await store.create_database(OPERATOR_DATABASE)
        except UnavailableError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            return


@dataclass(frozen=True, slots=True)
class Servers:
    """Which broker and which database a crew runs with; Debian's unless told otherwise."""

    broker: Callable[[Path, list[Park]], PrivateBroker] = GuardedMosquitto
    database: Callable[[Path], PrivateDatabase] = Influxd
