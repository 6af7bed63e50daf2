"""InfluxDB 1.x: one database per tenant, users, grants; over `/query` as an administrator."""

from collections.abc import Iterable

from ecopark.secretfiles import generate
from ecopark.tenants.keys import Keys
from ecopark.tenants.plan import Action, StepKind, SyncStep, Thing
from ecopark.tenants.wanted import ALL, READ, SHORT, WRITE, databases, ours, rights
from metering.errors import OperatorError
from metering.park import Park
from store import accounts
from store.client import Store
from store.policy import lengthen, shard_days

_PRIVILEGES = {READ: "READ", WRITE: "WRITE", ALL: "ALL PRIVILEGES"}
_NAMES = {privilege: right for right, privilege in _PRIVILEGES.items()}
_LOST = "password lost or wrong"
_ADMINISTRATOR = "administrator"


class Influx1:
    """`store` is an administrator's; `url` is where new accounts try their passwords."""

    def __init__(self, store: Store, url: str, keys: Keys) -> None:
        self._store = store
        self._url = url
        self._keys = keys

    def wanted(self, parks: Iterable[Park]) -> list[Thing]:
        """Databases, users and grants that these parks need."""
        parks = list(parks)
        access = rights(parks)
        return [
            *(Thing(StepKind.DATABASE, "", name) for name in databases(parks)),
            *(Thing(StepKind.ACCOUNT, "", name) for name in access),
            *(Thing(StepKind.RIGHT, user, name, right) for user, had in access.items() for name, right in had.items()),
        ]

    async def find(self) -> list[Thing]:
        """What exists of Ecopark's; an account with an unknown password must be changed."""
        names = [row["name"] for row in await self._store.query(accounts.databases(), "") if ours(row["name"])]
        found = [Thing(StepKind.DATABASE, "", name, await self._shards(name)) for name in names]
        for row in await self._store.query(accounts.users(), ""):
            user = row["user"]
            if not ours(user):
                continue
            detail = _ADMINISTRATOR if row["admin"] else "" if await self._works(user) else _LOST
            found.append(Thing(StepKind.ACCOUNT, "", user, detail))
            grants = await self._store.query(accounts.grants(user), "")
            found += [
                Thing(StepKind.RIGHT, user, grant["database"], _NAMES[grant["privilege"]])
                for grant in grants
                if grant["privilege"] in _NAMES
            ]
        return found

    async def apply(self, step: SyncStep) -> None:
        """Take one step. A password is stored before it is set, so that after a failure it is set the next time."""
        thing = step.thing
        match step.action, thing.kind:
            case Action.MAKE, StepKind.DATABASE:
                await self._store.create_database(thing.name)
            case Action.CHANGE, StepKind.DATABASE:
                await self._lengthen(thing.name)
            case Action.REMOVE, StepKind.DATABASE:
                await self._store.query(accounts.drop_database(thing.name), "")
            case Action.MAKE, StepKind.ACCOUNT:
                await self._store.query(accounts.make_user(thing.name, self._secret(thing.name)), "")
            case Action.CHANGE, StepKind.ACCOUNT:
                await self._store.query(accounts.no_administrator(thing.name), "")
                await self._store.query(accounts.set_password(thing.name, self._secret(thing.name)), "")
            case Action.REMOVE, StepKind.ACCOUNT:
                await self._store.query(accounts.drop_user(thing.name), "")
                self._keys.forget(thing.name)
            case Action.REMOVE, StepKind.RIGHT:
                await self._store.query(accounts.revoke(thing.name, thing.within), "")
            case _, StepKind.RIGHT:
                granted = accounts.grant(_PRIVILEGES[thing.detail], thing.name, thing.within)
                await self._store.query(granted, "")
            case _:
                raise ValueError(f"InfluxDB 1.x has no {thing.kind.name}")

    async def _shards(self, database: str) -> str:
        """What is wrong with the length of its shards; empty where nothing is."""
        policy = await self._store.policy(database)
        return "" if policy is None or policy.suits(database) else SHORT

    async def _lengthen(self, database: str) -> None:
        policy, days = await self._store.policy(database), shard_days(database)
        if policy is not None and days is not None:
            await self._store.query(lengthen(database, policy.name, days), "")

    def _secret(self, user: str) -> str:
        """Its password, stored."""
        secret = self._keys.get(user) or generate()
        self._keys.keep(user, secret)
        return secret

    async def _works(self, user: str) -> bool:
        secret = self._keys.get(user)
        if secret is None:
            return False
        async with Store(self._url, user, secret) as store:
            try:
                await store.query(accounts.databases(), "")
            except OperatorError:
                return False
        return True
