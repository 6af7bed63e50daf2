"""`ecopark close` as an operator calls it."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from efficiency.closing.file import load_closed
from proving.servers import Influxd
from store.client import Store
from tests.efficiency.closing.monthpark import NOVEMBER, SEPTEMBER, START, computed, month_park, write_readings

Run = Callable[..., Any]


@pytest.fixture
async def call(store: Store, influx: Influxd, run: Run, tmp_path: Path) -> Run:
    """The command on a park whose water meter fell silent on 20 September."""
    park = month_park(tmp_path)
    await write_readings(store, park, START, NOVEMBER, [name for name in park.meter if name != "wm-alpha"])
    await write_readings(store, park, START, date(2026, 9, 20), ["wm-alpha"])
    await computed(store, park, NOVEMBER)

    def called(*arguments: str) -> Any:
        return run(*arguments, ECOPARK_PARK=str(tmp_path), ECOPARK_INFLUX_URL=influx.url)

    return called


def test_closing_is_refused_with_a_list_and_done_for_a_reason(call: Run, tmp_path: Path) -> None:
    missing = "wm-alpha: use of 1056 quarter hours is not known"
    checked = call("close", "2026-09", "--check", "--json")
    assert checked.returncode == 2
    assert missing in checked.stdout
    assert json.loads(checked.stdout.splitlines()[-1])["obstacles"][0]["subject"] == "wm-alpha"
    refused = call("close", "2026-09")
    assert refused.returncode == 2
    assert missing in refused.stdout
    assert "2026-09 is not closed: 1 obstacle" in refused.stderr
    assert not (tmp_path / "park.closed").exists()
    done = call("close", "2026-09", "--anyway", "meter out of order, estimate agreed with Alpha")
    assert done.returncode == 0, done.stderr
    (closed,) = load_closed(tmp_path / "park.yaml", "demo")
    assert f"to pay {closed.statements[0].total_vnd:,} ₫" in done.stdout
    assert closed.month == SEPTEMBER
    assert closed.anyway == "meter out of order, estimate agreed with Alpha"
    assert closed.obstacles[0].subject == "wm-alpha"
    again = call("close", "2026-09")
    assert again.returncode == 2
    assert "2026-09 is closed already" in again.stderr
    assert call("check", str(tmp_path)).returncode == 0
    file = tmp_path / "park.closed" / "2026-09.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("park: demo", "park: other"), encoding="utf-8")
    assert "is of other, 2026-09; restore the file" in call("check", str(tmp_path)).stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("2026-13",), "2026-13: a month is written as in 2026-10"),
        (("2199-01",), "2199-01 is not over yet"),
        (("2026-10", "elsewhere"), "no park file has a park elsewhere"),
    ],
)
def test_wrong_options_are_one_clear_line(run: Run, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    month_park(tmp_path)
    done = run("close", *words, ECOPARK_PARK=str(tmp_path), ECOPARK_INFLUX_URL="http://127.0.0.1:9")
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
