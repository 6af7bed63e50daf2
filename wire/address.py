"""The broker's address: `mqtt://user:password@host:1883`, parsed; the password never shows in a text or a log."""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import Field, SecretStr

from metering.errors import OperatorError
from metering.model import Model

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_RIGHT = (
    "write mqtt://user:password@host:1883, or mqtts:// for TLS; "
    "in user and password write / : @ ? # as %2F %3A %40 %3F %23"
)


class BrokerAddress(Model):
    """A broker and its credentials; with `tls` its certificate is checked against the system's authorities."""

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)]
    tls: bool = False
    user: str | None = None
    password: SecretStr | None = None
    certificate: Path | None = None
    """PEM file with a client certificate and its key, where the broker asks for one."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Address from a URL; raises `OperatorError`, whose message leaves the password out."""
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError as error:
            raise OperatorError(f"ECOPARK_MQTT_URL cannot be read: {_cause(error)}; {_RIGHT}") from None
        fault = _fault(parts, port)
        if fault:
            raise OperatorError(f"ECOPARK_MQTT_URL {fault}; {_RIGHT}")
        return cls(
            host=parts.hostname or "",
            port=port or _PORTS[parts.scheme],
            tls=parts.scheme == "mqtts",
            user=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else SecretStr(unquote(parts.password)),
        )

    @property
    def secret(self) -> str | None:
        """The password itself, for whoever connects."""
        return None if self.password is None else self.password.get_secret_value()

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def _fault(parts: SplitResult, port: int | None) -> str | None:
    if parts.scheme not in _PORTS:
        return "begins with neither mqtt:// nor mqtts://"
    if not parts.hostname:
        return "names no host"
    if port == 0:
        return "has port 0; a port is 1 to 65535"
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "has something after the host and port"
    if parts.password is not None and not parts.username:
        return "has a password without a user"
    return None


def _cause(error: ValueError) -> str:
    # urllib quotes what it could not read; after an unescaped "/" or "#" in a password that is part of the password.
    return "the port is not a number from 1 to 65535" if "ort " in str(error) else "the host is malformed"
