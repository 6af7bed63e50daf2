"""mosquitto's configuration: the shipped one, and what depends on the installation.

Gateways use one listener, plain, with TLS, or both. There a client's id is its account's name, whatever id it sends:
each account has one session, and no client can take another's. Ingesters and the operator, who need several sessions of
one account, have a separate inner listener, with accounts that no gateway's listener knows.
"""

from dataclasses import dataclass
from pathlib import Path

from metering.errors import OperatorError

TLS = "tls"
AUTHORITY = "ca.pem"
CERTIFICATE = "server.pem"
KEY = "server.key"
REVOKED = "revoked.pem"
PASSWORDS = "passwords"
ACL = "acl"
INNER_PASSWORDS = "inner-passwords"
INNER_ACL = "inner-acl"
CONFIGURATION = "mosquitto.conf"
SHIPPED_CONFIGURATION = Path(__file__).parent.parent.parent / "deploy" / "mosquitto.conf"

MOST_INSIDE = 200
"""Connections on the inner listener: ingesters, an operator, health checks."""

FEWEST = 2000
"""Minimum of connections on a gateways' listener; twice the number of gateways where that is more."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A port and the address it is bound to: `""` is every address, port 0 is nowhere."""

    port: int
    bind: str = ""

    def __str__(self) -> str:
        return f"listener {self.port} {self.bind}".rstrip()


@dataclass(frozen=True, slots=True)
class Listeners:
    """`plain` and `tls` are for gateways, `inner` for ingesters and the operator.

    `identity`: on TLS a client certificate replaces the password.
    """

    plain: Listener = Listener(1883, "127.0.0.1")
    tls: Listener = Listener(0)
    inner: Listener = Listener(1884, "127.0.0.1")
    identity: bool = False


def inner(folder: Path, listener: Listener) -> str:
    """The listener of ingesters and the operator."""
    return "\n".join(
        (str(listener), *_access(folder, INNER_PASSWORDS, INNER_ACL), f"max_connections {MOST_INSIDE}", "")
    )


def plain(folder: Path, listener: Listener, most: int) -> str:
    """A gateways' listener without TLS, for at most this many connections."""
    return "\n".join((str(listener), *_for_gateways(folder, most), ""))


def secured(folder: Path, listener: Listener, most: int, *, identity: bool) -> str:
    """A gateways' listener with TLS."""
    lines = [
        str(listener),
        *_for_gateways(folder, most),
        f"certfile {folder / TLS / CERTIFICATE}",
        f"keyfile {folder / TLS / KEY}",
        "tls_version tlsv1.2",
    ]
    if identity:
        lines += [
            f"cafile {folder / TLS / AUTHORITY}",
            f"crlfile {folder / TLS / REVOKED}",
            "require_certificate true",
            "use_identity_as_username true",
        ]
    return "\n".join((*lines, ""))


def _for_gateways(folder: Path, most: int) -> tuple[str, ...]:
    return (*_access(folder, PASSWORDS, ACL), "use_username_as_clientid true", f"max_connections {most}")


def _access(folder: Path, passwords: str, acl: str) -> tuple[str, ...]:
    return ("allow_anonymous false", f"password_file {folder / passwords}", f"acl_file {folder / acl}")


def configuration(folder: Path, data: Path, listeners: Listeners, gateways: int) -> str:
    """The whole configuration of a broker that sees the files in `folder` and keeps its data in `data`.

    Raises `OperatorError` where gateways or ingesters could not connect.
    """
    if not listeners.plain.port and not listeners.tls.port:
        raise OperatorError("the broker would listen to no gateway; give --port or --tls-port")
    if not listeners.inner.port:
        raise OperatorError("the broker would listen to no ingester; give --inner-port")
    most = max(FEWEST, 2 * gateways)
    parts = [SHIPPED_CONFIGURATION.read_text(), f"persistence_location {data}/\n", inner(folder, listeners.inner)]
    if listeners.plain.port:
        parts.append(plain(folder, listeners.plain, most))
    if listeners.tls.port:
        parts.append(secured(folder, listeners.tls, most, identity=listeners.identity))
    return "\n".join(parts)
