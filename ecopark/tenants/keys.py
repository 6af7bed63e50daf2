"""Stores credentials once they are made: a private file for each account, in its user's format."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ecopark.secretfiles import read_secrets, write_secrets

_INFLUX = ("ECOPARK_INFLUX_USER", "ECOPARK_INFLUX_TOKEN")
_GRAFANA = ("GRAFANA_USER", "GRAFANA_PASSWORD")


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets by account in a folder, one file each."""

    folder: Path
    names: tuple[str, str]

    @classmethod
    def influx(cls, folder: Path) -> "Keys":
        """InfluxDB's: each file is for starting a service."""
        return cls(folder / "influxdb", _INFLUX)

    @classmethod
    def grafana(cls, folder: Path) -> "Keys":
        """Grafana's viewers: each file is for handing to a tenant."""
        return cls(folder / "grafana", _GRAFANA)

    def file(self, account: str) -> Path:
        """Where an account's secret is."""
        return self.folder / f"{account}.env"

    def get(self, account: str) -> str | None:
        """Its secret, if it is known."""
        return read_secrets(self.file(account)).get(self.names[1]) or None

    def keep(self, account: str, secret: str) -> None:
        """Store a secret."""
        write_secrets(self.file(account), dict(zip(self.names, (account, secret), strict=True)))

    def forget(self, account: str) -> None:
        """Remove it, with its account."""
        self.file(account).unlink(missing_ok=True)

    def mark(self, account: str) -> str:
        """Enough of a secret's hash to notice a change, and too little to guess it."""
        secret = self.get(account)
        return "" if secret is None else hashlib.sha256(secret.encode()).hexdigest()[:12]
