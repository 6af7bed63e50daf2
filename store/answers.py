"""Interprets the database's answers: rows, or one of the three errors (see `store.client`)."""

import json
import struct
from http import HTTPStatus
from typing import Any

from metering.errors import OperatorError, UnavailableError
from store.http1 import Reply

OPEN_GEMINI = "openGemini"
PACKED = "application/x-msgpack"
_DETAIL = 300
_BEGINNING = 80
_VERSION = "x-influxdb-version"
_GEMINI_VERSION = "x-geminidb-version"
_NOTHING_YET = "measurement not found"
"""openGemini's answer where InfluxDB's is empty."""
_PASSING = (
    *("query interrupted", "query aborted", "query engine shutdown", "query-timeout limit exceeded"),
    *("max-concurrent-queries limit exceeded", "engine is closed", "shard is disabled", "shard is being deleted"),
    *("no connections available", "is not alive", "is being closing or closed", "pt not found", "is being delete"),
)
"""Errors inside of answers of success that pass: the server ends, begins, is busy or deletes something.

The first two lines are InfluxDB's, the third is openGemini's.
"""


_NEEDED = "Ecopark needs InfluxDB 1.6 or later of 1.x, 2.x, or openGemini 1.5: docs/servers.md says what was tried"


class RejectedError(Exception):
    """The database will not take these lines or this statement, now or later; the message is its own.

    `server` is the one that rejects a statement: its version may lack what is asked for.
    """

    def __init__(self, message: str, server: str = "") -> None:
        super().__init__(message)
        self.server = server

    @property
    def told(self) -> str:
        """The message with who says so, and what would do."""
        return f"{self.server or 'the database'} rejects what it is asked: {self}. {_NEEDED}"


Row = dict[str, Any]
"""One row of a result: the tags it was grouped by and its columns; `time` in nanoseconds."""


def version_of(reply: Reply) -> str:
    """What the server calls its version, after its name where it is openGemini."""
    gemini = reply.headers.get(_GEMINI_VERSION)
    return f"{OPEN_GEMINI} {gemini}" if gemini else reply.headers.get(_VERSION, "")


def is_packed(reply: Reply) -> bool:
    """Whether the body is MessagePack, not JSON."""
    return reply.headers.get("content-type", "").partition(";")[0] == PACKED


def server_of(answer: Reply, url: str) -> str:
    """Which server answered, with its version."""
    version = version_of(answer)
    return f"{url} ({f'version {version}' if version else 'which names no version'})"


def strange(answer: Reply, url: str) -> UnavailableError:
    """An unreadable answer of success: half of one, a proxy's page, or that of another kind of server."""
    begins = answer.body[:_BEGINNING].decode(errors="replace").strip()
    return UnavailableError(
        f"{server_of(answer, url)} answers, but not as InfluxDB does; "
        f"{len(answer.body)} bytes, which begin {begins!r}. "
        "Where this stays so, ECOPARK_INFLUX_URL names a proxy, or another kind of server"
    )


def message_of(answer: Reply) -> str:
    """The message of an answer that reports a failure, in whatever format."""
    try:
        if is_packed(answer):
            from store.columns import unpacked  # noqa: PLC0415 (an ingester never needs numpy, nor its memory)

            found = unpacked(answer.body)
        else:
            found = json.loads(answer.body)
        return str(found["error"])[:_DETAIL]
    except (TypeError, KeyError, ValueError, IndexError, struct.error):
        return answer.body.decode(errors="replace")[:_DETAIL]


def rows_of(results: list[dict[str, Any]], server: str) -> list[Row]:
    """Rows of all series of the results.

    Raises what `series_of` raises.
    """
    rows: list[Row] = []
    for result in results:
        for found in series_of(result, server):
            tags, columns = found.get("tags", {}), found["columns"]
            rows.extend({**tags, **dict(zip(columns, row, strict=True))} for row in found.get("values", ()))
    return rows


def series_of(result: dict[str, Any], server: str) -> list[dict[str, Any]]:
    """Series of one statement's result, as InfluxDB writes them; none where there is no such measurement.

    Raises one of the three errors where the database reports one.
    """
    if "error" in result and not result["error"].startswith(_NOTHING_YET):
        raise _of_query(result["error"], server)
    return result.get("series") or []


def failure_of(reply: Reply, url: str, database: str) -> Exception:
    """The error that a status other than success means."""
    detail = message_of(reply).strip()
    match reply.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return OperatorError(
                f"InfluxDB at {url} refuses the credentials ({reply.status}: {detail}); "
                "correct ECOPARK_INFLUX_USER and ECOPARK_INFLUX_TOKEN, or grant the user its rights"
            )
        case status if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            to = reply.headers.get("location", "elsewhere")
            return OperatorError(f"InfluxDB at {url} sends us to {to}; correct ECOPARK_INFLUX_URL")
        case HTTPStatus.NOT_FOUND:
            return OperatorError(
                f"InfluxDB at {url} has no database {database!r} ({detail}); create it, or correct ECOPARK_INFLUX_URL"
            )
        case HTTPStatus.OK:  # where nothing but 204 is success
            return strange(reply, url)
        case HTTPStatus.BAD_REQUEST | HTTPStatus.REQUEST_ENTITY_TOO_LARGE | HTTPStatus.UNPROCESSABLE_ENTITY:
            return RejectedError(detail, server_of(reply, url))
        case status:
            return UnavailableError(
                f"InfluxDB at {url} answers {status}: {detail}",
                retry_after=_seconds(reply.headers.get("retry-after")),
            )


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isdigit() else None


def _of_query(error: str, server: str) -> Exception:
    if any(passing in error for passing in _PASSING):
        return UnavailableError(f"InfluxDB at {server}: {error}")
    if error.startswith("database not found"):
        return OperatorError(f"InfluxDB at {server}: {error}; create it")
    return RejectedError(error, server)
