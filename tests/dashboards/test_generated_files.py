"""The committed files are what the code generates, pass our own lint, and say the same in both languages."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.alerts.files import all_rules
from dashboards.generate import contents, write
from dashboards.names import tenant_names
from dashboards.setting import Setting
from metering.errors import OperatorError
from metering.park import Park
from metering.words import COLOUR
from tests.dashboards import lint
from tests.dashboards.conftest import DAY

COMMITTED = Path(__file__).parents[2] / "dashboards" / "generated"


def boards(setting: Setting) -> dict[str, dict[str, Any]]:
    return {name: json.loads(text) for name, text in contents(setting).items() if name.endswith(".json")}


def rules(setting: Setting) -> list[dict[str, Any]]:
    groups = yaml.safe_load(contents(setting)["alerting/rules.yaml"])["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_committed_files_are_as_generated(setting: Setting) -> None:
    committed = {str(file.relative_to(COMMITTED)): file.read_text() for file in COMMITTED.rglob("*.*")}
    generated = contents(setting)
    assert committed.keys() == generated.keys()
    assert [name for name, text in generated.items() if committed[name] != text] == []


def test_writing_removes_what_is_no_longer_generated(setting: Setting, tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "old.json").write_text("{}")
    (tmp_path / "en" / "notes.txt").write_text("mine")
    written = write(tmp_path, setting.parks, setting.day)
    left = {file for file in tmp_path.rglob("*") if file.is_file()}
    assert left == {*written, tmp_path / "en" / "notes.txt"}
    assert write(tmp_path, setting.parks, setting.day) == written


def test_the_typed_model_knows_every_key(setting: Setting) -> None:
    for name, text in contents(setting).items():
        if name.endswith(".json"):
            board = json.loads(text)
            again = json.loads(json.dumps(Dashboard.from_json(_without_targets(board)), cls=JSONEncoder))
            assert again.keys() == board.keys(), name
            for before, after in zip(board["panels"], again["panels"], strict=True):
                assert set(before) - {"targets"} <= set(after), (name, before["id"])


def _without_targets(board: dict[str, Any]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(board))
    for panel in copy["panels"]:
        panel.pop("targets", None)
    copy["annotations"]["list"] = []
    return copy


def test_dashboards_pass_the_lint(setting: Setting) -> None:
    assert [fault for name, board in boards(setting).items() for fault in lint.faults(name, board)] == []


def test_the_lint_finds_what_is_only_partly_there(setting: Setting) -> None:
    board = boards(setting)["en/electricity.json"]
    panel = {panel["id"]: panel for panel in board["panels"]}
    panel[4]["timeFrom"] = "30d"
    panel[12]["timeShift"] = None
    found = list(lint.faults("electricity", board))
    assert len(found) == 2
    assert [fault for fault in found if "panel 4 " in fault and "midnight" in fault]
    assert [fault for fault in found if "panel 12 " in fault and "still being read" in fault]


def test_the_lint_finds_a_title_that_is_cut_off(setting: Setting) -> None:
    board = boards(setting)["vi/heat.json"]
    panel = next(panel for panel in board["panels"] if panel["id"] == 11)
    panel["title"] = "Khí thiên nhiên trong kỳ xem"
    assert [fault for fault in lint.faults("heat", board) if "panel 11 " in fault and "too narrow" in fault]


PANEL_LIGHT, PANEL_DARK = "#FFFFFF", "#181B1F"
"""Backgrounds of Grafana's panels."""


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_every_colour_is_visible_on_light_and_on_dark(setting: Setting) -> None:
    """At least 3 to 1, which WCAG 2 asks of large text and of what a chart is drawn with."""
    used = {colour for text in contents(setting).values() for colour in re.findall(r'"(#[0-9A-F]{6})"', text)}
    assert used >= set(COLOUR.values())
    assert [c for c in sorted(used) if min(_contrast(c, PANEL_LIGHT), _contrast(c, PANEL_DARK)) < 3] == []


def test_the_lint_finds_a_ranking_without_an_order(setting: Setting) -> None:
    board = boards(setting)["en/ranking.json"]
    panels = {panel["id"]: panel for panel in board["panels"]}
    panels[4]["transformations"] = []
    panels[5]["transformations"][0]["options"]["sort"][0]["field"] = "energy"
    first, second = lint.faults("ranking", board)
    assert "panel 4 " in first
    assert "without an order" in first
    assert "panel 5 " in second
    assert "ordered by 'energy'" in second


def test_rules_pass_the_lint(setting: Setting) -> None:
    panels = {board["uid"]: {panel["id"] for panel in board["panels"]} for board in boards(setting).values()}
    assert list(lint.rule_faults(rules(setting), panels)) == []


