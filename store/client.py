"""Writing to and querying InfluxDB over `/write` and `/query`, which 1.x, 2.x and 3.x all answer.

Every failure is one of three: `RejectedError` (the data's: these lines will never be taken), `UnavailableError` (the
other side's: wait, try again) or `OperatorError` (a person's: credentials, rights, a missing database). Nothing else
is raised but `asyncio.CancelledError`.
"""

import asyncio
import base64
import json
import logging
import ssl
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode, urlsplit

from metering.errors import OperatorError, UnavailableError
from store.answers import (
    OPEN_GEMINI,
    PACKED,
    RejectedError,
    Row,
    failure_of,
    is_packed,
    rows_of,
    series_of,
    server_of,
    strange,
    version_of,
)
from store.http1 import HttpServer, Reply
from store.policy import KeepingPolicy, create, default_of, policies
from store.proof import Proof
from store.schema import OPERATOR_DATABASE
from store.select import delete

if TYPE_CHECKING:
    from store.columns import Table

WRITE_TIMEOUT_S = 30.0
QUERY_TIMEOUT_S = 120.0
_SHOWS_AFTER_S = (0.05, 0.2, 1.0, 3.0)
_BEYOND = "beyond retention policy"
_MARGIN_MS = 60_000
"""Margin for differing clocks, and for the transfer."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_AS_ROWS = _FORM | {"Accept-Encoding": "gzip"}
_AS_ARRAYS = _FORM | {"Accept": PACKED}
"""Not compressed: numbers hardly shrink, and compressing is half of the database's work."""
_NEW_SERIES_S = 5.0
"""openGemini shows points of a new series one to three seconds after it has confirmed them, of known ones at once."""
_SETTINGS = (
    "see to it that its configuration has pre-agg-enabled = false under [common], or its sums count points that are "
    "overwritten twice for a while; ignore-empty-tag = false there, and enabled = false under [shelf-mode]. A cluster "
    'needs ha-policy = "replication" under [common], too, or points are missing while a store is down, and there twice '
    "afterwards"
)
log = logging.getLogger(__name__)


@contextmanager
def dropping(what: str) -> Iterator[None]:
    """Drop what cannot be written or deleted within: the next round does it with newer values."""
    try:
        yield
    except (UnavailableError, OperatorError, RejectedError) as error:
        log.debug("failed: %s: %s", what, error)


