"""mosquitto's configuration: the shipped one, and what depends on the place.

The plain listener is for the inside, where ingesters are. The TLS listener is for the outside, where gateways are: on
it a client is called as its account is, so that no gateway can push another off by taking its client id.
"""

from dataclasses import dataclass
from pathlib import Path

from metering.errors import OperatorError

TLS = "tls"
AUTHORITY = "ca.pem"
CERTIFICATE = "server.pem"
KEY = "server.key"
PASSWORDS = "passwords"
ACL = "acl"
CONFIGURATION = "mosquitto.conf"
SHIPPED_CONFIGURATION = Path(__file__).parent.parent.parent / "deploy" / "mosquitto.conf"


@dataclass(frozen=True, slots=True)
class Listeners:
    """Where the broker listens; 0 is nowhere. `identity`: a client certificate instead of a password on TLS."""

    plain: int = 1883
    tls: int = 0
    bind: str = ""
    identity: bool = False


def access(folder: Path) -> str:
    """Who may do what, on every listener."""
    return f"allow_anonymous false\npassword_file {folder / PASSWORDS}\nacl_file {folder / ACL}\n"


def tls(folder: Path, *, identity: bool) -> str:
    """Lines that follow a listener's to make it one of TLS for gateways."""
    lines = [
        f"certfile {folder / TLS / CERTIFICATE}",
        f"keyfile {folder / TLS / KEY}",
        "tls_version tlsv1.2",
        "use_username_as_clientid true",
    ]
    if identity:
        lines += [f"cafile {folder / TLS / AUTHORITY}", "require_certificate true", "use_identity_as_username true"]
    return "\n".join(lines) + "\n"


def configuration(folder: Path, data: Path, listeners: Listeners) -> str:
    """The whole configuration of a broker that sees the files in `folder` and keeps its own in `data`.

    Raises `OperatorError` where nothing listens.
    """
    if not listeners.plain and not listeners.tls:
        raise OperatorError("the broker would listen nowhere; give --port or --tls-port")
    parts = [SHIPPED_CONFIGURATION.read_text(), f"persistence_location {data}/\n{access(folder)}"]
    if listeners.plain:
        parts.append(f"listener {listeners.plain} {listeners.bind}".rstrip() + "\n")
    if listeners.tls:
        parts.append(
            f"listener {listeners.tls} {listeners.bind}".rstrip() + "\n" + tls(folder, identity=listeners.identity)
        )
    return "\n".join(parts)
