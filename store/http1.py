"""HTTP/1.1, as much of it as a database needs: requests over connections that are kept open.

A general client takes 0.2 ms of processor time for a request, and this less than half of that. An ingester writes
thirty times a second, and requests were most of what it cost at low rates. Left out, because nothing needs them:
redirections, cookies, proxies, pipelining.
"""

import asyncio
import ssl
import zlib
from typing import NamedTuple, cast
from urllib.parse import urlsplit

AT_ONCE = 16
"""Requests under way; who asks more often waits."""

IDLE_S = 15.0
"""What was not used for longer may be dead without our knowing, and is not used again."""

_LONGEST_HEAD = 65_536
_NO_BODY = (204, 304)
_GZIP = 16 + zlib.MAX_WBITS


class Reply(NamedTuple):
    """What a server sent back; the names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpServer:
    """A server by its URL, `http` or `https`. `headers` go with every request.

    Raises `ValueError` for what is no such URL.
    """

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = f"{url!r} is no URL of a server"
            raise ValueError(msg)
        self._host = parts.hostname
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._path = parts.path.rstrip("/")
        said = {"Host": parts.netloc, "User-Agent": "ecopark", **headers}
        self._said = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        self._idle: list[_HttpConnection] = []
        self._places = asyncio.Semaphore(AT_ONCE)

    async def request(
        self, method: str, target: str, body: bytes, timeout_s: float, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send a request to `target`, a path with its query, and wait for the reply, whatever its status is.

        Raises `OSError` (as `TimeoutError` and `ssl.SSLError` are) where none came, `ValueError` for what is no reply.
        """
        said = "".join(f"{name}: {value}\r\n" for name, value in headers.items()) if headers else ""
        head = f"{method} {self._path}{target} HTTP/1.1\r\n{self._said}{said}Content-Length: {len(body)}\r\n\r\n"
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
        self._buffer = bytearray()
        self._awaited: asyncio.Future[Reply] | None = None
        self._head: _Head | None = None
        self._pieces: list[bytes] = []
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
        self._buffer += data
        try:
            if self._head is None:
                self._head = _head_of(self._buffer)
            if self._head is not None and self._is_whole(self._head):
                self._finish(self._head)
        except ValueError as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._head is not None and self._head.length == _UNTIL_END and exc is None:
            self._pieces = [bytes(self._buffer)]
            self._finish(self._head)
        self._fail(exc or ConnectionError("the server closed the connection"))

    def _is_whole(self, head: "_Head") -> bool:
        """Take what there is of the body off the buffer; whether that was all."""
        if head.length == _CHUNKS:
            return _take_chunks(self._buffer, self._pieces)
        if head.length == _UNTIL_END or len(self._buffer) < head.length:
            return False
        self._pieces.append(bytes(self._buffer[: head.length]))
        del self._buffer[: head.length]
        return True

    def _finish(self, head: "_Head") -> None:
        awaited, self._awaited, self._head = self._awaited, None, None
        body, self._pieces = b"".join(self._pieces), []
        self.used = self._loop.time()
        if head.last or self._buffer or awaited is None:
            self.close()
        if awaited is not None and not awaited.done():
            packed = head.headers.get("content-encoding") == "gzip" and body
            try:
                awaited.set_result(Reply(head.status, head.headers, zlib.decompress(body, _GZIP) if packed else body))
            except zlib.error as error:
                awaited.set_exception(ValueError(f"what is said to be gzip is not: {error}"))

    def _fail(self, error: Exception) -> None:
        awaited, self._awaited = self._awaited, None
        if awaited is not None and not awaited.done():
            awaited.set_exception(error)
        self.close()


class _Head(NamedTuple):
    """The beginning of a reply. `length`: bytes of the body, `_CHUNKS` or `_UNTIL_END` where it does not say.

    `last`: the connection is of no use afterwards.
    """

    status: int
    headers: dict[str, str]
    length: int
    last: bool


_CHUNKS = -1
_UNTIL_END = -2


def _head_of(buffer: bytearray) -> _Head | None:
    """Take the head off the buffer; None where it is not there yet. Raises `ValueError` for what is none."""
    while True:
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(buffer) > _LONGEST_HEAD:
                raise ValueError("the head of the reply does not end")
            return None
        first, *lines = buffer[:end].decode("latin-1").split("\r\n")
        del buffer[: end + 4]
        version, _, status_and_reason = first.partition(" ")
        if version not in {"HTTP/1.1", "HTTP/1.0"}:
            raise ValueError(f"what came is not HTTP: {first[:80]!r}")
        status = int(status_and_reason[:3])
        if status >= 200:  # noqa: PLR2004 (what is below comes before the reply)
            break
    headers = {name.lower(): value.strip() for name, _, value in [line.partition(":") for line in lines]}
    length = _length_of(status, headers)
    closes = version == "HTTP/1.0" or headers.get("connection", "").lower() == "close"
    return _Head(status, headers, length, closes or length == _UNTIL_END)


def _length_of(status: int, headers: dict[str, str]) -> int:
    if status in _NO_BODY:
        return 0
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _CHUNKS
    length = headers.get("content-length")
    if length is None:
        return _UNTIL_END
    if not length.isdecimal():
        raise ValueError(f"Content-Length is {length!r}")
    return int(length)


def _take_chunks(buffer: bytearray, pieces: list[bytes]) -> bool:
    """Take whole chunks off the buffer; whether the last was there. Raises `ValueError` for what is none."""
    while (end := buffer.find(b"\r\n")) >= 0:
        size = int(buffer[:end].partition(b";")[0], 16)
        begin = end + 2
        if size == 0:  # then trailers, if any, and an empty line
            whole = end if buffer[begin : begin + 2] == b"\r\n" else buffer.find(b"\r\n\r\n", begin)
            if whole < 0 or len(buffer) < whole + 4:
                return False
            del buffer[: whole + 4]
            return True
        after = begin + size + 2
        if len(buffer) < after:
            return False
        if size < 0 or buffer[after - 2 : after] != b"\r\n":
            raise ValueError("a chunk of the reply does not end where it says")
        pieces.append(bytes(buffer[begin : after - 2]))
        del buffer[:after]
    return False
