"""InfluxDB 2.x: buckets in the place of databases, tokens in that of users, and a program of its own for backups.

It makes no database by InfluxQL: `have` makes what is not there, as `ecopark tenants sync` does for an operator.
"""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import aiohttp

from ecopark.secretfiles import generate
from proving.processes import Child, free_port
from proving.servers import until_ready
from store.client import Store
from store.schema import OPERATOR_DATABASE

USER: Final = "ecopark"
ORGANIZATION: Final = "ecopark"


def is_influx2(influxd: Path) -> bool:
    """Whether a program is InfluxDB 2.x, by what it says of itself."""
    said = subprocess.run([influxd, "version"], capture_output=True, text=True, check=True).stdout
    return said.startswith("InfluxDB v2.")


class Influx2d:
    """One server in a folder of its own; it asks everybody for a token, `authenticate` or not."""

    def __init__(self, executable: Path, folder: Path, *, authenticate: bool = True) -> None:
        del authenticate  # it always does
        folder = folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = generate()
        self.executable = executable
        self.environment = {
            "ECOPARK_INFLUX_URL": self.url,
            "ECOPARK_INFLUX_USER": USER,
            "ECOPARK_INFLUX_TOKEN": self.token,
            "ECOPARK_INFLUX_ORG": ORGANIZATION,
        }
        command = [str(executable.absolute()), "--reporting-disabled", "--http-bind-address", f"127.0.0.1:{self.port}"]
        command += ["--bolt-path", f"{folder}/influxd.bolt", "--sqlite-path", f"{folder}/influxd.sqlite"]
        command += ["--engine-path", f"{folder}/engine", "--log-level", "warn"]
        self.process = Child("influxd", command, folder / "influxd.log")

    async def start(self) -> None:
        """Start it, and make the first account, its organization and the operator's bucket."""
        self.process.start()
        await until_ready(self.process, self.port, b"GET /ping HTTP/1.0\r\n\r\n")
        first = {"username": USER, "password": generate(), "org": ORGANIZATION, "bucket": OPERATOR_DATABASE}
        await self._asked("POST", "setup", first | {"token": self.token, "retentionPeriodSeconds": 0})

    async def have(self, databases: Iterable[str]) -> None:
        """Make the buckets that are not there yet."""
        there = {bucket["name"] for bucket in (await self._asked("GET", "buckets?limit=100"))["buckets"]}
        (organization,) = (await self._asked("GET", "orgs"))["orgs"]
        for name in {*databases} - there:
            await self._asked("POST", "buckets", {"name": name, "orgID": organization["id"], "retentionRules": []})

    async def _asked(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {} if path == "setup" else {"Authorization": f"Token {self.token}"}
        async with (
            aiohttp.ClientSession(headers=headers, raise_for_status=True) as session,
            session.request(method, f"{self.url}/api/v2/{path}", json=body) as answer,
        ):
            found: dict[str, Any] = await answer.json()
            return found

    def store(self) -> Store:
        """A connection with it."""
        return Store(self.url, USER, self.token)
