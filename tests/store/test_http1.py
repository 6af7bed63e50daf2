"""Replies follow HTTP/1.1, however they are cut on the way; anything else is an error."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecopark.broker.certificates import write_certificates
from ecopark.broker.configuration import AUTHORITY, CERTIFICATE, KEY, TLS
from metering.errors import OperatorError
from store.client import Store
from store.http1 import AT_ONCE, IDLE_S, HttpServer, Reply
from store.schema import OPERATOR_DATABASE

LINE = "m v=1 1"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PACKED = gzip.compress(b"hello", mtime=0)


class Raw:
    """A server that sends the replies of a test, byte by byte if asked to, and records the requests."""

    def __init__(self) -> None:
        self.replies: list[bytes] = []
        self.requests: list[bytes] = []
        self.arrived: asyncio.Queue[int] = asyncio.Queue()
        self.connections = 0
        self.at_once = 0
        self.most_at_once = 0
        self.bytewise = False
        self.hangs_up = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(size))
                self.arrived.put_nowait(size)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                await self.may_answer.wait()
                self.at_once -= 1
                reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                for piece in [reply[at : at + 1] for at in range(len(reply))] if self.bytewise else [reply]:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if self.hangs_up:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def raw() -> Raw:
    return Raw()


@pytest.fixture
async def server(raw: Raw) -> AsyncIterator[HttpServer]:
    listening = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    made = HttpServer(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/base/", {"Authorization": "Basic x"})
    yield made
    made.close()
    listening.close()


async def ask(server: HttpServer, body: bytes = b"m v=1", timeout_s: float = 20.0, **more: Any) -> Reply:
    return await server.request("POST", "/write?db=x", body, timeout_s, **more)


@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize(
    ("reply", "status", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (OK + b"Content-Length: 5\r\n\r\nhello", 200, b"hello"),
        (OK + b"content-length:0\r\n\r\n", 200, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello", 200, b"hello"),
        (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", 200, b"hello"),
        (CHUNKED + b"2;of=it\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n", 200, b"hello"),
        (CHUNKED + b"0\r\n\r\n", 200, b""),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED, 200, b"hello"),
        (b"HTTP/1.1 500 \r\nContent-Length: 3\r\n\r\nbad", 500, b"bad"),
    ],
)
async def test_a_reply_is_read_and_the_connection_used_again(
    raw: Raw, server: HttpServer, reply: bytes, status: int, body: bytes, *, bytewise: bool
) -> None:
    raw.replies, raw.bytewise = [reply], bytewise
    for _ in range(3):
        found = await ask(server)
        assert (found.status, found.body) == (status, body)
    assert raw.connections == 1


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n", OK + b"Connection: close\r\n", OK])
async def test_a_connection_that_ends_with_its_reply_is_not_used_again(
    raw: Raw, server: HttpServer, head: bytes
) -> None:
    raw.replies, raw.hangs_up = [head + b"\r\nhello"], True
    for _ in range(2):
        assert (await ask(server)).body == b"hello"
    assert raw.connections == 2


async def test_what_is_sent(raw: Raw, server: HttpServer) -> None:
    raw.replies = [b"HTTP/1.1 204 No Content\r\n\r\n"]
    await ask(server, b"x" * 3_000_000, headers={"Accept": "text/plain"})
    head, _, body = raw.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    assert first == b"POST /base/write?db=x HTTP/1.1"
    assert {b"Authorization: Basic x", b"Accept: text/plain", b"Content-Length: 3000000"} <= set(lines)
    assert any(line.startswith(b"Host: 127.0.0.1:") for line in lines)
    assert body == b"x" * 3_000_000


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 twohundred OK\r\n\r\n",
        OK + b"Content-Length: -5\r\n\r\nhello",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        CHUNKED + b"x\r\n",
        CHUNKED + b"5\r\nhelloo\r\n0\r\n\r\n",
        b"x" * 100_000,
    ],
)
async def test_an_invalid_reply(raw: Raw, server: HttpServer, reply: bytes) -> None:
    raw.replies = [reply, b"HTTP/1.1 204 No Content\r\n\r\n"]
    with pytest.raises(ValueError, match=r"."):
        await ask(server)
    assert (await ask(server)).status == 204, "on another connection"
    assert raw.connections == 2


@pytest.mark.parametrize("half", [b"", OK, OK + b"Content-Length: 9\r\n\r\nhello", CHUNKED + b"5\r\nhello\r\n"])
async def test_half_a_reply_is_an_error(raw: Raw, server: HttpServer, half: bytes) -> None:
    raw.replies, raw.hangs_up = [half], True
    with pytest.raises(ConnectionError):
        await ask(server)


async def test_what_comes_after_a_reply_is_not_taken_for_the_next(raw: Raw, server: HttpServer) -> None:
    raw.replies = [OK + b"Content-Length: 5\r\n\r\nhello" + OK + b"Content-Length: 5\r\n\r\nfalse"]
    assert [(await ask(server)).body for _ in range(3)] == [b"hello"] * 3
    assert raw.connections == 3


@pytest.mark.parametrize("how", ["given up", "cancelled"])
async def test_a_late_reply_is_discarded(raw: Raw, server: HttpServer, how: str) -> None:
    raw.replies = [OK + b"Content-Length: 5\r\n\r\n" + word for word in (b"first", b"later", b"other")]
    assert (await ask(server)).body == b"first"
    await raw.arrived.get()
    raw.may_answer.clear()
    asked = asyncio.create_task(ask(server, timeout_s=0.05 if how == "given up" else 20.0))
    await raw.arrived.get()
    if how == "cancelled":
        asked.cancel()
    with pytest.raises(TimeoutError if how == "given up" else asyncio.CancelledError):
        await asked
    raw.may_answer.set()
    assert (await ask(server)).body == b"other"
    assert raw.connections == 2


async def test_an_idle_connection_is_not_trusted(raw: Raw, server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    raw.replies = [b"HTTP/1.1 204 No Content\r\n\r\n"]
    await ask(server)
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now + IDLE_S + 10)
    await ask(server)
    assert raw.connections == 2


async def test_a_limited_number_at_once_and_the_others_wait(raw: Raw, server: HttpServer) -> None:
    raw.replies = [b"HTTP/1.1 204 No Content\r\n\r\n"]
    raw.may_answer.clear()
    asked = [asyncio.create_task(ask(server)) for _ in range(AT_ONCE + 10)]
    async with asyncio.timeout(20):
        for _ in range(AT_ONCE):
            await raw.arrived.get()
        raw.may_answer.set()
        assert {reply.status for reply in await asyncio.gather(*asked)} == {204}
    assert raw.connections == raw.most_at_once == AT_ONCE


async def test_a_server_with_tls_has_to_be_trusted(raw: Raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_certificates(tmp_path, ["127.0.0.1"], [], datetime.now(UTC))
    folder = tmp_path / TLS
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    listening = await asyncio.start_server(raw.serve, "127.0.0.1", 0, ssl=own)
    url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    raw.replies = [b"HTTP/1.1 204 No Content\r\n\r\n"]
    async with Store(url) as store:
        with pytest.raises(OperatorError, match=r"not trusted.*SSL_CERT_FILE"):
            await store.write([LINE], OPERATOR_DATABASE)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / AUTHORITY))
    async with Store(url) as store:
        await store.write([LINE], OPERATOR_DATABASE)
    assert [request.rpartition(b"\r\n")[2] for request in raw.requests] == [LINE.encode()]
    listening.close()
