"""Our own rules for generated dashboards and alert rules; Grafana would only show a broken page.

Each function yields faults as sentences that name the file and the panel.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from dashboards.queries import WHOLE_DAYS
from metering.quantities import UTILITIES
from store.schema import USAGE

MACROS = ("$timeFilter", "$__interval_ms", "$__interval", "$interval")
COLUMNS = 24
COLUMN_PX, HEAD_PX, LETTER_PX = 66.2, 80, 6.8
"""On a page 1,600 pixels wide: the width of a column, what surrounds a panel's title, and the width of a letter."""
UID = re.compile(r"[A-Za-z0-9_-]{1,40}")

_NOT_SHARED = {
    "INTO": r"\bINTO\b",
    "continuous queries": r"\bCONTINUOUS\b",
    "SLIMIT": r"\bSLIMIT\b",
    "SOFFSET": r"\bSOFFSET\b",
    "CARDINALITY": r"\bCARDINALITY\b",
    "SHOW SERIES": r"\bSHOW\s+SERIES\b",
    "holt_winters": r"\bholt_winters",
    "sample": r"\bsample\s*\(",
    "a database or retention policy before a measurement": r'FROM\s+"[^"]*"\s*\.',
    "now(), which ignores the range of the page": r"\bnow\(\)",
    "several statements": r";",
}
_COUNTERS = "|".join(
    sorted({name for spec in UTILITIES.values() for name, quantity in spec.quantities.items() if quantity.counter})
)
_RAW = re.compile(rf'\b(?:sum|spread|difference|non_negative_difference|derivative)\("(?:{_COUNTERS})"\)')
_TRUST = re.compile(rf'\("(?:completeness|estimated)"\).* FROM "{USAGE}"')
_BY_DAY = re.compile(rf'FROM "{USAGE}" .*GROUP BY time\(1d\)')
_FIELD_LINK = re.compile(r"\$\{__(url_time_range|field\.labels\.\w+|value\.raw|data\.fields\.\w+)\}")


def faults(name: str, board: dict[str, Any]) -> Iterator[str]:
    """Faults of one dashboard, which was read from JSON."""
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    variables = {variable["name"] for variable in board["templating"]["list"]}
    yield from _head(name, board)
    yield from _overlaps(name, board["panels"])
    for panel in panels:
        place = f"{name}: panel {panel['id']} {panel.get('title')!r}"
        if panel["type"] == "alertlist":
            continue
        yield from _words(place, panel)
        yield from _order(place, panel)
        yield from _questions(place, panel, variables)
        yield from _edges(place, panel)
        yield from _ways_out(place, panel, variables)
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield from _statement(f"{name}: variable {variable['name']}", variable["query"]["query"], variables)
    for annotation in board["annotations"]["list"]:
        yield from _statement(f"{name}: annotation {annotation['name']!r}", annotation["target"]["query"], variables)
    if not any(target["query"].startswith('SELECT min("age")') for panel in panels for target in panel["targets"]):
        yield f"{name}: has no tile of freshness"
    if not any('SELECT count("heard")' in target["query"] for panel in panels for target in panel["targets"]):
        yield f"{name}: says not how many meters report"


def _head(name: str, board: dict[str, Any]) -> Iterator[str]:
    if not UID.fullmatch(board.get("uid", "")):
        yield f"{name}: the uid must be 1 to 40 of letters, digits, _ and -"
    if board.get("id") is not None:
        yield f"{name}: a provisioned dashboard has no id"
    if not board.get("description"):
        yield f"{name}: says not which question it answers"
    for number, times in Counter(panel["id"] for panel in board["panels"]).items():
        if times > 1:
            yield f"{name}: panel id {number} is used {times} times"
    for link in board["links"]:
        if not (link.get("keepTime") and link.get("includeVars")):
            yield f"{name}: link {link['title']!r} loses the time or the variables"


def _words(place: str, panel: dict[str, Any]) -> Iterator[str]:
    defaults = panel["fieldConfig"]["defaults"]
    for key, found in (
        ("title", panel.get("title")),
        ("description", panel.get("description")),
        ("unit", defaults.get("unit")),
        ("word for having nothing", defaults.get("noValue")),
    ):
        if not found:
            yield f"{place} has no {key}"
    if len(panel.get("title") or "") * LETTER_PX > panel["gridPos"]["w"] * COLUMN_PX - HEAD_PX:
        yield f"{place} is too narrow for its title"


def _order(place: str, panel: dict[str, Any]) -> Iterator[str]:
    if panel["type"] != "bargauge":
        return
    steps = [step["options"]["sort"] for step in panel["transformations"] if step["id"] == "sortBy"]
    fields = [each["field"] for sort in steps for each in sort]
    if panel["options"]["reduceOptions"]["values"] and not fields:
        yield f"{place} ranks rows without an order"
    for field in fields:
        if not any(f'AS "{field}"' in target["query"] for target in panel["targets"]):
            yield f"{place} is ordered by {field!r}, which it does not ask for"


