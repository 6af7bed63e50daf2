"""A demo that runs while the tests look at it."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ECOPARK = Path(sys.executable).parent / "ecopark"
LIVE_S = 25


@dataclass
class Demo:
    """A running `ecopark demo --json`; `environment` is what its env file exports, `said` the file of its output."""

    folder: Path
    process: "subprocess.Popen[str]"
    environment: dict[str, str]
    said: Path

    def result(self) -> dict[str, Any]:
        """End it as Ctrl-C does, and return its last line."""
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=300)
        found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return found


def start_demo(folder: Path, seconds: float = 120) -> Demo:
    command = [str(ECOPARK), "demo", "--days", "1", "--for", str(seconds), "--json", "--dir", str(folder)]
    said = folder.with_suffix(".said")
    with said.open("w") as told:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told, text=True)
    shell = folder / "env"
    deadline = time.monotonic() + 300
    while not shell.exists():
        assert process.poll() is None, f"the demo ended with {process.returncode}"
        assert time.monotonic() < deadline, "the demo did not start"
        time.sleep(0.05)
    exported = dict(re.findall(r"export (\w+)=(.*)", shell.read_text()))
    return Demo(folder, process, exported, said)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = start_demo(tmp_path_factory.mktemp("demo") / "park")
    yield running
    running.process.kill()
    running.process.communicate()
