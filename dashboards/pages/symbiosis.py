"""Industrial symbiosis: who could use what another has left over, how much of it, and what would that save?"""

import re
from datetime import timedelta

from dashboards.influxql import InfluxQL
from dashboards.panels import (
    MONEY,
    SEPARATED,
    SHARE,
    TOE,
    Column,
    Draw,
    Page,
    Panel,
    PanelRow,
    Sort,
    Words,
    grafana_unit,
)
from dashboards.queries import PageScope
from dashboards.setting import Setting
from dashboards.tiles import PARK_CHOICE, freshness, reporting, stat, table, trend
from dashboards.words import NONE
from metering.figures import MATCH_FIGURES, FigureSpec
from metering.model import Localized
from metering.quantities import Utility
from metering.streams import STREAMS
from metering.words import COLOUR, GOOD, text
from store.schema import SYMBIOSIS

_PARK = PageScope(tenant=False)
_MONTHS = _PARK.where("\"period\" = 'month'")
_LEAST = timedelta(days=62)
"""A month is stamped at its start: a shorter range may hold none."""
_NOTHING = text(
    "no streams in the park file, or none that fit", "chưa khai báo dòng dư và nhu cầu, hoặc không ghép được"
)
_KINDS = {kind.value: text(f"{s.label.en} ({s.unit})", f"{s.label.vi} ({s.unit})") for kind, s in STREAMS.items()}


def page(setting: Setting) -> Page:
    """The page of symbiosis."""
    return Page(
        "symbiosis",
        text("Industrial symbiosis", "Cộng sinh công nghiệp"),
        text(
            "Who could use what another has left over, and what would that save?",
            "Doanh nghiệp nào dùng được phần dư của nơi khác, và tiết kiệm được bao nhiêu?",
        ),
        (
            PanelRow((freshness(_PARK), reporting(_PARK, 90), *_saved())),
            PanelRow((_matches(setting),)),
            PanelRow((_savings(setting),)),
            PanelRow((_course(setting, 20, "saved_vnd", MONEY, 1e6), _course(setting, 21, "saved_co2e_kg", _T, 1e3))),
        ),
        (PARK_CHOICE,),
        start="now-1y",
    )


_T = grafana_unit("t CO₂e")


def _saved() -> tuple[Panel, ...]:
    return (
        _sum(3, "saved_vnd", MONEY, 1e6, GOOD),
        _sum(4, "saved_m3", grafana_unit("m³"), 1.0, COLOUR[Utility.WATER]),
        _sum(5, "saved_toe", TOE, 1.0, COLOUR[Utility.STEAM]),
        _sum(6, "saved_co2e_kg", _T, 1e3, GOOD),
    )


def _scaled(name: str, divide: float) -> str:
    return f'sum("{name}")' + (f" / {divide:.0f}" if divide != 1 else "")


def _sum(number: int, name: str, unit: Words, divide: float, colour: str) -> Panel:
    label = MATCH_FIGURES[name].label
    return stat(
        number,
        label,
        text(
            "Of all matches of the months in this period. Pipes, pumps, treatment and the price between the two firms "
            "are not in it.",
            "Tổng mọi liên kết của các tháng trong kỳ xem. Chưa gồm đường ống, bơm, xử lý và giá giữa hai doanh nghiệp.",
        ),
        unit,
        InfluxQL(f'SELECT {_scaled(name, divide)} FROM "{SYMBIOSIS}" {_MONTHS}', alias=name),
        colour=colour,
        least=_LEAST,
        nothing=_NOTHING,
        event_free=True,
    )


def _table(
    setting: Setting, number: int, title: Localized, about: Localized, asked: tuple[str, ...], sort: str
) -> Panel:
    """Rows of matches, in two tables: all columns side by side are wider than a page."""
    names = _names(setting)
    given = (
        Column("giver", text("Surplus of", "Nguồn dư"), mapped=names, width=_NAME_PX),
        Column("taker", text("Demand of", "Nhu cầu"), mapped=names, width=_NAME_PX),
    )
    statement = f'SELECT {", ".join(asked)} FROM "{SYMBIOSIS}" {_MONTHS} GROUP BY "giver", "taker", "kind"'
    found = [name for each in asked for name in re.findall(r'AS "(\w+)"', each)]
    return table(
        number,
        title,
        about,
        "none",
        InfluxQL(statement, form="table"),
        columns=(*given, *(_COLUMNS[name] for name in ("kind", *found))),
        least=_LEAST,
        nothing=NONE,
        event_free=True,
        sort=Sort(sort),
    )


