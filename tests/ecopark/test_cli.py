"""The command line: what each way to fail looks like, and what a command brings into memory."""

import subprocess
import sys
from typing import Any

import pytest

from ecopark.cli import COMMANDS
from proving.processes import free_port


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_what_it_does(run: Any, command: str) -> None:
    told = run(command, "--help")
    assert told.returncode == 0
    assert "Usage: ecopark" in told.stdout


def test_a_database_that_does_not_answer_is_one_line_and_exit_1(run: Any) -> None:
    port = free_port()
    failed = run("refused", "list", ECOPARK_INFLUX_URL=f"http://127.0.0.1:{port}")
    assert failed.returncode == 1
    (line,) = failed.stderr.splitlines()
    assert line.startswith(f"ecopark: InfluxDB at http://127.0.0.1:{port}: ")


def test_an_ingester_carries_nothing_that_only_reports_need() -> None:
    code = "import sys, ecopark.commands.ingest; print({'numpy', 'weasyprint', 'pymodbus'} & sys.modules.keys())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"
