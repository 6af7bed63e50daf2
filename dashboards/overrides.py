"""Settings of single columns and series for Grafana: overrides, thresholds, links behind values."""

from collections.abc import Iterator, Mapping
from typing import Any

from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.panels import Column, PageLink, Panel, PanelKind, ThresholdStep, Words
from metering.model import Localized
from metering.words import Language


def uid(name: str, language: Language) -> str:
    """Identifier of a page in Grafana."""
    return f"ecopark-{name}" if language is Language.EN else f"ecopark-{name}-{language.value}"


def overrides(panel: Panel, language: Language) -> Iterator[grafana.DashboardFieldConfigSourceOverrides]:
    """Overrides of each named column; those of a table by title."""
    in_table = panel.kind is PanelKind.TABLE
    if in_table:
        yield _HYPHEN_IN_CELLS
    for column in panel.columns:
        properties = [
            grafana.DynamicConfigValue(id_val=name, value=value)
            for name, value in {
                **_numbers(column, language),
                **_looks(column, language, in_table=in_table),
            }.items()
            if value is not None
        ]
        if properties:
            name = (worded(column.title, language) or column.name) if in_table else column.name
            matcher = grafana.MatcherConfig(id_val="byName", options=name)
            yield grafana.DashboardFieldConfigSourceOverrides(matcher=matcher, properties=properties)


_HYPHEN_IN_CELLS = grafana.DashboardFieldConfigSourceOverrides(
    matcher=grafana.MatcherConfig(id_val="byRegexp", options="/.*/"),
    properties=[grafana.DynamicConfigValue(id_val="noValue", value="-")],
)
"""The words for nothing are those of an empty panel: in each cell of a table they would be too wide."""

Properties = Mapping[str, Any]
"""By name; one without a value is left out."""

_DASHED: Properties = {
    "custom.lineStyle": {"fill": "dash", "dash": [8, 6]},
    "custom.lineWidth": 2,
    "custom.stacking": {"mode": "none", "group": "B"},
    "custom.drawStyle": "line",
    "custom.fillOpacity": 0,
}
_IN_CELL: Properties = {
    "custom.cellOptions": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
    "fieldMinMax": True,
    "min": 0,
}


def _numbers(column: Column, language: Language) -> Properties:
    shown = {key: grafana.ValueMappingResult(text=language.say(words)) for key, words in column.mapped.items()}
    return {
        "unit": worded(column.unit, language),
        "decimals": column.decimals,
        "min": column.low,
        "max": column.high,
        "mappings": [grafana.ValueMap(options=shown), *_of_nothing(shown)] if shown else None,
    }


def _of_nothing(shown: dict[str, grafana.ValueMappingResult]) -> Iterator[grafana.SpecialValueMap]:
    """A missing tag comes as an empty text where it was grouped by, and as null where it was selected."""
    if "" in shown:
        match = grafana.DashboardSpecialValueMapOptions(grafana.SpecialValueMatch.NULL, shown[""])
        yield grafana.SpecialValueMap(options=match)


def _looks(column: Column, language: Language, *, in_table: bool) -> Properties:
    coloured: dict[str, Any] = {}
    if column.steps:
        coloured = {"thresholds": thresholds(column.steps), "color": {"mode": "thresholds"}}
        if in_table:
            coloured["custom.cellOptions"] = {"type": "color-text"}
    elif column.colour is not None:
        coloured = {"color": {"mode": "fixed", "fixedColor": column.colour}}
    return {
        "displayName": None if in_table else worded(column.title, language),
        **coloured,
        **(_IN_CELL if column.bar else {}),
        "custom.wrapText": True if column.wraps else None,
        "links": [data_link(column.link, language)] if column.link else None,
        "custom.width": column.width or (180 if column.bar else None),
        **(_DASHED if column.dashed else {}),
    }


def thresholds(steps: tuple[ThresholdStep, ...]) -> grafana.ThresholdsConfig:
    """Colours by value."""
    return grafana.ThresholdsConfig(
        mode=grafana.ThresholdsMode.ABSOLUTE,
        steps=[grafana.Threshold(value=step.at, color=step.colour) for step in steps],
    )


def data_link(link: PageLink, language: Language) -> dict[str, object]:
    """A link behind a value."""
    name, _, query = link.page.partition("?")
    return {"title": language.say(link.title), "url": f"/d/{uid(name, language)}?{query}", "targetBlank": False}


def worded(words: Words | None, language: Language) -> str | None:
    """A text in one language; one without languages is unchanged."""
    return language.say(words) if isinstance(words, Localized) else words
