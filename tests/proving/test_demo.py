"""The demo park, run as people run it: its output, what it leaves behind, and what the README promises."""

import asyncio
import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from typer._click import Context
from typer.core import TyperGroup
from typer.main import get_command

from ecopark.cli import app
from ecopark.settings import ENV_FILE, Settings
from proving.demo.grafana import command
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.proving.conftest import Demo, start_demo

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return group.list_commands(Context(group))


def orphans(folder: Path) -> list[str]:
    """Command lines of processes that belong to a demo folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            belongs = str(folder).encode() in entry.read_bytes() + (entry.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if belongs and entry.parent.name != str(os.getpid()):
            found.append((entry.parent / "cmdline").read_text(errors="replace"))
    return found


def fill_is_over(demo: Demo) -> None:
    """Wait until the malformed messages are refused: they come right after the fill."""

    async def refused() -> int:
        async with Store(demo.environment["ECOPARK_INFLUX_URL"]) as store:
            rows = await store.query('SELECT count("digest") FROM "refused"', OPERATOR_DATABASE)
            return int(rows[0]["count"]) if rows else 0

    deadline = time.monotonic() + 600
    while asyncio.run(refused()) < 12:
        assert time.monotonic() < deadline, "the demo did not fill its past"
        time.sleep(0.2)


def shell_example() -> str:
    """The commands of the README's section about sending a reading."""
    section = README.split("## Send a reading")[1].split("\n## ")[0]
    return "\n".join(
        line[4:] for line in re.findall(r"(?m)^    (?!\{| {2,}\"readings).*$", section.split("A message is")[0])
    )


def test_a_message_pasted_from_the_readme_arrives(demo: Demo) -> None:
    fill_is_over(demo)
    script = shell_example().replace(".demo", str(demo.folder))
    send, ask = script.split("curl")
    subprocess.run(["bash", "-ec", send], check=True)
    deadline = time.monotonic() + 60
    answer = ""
    while "212.4" not in answer and time.monotonic() < deadline:
        command = f". {demo.folder / 'env'}\ncurl{ask}"
        answer = subprocess.run(["bash", "-ec", command], capture_output=True, text=True, check=True).stdout
    assert "212.4" in answer


def test_the_batch_in_the_readme_is_a_message(demo: Demo) -> None:
    text = re.search(r'(?m)^    \{"id".*?\]\}$', README, re.DOTALL)
    assert text is not None
    message = json.loads(text[0])
    assert {reading["meter"] for reading in message["readings"]} <= set(
        re.findall(r"id: ([\w-]+)", (demo.folder / "park.yaml").read_text())
    )


def test_refused_readings_can_be_listed_shown_and_replayed(run: Any, demo: Demo) -> None:
    fill_is_over(demo)
    environment = demo.environment
    listed = run("refused", "list", "--json", **environment)
    assert listed.returncode == 0, listed.stderr
    refused = json.loads(listed.stdout.splitlines()[-1])["refused"]
    assert {each["reason"] for each in refused} >= {"malformed", "too_large", "unknown_meter", "wrong_gateway"}
    unknown = next(each for each in refused if each["reason"] == "unknown_meter")

    only = run("refused", "list", "--reason", "unknown_meter", "--gateway", unknown["gateway"], "--json", **environment)
    assert {each["reason"] for each in json.loads(only.stdout)["refused"]} == {"unknown_meter"}
    shown = run("refused", "show", unknown["digest"], **environment)
    assert unknown["meter"] in shown.stdout
    assert run("refused", "show", "0000", **environment).returncode == 2

    park = demo.folder / "park.yaml"
    before = park.read_text()
    meter = f"""
  - id: {unknown["meter"]}
    name: {{en: Found, vi: Tìm thấy}}
    gateway: {unknown["gateway"]}
    utility: electricity
    interval_s: 60
    rated: 100
    registers: {{energy_kwh: {{}}}}
"""
    park.write_text(before.replace("\nmeters:\n", f"\nmeters:{meter}", 1))
    deadline = time.monotonic() + 120
    answer: dict[str, int] = {}
    while answer.get("stored") != 1:
        assert time.monotonic() < deadline, answer
        replayed = run("refused", "replay", unknown["digest"], "--json", **environment)
        answer = json.loads(replayed.stdout.splitlines()[-1])
    left = json.loads(run("refused", "list", "--reason", "unknown_meter", "--json", **environment).stdout)["refused"]
    assert unknown["digest"] not in {each["digest"] for each in left}
    again = json.loads(run("refused", "list", "--replayed", "--json", **environment).stdout)["refused"]
    assert next(each for each in again if each["digest"] == unknown["digest"])["replayed"] > 0
    park.write_text(before)


