"""Writing to and querying InfluxDB over `/write` and `/query`, which 1.x, 2.x and 3.x all answer.

Every failure is one of three: `RejectedError` (the data's: these lines will never be taken), `UnavailableError` (the
other side's: wait, try again) or `OperatorError` (a person's: credentials, rights, a missing database). Nothing else
is raised but `asyncio.CancelledError`.
"""

from collections.abc import Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import aiohttp

from metering.errors import OperatorError, UnavailableError

WRITE_TIMEOUT_S = 30.0
QUERY_TIMEOUT_S = 120.0
_DETAIL = 300


class RejectedError(Exception):
    """The database will not take these lines, now or later; the message is its own."""


Row = dict[str, Any]
"""One row of a result: the tags it was grouped by and its columns; `time` in nanoseconds."""


class Store:
    """One InfluxDB, as one user. Use as an asynchronous context manager."""

    def __init__(self, url: str, user: str | None = None, token: str | None = None) -> None:
        self._url = url.rstrip("/")
        self._auth = aiohttp.BasicAuth(user or "ecopark", token, "utf-8") if token else None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auth=self._auth, connector=aiohttp.TCPConnector(limit=16))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def write(self, lines: Sequence[str], database: str, *, timeout_s: float = WRITE_TIMEOUT_S) -> None:
        """Write lines of line protocol; returns when the database has confirmed all of them."""
        body = "\n".join(lines).encode()
        await self._call("POST", "/write", {"db": database, "precision": "ns"}, body, timeout_s)

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
        rows: list[Row] = []
        for result in answer.get("results", []):
            if "error" in result:
                raise _of_query(result["error"], self._url)
            for found in result.get("series", []):
                tags = found.get("tags", {})
                rows.extend({**tags, **dict(zip(found["columns"], row, strict=True))} for row in found["values"])
        return rows

    async def create_database(self, name: str) -> None:
        """Make a database where there is none of that name (InfluxDB 1.x)."""
        await self.query(f'CREATE DATABASE "{name}"', "")

    async def ping(self) -> str:
        """Version of the server that answers."""
        answer = await self._call("GET", "/ping", {}, None, WRITE_TIMEOUT_S)
        return str(answer.get("version", ""))

    async def _call(
        self, method: str, path: str, parameters: dict[str, str], body: bytes | dict[str, str] | None, timeout_s: float
    ) -> dict[str, Any]:
        if self._session is None:
            msg = "use the store as a context manager"
            raise RuntimeError(msg)
        try:
            async with self._session.request(
                method,
                self._url + path,
                params=parameters,
                data=body,
                timeout=aiohttp.ClientTimeout(total=timeout_s),
            ) as response:
                if response.status == HTTPStatus.NO_CONTENT:
                    return {"version": response.headers.get("X-Influxdb-Version")}
                if response.status == HTTPStatus.OK:
                    answer: dict[str, Any] = await response.json(content_type=None)
                    return answer
                raise _failure(response, (await response.text())[:_DETAIL], self._url, parameters.get("db", ""))
        except aiohttp.InvalidURL as error:
            raise OperatorError(f"{self._url} is no address of an InfluxDB; correct ECOPARK_INFLUX_URL") from error
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            raise UnavailableError(f"InfluxDB at {self._url}: {str(error) or type(error).__name__}") from error


def _failure(response: aiohttp.ClientResponse, detail: str, url: str, database: str) -> Exception:
    detail = detail.strip()
    match response.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return OperatorError(
                f"InfluxDB at {url} refuses the credentials ({response.status}: {detail}); "
                "correct ECOPARK_INFLUX_USER and ECOPARK_INFLUX_TOKEN, or grant the user its rights"
            )
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
