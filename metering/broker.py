"""Where the MQTT broker is, as `mqtt://user:password@host:1883` or `mqtts://...` says it."""

from typing import Self
from urllib.parse import unquote, urlsplit

from pydantic import Field

from metering.errors import OperatorError
from metering.model import Model

_PORTS = {"mqtt": 1883, "mqtts": 8883}


class BrokerAddress(Model):
    """The address and the account; the password is never shown."""

    host: str
    port: int
    user: str | None = None
    password: str | None = Field(default=None, repr=False)
    tls: bool = False

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read the URL.

        Raises `OperatorError` that names the fault but not the password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise OperatorError(f"ECOPARK_MQTT_URL: {error}; write mqtt://user:password@host:1883") from error
        if parts.scheme not in _PORTS or not parts.hostname:
            raise OperatorError("ECOPARK_MQTT_URL: write mqtt://user:password@host:1883, or mqtts:// for TLS")
        return cls(
            host=parts.hostname,
            port=port or _PORTS[parts.scheme],
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password is not None else None,
            tls=parts.scheme == "mqtts",
        )
