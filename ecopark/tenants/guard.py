"""A guard between tenants and an InfluxDB whose grants do not isolate them: it answers `/query` and nothing else.

A tenant uses its own account and gets its own database, whatever it asks for. The statement is checked and rewritten
(`store.confined`), and only it goes to the database: with the tenant's account, its database, and the format of the
times. The guard has no account. The cost of a query is bounded: length, time, size of the answer, and how many a tenant
sends at once.
"""

import asyncio
import base64
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from store.confined import ForbiddenStatementError, confined

LONGEST_BODY = 256 * 1024
LONGEST_ANSWER = 16 * 1024 * 1024
TIMEOUT_S = 30.0
AT_ONCE = 4
"""Queries of one tenant; the next ones wait."""

_EPOCHS = frozenset(("ns", "u", "µ", "ms", "s", "m", "h"))
_FORM = "application/x-www-form-urlencoded"
_KNOWN = frozenset(("q", "db", "epoch", "pretty", "chunked", "chunk_size"))
"""Parameters that a client may send; only `q` and `epoch` have an effect."""

log = logging.getLogger(__name__)


class _RefusedError(Exception):
    """A request that is not passed on: the answer's status and its reason."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Account:
    """The account of a request, and its header."""

    name: str
    header: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Question:
    account: _Account
    statement: str
    epoch: str | None


class Guard:
    """Passes tenants' queries on to the database at `url`; a tenant's account begins with `prefix`, as its database."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url = url.rstrip("/")
        self._prefix = prefix
        self._at_once: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))

    def application(self) -> web.Application:
        """The web server."""
        made = web.Application(client_max_size=LONGEST_BODY)
        made.cleanup_ctx.append(self._connected)
        made.router.add_get("/ping", _ping)
        made.router.add_get("/query", self._query, allow_head=False)
        made.router.add_post("/query", self._query)
        return made

    async def _connected(self, _: web.Application) -> AsyncIterator[None]:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), connector=aiohttp.TCPConnector(limit=64)
        )
        yield
        await self._session.close()

    async def _query(self, request: web.Request) -> web.Response:
        try:
            account = _account(request, self._prefix)
            question = await _question(request, account)
            async with self._at_once[account.name]:
                return await self._ask(question)
        except _RefusedError as refused:
            headers = {"WWW-Authenticate": 'Basic realm="ecopark"'} if refused.status == HTTPStatus.UNAUTHORIZED else {}
            body = json.dumps({"error": str(refused)})
            return web.Response(status=refused.status, text=body, content_type="application/json", headers=headers)

    async def _ask(self, question: _Question) -> web.Response:
        parameters = {"db": question.account.name, "q": question.statement}
        if question.epoch is not None:
            parameters["epoch"] = question.epoch
        headers = {"Authorization": question.account.header, "Accept": "application/json"}
        body = bytearray()
        try:
            async with self._session.post(f"{self._url}/query", data=parameters, headers=headers) as answer:
                while len(body) <= LONGEST_ANSWER and (more := await answer.content.read(2**20)):
                    body += more
        except TimeoutError:
            raise _RefusedError(
                HTTPStatus.GATEWAY_TIMEOUT, f"the query took more than {TIMEOUT_S:.0f} s; ask for less"
            ) from None
        except aiohttp.ClientError as error:
            log.warning("the database does not answer: %s", error)
            raise _RefusedError(HTTPStatus.BAD_GATEWAY, "the database does not answer; try again later") from None
        if len(body) > LONGEST_ANSWER:
            raise _RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the answer has more than {LONGEST_ANSWER // 2**20} MiB; ask for a shorter time, or for means",
            )
        return web.Response(status=answer.status, body=bytes(body), content_type="application/json")


async def _ping(_: web.Request) -> web.Response:
    return web.Response(status=HTTPStatus.NO_CONTENT)


def _account(request: web.Request, prefix: str) -> _Account:
    """The account, by HTTP's basic authentication; the database checks the password."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        pair = base64.b64decode(encoded, validate=True)
        name, separator, _ = pair.decode().partition(":")
    except ValueError:
        pair, name, separator = b"", "", ""
    if scheme.lower() != "basic" or not separator:
        raise _RefusedError(HTTPStatus.UNAUTHORIZED, "say who you are by basic authentication")
    if not name.startswith(prefix):
        raise _RefusedError(HTTPStatus.FORBIDDEN, "this account is no tenant's")
    return _Account(name, f"Basic {base64.b64encode(pair).decode()}")


async def _question(request: web.Request, account: _Account) -> _Question:
    sent = parse_qsl(request.query_string, keep_blank_values=True, strict_parsing=False)
    if request.method == "POST" and request.can_read_body:
        if request.content_type != _FORM:
            raise _RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send the statement as {_FORM}")
        try:
            sent += parse_qsl((await request.read()).decode(), keep_blank_values=True)
        except UnicodeDecodeError:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "the statement is not UTF-8") from None
    values = dict(sent)
    if len(values) != len(sent):
        raise _RefusedError(HTTPStatus.BAD_REQUEST, "a parameter was sent twice")
    if unknown := sorted(values.keys() - _KNOWN):
        raise _RefusedError(HTTPStatus.BAD_REQUEST, f"{unknown[0]} is not taken here")
    epoch = values.get("epoch") or None
    if epoch is not None and epoch not in _EPOCHS:
        raise _RefusedError(HTTPStatus.BAD_REQUEST, f"epoch is one of {', '.join(sorted(_EPOCHS))}")
    try:
        return _Question(account, confined(values.get("q", "")), epoch)
    except ForbiddenStatementError as error:
        raise _RefusedError(HTTPStatus.FORBIDDEN, str(error)) from None
