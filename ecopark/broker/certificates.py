"""A certificate authority for a park that has none, the broker's certificate, and clients' certificates.

Certificates that are valid for another month stay; the authority's own key never leaves its folder. Keys are P-256,
which every gateway of the last decade can check quickly. `tls/issued` has the serial number of each certificate that a
client ever had, so that all of a client's can be revoked: `tls/revoked.pem` is the list that the broker reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ecopark.broker.configuration import AUTHORITY, CERTIFICATE, KEY, REVOKED, TLS
from ecopark.secretfiles import write_private
from metering.errors import OperatorError

ACCOUNTS = "accounts"
AUTHORITY_KEY = "ca.key"
ISSUED = "issued"
AUTHORITY_LIFE = timedelta(days=3650)
LIFE = timedelta(days=730)
RENEW_BEFORE = timedelta(days=30)
_LONGEST_NAME = 64
"""Of a common name: RFC 5280, upper bound `ub-common-name`."""

_Name = x509.DNSName | x509.IPAddress


@dataclass(frozen=True, slots=True)
class Authority:
    """The park's own authority."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def write_certificates(folder: Path, hosts: Sequence[str], clients: Sequence[str], now: datetime) -> list[Path]:
    """Make what is missing, about to expire or for other `hosts`; returns the files that were made.

    Raises `OperatorError` where a name does not fit into a certificate, or a file is not what it should be.
    """
    names = [_host(host) for host in hosts]
    for client in clients:
        if len(client) > _LONGEST_NAME:
            raise OperatorError(f"{client}: longer than the {_LONGEST_NAME} letters of a certificate; use its password")
    made: list[Path] = []
    place = folder / TLS
    authority = _authority(place, made, now)
    server = place / CERTIFICATE
    if not _good(server, authority, now, names):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:_LONGEST_NAME])])
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _issue(authority, subject, key, now=now, purpose=ExtendedKeyUsageOID.SERVER_AUTH, names=names)
        write_private(place / KEY, _pem(key))
        write_private(server, _pem(certificate))
        made.append(server)
    for client in clients:
        file = certificate_of(folder, client)
        if not file.exists():  # whoever deletes it wants a new one because the old one is no longer trusted
            revoke(folder, [client], now)
        if not _good(file, authority, now, []):
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, client)])
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = _issue(authority, subject, key, now=now, purpose=ExtendedKeyUsageOID.CLIENT_AUTH, names=[])
            _note(folder, client, certificate.serial_number)
            write_private(file, _pem(key) + _pem(certificate))
            made.append(file)
    if not (place / REVOKED).exists():
        write_private(place / REVOKED, _revocations(authority, {}, now))
    return made


def certificate_of(folder: Path, client: str) -> Path:
    """Where a client's certificate and its key are."""
    return folder / ACCOUNTS / f"{client}.pem"


def revoke(folder: Path, clients: Sequence[str], now: datetime) -> bool:
    """Revoke every certificate that these clients ever got; returns whether the list has changed.

    Raises `OperatorError` where the authority's key is needed and cannot be used.
    """
    serials = {serial for serial, client in _issued(folder) if client in clients}
    for client in clients:
        serials |= _serial(certificate_of(folder, client))
    if not serials:
        return False
    authority = _authority(folder / TLS, [], now)
    file = folder / TLS / REVOKED
    known: dict[int, datetime] = {}
    if file.exists():
        for entry in x509.load_pem_x509_crl(file.read_bytes()):
            known[entry.serial_number] = entry.revocation_date_utc
    if serials <= known.keys():
        return False
    return write_private(file, _revocations(authority, dict.fromkeys(serials, now) | known, now))


def _revocations(authority: Authority, serials: Mapping[int, datetime], now: datetime) -> str:
    """The revocation list as PEM. It is valid as long as the authority: an expired list would refuse every client."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - timedelta(days=1))
        .next_update(authority.certificate.not_valid_after_utc)
    )
    for serial, since in serials.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _note(folder: Path, client: str, serial: int) -> None:
    lines = "".join(f"{number:x} {name}\n" for number, name in [*_issued(folder), _Issued(serial, client)])
    write_private(folder / TLS / ISSUED, lines)


class _Issued(NamedTuple):
    """A certificate that was made: its serial number, and whose it is."""

    serial: int
    client: str


def _issued(folder: Path) -> list[_Issued]:
    file = folder / TLS / ISSUED
    lines = file.read_text().splitlines() if file.exists() else []
    return [_Issued(int(serial, 16), client) for serial, _, client in (line.partition(" ") for line in lines)]


def _serial(file: Path) -> set[int]:
    """Serial number of the certificate in a file; those of former versions are in no list of issued ones."""
    if not file.exists():
        return set()
    try:
        return {x509.load_pem_x509_certificate(file.read_bytes()).serial_number}
    except (OSError, ValueError):
        return set()


def _authority(place: Path, made: list[Path], now: datetime) -> Authority:
    file, key_file = place / AUTHORITY, place / AUTHORITY_KEY
    if file.exists():
        try:
            certificate = x509.load_pem_x509_certificate(file.read_bytes())
            key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        except (OSError, ValueError) as error:
            raise OperatorError(f"{file} and {key_file}: no authority that can sign: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise OperatorError(f"{key_file} is not a key that this command made; keep it elsewhere")
        if certificate.not_valid_after_utc < now + LIFE:
            raise OperatorError(
                f"{file} ends on {certificate.not_valid_after_utc:%Y-%m-%d}, before what it would sign; "
                "move the folder away, make a new authority, and give clients both certificates for a while"
            )
        return Authority(certificate, key)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ecopark broker authority")])
    certificate = (
        _builder(name, name, key, now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_private(key_file, _pem(key))
    write_private(file, _pem(certificate))
    file.chmod(0o644)  # everybody is to trust it
    made.append(file)
    return Authority(certificate, key)


def _issue(
    authority: Authority,
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    purpose: x509.ObjectIdentifier,
    names: Sequence[_Name],
) -> x509.Certificate:
    builder = (
        _builder(subject, authority.certificate.subject, key, now, LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a gateway's clock may be behind
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _good(file: Path, authority: Authority, now: datetime, names: Sequence[_Name]) -> bool:
    """Whether a certificate exists, is from this authority, for these names, and valid for a while."""
    if not file.exists():
        return False
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        certificate.verify_directly_issued_by(authority.certificate)
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, InvalidSignature):  # no certificate, or of another authority
        return False
    found: list[x509.GeneralName] = []
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            found = list(extension.value)
    return certificate.not_valid_after_utc > now + RENEW_BEFORE and found == list(names)


def _host(text: str) -> _Name:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        pass
    if not text.isascii() or not text or "/" in text or ":" in text:
        raise OperatorError(f"{text!r} is neither a host's name nor an address; write broker.park.example or 10.0.0.7")
    return x509.DNSName(text)


def _pem(what: x509.Certificate | ec.EllipticCurvePrivateKey) -> str:
    if isinstance(what, x509.Certificate):
        return what.public_bytes(serialization.Encoding.PEM).decode()
    return what.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def today() -> datetime:
    """Now; certificates for use are made as of this time."""
    return datetime.now(UTC)