def test_it_counts_at_both_ends_and_leaves_no_orphan(demo: Demo) -> None:
    fill_is_over(demo)
    result = demo.result()
    assert result["published"] > 50_000
    assert result["stored"] == result["published"] + 1, "the gateways' readings, and the one that was replayed"
    assert result["lost"] == 0
    assert result["refused"] >= 12
    assert demo.process.returncode == 0
    assert orphans(demo.folder) == []
    reports = sorted(file.name for file in (demo.folder / "reports").glob("*.html"))
    assert [sum(name.endswith(f"-{language}.html") for name in reports) for language in ("en", "vi")] == [2, 2]
    assert not (demo.folder / "env").exists()
    first = demo.said.read_text().splitlines()[0]
    assert re.fullmatch(r"Dashboards(, in Grafana)?: http://127\.0\.0\.1:\d+", first)
    assert ("Grafana" in first) is (command() is not None)


def test_a_second_run_goes_on_where_the_first_ended(demo: Demo) -> None:
    demo.process.wait(60)
    again = start_demo(demo.folder)
    fill_is_over(again)
    result = again.result()
    assert result["published"] == result["stored"] < 20_000


def test_a_killed_demo_leaves_no_orphan(tmp_path: Path) -> None:
    running = start_demo(tmp_path / "park")
    running.process.kill()
    running.process.communicate()
    deadline = time.monotonic() + 60
    while left := orphans(tmp_path / "park"):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_a_folder_that_is_no_demo_is_not_touched(run: Any, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"start": "2020-01-01T00:00:00Z", "days": 3, "since": 0, "seed": 7}')
    (tmp_path / "precious.txt").write_text("keep me")
    refused = run("demo", "--dir", str(tmp_path), "--for", "1")
    assert refused.returncode == 2
    assert "precious.txt" in refused.stderr
    assert (tmp_path / "precious.txt").read_text() == "keep me"


def test_the_readme_has_a_row_for_every_variable_with_its_default() -> None:
    rows = re.findall(r"(?m)^\| `(ECOPARK_[A-Z_]+)` \|.*\| (.*)\|$", README)
    fields = {f"ECOPARK_{name.upper()}": field for name, field in Settings.model_fields.items()}
    assert sorted(name for name, _ in rows) == sorted([*fields, ENV_FILE])
    for name, default in rows:
        known = fields[name].default if name in fields and fields[name].default_factory is None else None
        by_host = "the host's name" if name == "ECOPARK_INSTANCE" else ""
        shown = str(known).lower() if isinstance(known, bool) else str(known)
        assert default.strip() == (by_host if known is None else f"`{shown}`")


@pytest.mark.parametrize(
    "document", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda file: file.name
)
def test_every_command_in_a_document_exists(document: Path) -> None:
    known = commands()
    for name in re.findall(r"`?\becopark ([a-z]+)\b", document.read_text(encoding="utf-8")):
        assert name in known, f"{document.name} names ecopark {name}"


def every_command() -> list[tuple[str, ...]]:
    """Commands as they are called, those of groups with the group's name."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    found: list[tuple[str, ...]] = []
    for name in commands():
        command = group.get_command(Context(group), name)
        inner = command.list_commands(Context(command)) if isinstance(command, TyperGroup) else []
        found += [(name, each) for each in inner] or [(name,)]
    return found


@pytest.mark.parametrize("name", every_command(), ids=" ".join)
def test_every_command_has_help_with_an_example(run: Any, name: tuple[str, ...]) -> None:
    told = run(*name, "--help")
    assert told.returncode == 0
    assert "Example: " in told.stdout
