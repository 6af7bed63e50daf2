"""The broker's folder: `mosquitto.conf`, passwords and rules for the broker, `accounts/NAME.env` for each client.

Passwords and rules exist once for gateways (`passwords`, `acl`) and once for ingesters and the operator
(`inner-passwords`, `inner-acl`). Writing the folder again changes nothing that need not change: passwords stay, so do
their hashes, new gateways get one, and those that are gone keep theirs until they are pruned. Pruning revokes their
certificates, too.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ecopark.broker.accounts import INSIDE, acl, source_topics, wanted
from ecopark.broker.certificates import ACCOUNTS, certificate_of, revoke, today
from ecopark.broker.configuration import (
    ACL,
    CERTIFICATE,
    CONFIGURATION,
    INNER_ACL,
    INNER_PASSWORDS,
    PASSWORDS,
    REVOKED,
    TLS,
    Listeners,
    configuration,
)
from ecopark.broker.hashing import hashed, matches
from ecopark.secretfiles import generate, read_secrets, write_private, write_secrets
from metering.errors import OperatorError
from metering.park import Park
from wire.address import BrokerAddress

_URL = "ECOPARK_MQTT_URL"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to the accounts, by name. `changed`: the broker must reload (SIGHUP)."""

    added: list[str]
    kept: list[str]
    stale: list[str]
    removed: list[str]
    changed: bool


@dataclass(frozen=True, slots=True)
class BrokerPlace:
    """The folder, its path as the broker sees it, and the broker's data.

    `url` is where gateways find the broker, `inner_url` where ingesters and the operator do.
    """

    folder: Path
    seen: Path
    data: Path
    url: str
    inner_url: str


def write_accounts(
    parks: Iterable[Park], place: BrokerPlace, listeners: Listeners, *, prune: bool, heard: Collection[str] = ()
) -> Outcome:
    """Update the folder to match the parks; see the module. `heard` are accounts that may publish anything.

    Raises `OperatorError` where something is not as it should be; nothing has changed then.
    """
    outside, inside = _without_user(place.url), _without_user(place.inner_url)
    parks = list(parks)
    needed = ([CERTIFICATE] if listeners.tls.port else []) + ([REVOKED] if listeners.identity else [])
    for missing in (file for file in (place.folder / TLS / name for name in needed) if not file.exists()):
        raise OperatorError(f"{missing} is missing; run ecopark broker certificates first")
    names = wanted(parks)
    gateways_there = [name for name in names if name not in INSIDE]
    for unknown in (name for name in heard if name not in gateways_there):
        raise OperatorError(f"--hear {unknown!r}: no account of a gateway; there are {', '.join(gateways_there)}")
    text = configuration(place.seen, place.data, listeners, len(names) - len(INSIDE))
    files = {file.stem: file for file in sorted((place.folder / ACCOUNTS).glob("*.env"))}
    passwords = {name: _password(file) for name, file in files.items()}
    known = files.keys() | {file.stem for file in (place.folder / ACCOUNTS).glob("*.pem")}
    stale = sorted(known - set(names))
    added = [name for name in names if name not in files]
    for name in added:
        passwords[name] = generate()
    changed = []
    if prune:
        for name in stale:
            passwords.pop(name, None)
        changed.append(revoke(place.folder, stale, today()))
    for name, password in passwords.items():
        where = inside if name in INSIDE else outside
        url = f"{where!s}".replace("://", f"://{quote(name)}:{quote(password)}@", 1)
        write_secrets(account_file(place.folder, name), {_URL: url})
    sources = source_topics(parks)
    services = {name: password for name, password in passwords.items() if name in INSIDE}
    gateways = {name: password for name, password in passwords.items() if name not in INSIDE}
    for accounts, hashes, access in ((services, INNER_PASSWORDS, INNER_ACL), (gateways, PASSWORDS, ACL)):
        changed.append(write_private(place.folder / hashes, _passwords(place.folder / hashes, accounts)))
        changed.append(write_private(place.folder / access, acl(accounts, sources, heard)))
    changed.append(write_private(place.folder / CONFIGURATION, text))
    for name in stale if prune else ():  # last: after an interruption before this, the next run finds it stale
        account_file(place.folder, name).unlink(missing_ok=True)
        certificate_of(place.folder, name).unlink(missing_ok=True)
    kept = [name for name in names if name in files]
    return Outcome(added, kept, [] if prune else stale, stale if prune else [], any(changed))


def account_file(folder: Path, name: str) -> Path:
    """Where the URL of an account is, with its password."""
    return folder / ACCOUNTS / f"{name}.env"


def _without_user(url: str) -> BrokerAddress:
    where = BrokerAddress.parse(url)
    if where.user is not None:
        raise OperatorError("the broker's URL for clients has a user already; leave it out, each gets its own")
    return where


def _password(file: Path) -> str:
    password = BrokerAddress.parse(read_secrets(file).get(_URL, "")).secret
    if not password:
        raise OperatorError(f"{file} holds no password; delete it to have a new one made")
    return password


def _passwords(file: Path, passwords: dict[str, str]) -> str:
    """Keep hashes that are still valid, so that a file without changes is not rewritten."""
    lines: Sequence[str] = file.read_text().splitlines() if file.exists() else ()
    known = dict(line.split(":", 1) for line in lines if ":" in line)
    hashes = {
        name: known[name] if name in known and matches(password, known[name]) else hashed(password)
        for name, password in sorted(passwords.items())
    }
    return "".join(f"{name}:{value}\n" for name, value in hashes.items())
