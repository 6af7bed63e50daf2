"""Writing to and querying InfluxDB over `/write` and `/query`, which 1.x, 2.x and 3.x all answer.

Every failure is one of three: `RejectedError` (the data's: these lines will never be taken), `UnavailableError` (the
other side's: wait, try again) or `OperatorError` (a person's: credentials, rights, a missing database). Nothing else
is raised but `asyncio.CancelledError`.
"""

import base64
import io
import struct
from collections.abc import Sequence
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from metering.errors import OperatorError, UnavailableError

if TYPE_CHECKING:
    from store.columns import Table

WRITE_TIMEOUT_S = 30.0
QUERY_TIMEOUT_S = 120.0
_DETAIL = 300
_LARGE = 2**20
_AS_ARRAYS = {"Accept-Encoding": "identity"}
"""Numbers hardly get smaller, and packing them is half of the database's work."""
_VERSION = "X-Influxdb-Version"


class RejectedError(Exception):
    """The database will not take these lines, now or later; the message is its own."""


Row = dict[str, Any]
"""One row of a result: the tags it was grouped by and its columns; `time` in nanoseconds."""


class Store:
    """One InfluxDB, as one user. Use as an asynchronous context manager."""

    def __init__(self, url: str, user: str | None = None, token: str | None = None) -> None:
        self._url = url.rstrip("/")
        if user and ":" in user:
            raise OperatorError("ECOPARK_INFLUX_USER holds a colon, which HTTP does not allow in a user's name")
        account = base64.b64encode(f"{user or 'ecopark'}:{token}".encode()).decode()
        self._headers = {"Authorization": f"Basic {account}"} if token else {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers, connector=aiohttp.TCPConnector(limit=16))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def write(self, lines: Sequence[str], database: str, *, timeout_s: float = WRITE_TIMEOUT_S) -> None:
        """Write lines of line protocol; returns when the database has confirmed all of them."""
        body = "\n".join(lines).encode()
        # A large one goes out in pieces: as one, it would keep everybody else from their turn.
        sent = io.BytesIO(body) if len(body) >= _LARGE else body
        await self._call("POST", "/write", {"db": database, "precision": "ns"}, sent, timeout_s)

    async def write_each(self, lines: Sequence[str], database: str) -> dict[int, str]:
        """Write lines, and find those that the database will not take by halving.

        Returns the reason of each that was rejected, by its position in `lines`; all others are written.
        """
        rejected: dict[int, str] = {}
        halves = [(0, len(lines))]
        while halves:
            start, end = halves.pop()
            try:
                await self.write(lines[start:end], database)
            except RejectedError as error:
                if end - start == 1:
                    rejected[start] = str(error)
                else:
                    middle = (start + end) // 2
                    halves += [(middle, end), (start, middle)]
        return rejected

    async def query(self, statement: str, database: str) -> list[Row]:
        """Run one InfluxQL statement and return its rows.

        Raises `RejectedError` where the statement is at fault.
        """
        answer = await self._call("POST", "/query", {"db": database, "epoch": "ns"}, {"q": statement}, QUERY_TIMEOUT_S)
        try:
            return _rows(answer, self._url)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise UnavailableError(f"{self._url} answers, but not as InfluxDB does: {error!r}") from error

    async def tables(self, statement: str, database: str) -> "list[Table]":
        """Run one InfluxQL statement and return each of its series as arrays.

        Raises `RejectedError` where the statement is at fault.
        """
        # Here, not above: an ingester has no use for numpy, and not the memory.
        from store.columns import MEDIA_TYPE, columns_of, table  # noqa: PLC0415

        parameters = {"db": database, "epoch": "ms"}
        body, media_type = await self._call(
            "POST", "/query", parameters, {"q": statement}, QUERY_TIMEOUT_S, _AS_ARRAYS | {"Accept": MEDIA_TYPE}
        )
        try:
            found: list[Table] = []
            for result in columns_of(body, media_type):
                if "error" in result:
                    raise _of_query(result["error"], self._url)
                found += [table(series) for series in result.get("series") or ()]
        except (TypeError, KeyError, AttributeError, ValueError, IndexError, struct.error) as error:
            raise UnavailableError(f"{self._url} answers, but not as InfluxDB does: {error!r}") from error
        return found

    async def create_database(self, name: str, shard_days: int | None = None) -> None:
        """Make a database where there is none of that name (InfluxDB 1.x); so many days go into a shard, or a week."""
        shards = "" if shard_days is None else f" WITH SHARD DURATION {shard_days}d"
        await self.query(f'CREATE DATABASE "{name}"{shards}', "")

    async def ping(self) -> str:
        """Version of the server that answers."""
        return str(await self._call("GET", "/ping", {}, None, WRITE_TIMEOUT_S))

    async def _call(
        self,
        method: str,
        path: str,
        parameters: dict[str, str],
        body: bytes | io.BytesIO | dict[str, str] | None,
        timeout_s: float,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """What `/query` answers; the server's version where there is nothing to answer.

        Where `headers` ask for another form, the answer comes as it is: bytes and their media type.
        """
        if self._session is None:
            msg = "use the store as a context manager"
            raise RuntimeError(msg)
        try:
            async with self._session.request(
                method,
                self._url + path,
                params=parameters,
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                allow_redirects=False,  # a POST would become a GET, and be answered with success
            ) as response:
                if response.status == (HTTPStatus.OK if path == "/query" else HTTPStatus.NO_CONTENT):
                    if path != "/query":
                        return response.headers.get(_VERSION)
                    if headers is not None:
                        return await response.read(), response.content_type
                    return await response.json(content_type=None)
                raise _failure(
                    response, (await response.text(errors="replace"))[:_DETAIL], self._url, parameters.get("db", "")
                )
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise OperatorError(
                f"{self._url} is no address of an InfluxDB; write http://host:8086 in ECOPARK_INFLUX_URL"
            ) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise OperatorError(
                f"InfluxDB at {self._url}: its certificate is not trusted ({error.certificate_error}); "
                "install its authority's certificate or name it in SSL_CERT_FILE"
            ) from error
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            raise UnavailableError(f"InfluxDB at {self._url}: {str(error) or type(error).__name__}") from error


def _rows(answer: Any, url: str) -> list[Row]:
    rows: list[Row] = []
    for result in answer["results"]:
        if "error" in result:
            raise _of_query(result["error"], url)
        for found in result.get("series", []):
            tags, columns = found.get("tags", {}), found["columns"]
            rows.extend({**tags, **dict(zip(columns, row, strict=True))} for row in found.get("values", ()))
    return rows


def _failure(response: aiohttp.ClientResponse, detail: str, url: str, database: str) -> Exception:
    detail = detail.strip()
    match response.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return OperatorError(
                f"InfluxDB at {url} refuses the credentials ({response.status}: {detail}); "
                "correct ECOPARK_INFLUX_USER and ECOPARK_INFLUX_TOKEN, or grant the user its rights"
            )
        case status if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            to = response.headers.get("Location", "elsewhere")
            return OperatorError(f"InfluxDB at {url} sends us to {to}; correct ECOPARK_INFLUX_URL")
        case HTTPStatus.NOT_FOUND:
            return OperatorError(
                f"InfluxDB at {url} has no database {database!r} ({detail}); create it, or correct ECOPARK_INFLUX_URL"
            )
        case HTTPStatus.BAD_REQUEST | HTTPStatus.REQUEST_ENTITY_TOO_LARGE | HTTPStatus.UNPROCESSABLE_ENTITY:
            return RejectedError(detail)
        case status:
            return UnavailableError(
                f"InfluxDB at {url} answers {status}: {detail}",
                retry_after=_seconds(response.headers.get("Retry-After")),
            )


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isdigit() else None


def _of_query(error: str, url: str) -> Exception:
    if error.startswith("database not found"):
        return OperatorError(f"InfluxDB at {url}: {error}; create it")
    return RejectedError(error)
