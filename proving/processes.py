"""Child processes that never outlive their parent, however it ends."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from metering.errors import OperatorError

STOP_S = 10.0


def free_port() -> int:
    """A free TCP port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str, package: str) -> str:
    """Path of a program.

    Raises `OperatorError` that names the Debian package where it is not installed.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise OperatorError(f"{name} is not installed; run make setup, or apt-get install {package}")
    return found


def bound_to_us(command: Sequence[str]) -> list[str]:
    """The command line under which the kernel ends a program when this process ends.

    The program begins only where this process still lives: it may have been killed before the kernel was told.
    """
    lives = '[ "$PPID" -eq "$0" ] && exec "$@"'
    guard = ["--pdeathsig", "KILL", "--", "sh", "-c", lives, str(os.getpid())]
    return [program("setpriv", "util-linux"), *guard, *command]


class Child:
    """A program with its own log file. The kernel ends it when this process ends; Ctrl-C does not reach it."""

    def __init__(self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again after it has ended."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 (our own command lines)
                bound_to_us(self._command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether it is alive (a paused one is)."""
        return self._process is not None and self._process.poll() is None

    @property
    def status(self) -> int | None:
        """Exit status of one that has ended."""
        return self._process.poll() if self._process is not None else None

    @property
    def pid(self) -> int:
        """Its process id; it must have been started."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.pid

    def stop(self, timeout_s: float = STOP_S) -> int | None:
        """Ask it to end, insist after `timeout_s`; returns its exit status."""
        if self._process is None:
            return None
        if self.running:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int | None:
        """End it at once, as a power failure would."""
        if self._process is None:
            return None
        self._process.kill()
        return self._process.wait()

    def pause(self) -> None:
        """Freeze it."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it continue, unless it was killed meanwhile."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-1000:].strip() if self.log.exists() else ""
