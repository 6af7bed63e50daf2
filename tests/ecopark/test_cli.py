"""The command line: what each kind of failure looks like, and what a command imports."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from ecopark.cli import COMMANDS, app
from proving.processes import free_port
from tests.conftest import FaultyProxy


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_describes_itself(command: str) -> None:
    told = CliRunner().invoke(app, [command, "--help"], prog_name="ecopark")
    assert told.exit_code == 0, told.output
    assert "Usage: ecopark" in told.output


def test_a_database_that_does_not_answer_is_one_line_and_exit_1(run: Any) -> None:
    port = free_port()
    failed = run("refused", "list", ECOPARK_INFLUX_URL=f"http://127.0.0.1:{port}")
    assert failed.returncode == 1
    (line,) = failed.stderr.splitlines()
    assert line.startswith(f"ecopark: InfluxDB at http://127.0.0.1:{port}: ")


async def test_an_unsuitable_server_is_named_with_its_version_and_an_alternative(run: Any, proxy: FaultyProxy) -> None:
    proxy.always, proxy.headers = 200, {"X-Influxdb-Version": "0.9.6"}
    proxy.body = json.dumps({"results": [{"statement_id": 0, "error": "error parsing query: found GROUP"}]})
    failed = await asyncio.to_thread(run, "refused", "list", ECOPARK_INFLUX_URL=proxy.url)
    assert failed.returncode == 2
    (line,) = failed.stderr.splitlines()
    said = "rejects what it is asked: error parsing query: found GROUP. Ecopark needs InfluxDB 1.6"
    assert line.startswith(f"ecopark: {proxy.url} (version 0.9.6) {said}")


def test_an_ingester_imports_nothing_that_only_reports_need() -> None:
    code = "import sys, ecopark.commands.ingest; print({'numpy', 'weasyprint', 'pymodbus'} & sys.modules.keys())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


@pytest.mark.parametrize("secret", ["http://admin:s3cr3t@127.0.0.1:1", "http://s3cr3t@127.0.0.1:1/"])
def test_a_password_in_the_databases_url_is_refused_and_not_shown(run: Any, secret: str) -> None:
    for command in (("refused", "list"), ("tenants", "sync")):
        failed = run(*command, ECOPARK_INFLUX_URL=secret, ECOPARK_PARK="examples/song-xanh")
        assert failed.returncode == 2
        assert "ECOPARK_INFLUX_TOKEN" in failed.stderr
        assert "s3cr3t" not in failed.stdout + failed.stderr


def test_logs_are_one_json_object_a_line_where_that_is_asked_for() -> None:
    code = """
import logging
from ecopark import cli
cli._log_to_stderr(verbose=False)
logging.getLogger("ingest").warning("khu công nghiệp\\n%d", 5)
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("usage").exception("failed")
"""
    command = [sys.executable, "-c", code]
    said = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "ECOPARK_LOG": "json"}
    )
    first, second = (json.loads(line) for line in said.stderr.splitlines())
    assert (first["level"], first["logger"], first["message"]) == ("WARNING", "ingest", "khu công nghiệp\n5")
    assert datetime.fromisoformat(first["time"]).utcoffset() == timedelta(0)
    assert "ZeroDivisionError" in second["traceback"]
