"""Who may connect to the broker, and what each may publish and receive.

A gateway publishes its own readings and status and receives its own receipts and refusals. Ingesters share an account
that receives all readings, answers them, and announces its presence. The operator's receives everything and publishes
readings, which is what a replay does. Gateways have one listener, ingesters and operator another: neither knows the
other's accounts. Where the park file has sources, their topics belong to the account of the gateway that carries them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest.foreign import command_filters, common_filters, shared_filters
from metering.park import Park
from wire.topics import ROOT, Channel, ingester, shared, topic

INGEST = "ingest"
OPERATOR = "operator"
INSIDE = (INGEST, OPERATOR)
"""Accounts of the inner listener."""

_WRITES = (Channel.READINGS, Channel.STATUS)
_READS = (Channel.RECEIPTS, Channel.REFUSALS)


@dataclass(frozen=True, slots=True, order=True)
class AccessRule:
    """`access` (`read`, `write`, `readwrite` or `deny`) to the topics that a filter matches."""

    access: str
    pattern: str


def gateway_account(park: str, gateway: str) -> str:
    """Account of a gateway. No identifier has a dot, so no two gateways and no service share a name."""
    return f"{park}.{gateway}"


def wanted(parks: Iterable[Park]) -> list[str]:
    """Accounts that a set of parks needs: the services' first, then a gateway's each."""
    gateways = (gateway_account(park.id, gateway.id) for park in parks for gateway in park.gateways)
    return [*INSIDE, *sorted(gateways)]


@dataclass(frozen=True, slots=True)
class SourceTopics:
    """Topics of a gateway's sources: what devices publish, what each ingester receives for itself, and commands."""

    account: str
    published: tuple[str, ...]
    common: tuple[str, ...]
    commands: tuple[str, ...]


def source_topics(parks: Iterable[Park]) -> list[SourceTopics]:
    """Topics of all sources of the parks."""
    return [
        SourceTopics(
            gateway_account(park.id, source.gateway),
            tuple(pattern for message in source.read_as for pattern in shared_filters(message)),
            tuple(pattern for message in source.read_as for pattern in common_filters(message)),
            tuple(pattern for message in source.read_as for pattern in command_filters(message)),
        )
        for park in parks
        for source in park.sources
    ]


def rules(
    account: str, secret: str, sources: Iterable[SourceTopics] = (), heard: Collection[str] = ()
) -> tuple[AccessRule, ...]:
    """The rights of an account.

    They follow from its name; `secret` is its password, which names the ingesters' share. Accounts in `heard` may
    publish whatever their devices do, and the operator receives it.
    """
    of_sources = sorted({rule for source in sources for rule in _of_source(account, secret, source)})
    return (*_of_name(account, secret), *of_sources, *_of_hearing(account, heard))


def _of_hearing(account: str, heard: Collection[str]) -> Iterator[AccessRule]:
    if account in heard:
        yield AccessRule("write", "#")
        yield AccessRule("deny", f"{ROOT}/#")  # comes before all that is allowed: nobody may publish as another gateway
    elif heard and account == OPERATOR:
        yield AccessRule("read", "#")


def _of_source(account: str, secret: str, source: SourceTopics) -> Iterator[AccessRule]:
    if account == INGEST:
        yield from (AccessRule("read", pattern) for pattern in (*source.published, *source.common))
        yield from (AccessRule("read", shared(secret, pattern)) for pattern in source.published)
        yield from (AccessRule("write", pattern) for pattern in source.commands)
    elif account == OPERATOR:
        yield from (AccessRule("readwrite", pattern) for pattern in (*source.published, *source.common))
    elif account == source.account:
        yield from (AccessRule("write", pattern) for pattern in (*source.published, *source.common))
        yield from (AccessRule("read", pattern) for pattern in source.commands)


def _of_name(account: str, secret: str) -> tuple[AccessRule, ...]:
    readings = topic("+", "+", Channel.READINGS)
    if account == INGEST:
        return (
            AccessRule("read", readings),
            # mosquitto 2.0 checks at delivery only; a broker that checks at subscription checks the filter unchanged.
            AccessRule("read", shared(secret, readings)),
            *(AccessRule("write", topic("+", "+", channel)) for channel in _READS),
            AccessRule("readwrite", ingester("+")),
        )
    if account == OPERATOR:
        return (AccessRule("read", f"{ROOT}/#"), AccessRule("read", "$SYS/#"), AccessRule("write", readings))
    park, _, gateway = account.partition(".")
    return (
        *(AccessRule("write", topic(park, gateway, channel)) for channel in _WRITES),
        *(AccessRule("read", topic(park, gateway, channel)) for channel in _READS),
    )


def acl(accounts: Mapping[str, str], sources: Sequence[SourceTopics] = (), heard: Collection[str] = ()) -> str:
    """The rules for accounts and their passwords as mosquitto's `acl_file`. What no rule allows is forbidden."""
    blocks = (
        "\n".join(
            (
                f"user {account}",
                *(f"topic {rule.access} {rule.pattern}" for rule in rules(account, secret, sources, heard)),
                "",
            )
        )
        for account, secret in sorted(accounts.items())
    )
    return "\n".join(
        ("# Written by ecopark broker accounts, and written again: change the park file instead.", *blocks)
    )
