"""`ecopark report` as an operator calls it: what it writes, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from proving.servers import Influxd

EXAMPLE = Path(__file__).parents[2] / "examples" / "song-xanh" / "park.yaml"


def ecopark(influx_url: str, *words: str, park: Path = EXAMPLE) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "ECOPARK_PARK": str(park), "ECOPARK_INFLUX_URL": influx_url}
    command = [sys.executable, "-m", "ecopark", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


async def test_a_month_without_data_is_written_and_reported(influx: Influxd, tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "report.html"
    words = ("report", "tenant", "textile", "--month", "2026-10", "--lang", "en", "--out", str(out), "--json")
    done = ecopark(influx.url, *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"written": [str(out)]}
    assert "no data in this period" in out.read_text(encoding="utf-8")


async def test_the_report_of_a_year_has_its_forms_beside_it(influx: Influxd, tmp_path: Path) -> None:
    done = ecopark(influx.url, "report", "park", "--year", "2026", "--out", str(tmp_path / "park.html"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "park-forms.csv").read_text(encoding="utf-8-sig").startswith("Biểu mẫu,")
    assert (tmp_path / "park-forms.xlsx").read_bytes().startswith(b"PK")
    assert "Biểu mẫu A.4" in (tmp_path / "park.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("tenant", "nobody", "--month", "2026-10", "--out", "x.html"), "no park file has a tenant nobody"),
        (("tenant", "textile", "--month", "2026", "--out", "x.html"), "a month is written as in 2026-10"),
        (("tenant", "textile", "--out", "x.html"), "either --month 2026-10 or --year 2026"),
        (("park", "elsewhere", "--year", "2026", "--out", "x.html"), "no park file has a park elsewhere"),
        (("park", "--year", "2026", "--out", "x.doc"), "a report is written as .html or .pdf"),
        (("park", "--month", "2026-10", "--extra", "e.yaml", "--out", "x.html"), "only the report of a year has forms"),
        (("park", "--year", "2026", "--extra", "missing.yaml", "--out", "x.html"), "missing.yaml: cannot be read"),
        (("park", "--year", "2026", "--lang", "fr", "--out", "x.html"), "fr"),
    ],
)
def test_wrong_options_are_one_clear_line_and_exit_2(words: tuple[str, ...], told: str) -> None:
    done = ecopark("http://127.0.0.1:9", "report", *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreachable_database_is_one_line_and_not_a_traceback(tmp_path: Path) -> None:
    out = str(tmp_path / "x.html")
    done = ecopark("http://127.0.0.1:9", "report", "park", "--month", "2026-10", "--out", out)
    assert done.returncode == 1
    assert "InfluxDB at http://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["tenant", "park"])
def test_help_has_an_example(kind: str) -> None:
    done = ecopark("http://127.0.0.1:9", "report", kind, "--help")
    assert done.returncode == 0
    assert f"ecopark report {kind}" in done.stdout
