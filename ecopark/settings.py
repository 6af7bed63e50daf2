"""Where things are, from the environment; what the park is, is in the park file."""

import os
import socket
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from metering.errors import OperatorError
from store.client import Store
from wire.address import BrokerAddress

ENV_FILE = "ECOPARK_ENV_FILE"


class Settings(BaseSettings):
    """One environment variable `ECOPARK_...` per field."""

    model_config = SettingsConfigDict(env_prefix="ECOPARK_", frozen=True, extra="ignore")

    park: Path = Field(default=Path("park.yaml"), description="a park file, or a folder of them")
    mqtt_url: str = Field(
        default="mqtt://127.0.0.1:1883", repr=False, description="mqtt://user:password@host:1883, or mqtts://"
    )
    mqtt_certificate: Path | None = Field(
        default=None, description="PEM file with a client certificate and its key, where the broker asks for one"
    )
    influx_url: str = Field(default="http://127.0.0.1:8086", description="where InfluxDB answers")
    influx_user: str | None = Field(default=None, description="user of InfluxDB 1.x; any name on 2.x and 3.x")
    influx_token: str | None = Field(default=None, repr=False, description="its password (1.x) or token")
    influx_org: str | None = Field(default=None, description="organization of InfluxDB 2.x, where there are several")
    grafana_url: str | None = Field(default=None, description="where Grafana answers")
    grafana_user: str = Field(default="admin", description="a server administrator of Grafana")
    grafana_token: str | None = Field(default=None, repr=False, description="its password")
    grafana_influx_url: str | None = Field(default=None, description="where Grafana finds InfluxDB, if elsewhere")
    guard_url: str | None = Field(
        default=None, description="where `ecopark guard` answers, which tenants on InfluxDB 1.x need"
    )
    metrics: str | None = Field(
        default=None, description="host:port where a service answers /metrics, /healthz and /readyz"
    )
    log: Literal["text", "json"] = Field(default="text", description="text, or json for one object a line")
    instance: str = Field(
        default_factory=socket.gethostname,
        description="stable name of an ingester, or of a usage service, among several",
    )
    share_parks: bool = Field(
        default=False,
        description="whether usage services divide the parks among themselves; each needs its own instance",
    )
    spool: Path = Field(default=Path("spool.sqlite"), description="a gateway's spool file")
    modbus_url: str | None = Field(
        default=None,
        description="the gateway's Modbus line, instead of the park file's: modbus://host:502, modbus-rtu://host:port",
    )

    mbus_url: str | None = Field(
        default=None, description="the gateway's M-Bus line, instead of the park file's: mbus://host:port"
    )

    def broker(self) -> BrokerAddress:
        """The broker's address.

        Raises `OperatorError` for an invalid one, and for a certificate without TLS.
        """
        address = BrokerAddress.parse(self.mqtt_url)
        if self.mqtt_certificate is None:
            return address
        if not address.tls:
            raise OperatorError("ECOPARK_MQTT_CERTIFICATE is of use with mqtts:// only; correct ECOPARK_MQTT_URL")
        return address.model_copy(update={"certificate": self.mqtt_certificate})

    def lines(self) -> dict[str, str]:
        """URL of the gateway's own line, for each driver that has one here."""
        urls = {"modbus": self.modbus_url, "mbus": self.mbus_url}
        return {driver: url for driver, url in urls.items() if url is not None}

    def store(self) -> Store:
        """The database, not yet opened."""
        return Store(self.influx_url, self.influx_user, self.influx_token)


def read_settings() -> Settings:
    """Read the environment, and the files of `NAME=value` lines that `ECOPARK_ENV_FILE` names (`:` between several).

    A variable of the environment overrides one in a file. Raises `OperatorError` for an invalid value.
    """
    files = [Path(name) for name in os.environ.get(ENV_FILE, "").split(os.pathsep) if name]
    for file in files:
        if not os.access(file, os.R_OK):
            raise OperatorError(f"{ENV_FILE}: {file} cannot be read; correct the name, or its owner and mode")
    try:
        return Settings(_env_file=files)
    except ValidationError as error:
        faults = (f"ECOPARK_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise OperatorError("\n".join(faults)) from error
