"""Child processes and private servers, and their failures."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metering.errors import OperatorError
from proving.processes import Child, free_port, program
from proving.servers import Influxd, Mosquitto

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(OperatorError, match=r"influxd-enterprise is not installed.*apt-get install influxdb"):
        program("influxd-enterprise", "influxdb")


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_child_is_started_paused_resumed_stopped_and_started_again(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEPER, tmp_path / "log")
    with pytest.raises(RuntimeError):
        _ = child.pid
    child.start()
    assert child.running
    child.pause()
    child.resume()
    child.pause()
    assert child.stop() == -15, "a paused one can be stopped, too"
    assert not child.running
    child.start()
    assert child.kill() == -9
    assert child.status == -9


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    code = f"""
import time
from pathlib import Path
from proving.processes import Child
child = Child("sleeper", {SLEEPER!r}, Path({str(tmp_path / "log")!r}))
child.start()
print(child.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert not gone(pid)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 60
    while not gone(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("kind", [Mosquitto, Influxd])
async def test_a_taken_port_is_reported_in_the_servers_own_words(
    kind: type[Mosquitto] | type[Influxd], tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = kind(tmp_path / "server", port=taken.getsockname()[1])
        with pytest.raises(OperatorError, match=r"(?s)ended with status.*[Aa]ddress already in use"):
            await server.start()


def test_free_ports_are_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", free_port()))


def test_a_child_does_not_begin_where_its_parent_is_gone(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    code = f"""
import os, subprocess
from proving.processes import bound_to_us
command = bound_to_us(["touch", {str(begun)!r}])
if os.fork() == 0:
    subprocess.Popen(command)  # from here on the child's parent is not the process that it is bound to
    os._exit(0)
os.wait()
subprocess.run(bound_to_us(["touch", {str(tmp_path / "other")!r}]), check=True)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "other").exists()
    assert not begun.exists()
