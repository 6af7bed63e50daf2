"""Real servers for every room's tests: a missing binary fails the test, it never skips it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_READY_S = 10.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Broker:
    """A private mosquitto with the shipped configuration on a free port; it can be stopped, killed and started."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        self.folder = folder
        self.extra = ["allow_anonymous true"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it accepts connections."""
        lines = [
            (ROOT / "deploy" / "mosquitto.conf").read_text(encoding="utf-8"),
            f"listener {self.port} 127.0.0.1",
            f"persistence_location {self.folder}/",
            *(["user root"] if os.getuid() == 0 else []),  # else it gives up root and cannot write to the test's folder
            *self.extra,
        ]
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with (self.folder / "mosquitto.log").open("ab") as log:
            path = os.environ["PATH"] + ":/usr/sbin"
            self._process = subprocess.Popen(
                ["mosquitto", "-c", configuration], stdout=log, stderr=log, env={**os.environ, "PATH": path}
            )
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        pytest.fail(f"mosquitto did not start: {(self.folder / 'mosquitto.log').read_text(encoding='utf-8')}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, as if it had not run when it does not."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(10)
            self._process = None

    def kill(self, *, forget: bool) -> None:
        """kill -9; with `forget` everything that it had written is gone too."""
        self.stop(signal.SIGKILL)
        if forget:
            (self.folder / "mosquitto.db").unlink(missing_ok=True)


@pytest.fixture
def free_port() -> int:
    return _free_port()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    running = Broker(folder)
    running.start()
    yield running
    running.stop()
