"""Grafana's options for each kind of panel: legends, tooltips, which number of a series counts."""

from grafana_foundation_sdk.models import bargauge, common, stat, table, timeseries

from dashboards.overrides import worded
from dashboards.panels import Panel, PanelKind
from metering.words import Language

OPEN_ALERTS = {
    "viewMode": "list",
    "groupMode": "default",
    "groupBy": [],
    "maxItems": 20,
    "sortOrder": 3,
    "dashboardAlerts": False,
    "alertName": "",
    "alertInstanceLabelFilter": "",
    "stateFilter": {"firing": True, "pending": True, "error": True, "noData": False, "normal": False},
}
"""Most important first; normal states are not listed."""

MOST_ROWS = 500
"""Bars of one panel; without this Grafana silently leaves out all after the 25th."""
SIDE_BY_SIDE = 2
"""The most numbers of a tile that are side by side; more are one below the other, each on a line with its name."""
_VALUE_SIZES = {1: 26, 2: 18}


def options(panel: Panel, language: Language) -> object:
    """The options of a panel."""
    reduce = common.ReduceDataOptions(
        values=panel.by_row, limit=MOST_ROWS if panel.by_row else None, calcs=[panel.calc], fields=""
    )
    match panel.kind:
        case PanelKind.STAT:
            graph = common.BigValueGraphMode.AREA if panel.sparkline else common.BigValueGraphMode.NONE
            numbers = len({target.alias for target in panel.targets})
            listed = numbers > SIDE_BY_SIDE
            return stat.Options(
                graph_mode=graph,
                text_mode=common.BigValueTextMode.VALUE_AND_NAME if numbers > 1 else common.BigValueTextMode.AUTO,
                orientation=common.VizOrientation.HORIZONTAL if listed else common.VizOrientation.AUTO,
                color_mode=common.BigValueColorMode.VALUE,
                reduce_options=reduce,
                wide_layout=listed,
                text=common.VizTextDisplayOptions(title_size=13, value_size=_VALUE_SIZES.get(numbers, 15)),
            )
        case PanelKind.BARS:
            return bargauge.Options(
                display_mode=common.BarGaugeDisplayMode.BASIC,
                orientation=common.VizOrientation.HORIZONTAL,
                reduce_options=reduce,
                name_placement=common.BarGaugeNamePlacement.TOP,
                value_mode=common.BarGaugeValueMode.TEXT,
                min_viz_height=30,
                max_viz_height=40,
                sizing=common.BarGaugeSizing.MANUAL,
                text=common.VizTextDisplayOptions(title_size=12, value_size=13),
            )
        case PanelKind.TREND:
            return timeseries.Options(
                legend=common.VizLegendOptions(
                    display_mode=common.LegendDisplayMode.LIST,
                    placement=common.LegendPlacement.BOTTOM,
                    show_legend=True,
                ),
                tooltip=common.VizTooltipOptions(
                    mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING
                ),
            )
        case PanelKind.HOURS:
            return table.Options(cell_height=common.TableCellHeight.SM)
        case PanelKind.ALERTS:
            return OPEN_ALERTS
        case PanelKind.TABLE:
            titles = {column.name: worded(column.title, language) or column.name for column in panel.columns}
            order = [panel.sort] if panel.sort else []
            return table.Options(
                cell_height=common.TableCellHeight.SM,
                sort_by=[
                    common.TableSortByFieldState(display_name=titles[each.column], desc=each.descending)
                    for each in order
                ],
            )
