"""A broker as `ecopark broker` makes it for two parks of two gateways, and clients with their own accounts."""

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import mqtt5
import pytest

from ecopark.broker.accounts import wanted
from ecopark.broker.certificates import write_certificates
from ecopark.broker.files import write_accounts
from ecopark.secretfiles import read_secrets
from metering.park import Park
from metering.parkfile import load_parks
from proving.servers import GuardedMosquitto
from wire.address import BrokerAddress

PARK = """\
park: {id: ID, name: {en: Test park, vi: Khu thử}, timezone: Asia/Ho_Chi_Minh}
tenants:
  - {id: textile, name: {en: Textile, vi: Dệt}, sector: {en: textile, vi: dệt may}}
gateways:
  - {id: gw-1, name: {en: One, vi: Một}}
  - {id: gw-2, name: {en: Two, vi: Hai}}
meters:
  - {id: em-1, name: {en: Supply, vi: Nguồn}, tenant: textile, gateway: gw-1, utility: electricity, interval_s: 60,
     rated: 1000, registers: {energy_kwh: {rollover: 1000000}, power_kw: {}}}
  - {id: wm-2, name: {en: Water, vi: Nước}, gateway: gw-2, utility: water, interval_s: 60, rated: 50,
     registers: {volume_m3: {}}}
"""


@pytest.fixture
def park_files(tmp_path: Path) -> Path:
    folder = tmp_path / "parks"
    folder.mkdir()
    for park in ("demo", "other"):
        (folder / f"{park}.yaml").write_text(PARK.replace("ID", park, 1), encoding="utf-8")
    return folder


@pytest.fixture
def parks(park_files: Path) -> list[Park]:
    return list(load_parks(park_files).values())


class Fort:
    """The broker with its accounts: gateways plain and on TLS, services inside; `identity`: by client certificates."""

    def __init__(self, tmp_path: Path, parks: list[Park], *, identity: bool) -> None:
        self.folder = tmp_path / "broker"
        write_certificates(self.folder, ["localhost", "127.0.0.1"], wanted(parks), datetime.now(UTC))
        self.server = GuardedMosquitto(self.folder, parks, tls=True, identity=identity)
        self.tls_port = self.server.tls_port
        self._urls = {
            file.stem: read_secrets(file)["ECOPARK_MQTT_URL"] for file in (self.folder / "accounts").glob("*.env")
        }
        self.authority = self.folder / "tls" / "ca.pem"

    def prune(self, parks: list[Park]) -> None:
        """What an operator does when gateways are gone: `ecopark broker accounts --prune`, then SIGHUP."""
        write_accounts(parks, self.server.place, self.server.listeners, prune=True)
        if os.getuid() == 0:  # mosquitto would change to a user who may not read this folder
            configuration = self.folder / "mosquitto.conf"
            configuration.write_text(f"{configuration.read_text()}user root\n")
        os.kill(self.server.process.pid, signal.SIGHUP)

    def url(self, account: str, *, secure: bool = False) -> str:
        """An account's URL, as first written to its file."""
        url = self._urls[account]
        return (
            url if not secure else url.replace("mqtt:", "mqtts:").replace(f":{self.server.port}", f":{self.tls_port}")
        )

    def certificate(self, account: str) -> Path:
        """An account's certificate with its key."""
        return self.folder / "accounts" / f"{account}.pem"

    @asynccontextmanager
    async def client(
        self, account: str | None, *, certificate: Path | None = None, secure: bool = False, **options: Any
    ) -> AsyncIterator[aiomqtt.Client]:
        """A client of that account, or of none; over TLS where it has a certificate or is to be `secure`."""
        address = BrokerAddress.parse(self.url(account) if account else self.server.url)
        secure = secure or certificate is not None
        context = self._context(certificate) if secure else None
        async with aiomqtt.Client(
            "127.0.0.1",
            self.tls_port if secure else address.port,
            username=address.user if certificate is None else None,
            password=address.secret if certificate is None else None,
            protocol=aiomqtt.ProtocolVersion.V5,
            timeout=60,
            tls_context=context,
            **options,
        ) as client:
            yield client

    def _context(self, certificate: Path | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.authority)
        if certificate is not None:
            context.load_cert_chain(certificate)
        return context

    async def admits(self, account: str, certificate: Path | None = None) -> bool:
        """Whether the broker accepts a client on TLS, with that certificate or with the account's password.

        Bytes are looked at: a client library waits for its whole patience where the handshake succeeds for it alone.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.tls_port, ssl=self._context(certificate))
        address = BrokerAddress.parse(self.url(account))
        hello = mqtt5.ConnectPacket(
            account,
            username=address.user if certificate is None else None,
            password=(address.secret or "").encode() if certificate is None else None,
            clean_start=True,
        )
        try:
            writer.write(hello.write())
            answer = await reader.read(4096)
        except (ssl.SSLError, ConnectionError):
            return False
        finally:
            writer.transport.abort()
        if not answer:
            return False
        packet, _ = mqtt5.read(memoryview(answer))
        assert isinstance(packet, mqtt5.ConnAckPacket)
        return packet.reason_code == mqtt5.ConnAckReasonCode.SUCCESS


@pytest.fixture
async def fort(tmp_path: Path, parks: list[Park]) -> AsyncIterator[Fort]:
    made = Fort(tmp_path, parks, identity=False)
    await made.server.start()
    yield made
    made.server.process.kill()


@pytest.fixture
async def identity_fort(tmp_path: Path, parks: list[Park]) -> AsyncIterator[Fort]:
    made = Fort(tmp_path, parks, identity=True)
    await made.server.start()
    yield made
    made.server.process.kill()


async def heard(client: aiomqtt.Client, until: str) -> list[tuple[str, bytes]]:
    """What arrived before the message with this payload, which the test publishes last."""
    found: list[tuple[str, bytes]] = []
    async with asyncio.timeout(60):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            if message.payload == until.encode():
                return found
            found.append((message.topic.value, message.payload))
    return found


@pytest.fixture
def before() -> Callable[[aiomqtt.Client, str], Any]:
    return heard