def _questions(place: str, panel: dict[str, Any], variables: set[str]) -> Iterator[str]:
    references = [target["refId"] for target in panel["targets"]]
    if len(set(references)) < len(references):
        yield f"{place} uses a refId twice"
    for target in panel["targets"]:
        yield from _statement(place, target["query"], variables)
        if "$timeFilter" not in target["query"]:
            yield f"{place} ignores the range of time"
        if _RAW.search(target["query"]):
            yield f"{place} computes use from raw registers: read usage or efficiency"
        if re.search(r"\$tag_\w+-", target.get("alias") or ""):
            yield f"{place}: a hyphen after $tag_... belongs to its name: write [[tag_...]]-"


def _edges(place: str, panel: dict[str, Any]) -> Iterator[str]:
    """An interval that is cut off at the end of a range looks like a drop."""
    for target in panel["targets"]:
        if _BY_DAY.search(target["query"]) and not (panel.get("timeFrom") or "").endswith("/d"):
            yield f"{place} adds up quarter hours by day, but does not begin at a midnight"
        if _TRUST.search(target["query"]) and not panel.get("timeShift"):
            yield f"{place} counts the quarter hour that is still being read as incomplete: shift it"


def _ways_out(place: str, panel: dict[str, Any], variables: set[str]) -> Iterator[str]:
    config = panel["fieldConfig"]
    links = [*(config["defaults"].get("links") or ())]
    links += [link for override in config["overrides"] for link in _links(override)]
    for link in links:
        if "${__url_time_range}" not in link["url"]:
            yield f"{place}: link {link['title']!r} loses the time"
        for variable in re.findall(r"\$\{(\w+)", _FIELD_LINK.sub("", link["url"])):
            if variable not in variables:
                yield f"{place}: link {link['title']!r} uses a variable that the page does not have: {variable}"


def _links(override: dict[str, Any]) -> list[dict[str, Any]]:
    return [link for found in override["properties"] if found["id"] == "links" for link in found["value"]]


def _statement(place: str, statement: str, variables: set[str]) -> Iterator[str]:
    for what, pattern in _NOT_SHARED.items():
        if re.search(pattern, statement.replace(WHOLE_DAYS, ""), re.IGNORECASE if what.isupper() else 0):
            yield f"{place}: not in all of InfluxDB 1.6, 2.x and 3.x: {what}"
    rest = statement
    for macro in MACROS:
        rest = rest.replace(macro, "")
    for found in re.findall(r"\$(?:\{(\w+)[^}]*\}|(\w+))", rest):
        variable = found[0] or found[1]
        if variable not in variables:
            yield f"{place}: nobody fills in ${variable}"
        elif not re.search(rf"=~ /\^\${variable}\$/", rest):
            yield f'{place}: write "tag" =~ /^${variable}$/, which holds for one, several and all'


def _overlaps(name: str, panels: list[dict[str, Any]]) -> Iterator[str]:
    taken: dict[tuple[int, int], int] = {}
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > COLUMNS:
            yield f"{name}: panel {panel['id']} is wider than the page"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel["id"])
                if other != panel["id"]:
                    yield f"{name}: panels {other} and {panel['id']} overlap"
                    return


def rule_faults(rules: list[dict[str, Any]], panels: dict[str, set[int]]) -> Iterator[str]:
    """Faults of provisioned alert rules; `panels` are the ids of each dashboard's panels by the dashboard's uid."""
    for key in ("uid", "title"):
        for value, times in Counter(rule[key] for rule in rules).items():
            if times > 1:
                yield f"{key} {value!r} is used by {times} rules"
    for rule in rules:
        place = f"rule {rule['title']!r}"
        if not UID.fullmatch(rule["uid"]):
            yield f"{place}: the uid must be 1 to 40 of letters, digits, _ and -"
        if rule["panelId"] not in panels.get(rule["dashboardUid"], set()):
            yield f"{place} points to a panel that is not there"
        yield from _rule_words(place, rule)
        for step in rule["data"]:
            yield from _rule_question(place, step["model"].get("query"))
            yield from _rule_labels(place, rule["labels"], step["model"].get("query", ""))


def _rule_labels(place: str, labels: dict[str, str], statement: str) -> Iterator[str]:
    """A rule's labels hide the same labels of its series: series that differ only in those would be one alert."""
    _, _, grouped = statement.rpartition("GROUP BY")
    for tag in re.findall(r'"(\w+)"', grouped):
        if tag in labels.keys() - {"park", "tenant"}:  # which say the same
            yield f"{place} groups by {tag!r}, which its own label {tag!r} hides"


def _rule_words(place: str, rule: dict[str, Any]) -> Iterator[str]:
    if rule["labels"].get("severity") not in {"critical", "warning", "info"}:
        yield f"{place} has no severity"
    for key in ("summary", "summary_vi", "first", "first_vi"):
        if not rule["annotations"].get(key):
            yield f"{place} has no {key}"
    for text in (rule["title"], *rule["annotations"].values(), *rule["labels"].values()):
        if "$" in text:
            yield f"{place}: a $ in a text is taken for a variable of the environment"


def _rule_question(place: str, statement: str | None) -> Iterator[str]:
    if statement is not None:
        yield from _statement(place, statement, set())
        if "$timeFilter" not in statement:
            yield f"{place} ignores its range of time"