class Store:
    """One InfluxDB, as one user. Use as an asynchronous context manager."""

    def __init__(self, url: str, user: str | None = None, token: str | None = None) -> None:
        self._url = url.rstrip("/")
        if "@" in urlsplit(url).netloc:
            raise OperatorError(
                "ECOPARK_INFLUX_URL holds a user or a password, which would be logged with it; "
                "write them into ECOPARK_INFLUX_USER and ECOPARK_INFLUX_TOKEN"
            )
        if user and ":" in user:
            raise OperatorError("ECOPARK_INFLUX_USER holds a colon, which HTTP does not allow in a user's name")
        account = base64.b64encode(f"{user or 'ecopark'}:{token}".encode()).decode()
        self._server: HttpServer | None = None
        with suppress(ValueError):  # reported at the first request
            self._server = HttpServer(self._url, {"Authorization": f"Basic {account}"} if token else {})
        self._deletes = True
        self._keeps: dict[str, int | None] = {}
        self._proof: Proof | None = None
        self._answered = ""
        self._series: set[str] = set()
        self._new_series = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()

    async def write(self, lines: Sequence[str], database: str, *, timeout_s: float = WRITE_TIMEOUT_S) -> None:
        """Write lines of line protocol; returns when the database has confirmed all of them."""
        if self._answered.startswith(OPEN_GEMINI) and self._proof is not None:
            known = len(self._series)
            self._series.update(line.partition(" ")[0] for line in lines)
            self._new_series |= len(self._series) > known
        await self._send("POST", "/write", {"db": database, "precision": "ns"}, "\n".join(lines).encode(), timeout_s)

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

    async def write_kept(self, lines: Sequence[str], database: str) -> dict[int, str]:
        """Write lines, except those older than the database's retention, which it would only discard.

        Returns the reason of each that was rejected, by its position in `lines`; all others are written.
        """
        if database not in self._keeps:
            policy = await self.policy(database)
            self._keeps[database] = policy.keeps_ms if policy is not None else None
        keeps = self._keeps[database]
        places: Sequence[int] = range(len(lines))
        if keeps is not None:
            oldest = time.time_ns() - (keeps - _MARGIN_MS) * 1_000_000
            places = [place for place in places if int(lines[place].rpartition(" ")[2]) >= oldest]
            lines = [lines[place] for place in places]
        if not lines:
            return {}
        try:
            await self.write(lines, database)
        except RejectedError as error:
            if _BEYOND in str(error):  # all others are written; somebody has shortened the retention
                del self._keeps[database]
                return {}
            rejected = await self.write_each(lines, database)
            return {places[place]: reason for place, reason in rejected.items() if _BEYOND not in reason}
        return {}

    async def query(self, statement: str, database: str) -> list[Row]:
        """Run one InfluxQL statement and return its rows.

        Raises `RejectedError` where the statement is at fault.
        """
        proof = self._proof_of(database)
        asked = statement if proof is None else proof.beside(statement)
        answer = await self._ask(asked, {"db": database, "epoch": "ns"}, _AS_ROWS)
        try:
            results = json.loads(answer.body)["results"]
            rows = rows_of(results[:1], server_of(answer, self._url))
            if proof is not None:
                proof.check([row["number"] for row in rows_of(results[1:], server_of(answer, self._url))])
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise strange(answer, self._url) from error
        return rows

    async def series(self, statement: str, database: str) -> list[dict[str, Any]]:
        """Run one InfluxQL statement and return its series as InfluxDB writes them (name, tags, columns, values).

        Times are in milliseconds. Raises `RejectedError` where the statement is at fault.
        """
        answer = await self._ask(statement, {"db": database, "epoch": "ms"}, _AS_ROWS)
        try:
            server = server_of(answer, self._url)
            return [series for result in json.loads(answer.body)["results"] for series in series_of(result, server)]
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise strange(answer, self._url) from error

    async def tables(self, statement: str, database: str) -> "list[Table]":
        """Run one InfluxQL statement and return each of its series as arrays.

        Raises `RejectedError` where the statement is at fault.
        """
        from store.columns import columns_of, table  # noqa: PLC0415 (an ingester never needs numpy, nor its memory)

        proof = self._proof_of(database)
        asked = statement if proof is None else proof.beside(statement)
        answer = await self._ask(asked, {"db": database, "epoch": "ms"}, _AS_ARRAYS)
        try:
            results, server = columns_of(answer.body, packed=is_packed(answer)), server_of(answer, self._url)
            found = [table(series) for result in results[:1] for series in series_of(result, server)]
            if proof is not None:
                proofs = [table(series) for result in results[1:] for series in series_of(result, server)]
                proof.check([int(number) for one in proofs for number in one.fields["number"]])
        except (TypeError, KeyError, AttributeError, ValueError, IndexError, struct.error) as error:
            raise strange(answer, self._url) from error
        return found

    def _proof_of(self, database: str) -> Proof | None:
        """What the answers of a database must prove; None where they need no proof."""
        return self._proof if self._proof is not None and self._proof.database == database else None

    async def prove(self, reader: str, database: str) -> None:
        """From now on every answer of this database must show what was written before; `reader` identifies the caller.

        Call it again after writing. Waits a little for a database that shows late what it has confirmed; raises
        `UnavailableError` where it still does not show it then.
        """
        begins = self._proof is None
        if self._proof is None or self._proof.database != database:
            self._proof = Proof(reader, database)
        number = self._proof.next()
        await self.write([self._proof.line(number)], database)
        if begins and self._answered.startswith(OPEN_GEMINI):
            log.warning("%s: %s", self._answered, _SETTINGS)
        await self.shown()
        self._proof.written(number)
        for pause in _SHOWS_AFTER_S:
            try:
                await self.query(self._proof.question, database)
            except UnavailableError:
                await asyncio.sleep(pause)
            else:
                return
        await self.query(self._proof.question, database)

    async def shown(self) -> None:
        """Wait until new series are visible, where this kind of database shows them late."""
        if self._new_series:
            await asyncio.sleep(_NEW_SERIES_S)
            self._new_series = False

    async def _execute(self, statement: str, database: str) -> None:
        answer = await self._ask(statement, {"db": database}, _AS_ROWS)
        try:
            found = json.loads(answer.body)
            rows_of(found["results"] if found != {} else [], server_of(answer, self._url))  # 2.x says {} to a DELETE
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise strange(answer, self._url) from error

    async def delete(self, measurement: str, condition: str, databases: Iterable[str]) -> bool:
        """Delete the points that meet a condition on tags and time, in each of the databases.

        Returns False where this kind of database does not delete (InfluxDB 3.x), which is logged once: outdated points
        must then be overwritten. In a missing database there is nothing to delete.
        """
        for database in databases if self._deletes else ():
            try:
                await self._execute(delete(measurement, condition), database)
            except RejectedError as error:
                if "parsing" in str(error):
                    raise
                self._deletes = False
                log.warning("InfluxDB does not delete (%s); what no longer holds is overwritten", error)
            except OperatorError as error:
                log.debug("nothing was deleted of %s: %s", database, error)
        return self._deletes

    async def policy(self, database: str) -> KeepingPolicy | None:
        """How the database keeps its points; None where it reports nothing or does not exist."""
        try:
            return default_of(await self.query(policies(database), database))
        except (RejectedError, OperatorError):
            return None

    async def create_database(self, database: str) -> None:
        """Create a database that does not exist (InfluxDB 1.x, openGemini).

        On openGemini a tenant's gets as many copies of each point as the operator's database has.
        """
        operators = await self.policy(OPERATOR_DATABASE) if database != OPERATOR_DATABASE else None
        copies = operators.copies if operators is not None and self._answered.startswith(OPEN_GEMINI) else 1
        await self.query(create(database, copies), "")

    async def ping(self) -> str:
        """Version of the server that answers; for openGemini with its name in front."""
        return version_of(await self._send("GET", "/ping", {}, b"", WRITE_TIMEOUT_S))

    async def _ask(self, statement: str, parameters: dict[str, str], headers: dict[str, str]) -> Reply:
        body = urlencode({"q": statement}).encode()
        return await self._send("POST", "/query", parameters, body, QUERY_TIMEOUT_S, headers=headers)

    async def _send(
        self,
        method: str,
        path: str,
        parameters: dict[str, str],
        body: bytes,
        timeout_s: float,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        if self._server is None:
            raise OperatorError(
                f"{self._url} is no address of an InfluxDB; write http://host:8086 in ECOPARK_INFLUX_URL"
            )
        try:
            reply = await self._server.request(method, f"{path}?{urlencode(parameters)}", body, timeout_s, headers)
        except ssl.SSLCertVerificationError as error:
            raise OperatorError(
                f"InfluxDB at {self._url}: its certificate is not trusted ({error.verify_message}); "
                "install its authority's certificate or name it in SSL_CERT_FILE"
            ) from error
        except (OSError, ValueError) as error:
            raise UnavailableError(f"InfluxDB at {self._url}: {str(error) or type(error).__name__}") from error
        self._answered = version_of(reply)
        # A POST that was redirected would become a GET, and be answered with success.
        if reply.status != (HTTPStatus.OK if path == "/query" else HTTPStatus.NO_CONTENT):
            raise failure_of(reply, self._url, parameters.get("db", ""))
        return reply
