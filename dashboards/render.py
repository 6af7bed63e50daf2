"""Turns a page into a dashboard of Grafana in one language: the only place that knows Grafana's options."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards import heatmap
from dashboards.influxql import Marks
from dashboards.options import options
from dashboards.overrides import data_link, overrides, thresholds, uid, worded
from dashboards.panels import POINTS, SECONDS, Draw, Page, Panel, PanelKind, ThresholdStep, Variable, own_unit
from dashboards.words import ALL, NOTHING
from metering.words import NEUTRAL, Language, text

SOURCE = common.DataSourceRef(type_val="influxdb", uid="ecopark")
"""The same uid in every organization, so one JSON serves all of them."""

WIDTH = 24
_EVENTS = text("Events", "Sự kiện")
_PAGES = text("Pages", "Các trang")
_OTHER = {Language.EN: "Tiếng Việt", Language.VI: "English"}


def _in_language(panel: Panel, language: Language) -> Panel:
    """The panel with `{language}` in the names of its columns filled in."""
    named = (replace(column, name=column.name.replace("{language}", language.value)) for column in panel.columns)
    return replace(panel, columns=tuple(named))


def dashboard(page: Page, language: Language, timezone: str) -> grafana.Dashboard:
    """The page as Grafana's classic dashboard."""
    return grafana.Dashboard(
        uid=uid(page.name, language),
        title=language.say(page.title),
        description=language.say(page.question),
        tags=[page.tag, f"{page.tag}-{language.value}"],
        timezone=timezone,
        editable=False,
        graph_tooltip=grafana.DashboardCursorSync.CROSSHAIR,
        time=grafana.DashboardDashboardTime(from_val=page.start, to="now"),
        timepicker=grafana.TimePickerConfig(refresh_intervals=["30s", "1m", "5m", "15m"]),
        week_start="monday",
        refresh="1m",
        panels=list(_placed(page, language, timezone)),
        templating=grafana.DashboardDashboardTemplating(
            list_val=[_variable(variable, language) for variable in page.variables]
        ),
        annotations=grafana.AnnotationContainer(list_val=list(_annotations(page, language))),
        links=list(_links(page, language)),
    )


def _placed(page: Page, language: Language, timezone: str) -> Iterator[grafana.Panel | grafana.RowPanel]:
    top = 0
    for number, row in enumerate(page.rows):
        if row.title is not None:
            place = grafana.GridPos(h=1, w=WIDTH, x=0, y=top)
            yield grafana.RowPanel(title=language.say(row.title), grid_pos=place, id_val=900 + number, panels=[])
            top += 1
        left, tallest = 0, 0
        for panel in row.panels:
            if left + panel.width > WIDTH:
                left, top, tallest = 0, top + tallest, 0
            place = grafana.GridPos(h=panel.height, w=panel.width, x=left, y=top)
            yield _panel(_in_language(panel, language), place, language, timezone)
            left, tallest = left + panel.width, max(tallest, panel.height)
        top += tallest


def _panel(panel: Panel, place: grafana.GridPos, language: Language, timezone: str) -> grafana.Panel:
    targets: list[Dataquery] = list(panel.targets)
    hours = panel.kind is PanelKind.HOURS
    transformations = heatmap.transformations(timezone, language) if hours else _transformations(panel, language)
    particular = heatmap.overrides(language) if hours else overrides(panel, language)
    return grafana.Panel(
        type_val=PanelKind.TABLE.value if hours else panel.kind.value,
        id_val=panel.id,
        targets=targets,
        title=language.say(panel.title),
        description=language.say(panel.about),
        datasource=SOURCE,
        grid_pos=place,
        interval=panel.step,
        max_data_points=POINTS,
        time_from=panel.window,
        time_shift=panel.shift,
        hide_time_override=True if panel.shift or panel.newest or _told_by_title(panel) else None,
        transformations=list(transformations),
        options=options(panel, language),
        field_config=grafana.FieldConfigSource(_defaults(panel, language), list(particular)),
    )


def _told_by_title(panel: Panel) -> bool:
    return panel.kind is PanelKind.STAT and panel.window is not None