def _matches(setting: Setting) -> Panel:
    return _table(
        setting,
        10,
        text("Proposed matches", "Các liên kết đề xuất"),
        about=text(
            "What the surplus could do for the demand, quarter hour by quarter hour, in the unit of the kind; what one "
            "match takes is gone for the next. `ecopark symbiosis` and the park's report say what is uncertain, and why a "
            "pair has no number.",
            "Lượng nguồn dư đáp ứng được nhu cầu theo từng khoảng 15 phút, theo đơn vị của từng loại; phần đã dùng cho một "
            "liên kết không tính lại cho liên kết khác. `ecopark symbiosis` và báo cáo của khu nêu điều chưa chắc chắn và vì "
            "sao một cặp không có số liệu.",
        ),
        asked=(
            'sum("met") AS "met"',
            'sum("met_by_day") AS "met_by_day"',
            'sum("met") / sum("asked") AS "met_share"',
            'sum("met") / sum("offered") AS "used_share"',
            'last("distance_m") AS "distance_m"',
            'mean("met_completeness") AS "met_completeness"',
        ),
        sort="met_share",
    )


def _savings(setting: Setting) -> Panel:
    return _table(
        setting,
        11,
        text("What they would save", "Mức tiết kiệm của các liên kết"),
        about=text(
            "What the matches above would save in this period; *none* where a match saves nothing of this kind.",
            "Mức tiết kiệm của các liên kết ở bảng trên trong kỳ xem; *không có*: liên kết không tiết kiệm loại này.",
        ),
        asked=(
            f'{_scaled("saved_vnd", 1e6)} AS "saved_vnd"',
            'sum("saved_m3") AS "saved_m3"',
            'sum("saved_toe") AS "saved_toe"',
            f'{_scaled("saved_co2e_kg", 1e3)} AS "saved_co2e_kg"',
        ),
        sort="saved_vnd",
    )


def _label(name: str) -> Localized:
    spec: FigureSpec = MATCH_FIGURES[name]
    return spec.label


_NAME_PX = 290
_COLUMNS = {
    column.name: column
    for column in (
        Column("kind", text("Kind", "Loại"), mapped=_KINDS, width=180),
        Column("met", _label("met"), SEPARATED, decimals=0, width=95),
        Column("met_by_day", _label("met_by_day"), SEPARATED, decimals=0, width=125),
        Column("met_share", _label("met_share"), SHARE, decimals=0, width=95),
        Column("used_share", _label("used_share"), SHARE, decimals=0, width=95),
        Column("distance_m", text("Distance", "Khoảng cách"), grafana_unit("m"), decimals=0, width=85),
        Column("met_completeness", text("Data", "Số liệu"), SHARE, decimals=0, width=70),
        Column("saved_vnd", _label("saved_vnd"), MONEY, decimals=1, width=130),
        Column("saved_m3", _label("saved_m3"), grafana_unit("m³"), decimals=0, width=115),
        Column("saved_toe", _label("saved_toe"), TOE, decimals=1, width=115),
        Column("saved_co2e_kg", _label("saved_co2e_kg"), _T, decimals=1, width=115),
    )
}


def _names(setting: Setting) -> dict[str, Localized]:
    """Streams by what the park file calls them."""
    return {stream.id: stream.name for park in setting.parks for stream in park.streams}


def _course(setting: Setting, number: int, name: str, unit: Words, divide: float) -> Panel:
    statement = (
        f'SELECT {_scaled(name, divide)} FROM "{SYMBIOSIS}" {_MONTHS} '
        f"GROUP BY time(1d), \"giver\" fill(none) tz('{setting.timezone}')"
    )
    return trend(
        number,
        _label(name),
        text("Of each month, stacked by surplus.", "Theo từng tháng, xếp chồng theo nguồn dư."),
        unit,
        InfluxQL(statement, "$tag_giver"),
        columns=tuple(Column(key, words) for key, words in _names(setting).items()),
        draw=Draw.BARS,
        step="1d",
        least=_LEAST,
        nothing=_NOTHING,
        event_free=True,
    )
