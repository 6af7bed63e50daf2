"""The files for Prometheus name only what services answer at /metrics, and say it in both languages."""

import json
import re
from pathlib import Path

import pytest
import yaml

from gateway.service import GatewayCounts

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"


def known() -> set[str]:
    """Values of the services' lines in `pipeline`, as operations.md lists them, and a gateway's counts."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    found = {f"ecopark_gateway_{name}" for name in GatewayCounts.model_fields}
    for heading in re.findall(r"^## .*`service=\w+`.*$", text, re.MULTILINE):
        service = heading.partition("service=")[2].partition("`")[0]
        table = text[text.index(heading) :].partition("\n\n## ")[0]
        for row in re.findall(r"^\| (`\w+`.*?) \|", table, re.MULTILINE):
            found |= {f"ecopark_{service}_{name}" for name in re.findall(r"`(\w+)`", row)}
    return found


def rules() -> list[dict[str, object]]:
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:
    board = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return [*asked, *(str(rule["expr"]) for rule in rules())]


def test_every_metric_is_one_that_a_service_serves() -> None:
    named = {name for text in expressions() for name in re.findall(r"\becopark_\w+", text)}
    assert len(named) > 15
    assert named <= known()
    assert {service for name in named for service in [name.split("_")[1]]} == {"ingest", "usage", "gateway"}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_a_rule_speaks_both_languages(rule: dict[str, object]) -> None:
    notes = rule["annotations"]
    assert isinstance(notes, dict)
    assert notes.keys() == {"summary", "summary_vi"}
    assert re.search(r"[à-ỹđ]", notes["summary_vi"])
    assert rule["labels"] in [{"severity": "critical"}, {"severity": "warning"}]


def test_panels_do_not_cover_each_other() -> None:
    board = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in board["panels"]}) == len(places)