def _defaults(panel: Panel, language: Language) -> grafana.FieldConfig:
    colour: grafana.FieldColor
    if panel.kind is PanelKind.HOURS:
        colour = grafana.FieldColor(mode=grafana.FieldColorModeId.CONTINUOUS_BL_YL_RD)
    elif panel.steps and not panel.lines:
        colour = grafana.FieldColor(mode=grafana.FieldColorModeId.THRESHOLDS)
    elif panel.colour is not None:
        colour = grafana.FieldColor(mode=grafana.FieldColorModeId.FIXED, fixed_color=panel.colour)
    else:
        colour = grafana.FieldColor(mode=grafana.FieldColorModeId.PALETTE_CLASSIC)
    return grafana.FieldConfig(
        # without it a bar is named by all texts of its row, including the id behind its link
        display_name=f"${{__data.fields.{panel.columns[0].name}}}" if panel.by_row else None,
        unit=worded(panel.unit, language),
        decimals=panel.decimals,
        min_val=panel.low,
        max_val=panel.high,
        thresholds=thresholds(panel.steps or (ThresholdStep(None, panel.colour or NEUTRAL),)),
        color=colour,
        links=_links_of(panel, language),
        no_value=language.say(panel.nothing or NOTHING),
        custom=_custom(panel, language),
    )


def _links_of(panel: Panel, language: Language) -> Any:
    """Links of a field; Grafana's have fewer keys than the published type, which is that of a dashboard's links."""
    return [data_link(panel.link, language)] if panel.link else None


def _custom(panel: Panel, language: Language) -> object | None:
    if panel.kind is PanelKind.HOURS:
        return {"align": "center", "cellOptions": {"type": "color-background", "mode": "basic"}, "minWidth": 40}
    if panel.kind is PanelKind.TABLE:
        return {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "wrapHeaderText": True}
    if panel.kind is not PanelKind.TREND:
        return None
    stacked = panel.draw in {Draw.AREA, Draw.BARS}
    bars = panel.draw is Draw.BARS
    interpolation = common.LineInterpolation.STEP_AFTER if panel.draw is Draw.STEP else common.LineInterpolation.LINEAR
    return common.GraphFieldConfig(
        draw_style=common.GraphDrawStyle.BARS if bars else common.GraphDrawStyle.LINE,
        line_width=1 if stacked else 2,
        line_interpolation=interpolation,
        fill_opacity=75 if bars else 45 if stacked else 0,
        show_points=common.VisibilityMode.NEVER if stacked else common.VisibilityMode.AUTO,
        point_size=7 if panel.draw is Draw.STEP else None,  # a day between gaps has nothing but its point
        span_nulls=False,
        stacking=common.StackingConfig(
            mode=common.StackingMode.NORMAL if stacked else common.StackingMode.NONE, group="A"
        ),
        thresholds_style=common.GraphThresholdsStyleConfig(
            mode=common.GraphThresholdsStyleMode.DASHED if panel.lines else common.GraphThresholdsStyleMode.OFF
        ),
        bar_width_factor=0.8 if bars else None,
        axis_width=_axis_width(panel, language),
        axis_soft_min=_soft(panel, min),
        axis_soft_max=_soft(panel, max),
    )


def _axis_width(panel: Panel, language: Language) -> float:
    """Room for a number of six digits and its unit: Grafana ignores the width of our own units."""
    units = [worded(unit, language) or "" for unit in (panel.unit, *(column.unit for column in panel.columns))]
    longest = max((len(own_unit(unit)) for unit in units), default=0) or 3
    if panel.unit == SECONDS:
        longest = len(" weeks")
    return 60 + 7 * longest + (20 if panel.decimals else 0)


def _soft(panel: Panel, end: Callable[[list[float]], float]) -> float | None:
    """Where an axis ends unless the data go further: bars begin at zero, and lines of limits are visible."""
    if panel.zero:
        return 0
    limits = [step.at for step in panel.steps if step.at is not None] if panel.lines else []
    if not limits:
        return 0 if end is min and (panel.draw is Draw.BARS or panel.low == 0) else None
    outermost = end(limits)
    if end is min and len(limits) == 1:
        return None if panel.low is None else 0
    return outermost * (1.1 if end is max else 0.9)


