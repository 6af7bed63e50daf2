"""What the demo gives to Grafana, as far as that can be tested without Grafana."""

import json
from datetime import date
from pathlib import Path

import pytest
import yaml

from dashboards.generate import contents
from dashboards.setting import Setting
from metering.parkfile import load_park
from proving.demo.grafana import SHIPPED, DemoGrafana, command
from proving.demo.plan import EXAMPLE

DAY = date(2026, 11, 23)
INFLUX = "http://127.0.0.1:8086"


def program(folder: Path, name: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\nexit 3\n")
    file.chmod(0o755)
    return file


def test_without_grafana_there_is_no_command(tmp_path: Path) -> None:
    assert command(str(tmp_path)) is None


@pytest.mark.parametrize(("name", "arguments"), [("grafana", ["server"]), ("grafana-server", [])])
def test_an_unpacked_grafana_is_its_own_home_and_a_packaged_one_is_where_debian_puts_it(
    tmp_path: Path, name: str, arguments: list[str]
) -> None:
    packaged = program(tmp_path / "usr" / "sbin", name)
    assert command(str(packaged.parent)) == [str(packaged), *arguments, "--homepath", "/usr/share/grafana"]
    unpacked = program(tmp_path / "grafana-13" / "bin", name)
    (tmp_path / "grafana-13" / "conf").mkdir()
    (tmp_path / "grafana-13" / "conf" / "defaults.ini").touch()
    assert command(str(unpacked.parent)) == [str(unpacked), *arguments, "--homepath", str(tmp_path / "grafana-13")]


def test_it_is_provisioned_with_the_pages_and_rules_of_the_park(tmp_path: Path) -> None:
    park = load_park(EXAMPLE)
    DemoGrafana(tmp_path, ["grafana"], INFLUX).provision(park, DAY)
    provisioning = tmp_path / "provisioning"
    shipped = {str(file.relative_to(SHIPPED)) for file in SHIPPED.glob("*/*.yaml")}
    assert shipped <= {str(file.relative_to(provisioning)) for file in provisioning.glob("*/*.yaml")}
    for provider in yaml.safe_load((provisioning / "dashboards" / "ecopark.yaml").read_text())["providers"]:
        found = {file.name for file in Path(provider["options"]["path"]).glob("*.json")}
        assert "overview.json" in found
    made = contents(Setting((park,), DAY))
    for name in ("rules.yaml", "contacts.yaml", "policies.yaml"):
        assert (provisioning / "alerting" / name).read_text() == made[f"alerting/{name}"]


def test_every_variable_that_the_files_name_is_given_and_it_stays_on_loopback(tmp_path: Path) -> None:
    grafana = DemoGrafana(tmp_path, ["grafana"], INFLUX)
    grafana.provision(load_park(EXAMPLE), DAY)
    given = grafana.environment(INFLUX)
    named = {
        value
        for file in (tmp_path / "provisioning").glob("*/*.yaml")
        if file.name != "rules.yaml"
        for value in _values(yaml.safe_load(file.read_text()))
        if value.startswith("$")
    }
    assert named
    assert {name.removeprefix("$") for name in named} <= given.keys()
    assert given["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert grafana.url == f"http://127.0.0.1:{given['GF_SERVER_HTTP_PORT']}"
    assert given["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    home = json.loads(Path(given["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).read_text())
    assert home["uid"] == "ecopark-overview-vi"
    places = [value for name, value in given.items() if name.startswith("GF_PATHS_")]
    assert all(Path(place).is_relative_to(tmp_path) for place in places)


def _values(content: object) -> list[str]:
    if isinstance(content, dict):
        return [value for each in content.values() for value in _values(each)]
    if isinstance(content, list):
        return [value for each in content for value in _values(each)]
    return [content] if isinstance(content, str) else []
