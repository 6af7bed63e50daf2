"""Grafana: one organization per tenant, with its data source, dashboards and a viewer, by grafana-client.

A viewer can send any query to any data source of an organization, so what isolates tenants is not Grafana but the
credentials in the data source: they read the tenant's own database only. The source's uid is the same everywhere, so
the same dashboards serve all.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit

import niquests
from grafana_client import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException

from ecopark.secretfiles import generate
from ecopark.tenants.keys import Keys
from ecopark.tenants.plan import Action, StepKind, SyncStep, Thing
from ecopark.tenants.wanted import Home, homes
from metering.errors import OperatorError, UnavailableError
from metering.park import Park

SOURCE = "ecopark"
"""Uid of the data source, in every organization."""

_OWN = "ecopark-own"
"""Prefix of the uids of tenants' dashboards."""

_VIEWER = "viewer here and nowhere else"
_LOST = "password lost"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Address:
    """Where Grafana is and who administers it; where Grafana itself finds InfluxDB."""

    url: str
    user: str
    password: str
    influx_url: str


class _Organization(NamedTuple):
    """An organization of a tenant."""

    number: int
    title: str


class Grafana:
    """`dashboards`: the tenants' own, by uid, without ids."""

    def __init__(
        self,
        address: Address,
        keys: Keys,
        influx: Keys,
        dashboards: Mapping[str, dict[str, Any]],
        language: Literal["en", "vi"],
    ) -> None:
        self._address = address
        self._keys = keys
        self._influx = influx
        self._dashboards = dashboards
        self._language = language
        self._homes: dict[str, Home] = {}

    def wanted(self, parks: Iterable[Park]) -> list[Thing]:
        """Organizations and their content, for these parks; the credentials must exist by then."""
        self._homes = {home.key: home for home in homes(parks)}
        found = []
        for key, home in self._homes.items():
            source = _fingerprint(self._address.influx_url, home.database, self._influx.mark(home.database))
            found += [
                Thing(StepKind.ORGANIZATION, "", key, getattr(home.tenant.name, self._language)),
                Thing(StepKind.SOURCE, key, SOURCE, source),
                *(Thing(StepKind.DASHBOARD, key, uid, _content(board)) for uid, board in self._dashboards.items()),
                Thing(StepKind.VIEWER, key, key, _VIEWER),
            ]
        return found

    async def find(self) -> list[Thing]:
        """What exists of Ecopark's: organizations whose name ends with `[park.tenant]`, and their content."""
        return await self._call(self._find)

    async def apply(self, step: SyncStep) -> None:
        """Take one step."""
        await self._call(lambda: self._apply(step))

    def _find(self) -> list[Thing]:
        found = []
        for key, (number, title) in self._organizations().items():
            found.append(Thing(StepKind.ORGANIZATION, "", key, title))
            inside = self._api(number)
            for source in inside.datasource.list_datasources():
                if source["uid"] == SOURCE:
                    data = source.get("jsonData", {})
                    mark = _fingerprint(source["url"], data.get("dbName", ""), data.get("credentials", ""))
                    found.append(Thing(StepKind.SOURCE, key, SOURCE, mark))
            for hit in inside.search.search_dashboards(type_="dash-db", limit=1000):
                if hit["uid"].startswith(_OWN):
                    board = inside.dashboard.get_dashboard(hit["uid"])["dashboard"]
                    found.append(Thing(StepKind.DASHBOARD, key, hit["uid"], _content(board)))
            if (viewer := self._user(key)) is not None:
                places = [(place["orgId"], place["role"]) for place in self._api().users.get_user_organisations(viewer)]
                right = places == [(number, "Viewer")]
                detail = _LOST if self._keys.get(key) is None else _VIEWER if right else f"{len(places)} other places"
                found.append(Thing(StepKind.VIEWER, key, key, detail))
        return found

    def _apply(self, step: SyncStep) -> None:
        if step.action is Action.REMOVE:
            self._remove(step.thing)
        else:
            self._make(step.thing, new=step.action is Action.MAKE)

    def _make(self, thing: Thing, *, new: bool) -> None:
        match thing.kind:
            case StepKind.ORGANIZATION if new:
                self._api().organization.create_organization({"name": _title(thing)})
            case StepKind.ORGANIZATION:
                number = self._organizations()[thing.name].number
                self._api().organizations.update_organization(number, {"name": _title(thing)})
            case StepKind.SOURCE if new:
                self._inside(thing).datasource.create_datasource(self._source(thing))
            case StepKind.SOURCE:
                self._inside(thing).datasource.update_datasource_by_uid(SOURCE, self._source(thing))
            case StepKind.DASHBOARD:
                board = {**self._dashboards[thing.name], "id": None}
                self._inside(thing).dashboard.update_dashboard({"dashboard": board, "overwrite": True})
            case StepKind.VIEWER:
                self._viewer(thing)
            case _:
                raise _stranger(thing)

    def _remove(self, thing: Thing) -> None:
        match thing.kind:
            case StepKind.ORGANIZATION:
                self._api().organizations.delete_organization(self._organizations()[thing.name].number)
            case StepKind.SOURCE:
                self._inside(thing).datasource.delete_datasource_by_uid(thing.name)
            case StepKind.DASHBOARD:
                self._inside(thing).dashboard.delete_dashboard(thing.name)
            case StepKind.VIEWER:
                self._api().admin.delete_user(self._user(thing.name))
                self._keys.forget(thing.name)
            case _:
                raise _stranger(thing)

    def _source(self, thing: Thing) -> dict[str, Any]:
        database = self._homes[thing.within].database
        return {
            "name": "Ecopark",
            "uid": SOURCE,
            "type": "influxdb",
            "access": "proxy",
            "url": self._address.influx_url,
            "basicAuth": True,
            "basicAuthUser": database,
            "isDefault": True,
            "jsonData": {
                "dbName": database,
                "httpMode": "POST",
                "timeInterval": "60s",
                "credentials": self._influx.mark(database),
            },
            "secureJsonData": {"basicAuthPassword": self._influx.get(database) or ""},
        }

    def _viewer(self, thing: Thing) -> None:
        number = self._organizations()[thing.within].number
        secret = self._keys.get(thing.name)
        user = self._user(thing.name)
        if user is None:
            self._keys.keep(thing.name, secret or generate())
            made = {"name": thing.name, "login": thing.name, "password": self._keys.get(thing.name), "OrgId": number}
            user = self._api().admin.create_user(made)["id"]
        elif secret is None:
            self._keys.keep(thing.name, generate())
            self._api().admin.change_user_password(user, self._keys.get(thing.name))
        api = self._api()
        places = {place["orgId"]: place["role"] for place in api.users.get_user_organisations(user)}
        if number not in places:
            api.organizations.organization_user_add(number, {"loginOrEmail": thing.name, "role": "Viewer"})
        elif places[number] != "Viewer":
            api.organizations.organization_user_update(number, user, "Viewer")
        for other in places.keys() - {number}:
            api.organizations.organization_user_delete(other, user)

    def _user(self, login: str) -> int | None:
        try:
            return int(self._api().users.find_user(login)["id"])
        except GrafanaClientError as error:
            if error.status_code == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _organizations(self) -> dict[str, _Organization]:
        """Number and title of each of ours."""
        found = {}
        for organization in self._api().organizations.list_organization():
            title, _, key = organization["name"].removesuffix("]").rpartition(" [")
            if organization["name"].endswith("]") and "." in key:
                found[key] = _Organization(organization["id"], title)
        return found

    def _inside(self, thing: Thing) -> GrafanaApi:
        return self._api(self._organizations()[thing.within].number)

    def _api(self, organization: int | None = None) -> GrafanaApi:
        parts = urlsplit(self._address.url)
        return GrafanaApi(
            (self._address.user, self._address.password),
            host=parts.hostname or "",
            port=parts.port,
            protocol=parts.scheme,
            url_path_prefix=f"{parts.path.strip('/')}/".lstrip("/"),
            organization_id=organization,
        )

    async def _call(self, work: Callable[[], _T]) -> _T:
        where = f"Grafana at {self._address.url}"
        try:
            return await asyncio.to_thread(work)
        except GrafanaException as error:
            if error.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                raise OperatorError(
                    f"{where} refuses {self._address.user} ({error.status_code}); organizations need a server "
                    "administrator's user and password in ECOPARK_GRAFANA_USER and ECOPARK_GRAFANA_TOKEN"
                ) from None
            raise UnavailableError(f"{where} answers {error.status_code}: {error.message}") from None
        except niquests.exceptions.RequestException as error:
            raise UnavailableError(f"{where}: {error}") from None


def _stranger(thing: Thing) -> ValueError:
    return ValueError(f"Grafana has no {thing.kind.name}")


def _title(thing: Thing) -> str:
    return f"{thing.detail} [{thing.name}]"


def _fingerprint(url: str, database: str, mark: str) -> str:
    return f"{database} at {url}, credentials {mark or 'not made yet'}"


def _content(board: dict[str, Any]) -> str:
    """A hash of a dashboard's content, without what Grafana adds."""
    said = {key: value for key, value in board.items() if key not in {"id", "version"}}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]