def _transformations(panel: Panel, language: Language) -> Iterator[grafana.DataTransformerConfig]:
    if panel.by_row and panel.sort is not None:
        # Not by top() in InfluxQL, which goes over a thousand meters again for each of them.
        order = {"field": panel.sort.column, "desc": panel.sort.descending}
        yield grafana.DataTransformerConfig(id_val="sortBy", options={"fields": {}, "sort": [order]})
    if panel.kind is PanelKind.BARS and not panel.by_row and panel.columns:
        # Series come in the order of their tags; people know the tenants in that of the park file.
        order = {column.name: place for place, column in enumerate(panel.columns)}
        yield grafana.DataTransformerConfig(id_val="joinByField", options={"byField": "Time", "mode": "outer"})
        yield grafana.DataTransformerConfig(
            id_val="organize", options={"excludeByName": {}, "indexByName": order, "renameByName": {}}
        )
    if panel.most is not None:
        yield grafana.DataTransformerConfig(id_val="limit", options={"limitField": panel.most})
    if panel.kind is not PanelKind.TABLE:
        return
    if len(panel.targets) > 1:
        yield grafana.DataTransformerConfig(id_val="merge", options={})
    names = [column.name for column in panel.columns]
    yield grafana.DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": names}})
    yield grafana.DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": {},
            "indexByName": {name: place for place, name in enumerate(names)},
            "renameByName": {c.name: worded(c.title, language) for c in panel.columns if c.title is not None},
        },
    )


def _variable(variable: Variable, language: Language) -> grafana.VariableModel:
    label = language.say(variable.label)
    if variable.choices:
        shown = [(key, language.say(words)) for key, words in variable.choices.items()]
        options = [
            grafana.VariableOption(selected=place == 0, text=words, value=key)
            for place, (key, words) in enumerate(shown)
        ]
        query = ", ".join(f"{words} : {key}" for key, words in shown)
        return grafana.VariableModel(
            type_val=grafana.VariableType.CUSTOM,
            name=variable.name,
            label=label,
            query=query,
            options=options,
            current=options[0],
            allow_custom_value=False,
        )
    everything = grafana.VariableOption(selected=True, text=[language.say(ALL)], value=["$__all"])
    first = grafana.VariableOption(selected=True, text=variable.start, value=variable.start)
    return grafana.VariableModel(
        type_val=grafana.VariableType.QUERY,
        name=variable.name,
        label=label,
        query={"query": variable.query, "refId": variable.name},
        definition=variable.query,
        datasource=SOURCE,
        multi=variable.many,
        include_all=variable.many,
        all_value=".*" if variable.many else None,
        current=everything if variable.many else first if variable.start else None,
        allow_custom_value=False,
        refresh=grafana.VariableRefresh.ON_DASHBOARD_LOAD,
        sort=grafana.VariableSort.ALPHABETICAL_ASC,
    )


def _annotations(page: Page, language: Language) -> Iterator[grafana.AnnotationQuery]:
    if page.marks is not None:
        column = f"text_{language.value}"
        yield grafana.AnnotationQuery(
            name=language.say(_EVENTS),
            datasource=SOURCE,
            enable=True,
            icon_color=NEUTRAL,
            target=Marks(page.marks.replace("{text}", column), text=column, tags="kind,meter"),
        )


def _links(page: Page, language: Language) -> Iterator[grafana.DashboardLink]:
    yield grafana.DashboardLink(
        title=language.say(_PAGES),
        type_val=grafana.DashboardLinkType.DASHBOARDS,
        icon="external link",
        tags=[f"{page.tag}-{language.value}"],
        as_dropdown=True,
        include_vars=True,
        keep_time=True,
    )
    other = Language.VI if language is Language.EN else Language.EN
    yield grafana.DashboardLink(
        title=_OTHER[language],
        type_val=grafana.DashboardLinkType.LINK,
        icon="bolt",
        url=f"/d/{uid(page.name, other)}",
        include_vars=True,
        keep_time=True,
    )
