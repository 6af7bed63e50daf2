"""Who may connect to the broker, and what each may publish and receive.

A gateway publishes its own readings and status and receives its own receipts and refusals. Ingesters share an account
that receives all readings, answers them, and announces its presence. The operator's receives everything and publishes
readings, which is what a replay does. Gateways have one listener, ingesters and operator another: neither knows the
other's accounts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metering.park import Park
from wire.topics import ROOT, Channel, ingester, shared, topic

INGEST = "ingest"
OPERATOR = "operator"
INSIDE = (INGEST, OPERATOR)
"""Accounts of the inner listener."""

_WRITES = (Channel.READINGS, Channel.STATUS)
_READS = (Channel.RECEIPTS, Channel.REFUSALS)


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """`access` (`read`, `write` or `readwrite`) to the topics that a filter matches."""

    access: str
    pattern: str


def gateway_account(park: str, gateway: str) -> str:
    """Account of a gateway. The dot is in no identifier, so that no two gateways and no service share a name."""
    return f"{park}.{gateway}"


def wanted(parks: Iterable[Park]) -> list[str]:
    """Accounts that a set of parks needs: the services' first, then a gateway's each."""
    gateways = (gateway_account(park.id, gateway.id) for park in parks for gateway in park.gateways)
    return [*INSIDE, *sorted(gateways)]


def rules(account: str, secret: str) -> tuple[Rule, ...]:
    """What an account may do. It follows from its name; `secret` is its password, which names the ingesters' share."""
    readings = topic("+", "+", Channel.READINGS)
    if account == INGEST:
        return (
            Rule("read", readings),
            # mosquitto 2.0 asks at delivery only; a broker that asks at subscription asks for the filter as it is.
            Rule("read", shared(secret, readings)),
            *(Rule("write", topic("+", "+", channel)) for channel in _READS),
            Rule("readwrite", ingester("+")),
        )
    if account == OPERATOR:
        return (Rule("read", f"{ROOT}/#"), Rule("read", "$SYS/#"), Rule("write", readings))
    park, _, gateway = account.partition(".")
    return (
        *(Rule("write", topic(park, gateway, channel)) for channel in _WRITES),
        *(Rule("read", topic(park, gateway, channel)) for channel in _READS),
    )


def acl(accounts: Mapping[str, str]) -> str:
    """The rules for accounts and their passwords as mosquitto's `acl_file`. What no rule allows is forbidden."""
    blocks = (
        "\n".join((f"user {account}", *(f"topic {rule.access} {rule.pattern}" for rule in rules(account, secret)), ""))
        for account, secret in sorted(accounts.items())
    )
    return "\n".join(
        ("# Written by ecopark broker accounts, and written again: change the park file instead.", *blocks)
    )
