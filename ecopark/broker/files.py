"""The broker's folder: `passwords`, `acl` and `mosquitto.conf` for the broker, `accounts/NAME.env` for each client.

Writing it again changes nothing that need not change: passwords stay, so do their hashes, new gateways get one, and
those that are gone keep theirs until they are pruned.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ecopark.broker.accounts import acl, wanted
from ecopark.broker.configuration import ACL, CERTIFICATE, CONFIGURATION, PASSWORDS, TLS, Listeners, configuration
from ecopark.broker.hashing import hashed, matches
from ecopark.secretfiles import generate, read_secrets, write_private, write_secrets
from metering.errors import OperatorError
from metering.park import Park
from wire.address import BrokerAddress

ACCOUNTS = "accounts"
_URL = "ECOPARK_MQTT_URL"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the accounts, by name. `changed`: the broker has something to read again (SIGHUP)."""

    added: list[str]
    kept: list[str]
    stale: list[str]
    removed: list[str]
    changed: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are: the folder, the same as the broker sees it, the broker's data, and its URL for clients."""

    folder: Path
    seen: Path
    data: Path
    url: str


def write_accounts(parks: Iterable[Park], place: Place, listeners: Listeners, *, prune: bool) -> Outcome:
    """Bring the folder up to date with the parks; see the module.

    Raises `OperatorError` where something is not as it should be; nothing has changed then.
    """
    where = BrokerAddress.parse(place.url)
    if where.user is not None:
        raise OperatorError("the broker's URL for clients has a user already; leave it out, each gets its own")
    if listeners.tls and not (place.folder / TLS / CERTIFICATE).exists():
        raise OperatorError(f"{place.folder / TLS / CERTIFICATE} is missing; run ecopark broker certificates first")
    text = configuration(place.seen, place.data, listeners)
    names = wanted(parks)
    files = {file.stem: file for file in sorted((place.folder / ACCOUNTS).glob("*.env"))}
    passwords = {name: _password(file) for name, file in files.items()}
    stale = [name for name in files if name not in names]
    added = [name for name in names if name not in files]
    for name in added:
        passwords[name] = generate()
    for name in stale if prune else ():
        del passwords[name]
    for name, password in passwords.items():
        url = f"{where!s}".replace("://", f"://{quote(name)}:{quote(password)}@", 1)
        write_secrets(place.folder / ACCOUNTS / f"{name}.env", {_URL: url})
    changed = [
        write_private(place.folder / PASSWORDS, _passwords(place.folder / PASSWORDS, passwords)),
        write_private(place.folder / ACL, acl(sorted(passwords))),
        write_private(place.folder / CONFIGURATION, text),
    ]
    for name in stale if prune else ():  # last: whoever is interrupted before finds it stale again
        files[name].unlink()
    kept = [name for name in names if name in files]
    return Outcome(added, kept, [] if prune else stale, stale if prune else [], any(changed))


def _password(file: Path) -> str:
    password = BrokerAddress.parse(read_secrets(file).get(_URL, "")).secret
    if not password:
        raise OperatorError(f"{file} holds no password; delete it to have a new one made")
    return password


def _passwords(file: Path, passwords: dict[str, str]) -> str:
    """Hashes that still hold stay, so that a file which needs no change gets none."""
    lines: Sequence[str] = file.read_text().splitlines() if file.exists() else ()
    known = dict(line.split(":", 1) for line in lines if ":" in line)
    hashes = {
        name: known[name] if name in known and matches(password, known[name]) else hashed(password)
        for name, password in sorted(passwords.items())
    }
    return "".join(f"{name}:{value}\n" for name, value in hashes.items())
