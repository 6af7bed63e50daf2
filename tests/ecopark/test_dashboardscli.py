"""`ecopark dashboards`, as an operator calls it."""

from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples" / "song-xanh"
DAY = "2026-11-23"


def files(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*.*")}


def test_it_writes_what_is_committed_for_the_example(run: Any, tmp_path: Path) -> None:
    done = run("dashboards", "--park", str(EXAMPLE), "--day", DAY, "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "song-xanh" in done.stdout
    assert files(tmp_path) == files(REPOSITORY / "dashboards" / "generated")


def test_the_park_is_that_of_the_environment_and_the_day_is_today(run: Any, tmp_path: Path) -> None:
    done = run("dashboards", "--out", str(tmp_path / "new"), ECOPARK_PARK=str(EXAMPLE / "park.yaml"))
    assert done.returncode == 0, done.stderr
    assert {"en/overview.json", "vi/tenant.json", "alerting/rules.yaml"} <= files(tmp_path / "new").keys()


def test_a_faulty_park_file_is_named_and_nothing_is_written(run: Any, tmp_path: Path) -> None:
    broken = tmp_path / "park.yaml"
    broken.write_text("park: {id: x}\n")
    done = run("dashboards", "--park", str(broken), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "park.yaml" in done.stderr
    assert not (tmp_path / "out").exists()
