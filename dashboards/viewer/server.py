"""Serves the pages and their data: a browser names what it wants to see, and never sends a statement.

Loads nothing from elsewhere, needs no login and changes nothing. Where it listens on the loopback interface only, it
answers no request under another host name (a page on the network could have its name resolve to this machine).
"""

import ipaddress
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from aiohttp import web
from pydantic import Field, ValidationError

from dashboards.viewer.alerts import Alerts
from dashboards.viewer.boards import Boards, PageRange, UnknownError
from metering.errors import OperatorError, UnavailableError
from metering.model import Identifier, Model
from metering.words import Language
from store.answers import RejectedError
from store.client import Store

BUILT = Path(__file__).parent.parent / "web" / "built"
"""The program of the pages, made by `make bundle`."""

LATEST_MS = 4_102_444_800_000
"""The year 2100."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_FOREVER = "public, max-age=31536000, immutable"
_HOME = ("ecopark-overview", "ecopark-own")

log = logging.getLogger(__name__)

ChosenValues = tuple[Identifier | Literal["$__all"], ...]
Asked = TypeVar("Asked", bound=Model)
Moment = Annotated[int, Field(ge=0, le=LATEST_MS)]


class Choosing(Model):
    """A page with the values of its variables."""

    page: Identifier
    variables: dict[Identifier, ChosenValues] = Field(default_factory=dict)


class AskVariable(Choosing):
    """The values that a variable offers."""

    name: Identifier


class AskShown(Choosing):
    """A page that shows a range of time, in milliseconds since the epoch."""

    start: Moment = Field(alias="from")
    end: Moment = Field(alias="to")
    relative: bool

    def range(self) -> PageRange:
        """Where the page begins and ends."""
        start, end = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (self.start, self.end))
        return PageRange(start, end, self.relative)


class AskPanel(AskShown):
    """The panel to show."""

    panel: int


class Viewer:
    """The pages over one database. `alerts` only for the operator: tenants have none."""

    def __init__(
        self, boards: Boards, store: Store, database: str, alerts: Alerts | None, now: Callable[[], datetime]
    ) -> None:
        self._boards = boards
        self._now = now
        self._store = store
        self._database = database
        self._alerts = alerts

    def application(self, *, loopback: bool) -> web.Application:
        """The web application. `loopback`: for this machine alone."""
        application = web.Application(
            middlewares=[_only_this_machine, _answered] if loopback else [_answered], client_max_size=64 * 1024
        )
        application.router.add_get("/", self._home)
        application.router.add_get("/d/{page}", self._page)
        application.router.add_get("/assets/{file}", self._asset)
        application.router.add_get("/static/build/img/icons/unicons/{name}", self._icon)
        application.router.add_get("/api/page/{page}", self._content)
        application.router.add_get("/api/alerts/{language}", self._firing)
        application.router.add_post("/api/variable", self._variable)
        application.router.add_post("/api/panel", self._panel)
        application.router.add_post("/api/events", self._events)
        application.router.add_route("*", "/query", self._no_statement)
        return application

    async def _home(self, request: web.Request) -> web.StreamResponse:
        language = _preferred(request.headers.get("Accept-Language", ""))
        for board in self._boards.all():
            if board.language == language and board.uid.startswith(_HOME):
                raise web.HTTPFound(f"/d/{board.uid}")
        raise web.HTTPNotFound

    async def _page(self, request: web.Request) -> web.StreamResponse:
        self._boards.by_uid(request.match_info["page"])
        return web.FileResponse(BUILT / "index.html", headers={"Cache-Control": "no-cache"})

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        return _file(BUILT / "assets", request.match_info["file"])

    async def _icon(self, request: web.Request) -> web.StreamResponse:
        return _file(BUILT / "icons", request.match_info["name"])

    async def _content(self, request: web.Request) -> web.StreamResponse:
        self._boards.look()
        board = self._boards.by_uid(request.match_info["page"])
        listed = [
            {"uid": each.uid, "title": each.content["title"], "language": each.language} for each in self._boards.all()
        ]
        return web.json_response(
            {"board": board.content, "language": board.language, "pages": listed, "alerts": self._alerts is not None}
        )

    async def _firing(self, request: web.Request) -> web.StreamResponse:
        if self._alerts is None:
            raise web.HTTPNotFound(text="alerts are the operator's")
        try:
            language = Language(request.match_info["language"])
        except ValueError as error:
            raise web.HTTPNotFound(text="en or vi") from error
        setting = self._boards.setting
        alerts = await self._alerts.firing(setting, self._now())
        return web.json_response({"alerts": [alert.shown(setting.parks, language) for alert in alerts]})

    async def _variable(self, request: web.Request) -> web.StreamResponse:
        asked = await _parsed(request, AskVariable)
        board = self._boards.by_uid(asked.page)
        rows = await self._store.query(board.variable(asked.name, _lists(asked.variables)), self._database)
        values = {str(row["value"]) for row in rows if row["value"]}
        options = [
            {"value": value, "text": self._boards.name_of(asked.name, value, board.language)} for value in values
        ]
        return web.json_response({"values": sorted(options, key=lambda option: (option["text"], option["value"]))})

    async def _panel(self, request: web.Request) -> web.StreamResponse:
        asked = await _parsed(request, AskPanel)
        asks = self._boards.by_uid(asked.page).panel(asked.panel, _lists(asked.variables), asked.range())
        answers = [
            {
                "ref": ask.ref,
                "series": await self._store.series(ask.statement, self._database) if ask.statement else [],
            }
            for ask in asks.targets
        ]
        return web.json_response({"from": _ms(asks.start), "to": _ms(asks.end), "answers": answers})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        asked = await _parsed(request, AskShown)
        board = self._boards.by_uid(asked.page)
        events = []
        for target, statement in board.annotations(_lists(asked.variables), asked.range()):
            for row in await self._store.query(statement, self._database):
                tags = [row[tag] for tag in target["tagsColumn"].split(",") if row.get(tag)]
                events.append({"time": row["time"] // 1_000_000, "text": row[target["textColumn"]], "tags": tags})
        return web.json_response({"events": events})

    async def _no_statement(self, _: web.Request) -> web.StreamResponse:
        raise web.HTTPForbidden(text="this server takes no statements: it sends those of its own pages only")


async def _parsed(request: web.Request, kind: type[Asked]) -> Asked:
    """Parse a request. Anything beyond a page, a panel and identifiers is refused."""
    try:
        return kind.model_validate_json(await request.read())
    except ValidationError as error:
        faults = ", ".join(".".join(str(part) for part in fault["loc"]) or fault["type"] for fault in error.errors())
        raise web.HTTPForbidden(text=f"not a question of a page: {faults}") from error


def _lists(variables: dict[str, ChosenValues]) -> dict[str, list[str]]:
    return {name: list(values) for name, values in variables.items()}


def _file(folder: Path, name: str) -> web.StreamResponse:
    """A built file; large ones are stored compressed, and sent so."""
    if "/" in name or not ((folder / name).is_file() or (folder / f"{name}.gz").is_file()):
        raise web.HTTPNotFound
    return web.FileResponse(folder / name, headers={"Cache-Control": _FOREVER})


def _preferred(accepted: str) -> Language:
    """The first of our languages in the browser's preferences."""
    for part in accepted.lower().split(","):
        for language in Language:
            if part.strip().startswith(language.value):
                return language
    return Language.EN


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer has the headers that isolate a page; a failure is one line of JSON."""
    try:
        response = await handler(request)
    except UnknownError as error:
        response = _failed(404, str(error))
    except RejectedError as error:
        response = _failed(502, f"the database refuses a statement: {error}")
    except UnavailableError as error:
        response = _failed(503, str(error))
    except OperatorError as error:
        response = _failed(502, str(error))
    except web.HTTPException as error:
        error.headers.update(_HEADERS)
        raise
    response.headers.update(_HEADERS)
    return response


def _failed(status: int, words: str) -> web.Response:
    log.warning("%s", words)
    return web.Response(status=status, text=json.dumps({"error": words}), content_type="application/json")


@web.middleware
async def _only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    if not is_loopback(request.url.host or ""):
        raise web.HTTPForbidden(text="this server answers to 127.0.0.1 and localhost only")
    return await handler(request)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Listening(NamedTuple):
    """What is to be cleaned up at the end, and the URL."""

    runner: web.AppRunner
    url: str


async def start(application: web.Application, host: str, port: int) -> Listening:
    """Listen.

    Raises `OperatorError` where the address is taken or not this machine's.
    """
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise OperatorError(f"{host}:{port} cannot be listened on: {error.strerror}; choose another --port") from error
    address: Any = runner.addresses[0]
    shown = f"[{address[0]}]" if ":" in address[0] else address[0]
    return Listening(runner, f"http://{shown}:{address[1]}")