def test_the_lint_finds_a_label_that_hides_a_tag(setting: Setting) -> None:
    made = rules(setting)
    event = next(rule for rule in made if rule["labels"]["rule"] == "meter-event")
    event["labels"]["kind"] = "meter-event"
    panels = {board["uid"]: {panel["id"] for panel in board["panels"]} for board in boards(setting).values()}
    assert [fault for fault in lint.rule_faults(made, panels) if "hides" in fault]


OFFICIAL = {"from": "2023-01-01", "source": "test", "value": 0.6592, "standing": "official"}
ESTIMATE = {"from": "2023-01-01", "source": "test", "value": 0.6235, "standing": "estimate"}


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ([OFFICIAL], {"en": "0.6592 kg CO₂e/kWh (official)", "vi": "0,6592 kg CO₂e/kWh (công bố chính thức)"}),
        (
            [ESTIMATE],
            {
                "en": "0.6235 kg CO₂e/kWh (an estimate, for reference)",
                "vi": "0,6235 kg CO₂e/kWh (ước tính, tham khảo)",
            },
        ),
        (
            [OFFICIAL, ESTIMATE],
            {
                "en": "0.6235 to 0.6592 kg CO₂e/kWh (partly estimates, for reference)",
                "vi": "0,6235 đến 0,6592 kg CO₂e/kWh (một phần là ước tính, tham khảo)",
            },
        ),
        ([None], {"en": "No factor of electricity is dated.", "vi": "Chưa có hệ số phát thải điện."}),
    ],
)
def test_emissions_with_bought_electricity_are_shown_with_its_factor_and_standing(
    park: Park, factors: list[dict[str, Any] | None], said: dict[str, str]
) -> None:
    """`factors`: one of each park."""
    raw = park.model_dump(mode="json", by_alias=True)
    parks = []
    for number, factor in enumerate(factors):
        raw["park"]["id"] = f"park-{number}"
        raw["factors"]["scope2"]["electricity"] = [factor] if factor else []
        parks.append(Park.model_validate(raw))
    asked = re.compile(r'"co2e_(?!scope1|entered)')
    found = {
        (name, panel["id"]): said[name.split("/")[-2]] in panel["description"]
        for name, board in boards(Setting(tuple(parks), DAY)).items()
        for panel in board["panels"]
        if any(asked.search(target["query"]) for target in panel.get("targets", ()))
    }
    pages = {name.split("/")[-1].removesuffix(".json") for name, _ in found}
    assert pages == {"tenant", "own", "eip", "ranking"}
    assert [place for place, printed in found.items() if not printed] == []


def test_uids_and_titles_are_unique_within_an_organization(setting: Setting) -> None:
    operator = [board for name, board in boards(setting).items() if not name.startswith("tenant/")]
    assert len({board["uid"] for board in operator}) == len(operator)
    for language in ("en", "vi"):
        own = [board["title"] for name, board in boards(setting).items() if name.startswith(language)]
        assert len(set(own)) == len(own)


def test_both_languages_have_the_same_panels_and_ask_the_same(setting: Setting) -> None:
    made = boards(setting)
    for name, english in made.items():
        if "en/" in name:
            vietnamese = made[name.replace("en/", "vi/")]
            for one, other in zip(english["panels"], vietnamese["panels"], strict=True):
                assert (one["id"], one["gridPos"], one.get("targets")) == (
                    other["id"],
                    other["gridPos"],
                    other.get("targets"),
                )


def test_a_tenants_own_page_has_no_choices_and_no_links(setting: Setting) -> None:
    own = [board for name, board in boards(setting).items() if name.startswith("tenant/")]
    assert len(own) == 2
    for board in own:
        assert board["templating"]["list"] == []
        assert "$tenant" not in json.dumps(board)
        assert "/d/ecopark-tenant" not in json.dumps(board)


def test_a_tenants_own_page_names_no_tenant(setting: Setting) -> None:
    for name, content in contents(setting).items():
        if name.startswith("tenant/"):
            assert [tenant.id for park in setting.parks for tenant in park.tenants if f'"{tenant.id}"' in content] == []
            names = tenant_names(setting.parks).values()
            assert [known for known in names if known.en in content or known.vi in content] == []


def test_rules_about_a_tenant_name_it(setting: Setting) -> None:
    for rule in rules(setting):
        if rule["uid"].startswith(("demand-", "wastewater-quota-")):
            assert rule["labels"]["tenant"] in {tenant.id for tenant in setting.parks[0].tenants}


def test_a_tenants_own_threshold_makes_a_separate_rule(setting: Setting) -> None:
    titles = {rule["title"] for rule in rules(setting)}
    assert {"Water runs at night: over 0.35 (song-xanh)", "Water runs at night: over 0.5 (song-xanh)"} <= titles
    assert "Demand at 85 % of contract: steel (song-xanh)" in titles


