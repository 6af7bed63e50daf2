"""Requests to a database over connections that are kept open; replies are read by httptools.

A general client takes 0.2 ms of processor time for a request, and this less than half of that. An ingester writes
thirty times a second, and requests were most of what it cost at low rates. Left out, because nothing needs them:
redirections, cookies, proxies, pipelining.
"""

import asyncio
import ssl
import zlib
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools

AT_ONCE = 16
"""Requests under way; who asks more often waits."""

IDLE_S = 15.0
"""What was not used for longer may be dead without our knowing, and is not used again."""

_LONGEST_HEAD = 65_536
_NO_BODY = (100, 101, 102, 103, 204, 304)
_GZIP = 16 + zlib.MAX_WBITS


class Reply(NamedTuple):
    """What a server sent back; the names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def _written(headers: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


class HttpServer:
    """A server by its URL, `http` or `https`. `headers` go with every request.

    Raises `ValueError` for what is no such URL.
    """

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is no URL of a server")
        self._host = parts.hostname
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._path = parts.path.rstrip("/")
        always = {"Host": parts.netloc, "User-Agent": "ecopark", **headers}
        self._headers = _written(always)
        self._idle: list[_HttpConnection] = []
        self._places = asyncio.Semaphore(AT_ONCE)

    async def request(
        self, method: str, target: str, body: bytes, timeout_s: float, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send a request to `target`, a path with its query, and wait for the reply, whatever its status is.

        Raises `OSError` (as `TimeoutError` and `ssl.SSLError` are) where none came, `ValueError` for what is no reply.
        """
        own = _written(headers or {})
        head = f"{method} {self._path}{target} HTTP/1.1\r\n{self._headers}{own}Content-Length: {len(body)}\r\n\r\n"
        async with asyncio.timeout(timeout_s), self._places:
            connection = self._kept() or await self._connected()
            try:
                reply = await connection.exchange(head.encode() + body)
            except BaseException:  # also when cancelled: what comes now would be taken for the next reply
                connection.close()
                raise
            if connection.is_open:
                self._idle.append(connection)
        return reply

    def close(self) -> None:
        """Close what is kept open."""
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> "_HttpConnection | None":
        oldest = asyncio.get_running_loop().time() - IDLE_S
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and connection.used >= oldest:
                return connection
            connection.close()
        return None

    async def _connected(self) -> "_HttpConnection":
        loop = asyncio.get_running_loop()
        made = await loop.create_connection(lambda: _HttpConnection(loop), self._host, self._port, ssl=self._tls)
        return made[1]


class _HttpConnection(asyncio.Protocol):
    """One exchange after the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._awaited: asyncio.Future[Reply] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._head_bytes = 0
        self._until_end = False
        self.used = 0.0

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def exchange(self, request: bytes) -> asyncio.Future[Reply]:
        """Send a request; its reply."""
        awaited = self._awaited = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            awaited.set_exception(ConnectionError("the server closed the connection"))
        else:
            self._transport.write(request)
        return awaited

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._awaited is None:  # nobody asked: it would be taken for the next reply
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ValueError(f"what came is not HTTP ({error}): {data[:80]!r}"))
        self._head_bytes += 0 if self._pieces else len(data)
        if self._head_bytes > _LONGEST_HEAD:
            self._fail(ValueError("the head of the reply does not end"))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._until_end and exc is None:
            self.on_message_complete()
        self._fail(exc or ConnectionError("the server closed the connection"))

    def on_message_begin(self) -> None:
        if self._awaited is None:  # a second reply came with the first
            self.close()
        self._headers, self._pieces, self._head_bytes = {}, [], 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        sized = {"content-length", "transfer-encoding"} & self._headers.keys()
        self._until_end = not sized and self._parser.get_status_code() not in _NO_BODY

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # noqa: PLR2004 (what is below comes before the reply)
            return
        awaited, self._awaited, self._until_end = self._awaited, None, False
        body, self.used = b"".join(self._pieces), self._loop.time()
        if not self._parser.should_keep_alive():
            self.close()
        if awaited is None or awaited.done():
            return
        packed = self._headers.get("content-encoding") == "gzip" and body
        try:
            awaited.set_result(Reply(status, self._headers, zlib.decompress(body, _GZIP) if packed else body))
        except zlib.error as error:
            awaited.set_exception(ValueError(f"Content-Encoding is gzip, but the body is not: {error}"))
            self.close()

    def _fail(self, error: Exception) -> None:
        awaited, self._awaited = self._awaited, None
        if awaited is not None and not awaited.done():
            awaited.set_exception(error)
        self.close()
