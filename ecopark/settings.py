"""Where things are, from the environment; what the park is stands in the park file."""

import socket
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from metering.broker import BrokerAddress
from metering.errors import OperatorError
from store.client import Store


class Settings(BaseSettings):
    """One variable `ECOPARK_...` a field."""

    model_config = SettingsConfigDict(env_prefix="ECOPARK_", frozen=True)

    park: Path = Field(default=Path("park.yaml"), description="a park file, or a folder of them")
    mqtt_url: str = Field(
        default="mqtt://127.0.0.1:1883", repr=False, description="mqtt://user:password@host:1883, or mqtts://"
    )
    influx_url: str = Field(default="http://127.0.0.1:8086", description="where InfluxDB answers")
    influx_user: str | None = Field(default=None, description="user of InfluxDB 1.x; any name on 2.x and 3.x")
    influx_token: str | None = Field(default=None, repr=False, description="its password (1.x) or token")
    instance: str = Field(default_factory=socket.gethostname, description="stable name of an ingester among several")
    spool: Path = Field(default=Path("spool.sqlite"), description="a gateway's spool file")
    modbus_url: str | None = Field(
        default=None, description="modbus://host:502 of the gateway's line, for meters without a host of their own"
    )

    def broker(self) -> BrokerAddress:
        """The broker's address."""
        return BrokerAddress.parse(self.mqtt_url)

    def line(self) -> str | None:
        """`host[:port]` of the gateway's Modbus line.

        Raises `OperatorError` for what is no such address.
        """
        if self.modbus_url is None:
            return None
        scheme, separator, rest = self.modbus_url.partition("://")
        if scheme != "modbus" or not separator or not rest.strip("/"):
            raise OperatorError("ECOPARK_MODBUS_URL: write modbus://host:502")
        return rest.strip("/")

    def store(self) -> Store:
        """The database, not yet opened."""
        return Store(self.influx_url, self.influx_user, self.influx_token)


def read_settings() -> Settings:
    """Read the environment.

    Raises `OperatorError` where a variable is not what it should be.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = (f"ECOPARK_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise OperatorError("\n".join(faults)) from error
