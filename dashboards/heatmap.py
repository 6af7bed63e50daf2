"""Hour by weekday as a table of coloured cells, by Grafana's transformations.

InfluxQL cannot group by hour of the day, and Grafana's own heat map has time on one axis; so hours are queried one by
one, and transformations take weekday and hour from each instant and average per cell.
"""

from collections.abc import Iterator
from typing import Any

from babel.dates import get_day_names
from grafana_foundation_sdk.models import dashboard as grafana

from metering.words import Language, text

VALUE = "power"
"""The column that is averaged."""

_WEEKDAY = text("Weekday", "Thứ")


def transformations(timezone: str, language: Language) -> Iterator[grafana.DataTransformerConfig]:
    """From hours to a matrix: a row per weekday, Monday first, a column per hour of the park's time."""
    yield _transformation(
        "calculateField",
        {
            "mode": "binary",
            "alias": "hour",
            "binary": {
                "left": {"matcher": {"id": "byName", "options": "Time"}},
                "operator": "+",
                "right": {"fixed": "0"},
            },
        },
    )
    yield _transformation("convertFieldType", {"conversions": [{"targetField": "hour", "destinationType": "time"}]})
    for field, shape in (("Time", "E"), ("hour", "HH")):
        yield _transformation(
            "formatTime",
            {"timeField": field, "outputFormat": shape, "timezone": timezone, "useTimezone": False},
        )
    grouped = {field: {"operation": "groupby", "aggregations": []} for field in ("Time", "hour")}
    yield _transformation(
        "groupBy", {"fields": {**grouped, VALUE: {"operation": "aggregate", "aggregations": ["mean"]}}}
    )
    for field in ("Time", "hour"):
        yield _transformation("sortBy", {"fields": {}, "sort": [{"field": field, "desc": False}]})
    yield _transformation(
        "groupingToMatrix", {"rowField": "Time", "columnField": "hour", "valueField": f"{VALUE} (mean)"}
    )
    yield _transformation(
        "organize", {"excludeByName": {}, "indexByName": {}, "renameByName": {r"Time\hour": language.say(_WEEKDAY)}}
    )


def _transformation(name: str, options: dict[str, Any]) -> grafana.DataTransformerConfig:
    return grafana.DataTransformerConfig(id_val=name, options=options)


def overrides(language: Language) -> Iterator[grafana.DashboardFieldConfigSourceOverrides]:
    """Names of the weekdays, which come as 1 to 7, in a column without colour; an hour without data has none either."""
    blank = grafana.DashboardSpecialValueMapOptions(
        grafana.SpecialValueMatch.EMPTY, grafana.ValueMappingResult(text=" ", color="transparent")
    )
    yield grafana.DashboardFieldConfigSourceOverrides(
        matcher=grafana.MatcherConfig(id_val="byRegexp", options="/.*/"),
        properties=[grafana.DynamicConfigValue(id_val="mappings", value=[grafana.SpecialValueMap(options=blank)])],
    )
    days = get_day_names("wide", locale=language.locale)
    shown = {str(day + 1): grafana.ValueMappingResult(text=name) for day, name in days.items()}
    properties = (
        ("mappings", [grafana.ValueMap(options=shown)]),
        ("custom.cellOptions", {"type": "auto"}),
        ("custom.width", 110),
        ("unit", "string"),
    )
    yield grafana.DashboardFieldConfigSourceOverrides(
        matcher=grafana.MatcherConfig(id_val="byName", options=language.say(_WEEKDAY)),
        properties=[grafana.DynamicConfigValue(id_val=name, value=value) for name, value in properties],
    )
