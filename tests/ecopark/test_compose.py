"""docker-compose.yml, as far as it can be tested without a Docker engine.

It passes `docker-compose config`; what it names exists; its services keep the house rules; and its own commands, with
its own environment, run the whole park as processes on this machine (with InfluxDB 1.x in the place of 2.x).
"""

import asyncio
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from ecopark.cli import app
from ecopark.settings import ENV_FILE, Settings
from proving.processes import Child, free_port
from proving.servers import Influxd
from store.client import Store
from store.schema import OPERATOR_DATABASE

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
OURS = "ecopark:0.1.0"
SECRETS = ("INFLUX_ADMIN_PASSWORD", "INFLUX_ADMIN_TOKEN", "GRAFANA_ADMIN_PASSWORD", "GRAFANA_SECRET_KEY")


@pytest.fixture(scope="module")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("compose") / ".env"
    subprocess.run([ROOT / "deploy" / "make-env", file], check=True, capture_output=True)
    return file


@pytest.fixture(scope="module")
def composed(env_file: Path) -> dict[str, Any]:
    command = ["docker-compose", "--env-file", str(env_file), "--profile", "demo", "config"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


def test_make_env_makes_secrets_once_and_shows_none(env_file: Path) -> None:
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    values = dict(line.split("=", 1) for line in env_file.read_text().splitlines() if "=" in line and line[0] != "#")
    secrets = {values[name] for name in SECRETS}
    assert len(secrets) == len(SECRETS)
    assert min(map(len, secrets)) == 64
    before = env_file.read_text()
    again = subprocess.run([ROOT / "deploy" / "make-env", env_file], capture_output=True, text=True, check=True)
    assert env_file.read_text() == before
    assert not any(secret in again.stdout for secret in secrets)


def test_without_env_it_says_what_to_run_and_the_file_has_no_secret(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("")
    command = ["docker-compose", "--env-file", str(tmp_path / "none"), "config"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "run make env" in done.stderr
    text = (ROOT / "docker-compose.yml").read_text()
    for name, value in re.findall(r"(\w*(?:PASSWORD|TOKEN|SECRET)\w*): *(\S+)", text):
        assert value.startswith("${"), name


def test_every_service_is_pinned_bounded_watched_and_without_rights(composed: dict[str, Any]) -> None:
    for name, service in composed["services"].items():
        assert re.fullmatch(r"[\w/-]+:\d+\.\d+\.\d+(-alpine)?", service["image"]), name
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["user"].split(":")[0] not in {"0", "root"}, name
        assert service["mem_limit"], name
        assert service["cpus"], name
        assert "healthcheck" in service or service["restart"] == "no", name
        for port in service.get("ports", []):
            assert str(port).startswith("127.0.0.1:"), name


def volumes(service: dict[str, Any]) -> dict[str, str]:
    """Where each volume or folder is mounted."""
    return {source: target for source, target, *_ in (str(mount).split(":") for mount in service.get("volumes", []))}


def test_each_service_has_its_own_account_and_token_and_no_others(composed: dict[str, Any], env_file: Path) -> None:
    values = dict(line.split("=", 1) for line in env_file.read_text().splitlines() if "=" in line and line[0] != "#")
    users: dict[str, set[str]] = {}
    for name, service in composed["services"].items():
        secrets = {key for key in SECRETS if values[key] in str(service)}
        assert secrets <= {
            "influxdb": {"INFLUX_ADMIN_PASSWORD", "INFLUX_ADMIN_TOKEN"},
            "tokens": {"INFLUX_ADMIN_TOKEN"},
            "grafana": {"GRAFANA_ADMIN_PASSWORD", "GRAFANA_SECRET_KEY"},
            "grafana-demo": {"GRAFANA_ADMIN_PASSWORD", "GRAFANA_SECRET_KEY"},
        }.get(name, set()), name
        for volume in volumes(service):
            users.setdefault(volume, set()).add(name)
    makers = {"accounts", "tokens", "grafana-demo"}
    for volume, who in users.items():
        if volume.startswith(("account-", "token-", "spool-")):
            assert who - makers == {volume.partition("-")[2]}, volume
    assert users["accounts"] == {"accounts"}
    assert users["tenants"] == {"tokens"}


def test_gateways_do_not_reach_the_database_nor_the_services(composed: dict[str, Any]) -> None:
    networks = {
        name: set(service.get("networks", {})) for name, service in composed["services"].items() if name != "park"
    }
    field = {name for name, used in networks.items() if "field" in used}
    assert field == {"mosquitto", "plant", "gw-substation", "gw-east", "gw-west", "gw-water"}
    assert {name for name, used in networks.items() if "data" in used} == {
        *("influxdb", "tokens", "ingest", "usage", "grafana", "grafana-demo")
    }
    assert {name for name, used in networks.items() if "inner" in used} == {"mosquitto", "ingest"}
    assert composed["networks"]["data"]["internal"]
    assert composed["networks"]["inner"]["internal"]
    published = {name: service["ports"] for name, service in composed["services"].items() if service.get("ports")}
    assert published.keys() == {"mosquitto", "grafana", "grafana-demo"}
    assert "1884" not in str(published)


def test_only_the_demo_on_this_machine_allows_anonymous_access(env_file: Path, tmp_path: Path) -> None:
    opened = tmp_path / "open.env"
    opened.write_text(env_file.read_text().replace("127.0.0.1:3000", "0.0.0.0:3000"))
    command = ["docker-compose", "--env-file", str(opened), "--profile", "demo", "config"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    services = yaml.safe_load(done.stdout)["services"]
    anonymous = {
        name: service
        for name, service in services.items()
        if service.get("environment", {}).get("GF_AUTH_ANONYMOUS_ENABLED") == "true"
    }
    assert anonymous.keys() == {"grafana-demo"}
    assert anonymous["grafana-demo"]["profiles"] == ["demo"]
    assert [str(port) for port in anonymous["grafana-demo"]["ports"]] == ["127.0.0.1:3001:3000/tcp"]


def test_grafana_has_secrets_of_its_own_and_shows_nothing_outside(composed: dict[str, Any]) -> None:
    """Its built-in secret would be everybody's, and encrypts what is in its volume."""
    grafana = {name: each for name, each in composed["services"].items() if name.startswith("grafana")}
    assert grafana
    for service in grafana.values():
        environment = service["environment"]
        assert len(environment["GF_SECURITY_SECRET_KEY"]) >= 32
        assert environment["GF_SNAPSHOTS_EXTERNAL_ENABLED"] == "false"
        assert environment["GF_SERVER_ENFORCE_DOMAIN"] == "true"


def test_the_image_builds_from_locks_alone(composed: dict[str, Any]) -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    build = (ROOT / "requirements-build.lock").read_text()
    pinned = set(re.findall(r"^([\w.-]+)==", build, re.MULTILINE))
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert set(required) <= pinned
    for entry in re.split(r"\n(?=\S)", build.strip()):
        assert "--hash=sha256:" in entry, entry
    # Each run of pip takes its packages from a lock by their hashes, or from files that are there.
    runs = [run for run in re.split(r"\n(?:RUN|COPY|FROM|ENV)| && ", dockerfile) if "bin/pip" in run]
    assert len(runs) == 4
    for run in runs:
        assert "--require-hashes" in run or "--no-index" in run, run
        assert "wheel " not in run.split("--")[0] or "--no-build-isolation" in run, run
    for package in ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core"):
        assert package in dockerfile
    for name, service in composed["services"].items():
        for mount in service.get("volumes", []) if service["image"] == OURS else []:
            source, target, *mode = str(mount).split(":")
            if not source.startswith("/") and mode != ["ro"]:
                assert f" {target}" in dockerfile, f"{name}: {target} would belong to root"


def test_everything_that_it_mounts_and_depends_on_is_there(composed: dict[str, Any]) -> None:
    for name, service in composed["services"].items():
        for mount in service.get("volumes", []):
            source = str(mount).split(":", 1)[0]
            assert Path(source).exists() if source.startswith("/") else source in composed["volumes"], (
                f"{name}: {source}"
            )
        for other, how in service.get("depends_on", {}).items():
            health = composed["services"][other].get("healthcheck")
            assert (how["condition"] == "service_healthy") == (health is not None), f"{name} waits for {other}"


def ours(composed: dict[str, Any]) -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """Each command of our own image, its health checks' too, with its environment."""
    for name, service in composed["services"].items():
        if service["image"] == OURS:
            environment = {key: str(value) for key, value in service.get("environment", {}).items()}
            yield name, service["command"], environment
            check = service.get("healthcheck", {}).get("test", ["NONE"])
            if check[0] == "CMD" and "-c" not in check:
                yield name, check[1:], environment


def test_every_command_and_every_variable_exists(composed: dict[str, Any]) -> None:
    known = {f"ECOPARK_{field.upper()}" for field in Settings.model_fields} | {ENV_FILE}
    helps: dict[tuple[str, ...], str] = {}
    for name, command, environment in ours(composed):
        assert environment.keys() <= known, name
        words = [word for word in command if not word.startswith("-") or word == "-m"]
        at = words.index("-m") + 2 if "-m" in words else 1
        program = [*words[:at]] if "-m" in words else [words[0], *_subcommands(words[1:])]
        key = tuple(program)
        if key not in helps:
            helps[key] = _help(key)
        for option in (word.partition("=")[0] for word in command if word.startswith("--")):
            assert option in helps[key], f"{name}: {option}"


def _help(program: tuple[str, ...]) -> str:
    """The help of a command; ours run in this process, because each would take seconds to start."""
    if program[0] == "ecopark":
        said = CliRunner().invoke(app, [*program[1:], "--help"])
        assert said.exit_code == 0, said.output
        return said.output
    shown = subprocess.run([BIN / program[0], *program[1:], "--help"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


def _subcommands(words: list[str]) -> list[str]:
    return [word for word in words if re.fullmatch(r"[a-z]+", word)]


def test_grafanas_files_name_only_variables_that_it_is_given(composed: dict[str, Any]) -> None:
    grafana = composed["services"]["grafana"]
    folders = [ROOT / "deploy" / "grafana", ROOT / "dashboards" / "generated" / "alerting"]
    texts = [file.read_text() for folder in folders for file in folder.rglob("*.yaml")]
    named = {name for text in texts for name in re.findall(r"(?<!\$)\$\{?([A-Z][A-Z_]+)", text)}
    assert named
    exported = set(re.findall(r"(?m)^export (\w+)$", (ROOT / "deploy" / "grafana" / "start").read_text()))
    assert named <= grafana["environment"].keys() | exported
    mounts: dict[str, str] = {}
    for mount in grafana["volumes"]:
        source, target, *_ = str(mount).split(":")
        mounts[target] = source
    file = ROOT / "deploy" / "grafana" / "dashboards" / "ecopark.yaml"
    for provider in yaml.safe_load(file.read_text())["providers"]:
        inside = Path(provider["options"]["path"])
        assert list((Path(mounts[str(inside.parent)]) / inside.name).glob("*.json"))
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (Path(mounts[str(home.parents[1])]) / home.parent.name / home.name).exists()


def test_the_image_gets_what_it_needs_and_no_development_packages() -> None:
    locked = (ROOT / "requirements-run.lock").read_text()
    assert "pytest==" not in locked
    assert set(re.findall(r"^[\w.-]+==\S+", locked, re.MULTILINE)) <= set(
        re.findall(r"^[\w.-]+==\S+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    )
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for line in ignored:
        if line.startswith("!"):
            assert (ROOT / line[1:]).exists(), line


class Machine:
    """The services as processes: the same commands and environments, with places and addresses of this machine."""

    def __init__(self, composed: dict[str, Any], influx: Influxd, folder: Path) -> None:
        self._services = composed["services"]
        self._folder = folder
        self._lines = str(free_port())
        self.port = str(free_port())
        self.inner_port = str(free_port())
        self._places = {
            "/srv/broker": str(folder / "broker"),
            "/srv/accounts": str(folder / "accounts"),
            "/srv/park": str(folder / "park"),
            "/srv/spool": str(folder / "spool"),
            "/mosquitto/data": str(folder / "data"),
            "mqtt://mosquitto:1883": f"mqtt://127.0.0.1:{self.port}",
            "mqtt://mosquitto:1884": f"mqtt://127.0.0.1:{self.inner_port}",
            "bind=0.0.0.0": "bind=127.0.0.1",
            "http://influxdb:8086": influx.url,
        }
        for place in ("park", "spool", "data", "accounts"):
            (folder / place).mkdir()
        for source, target in volumes(self._services["accounts"]).items():
            if source.startswith("account-"):
                Path(self.here(target)).mkdir()
        self._ports: dict[str, str] = {}
        self.children: list[Child] = []

    def here(self, text: str) -> str:
        for place, mine in self._places.items():
            text = text.replace(place, mine)
        return text

    def child(
        self, name: str, command: list[str] | None = None, more: tuple[str, ...] = (), env: dict[str, str] | None = None
    ) -> Child:
        service = self._services[name]
        words = [self.here(word) for word in command or service["command"]]
        words = [
            "127.0.0.1" if word == "plant" and words[at - 1] == "--plant" else word for at, word in enumerate(words)
        ]
        program = shutil.which(words[0], path=f"{BIN}:{os.environ['PATH']}:/usr/sbin")
        assert program, words[0]
        # Each container has an address of its own, where it answers for itself; here each has a port.
        port = self._ports.setdefault(name, str(free_port()))
        words = [word.replace("127.0.0.1:9100", f"127.0.0.1:{port}") for word in words]
        mounts = {
            target: self.here(self._accounts()[source])
            for source, target in volumes(service).items()
            if source in self._accounts()
        }
        given = {key: self.here(str(value)) for key, value in service.get("environment", {}).items()}
        for target, folder in mounts.items():
            given = {key: value.replace(target, folder) for key, value in given.items()}
        given = {key: value.replace("127.0.0.1:9100", f"127.0.0.1:{port}") for key, value in given.items()}
        if ENV_FILE in given:  # this database has no tokens, so no step has made any
            given[ENV_FILE] = ":".join(file for file in given[ENV_FILE].split(":") if "/srv/token" not in file)
        log = self._folder / f"{name}-{len(self.children)}.log"
        child = Child(name, [program, *words[1:], *more], log, given | (env or {}))
        self.children.append(child)
        child.start()
        return child

    def _accounts(self) -> dict[str, str]:
        """Where the step that makes the accounts puts them, by volume."""
        made = volumes(self._services["accounts"])
        return {source: target for source, target in made.items() if source.startswith("account-")}

    async def done(self, child: Child) -> None:
        async with asyncio.timeout(60):
            while child.running:  # noqa: ASYNC110 (another process sets no event of ours)
                await asyncio.sleep(0.05)
        assert child.status == 0, child.last_words()

    async def healthy(self, name: str) -> None:
        """Wait until the service's own health check passes."""
        command = self._services[name]["healthcheck"]["test"][1:]
        async with asyncio.timeout(120):
            while True:
                asked = self.child(name, command)
                while asked.running:  # noqa: ASYNC110 (another process sets no event of ours)
                    await asyncio.sleep(0.05)
                if asked.status == 0:
                    return

    @property
    def lines(self) -> tuple[str, ...]:
        return ("--port", self._lines)


@pytest.fixture
async def machine(composed: dict[str, Any], influx: Influxd, tmp_path: Path) -> AsyncIterator[Machine]:
    made = Machine(composed, influx, tmp_path)
    yield made
    for child in made.children:
        child.kill()


async def test_the_same_environment_runs_by_processes(machine: Machine, store: Store, tmp_path: Path) -> None:
    await machine.done(machine.child("park", more=("--days", "1")))
    await machine.done(machine.child("accounts", more=("--port", machine.port, "--inner-port", machine.inner_port)))
    if os.getuid() == 0:  # mosquitto would change to a user who may not read this folder
        configuration = tmp_path / "broker" / "mosquitto.conf"
        configuration.write_text(f"{configuration.read_text()}user root\n")
    machine.child("mosquitto")
    machine.child("ingest")
    await machine.healthy("ingest")
    machine.child("plant", more=machine.lines)
    machine.child("usage")
    machine.child("gw-west", more=machine.lines)
    await machine.healthy("gw-west")
    await machine.healthy("usage")
    async with asyncio.timeout(60):
        while not await store.query('SELECT * FROM "electricity" LIMIT 1', OPERATOR_DATABASE):  # noqa: ASYNC110 (another process sets no event of ours)
            await asyncio.sleep(0.1)
