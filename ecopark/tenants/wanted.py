"""Which databases, and whose credentials may read or write which of them, follow from the park files.

A tenant reads its own database and nothing else. The services have an account each, so that none can do more than its
work: ingesters write, the usage service reads and writes, the operator's Grafana reads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metering.errors import OperatorError
from metering.park import Park, Tenant
from store.schema import OPERATOR_DATABASE, tenant_database

READ = "read"
WRITE = "write"
ALL = "read and write"
SHORT = "short shards"
"""State of a database whose shards are not as long as those of a tenant should be."""

INGEST = f"{OPERATOR_DATABASE}_ingest"
USAGE = f"{OPERATOR_DATABASE}_usage"
GRAFANA = f"{OPERATOR_DATABASE}_grafana"
PREFIX = f"{OPERATOR_DATABASE}_"
"""Prefix of the databases that Ecopark, besides the operator's, makes and removes."""


@dataclass(frozen=True, slots=True)
class Home:
    """A tenant's place. `key` identifies it everywhere: `{park}.{tenant}`."""

    park: Park
    tenant: Tenant

    @property
    def key(self) -> str:
        """Its name; the dot is in no identifier."""
        return f"{self.park.id}.{self.tenant.id}"

    @property
    def database(self) -> str:
        """Its database, and the account that reads it."""
        return tenant_database(self.park.id, self.tenant.id)


def homes(parks: Iterable[Park]) -> list[Home]:
    """Every tenant of every park.

    Raises `OperatorError` where two would share a database: an underscore joins park and tenant, and may be in both.
    """
    found: dict[str, Home] = {}
    for park in parks:
        for tenant in park.tenants:
            home = Home(park, tenant)
            other = found.setdefault(home.database, home)
            if other.key != home.key:
                raise OperatorError(f"{home.key} and {other.key} would share {home.database}; rename one of them")
    return list(found.values())


def rights(parks: Iterable[Park]) -> Mapping[str, Mapping[str, str]]:
    """What each account may do, by account and database."""
    own = [home.database for home in homes(parks)]
    services = {
        INGEST: {OPERATOR_DATABASE: WRITE},
        USAGE: dict.fromkeys((OPERATOR_DATABASE, *own), ALL),
        GRAFANA: {OPERATOR_DATABASE: READ},
    }
    return services | {database: {database: READ} for database in own}


def databases(parks: Iterable[Park]) -> list[str]:
    """Every database."""
    return [OPERATOR_DATABASE, *(home.database for home in homes(parks))]


def ours(name: str) -> bool:
    """Whether a database or account of this name is Ecopark's."""
    return name == OPERATOR_DATABASE or name.startswith(PREFIX)
