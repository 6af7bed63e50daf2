"""InfluxDB 2.x: one bucket per tenant, and a token for each account, by influxdb-client.

The server shows a token once, when it is made; it is stored in a file at that moment. Its permissions cannot be
changed: a token that lacks or exceeds its rights, or whose secret is lost, is made again and the old one deleted.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from influxdb_client import Authorization, Bucket, BucketRetentionRules, InfluxDBClient, Permission, PermissionResource
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from ecopark.tenants.keys import Keys
from ecopark.tenants.plan import Action, StepKind, SyncStep, Thing
from ecopark.tenants.wanted import ALL, READ, SHORT, WRITE, databases, ours, rights
from metering.errors import OperatorError, UnavailableError
from metering.instants import DAY_MS
from metering.park import Park
from store.policy import KeepingPolicy, shard_days

_PAGE = 100
_DAY_S = DAY_MS // 1000
_ACTIONS = {READ: ("read",), WRITE: ("write",), ALL: ("read", "write")}
_LOST = "secret lost"
_T = TypeVar("_T")


class Influx2:
    """An InfluxDB 2.x organization, as somebody who may do everything in it."""

    def __init__(self, url: str, token: str, organization: str | None, keys: Keys) -> None:
        self._url = url
        self._keys = keys
        self._name = organization
        self._client = InfluxDBClient(url=url, token=token, org=organization or "")
        self._rights: dict[str, dict[str, str]] = {}

    def wanted(self, parks: Iterable[Park]) -> list[Thing]:
        """Buckets and tokens that these parks need."""
        parks = list(parks)
        self._rights = {account: dict(had) for account, had in rights(parks).items()}
        return [
            *(Thing(StepKind.DATABASE, "", name) for name in databases(parks)),
            *(Thing(StepKind.ACCOUNT, "", account, _words(had)) for account, had in self._rights.items()),
        ]

    async def find(self) -> list[Thing]:
        """What is there of Ecopark's."""
        return await self._call(self._find)

    async def apply(self, step: SyncStep) -> None:
        """Take one step."""
        await self._call(lambda: self._apply(step))

    def _find(self) -> list[Thing]:
        buckets = self._buckets()
        found = [Thing(StepKind.DATABASE, "", name, _shards(bucket)) for name, bucket in buckets.items()]
        names = {bucket.id: name for name, bucket in buckets.items()}
        for account, tokens in self._tokens().items():
            held = self._keys.get(account) is not None and len(tokens) == 1 and tokens[0].status == "active"
            found.append(Thing(StepKind.ACCOUNT, "", account, _found_words(tokens[0], names) if held else _LOST))
        return found

    def _apply(self, step: SyncStep) -> None:
        thing = step.thing
        match step.action, thing.kind:
            case Action.MAKE, StepKind.DATABASE:
                self._client.buckets_api().create_bucket(
                    bucket_name=thing.name, org_id=self._organization(), retention_rules=_forever(thing.name)
                )
            case Action.CHANGE, StepKind.DATABASE:
                bucket = self._buckets()[thing.name]
                bucket.retention_rules = [_forever(thing.name)]
                self._client.buckets_api().update_bucket(bucket)
            case Action.REMOVE, StepKind.DATABASE:
                self._client.buckets_api().delete_bucket(self._buckets()[thing.name])
            case ((Action.MAKE | Action.CHANGE), StepKind.ACCOUNT):
                old = self._tokens().get(thing.name, [])
                self._make_token(thing.name)
                self._delete(old)
            case Action.REMOVE, StepKind.ACCOUNT:
                self._delete(self._tokens()[thing.name])
                self._keys.forget(thing.name)
            case _:
                raise ValueError(f"InfluxDB 2.x has no {thing.kind.name}")

    def _make_token(self, account: str) -> None:
        buckets = self._buckets()
        organization = self._organization()
        permissions = [
            Permission(action, PermissionResource(type="buckets", id=buckets[database].id, org_id=organization))
            for database, right in self._rights[account].items()
            for action in _ACTIONS[right]
        ]
        wish = Authorization(org_id=organization, permissions=permissions, description=account)
        made = self._client.authorizations_api().create_authorization(authorization=wish)
        self._keys.keep(account, made.token)

    def _delete(self, tokens: Sequence[Authorization]) -> None:
        for token in tokens:
            self._client.authorizations_api().delete_authorization(token)

    def _organization(self) -> str:
        found = self._client.organizations_api().find_organizations(org=self._name)
        if len(found) != 1:
            names = ", ".join(organization.name for organization in found) or "none"
            raise OperatorError(
                f"InfluxDB at {self._url} has the organizations {names}; name one in ECOPARK_INFLUX_ORG"
            )
        return str(found[0].id)

    def _buckets(self) -> dict[str, Bucket]:
        organization = self._organization()
        every = self._client.buckets_api().find_buckets_iter(limit=_PAGE, org_id=organization)
        return {bucket.name: bucket for bucket in every if ours(bucket.name)}

    def _tokens(self) -> dict[str, list[Authorization]]:
        found: dict[str, list[Authorization]] = {}
        for token in self._client.authorizations_api().find_authorizations(org_id=self._organization()):
            if ours(token.description or ""):
                found.setdefault(token.description, []).append(token)
        return found

    async def _call(self, work: Callable[[], _T]) -> _T:
        where = f"InfluxDB at {self._url}"
        try:
            return await asyncio.to_thread(work)
        except ApiException as error:
            if error.status in {401, 403}:
                raise OperatorError(
                    f"{where} refuses the token ({error.status}); ECOPARK_INFLUX_TOKEN needs all access to do this"
                ) from None
            raise UnavailableError(f"{where} answers {error.status}: {error.reason}") from None
        except HTTPError as error:
            raise UnavailableError(f"{where}: {error}") from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _forever(database: str) -> BucketRetentionRules:
    """Everything is kept; a tenant's in long shards."""
    days = shard_days(database)
    length = {} if days is None else {"shard_group_duration_seconds": days * _DAY_S}
    return BucketRetentionRules(every_seconds=0, **length)


def _shards(bucket: Bucket) -> str:
    """What is wrong with the length of its shards; empty where nothing is."""
    for rule in bucket.retention_rules:
        keeps, shard = rule.every_seconds, rule.shard_group_duration_seconds
        policy = KeepingPolicy(bucket.name, keeps * 1000 if keeps else None, (shard or 0) * 1000, copies=1)
        return "" if policy.suits(bucket.name) else SHORT
    return ""


def _words(had: dict[str, str]) -> str:
    return ", ".join(f"{right} {database}" for database, right in sorted(had.items()))


def _found_words(token: Authorization, names: dict[str, str]) -> str:
    """The rights of a token, in the terms of what is wanted; anything beyond our buckets unchanged."""
    actions: dict[str, set[str]] = {}
    for permission in token.permissions:
        resource = permission.resource
        place = names.get(resource.id, resource.id or "") if resource.type == "buckets" else ""
        actions.setdefault(place or f"any {resource.type}", set()).add(permission.action)
    right = {frozenset(some): name for name, some in _ACTIONS.items()}
    return _words({place: right[frozenset(done)] for place, done in actions.items()})
