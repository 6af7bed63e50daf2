"""A disk that the spool itself has filled: it can still forget, and then goes on by itself."""

import subprocess
import sys
from pathlib import Path

FILLER = Path(__file__).parent / "filler.py"


def test_a_spool_that_filled_its_disk_still_forgets_and_goes_on(tmp_path: Path) -> None:
    # A disk of its own, in a mount namespace of its own: as root, and as a user where the kernel lets users have one.
    mounted = f"mount -t tmpfs -o size=40m none {tmp_path} && exec {sys.executable} {FILLER} {tmp_path / 'spool.db'}"
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "went on"
