"""A disk that the spool itself has filled: it can still forget, and then goes on by itself."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def on_a_disk_of_its_own(script: str, folder: Path, argument: Path) -> list[str]:
    """The output of a script that works on a small disk mounted at a folder.

    In a mount namespace of its own: as root, and as a user where the kernel lets users have one.
    """
    mounted = f"mount -t tmpfs -o size=40m none {folder} && exec {sys.executable} {HERE / script} {argument}"
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_spool_that_filled_its_disk_still_forgets_and_goes_on(tmp_path: Path) -> None:
    assert on_a_disk_of_its_own("filler.py", tmp_path, tmp_path / "spool.db")[-1] == "went on"


def test_a_gateway_starts_on_a_disk_that_somebody_else_has_filled(tmp_path: Path) -> None:
    assert on_a_disk_of_its_own("crowded.py", tmp_path, tmp_path) == [
        "the old spool was read and emptied",
        "the new spool began when there was space",
    ]
