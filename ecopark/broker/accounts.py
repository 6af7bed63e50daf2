"""Who may connect to the broker, and what each may say and hear.

A gateway writes its own readings and status and reads its own receipts and refusals. Ingesters share an account that
reads all readings, answers, and says that it is there. The operator's reads everything and writes readings, which is
what a replay does.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from metering.park import Park
from wire.topics import ROOT, Channel, ingester, topic

INGEST = "ingest"
OPERATOR = "operator"

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
    return [INGEST, OPERATOR, *sorted(gateways)]


def rules(account: str) -> tuple[Rule, ...]:
    """What an account may do, which follows from its name alone."""
    readings = topic("+", "+", Channel.READINGS)
    if account == INGEST:
        return (
            Rule("read", readings),
            # mosquitto 2.0 asks at delivery only; a broker that asks at subscription asks for the filter as it is.
            Rule("read", f"$share/ingest/{readings}"),
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


def acl(accounts: Iterable[str]) -> str:
    """The rules as mosquitto's `acl_file`. What stands in no rule is forbidden, to everybody."""
    blocks = (
        "\n".join((f"user {account}", *(f"topic {rule.access} {rule.pattern}" for rule in rules(account)), ""))
        for account in accounts
    )
    return "\n".join(
        ("# Written by ecopark broker accounts, and written again: change the park file instead.", *blocks)
    )