def test_alert_texts_use_only_labels_that_their_series_have(setting: Setting) -> None:
    for rule in rules(setting):
        asked = next(step["model"]["query"] for step in rule["data"] if step["refId"] == "QA")
        for label in re.findall(r"\.Labels\.(\w+)", " ".join(rule["annotations"].values())):
            assert label in rule["labels"] or f'"{label}"' in asked.rpartition("GROUP BY")[2], rule["title"]


def test_every_place_in_texts_and_questions_of_alerts_is_filled(setting: Setting) -> None:
    for rule in rules(setting):
        asked = [step["model"].get("query", step["model"].get("expression")) or "" for step in rule["data"]]
        for words in (rule["uid"], rule["title"], *rule["annotations"].values(), *asked):
            assert not re.search(r"(?<!\{)\{[\w.]+\}", words), words


def test_vietnamese_alert_texts_write_numbers_in_the_vietnamese_way(setting: Setting) -> None:
    for rule in rules(setting):
        said = rule["annotations"]["summary_vi"]
        assert not re.search(r"\d\.\d{1,2}(?!\d)|\d %", re.sub("{{.*?}}", "", said, flags=re.DOTALL)), said
        for filled in re.findall(r"{{ (?:printf \"%\.[123]f\"|humanizeDuration).*?}}", said):
            assert "reReplaceAll" in filled, said


def test_no_address_of_a_person_is_in_the_files(setting: Setting) -> None:
    contacts = yaml.safe_load(contents(setting)["alerting/contacts.yaml"])
    settings = [receiver["settings"] for receiver in contacts["contactPoints"][0]["receivers"]]
    assert {one.get("url") or one["addresses"] for one in settings} == {
        "$ECOPARK_ALERT_WEBHOOK",
        "$ECOPARK_ALERT_EMAIL",
    }


def test_messages_give_times_in_the_zone_of_the_parks(park: Park) -> None:
    moved = park.model_copy(update={"park": park.park.model_copy(update={"timezone": "Europe/Berlin"})})
    contacts = yaml.safe_load(contents(Setting((moved,), date(2026, 11, 23)))["alerting/contacts.yaml"])
    assert '.StartsAt | tz "Europe/Berlin" | date' in contacts["templates"][0]["template"]


def test_parks_of_two_time_zones_are_refused(park: Park) -> None:
    moved = park.park.model_copy(update={"id": "far", "timezone": "Europe/Berlin"})
    with pytest.raises(OperatorError, match="one time zone"):
        contents(Setting((park, park.model_copy(update={"park": moved})), date(2026, 11, 23)))


BAD = (
    ('SELECT "x" INTO "y" FROM "usage" WHERE $timeFilter', "INTO"),
    ('SELECT "x" FROM "db"."rp"."usage" WHERE $timeFilter', "before a measurement"),
    ('SELECT "x" FROM "usage" WHERE time > now() - 1h AND $timeFilter', "now"),
    ('SELECT "x" FROM "usage" WHERE "a" = \'$park\' AND $timeFilter', "write"),
    ('SELECT "x" FROM "usage" WHERE $timeFilter AND "a" =~ /^$nobody$/', "nobody"),
    ('SELECT "x" FROM "usage"', "range of time"),
    ('SELECT spread("energy_kwh") FROM "electricity" WHERE $timeFilter', "raw registers"),
)


@pytest.mark.parametrize(("query", "fault"), BAD)
def test_the_lint_finds_a_bad_statement(setting: Setting, query: str, fault: str) -> None:
    board = boards(setting)["en/overview.json"]
    board["panels"][3]["targets"][0]["query"] = query
    assert [found for found in lint.faults("x", board) if fault in found]


def test_the_lint_finds_overlaps_double_ids_and_missing_words(setting: Setting) -> None:
    board = boards(setting)["en/overview.json"]
    first, second = board["panels"][0], board["panels"][1]
    second["gridPos"], second["id"] = first["gridPos"], first["id"]
    del board["panels"][4]["description"], board["panels"][5]["fieldConfig"]["defaults"]["unit"]
    found = " ".join(lint.faults("x", board))
    assert all(word in found for word in ("used 2 times", "has no description", "has no unit"))


def test_the_documentation_names_every_page_and_every_alert(setting: Setting) -> None:
    docs = Path(__file__).parents[2] / "docs"
    pages, alerts = (docs / "dashboards.md").read_text(), (docs / "alerts.md").read_text()
    assert [name for name, board in boards(setting).items() if "en/" in name and f"`{board['uid']}`" not in pages] == []
    kinds = {rule.kind for rule in all_rules(setting)}
    assert [
        kind for kind in sorted(kinds) if not re.search(rf"`{kind}`", alerts) and not kind.startswith("demand-")
    ] == []
