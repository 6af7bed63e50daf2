"""openGemini, as one program or as a cluster of three on the addresses 127.0.0.1 to 127.0.0.3.

As docs/servers.md asks: shelf mode is off, so are sums kept beside files (`pre-agg-enabled`), and answers to GROUP BY
name tags that a series does not have (`ignore-empty-tag`). The cluster keeps three copies of each point and waits for
their leader (`ha-policy`).
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from metering.errors import OperatorError, UnavailableError
from proving.processes import Child, free_port
from proving.servers import START_S, operators_database, until_ready
from store.answers import RejectedError
from store.client import Store
from store.schema import OPERATOR_DATABASE

_CONFIGURATION = """\
[common]
  meta-join = [{join}]
  ha-policy = "{policy}"
  pre-agg-enabled = {pre_agg}
  ignore-empty-tag = false
[meta]
  bind-address = "{raft}"
  http-bind-address = "{meta_http}"
  rpc-bind-address = "{meta_rpc}"
  dir = "{folder}/meta"
[http]
  bind-address = "{http}"
  flight-enabled = false
  auth-enabled = {auth}
[data]
  store-ingest-addr = "{ingest}"
  store-select-addr = "{select}"
  store-data-dir = "{folder}/data"
  store-wal-dir = "{folder}/data"
  store-meta-dir = "{folder}/meta"
[logging]
  path = "{folder}/logs"
  level = "warn"
[gossip]
  enabled = {gossip}
  bind-address = "{address}"
  store-bind-port = {gossip_store}
  meta-bind-port = {gossip_meta}
  sql-bind-port = {gossip_sql}
  members = [{members}]
[monitor]
  store-enabled = false
[record-write]
  enabled = false
[shelf-mode]
  enabled = false
"""


class _Gemini:
    """What both forms have in common; the first `sql` port is where everybody asks."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {"ECOPARK_INFLUX_URL": self.url}

    def store(self) -> Store:
        return Store(self.url)


class SingleGemini(_Gemini):
    """One program that does all."""

    def __init__(self, place: Path, folder: Path, *, authenticate: bool = False, pre_agg: bool = False) -> None:
        super().__init__(free_port())
        folder = folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / "gemini.conf"
        node = _Node("127.0.0.1", folder, self.port)
        configuration.write_text(node.configuration([node], cluster=False, authenticate=authenticate, pre_agg=pre_agg))
        command = [str(place.absolute() / "ts-server"), "-config", str(configuration)]
        self.process = Child("ts-server", command, folder / "gemini.log")

    async def start(self) -> None:
        self.process.start()
        await until_ready(self.process, self.port, b"GET /ping HTTP/1.0\r\n\r\n")
        async with self.store() as store:
            await operators_database(store)


class _Node:
    def __init__(self, address: str, folder: Path, http: int) -> None:
        self.address, self.folder, self.http = address, folder, http
        self.raft, self.meta_http, self.meta_rpc, self.ingest, self.select = (free_port() for _ in range(5))
        self.gossip_store, self.gossip_meta, self.gossip_sql = (free_port() for _ in range(3))

    def configuration(self, nodes: Sequence["_Node"], *, cluster: bool, authenticate: bool, pre_agg: bool) -> str:
        return _CONFIGURATION.format(
            join=", ".join(f'"{node.address}:{node.meta_rpc}"' for node in nodes),
            members=", ".join(f'"{node.address}:{node.gossip_meta}"' for node in nodes),
            policy="replication" if cluster else "write-available-first",
            pre_agg=str(pre_agg).lower(),
            raft=f"{self.address}:{self.raft}",
            meta_http=f"{self.address}:{self.meta_http}",
            meta_rpc=f"{self.address}:{self.meta_rpc}",
            http=f"{self.address}:{self.http}",
            ingest=f"{self.address}:{self.ingest}",
            select=f"{self.address}:{self.select}",
            folder=self.folder,
            auth=str(authenticate).lower(),
            gossip=str(cluster).lower(),
            address=self.address,
            gossip_store=self.gossip_store,
            gossip_meta=self.gossip_meta,
            gossip_sql=self.gossip_sql,
        )


class Cluster:
    """The programs of a cluster as one: a blow strikes one store after the other, the end all of them."""

    def __init__(self, others: Sequence[Child], stores: Sequence[Child]) -> None:
        self._others, self._stores = others, stores
        self._turn = cycle(stores)
        self._struck = stores[0]
        self.name = "openGemini"
        self.log = stores[0].log

    @property
    def running(self) -> bool:
        return all(child.running for child in (*self._others, *self._stores))

    @property
    def pid(self) -> int:
        return self._stores[0].pid

    @property
    def status(self) -> int | None:
        return next((child.status for child in (*self._others, *self._stores) if not child.running), None)

    def start(self) -> None:
        for child in (*self._others, *self._stores):
            if not child.running:
                child.start()

    def stop(self) -> int | None:
        return [child.stop() for child in reversed((*self._others, *self._stores))][-1]

    def kill(self) -> int | None:
        self._struck = next(self._turn)
        return self._struck.kill()

    def pause(self) -> None:
        self._struck = next(self._turn)
        self._struck.pause()

    def resume(self) -> None:
        self._struck.resume()

    def last_words(self) -> str:
        return "\n".join(child.last_words() for child in (*self._others, *self._stores))


class ClusterGemini(_Gemini):
    """Three nodes, each of meta, store and sql, and three copies of each point."""

    def __init__(self, place: Path, folder: Path, *, authenticate: bool = False, pre_agg: bool = False) -> None:
        super().__init__(free_port())
        folder = folder.absolute()
        nodes = [
            _Node(f"127.0.0.{number}", folder / str(number), self.port if number == 1 else free_port())
            for number in (1, 2, 3)
        ]
        children: dict[str, list[Child]] = {name: [] for name in ("ts-meta", "ts-store", "ts-sql")}
        for node in nodes:
            node.folder.mkdir(parents=True, exist_ok=True)
            configuration = node.folder / "gemini.conf"
            configuration.write_text(
                node.configuration(nodes, cluster=True, authenticate=authenticate, pre_agg=pre_agg)
            )
            for name, found in children.items():
                command = [str(place.absolute() / name), "-config", str(configuration)]
                found.append(Child(name, command, node.folder / f"{name}.log"))
        self._meta, self._sql = children["ts-meta"], children["ts-sql"]
        self.process = Cluster([*self._meta, *self._sql], children["ts-store"])

    async def start(self) -> None:
        for child in self._meta:
            child.start()
        await asyncio.sleep(5)
        self.process.start()
        await until_ready(self._sql[0], self.port, b"GET /ping HTTP/1.0\r\n\r\n")
        async with self.store() as store:
            await _whole(store)


async def _whole(store: Store) -> None:
    """Wait until all nodes have found each other: until then it takes no database, or no points."""
    deadline = time.monotonic() + 2 * START_S
    while True:
        try:
            await store.query(f'CREATE DATABASE "{OPERATOR_DATABASE}" REPLICAS 3', "")
            await store.write(["begin value=1 1000000000"], OPERATOR_DATABASE)
        except (RejectedError, UnavailableError, OperatorError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)
        else:
            return
