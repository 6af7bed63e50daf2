"""Asks a service on this machine for its state, for health checks of containers: `python -m ecopark.alive URL`.

A separate program, not a command of `ecopark`: a container runs it every few seconds, and it takes a twentieth of the
processor time that loading the command line takes.

Exit 0 where the service answers 200 (see `running.monitor`), else 1 with its answer. It needs no account and
shows no secret.
"""

import argparse
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence

WAIT_S = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(
        prog="python -m ecopark.alive",
        description="Ask a service how it is.",
        epilog="Example: python -m ecopark.alive http://127.0.0.1:9100/readyz",
    )
    parser.add_argument("url", help="where ECOPARK_METRICS makes it answer, and /healthz or /readyz")
    options = parser.parse_args(arguments)
    if not options.url.startswith("http://"):
        parser.error("the URL begins with http://")
    try:
        with urllib.request.urlopen(options.url, timeout=WAIT_S):  # noqa: S310 (the scheme was looked at)
            return 0
    except urllib.error.HTTPError as refused:
        sys.stderr.write(refused.read().decode(errors="replace"))
    except OSError as error:
        sys.stderr.write(f"{options.url}: {error}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
