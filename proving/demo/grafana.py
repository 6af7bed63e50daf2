"""Grafana beside the demo, where it is installed: provisioned as `docker-compose.yml` does it, in a folder of its own.

On a free port of the loopback interface, where whoever comes sees the operator's pages without logging in. Alert rules
are there too and tell nobody. It ends with the demo, and the demo goes on without it.
"""

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from dashboards.generate import write
from ecopark.secretfiles import generate
from metering.park import Park
from proving.processes import Child, free_port

SHIPPED = Path(__file__).parent.parent.parent / "deploy" / "grafana"
SHIPPED_DASHBOARDS = "/srv/dashboards"
"""Where the shipped provisioning file looks for dashboards."""

_PACKAGED = Path("/usr/share/grafana")
_NOBODY = {"ECOPARK_ALERT_WEBHOOK": "http://127.0.0.1:9/", "ECOPARK_ALERT_EMAIL": "operators@park.example"}


def command(path: str | None = None) -> list[str] | None:
    """How Grafana's server is started, with the programs of `path` (else of the PATH); None where there is none."""
    for name, arguments in (("grafana", ["server"]), ("grafana-server", [])):
        found = shutil.which(name, path=path)
        if found is not None:
            unpacked = Path(found).resolve().parent.parent
            home = unpacked if (unpacked / "conf" / "defaults.ini").exists() else _PACKAGED
            return [found, *arguments, "--homepath", str(home)]
    return None


class DemoGrafana:
    """Grafana's server with everything it needs in `folder`; `start` it after the database."""

    def __init__(self, folder: Path, command: list[str], influx_url: str) -> None:
        self._folder = folder.absolute()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.process = Child("grafana", command, self._folder / "grafana.log", self.environment(influx_url))

    def start(self, park: Park, day: date) -> None:
        """Write the pages of this park, and start; it answers some seconds later."""
        self.provision(park, day)
        self.process.start()

    def provision(self, park: Park, day: date) -> None:
        """Write dashboards, alert rules and the provisioning files."""
        dashboards, provisioning = self._folder / "dashboards", self._folder / "provisioning"
        write(dashboards, (park,), day)
        for file in sorted(SHIPPED.glob("*/*.yaml")):
            to = provisioning / file.parent.name / file.name
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(
                file.read_text(encoding="utf-8").replace(SHIPPED_DASHBOARDS, str(dashboards)), encoding="utf-8"
            )
        shutil.copytree(dashboards / "alerting", provisioning / "alerting", dirs_exist_ok=True)

    def environment(self, influx_url: str) -> Mapping[str, str]:
        """What the shipped files ask for by name, and Grafana's settings."""
        return {
            "ECOPARK_INFLUX_URL": influx_url,
            "ECOPARK_INFLUX_USER": "grafana",
            "ECOPARK_INFLUX_TOKEN": "none",  # the demo's database asks for none
            **_NOBODY,
            "GF_PATHS_DATA": str(self._folder / "data"),
            "GF_PATHS_LOGS": str(self._folder / "logs"),
            "GF_PATHS_PLUGINS": str(self._folder / "plugins"),
            "GF_PATHS_PROVISIONING": str(self._folder / "provisioning"),
            "GF_SERVER_HTTP_ADDR": "127.0.0.1",
            "GF_SERVER_HTTP_PORT": str(self._port),
            "GF_SECURITY_ADMIN_PASSWORD": generate(),
            "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
            "GF_USERS_ALLOW_SIGN_UP": "false",
            "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(self._folder / "dashboards" / "vi" / "overview.json"),
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        }
