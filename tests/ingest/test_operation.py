"""An operator's mistake is one clear line and exit 2; a connection that is dead without saying so is noticed."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from proving.processes import Child, free_port
from proving.servers import Influxd, Mosquitto
from store.schema import OPERATOR_DATABASE
from tests.ingest.conftest import Station, Until


async def mistake(child: Child, until: Until) -> str:
    """The one line that an ingester ends with; its status is 2."""
    child.start()

    async def ended() -> bool:
        return not child.running

    await until(ended, f"the end of {child.name}")
    log = child.log.read_text()
    assert child.status == 2, log
    assert "Traceback" not in log
    lines = [line for line in log.splitlines() if line.startswith("ecopark: ")]
    assert len(lines) == 1, log
    return lines[0]


async def test_a_missing_database(station: Station, until: Until) -> None:
    await station.store.query('DROP DATABASE "ecopark"', "")
    said = await mistake(station.ingester(), until)
    assert "has no database 'ecopark'" in said


async def test_a_wrong_password_of_the_database(station: Station, until: Until, tmp_path: Path) -> None:
    await station.store.query("CREATE USER admin WITH PASSWORD 'right' WITH ALL PRIVILEGES", "")
    station.influx.process.stop()
    guarded = Influxd(tmp_path / "influxd", port=station.influx.port, authenticate=True)
    guarded.process.start()
    try:
        child = station.ingester(ECOPARK_INFLUX_USER="admin", ECOPARK_INFLUX_TOKEN="wr0ng")  # noqa: S106 (that is the test)
        said = await mistake(child, until)
        assert "refuses the credentials (401" in said
        assert "correct ECOPARK_INFLUX_USER and ECOPARK_INFLUX_TOKEN" in said
        assert "wr0ng" not in child.log.read_text()
        await station.started(ECOPARK_INFLUX_USER="admin", ECOPARK_INFLUX_TOKEN="right")  # noqa: S106 (of a server of this test)
    finally:
        guarded.process.kill()


@asynccontextmanager
async def guarded_broker(folder: Path) -> AsyncIterator[Mosquitto]:
    passwords = folder / "passwords"
    command = ["mosquitto_passwd", "-c", "-b", str(passwords), "ingest", "r:i@g/ht"]
    await asyncio.to_thread(lambda: subprocess.run(command, check=True))
    server = Mosquitto(folder / "guarded", access=f"allow_anonymous false\npassword_file {passwords}\n")
    await server.start()
    try:
        yield server
    finally:
        server.process.kill()


async def test_a_wrong_password_of_the_broker(station: Station, until: Until, tmp_path: Path) -> None:
    async with guarded_broker(tmp_path) as broker:
        address = f"127.0.0.1:{broker.port}"
        child = station.ingester(ECOPARK_MQTT_URL=f"mqtt://ingest:wr0ng@{address}")
        said = await mistake(child, until)
        assert f"MQTT broker at mqtt://{address} refuses the connection" in said
        assert "ECOPARK_MQTT_URL" in said
        assert "wr0ng" not in child.log.read_text()
        await station.started(ECOPARK_MQTT_URL=f"mqtt://ingest:r%3Ai%40g%2Fht@{address}")


@pytest.mark.parametrize(
    ("variable", "value", "right"),
    [
        ("ECOPARK_MQTT_URL", "localhost:1883", "mqtt://user:password@host:1883"),
        ("ECOPARK_MQTT_URL", "mqtt://user:wr0ng/word@host", "mqtt://user:password@host:1883"),
        ("ECOPARK_INFLUX_URL", "localhost:8086", "write http://host:8086"),
        ("ECOPARK_INFLUX_USER", "a:b", "holds a colon"),
        ("ECOPARK_PARK", "nowhere.yaml", "point ECOPARK_PARK at a park file"),
    ],
)
async def test_a_variable_that_is_not_right(
    variable: str, value: str, right: str, station: Station, until: Until
) -> None:
    said = await mistake(station.ingester(**{variable: value}), until)
    assert right in said
    assert "wr0ng" not in said


async def certificate(folder: Path) -> tuple[Path, Path]:
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(cert)]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    return key, cert


async def test_tls(station: Station, until: Until, tmp_path: Path) -> None:
    key, cert = await certificate(tmp_path)
    port = free_port()
    listener = f"listener {port} 127.0.0.1\nallow_anonymous true\ncertfile {cert}\nkeyfile {key}\n"
    broker = Mosquitto(tmp_path / "tls", access=f"allow_anonymous true\n{listener}")
    await broker.start()
    try:
        url = f"mqtts://127.0.0.1:{port}"
        said = await mistake(station.ingester("stranger", ECOPARK_MQTT_URL=url), until)
        assert "its certificate is not trusted" in said
        assert "SSL_CERT_FILE" in said
        await station.started("friend", ECOPARK_MQTT_URL=url, SSL_CERT_FILE=str(cert))
        station.broker = broker
        async with station.gateway() as gateway:
            await gateway.publish(
                json.dumps({"meter": "em-1", "ts": time.time_ns() // 10**6, "values": {"power_kw": 1}})
            )
            await until(station.stored)
    finally:
        broker.process.kill()


class Wire:
    """A TCP proxy that can stop forwarding on its open connections, without closing anything."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._cut = asyncio.Event()
        self._carrying: set[asyncio.Task[None]] = set()
        self._ends: list[asyncio.StreamWriter] = []
        self.port = 0

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._ends += [writer, back]
        for source, sink in ((reader, back), (there, writer)):
            self._carrying.add(asyncio.create_task(self._carry(source, sink, self._cut)))

    @staticmethod
    async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        try:
            while (data := await source.read(65536)) and not cut.is_set():
                sink.write(data)
        except ConnectionError:
            pass
        if not cut.is_set():
            sink.close()

    def stall(self) -> None:
        """Stop forwarding on open connections; later ones work."""
        self._cut.set()
        self._cut = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Wire"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()
        for end in self._ends:
            end.transport.abort()
        await asyncio.gather(*self._carrying, return_exceptions=True)


async def test_a_half_open_connection_is_noticed(station: Station, until: Until, tmp_path: Path) -> None:
    """Meanwhile the ingester reports its state in `pipeline`."""
    broker = Mosquitto(tmp_path / "short", access="allow_anonymous true\nmax_keepalive 10\n")
    await broker.start()
    try:
        async with Wire(broker.port).open() as wire:
            child = await station.started(ECOPARK_MQTT_URL=f"mqtt://127.0.0.1:{wire.port}")
            wire.stall()

            async def noticed() -> bool:
                return "nothing heard of the broker" in child.log.read_text()

            await until(noticed)
            await station.connected(child, times=2)
            station.broker = broker
            async with station.gateway() as gateway:
                ts = time.time_ns() // 10**6
                await gateway.publish(json.dumps({"meter": "em-1", "ts": ts, "values": {"power_kw": 1}}))
                await until(station.stored)
            rows = await station.store.query('SELECT * FROM "pipeline"', OPERATOR_DATABASE)
            assert (rows[0]["service"], rows[0]["instance"], rows[0]["connected"]) == ("ingest", "one", True)
            assert {"messages_per_s", "readings_per_s", "held_bytes", "retries", "unacknowledged"} <= rows[0].keys()
    finally:
        broker.process.kill()
