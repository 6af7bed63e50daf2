"""Eco-industrial park: the indicators of the framework, by its headings, against the park's own targets."""

from datetime import timedelta

from dashboards.influxql import InfluxQL
from dashboards.panels import (
    CARBON,
    SEPARATED,
    SHARE,
    TOE,
    Column,
    Draw,
    Page,
    Panel,
    PanelRow,
    Sort,
    ThresholdStep,
    Words,
    grafana_unit,
)
from dashboards.queries import PageScope
from dashboards.setting import Setting
from dashboards.tiles import PARK_CHOICE, freshness, reporting, stat, table, trend, with_factor
from dashboards.words import NONE, PLAIN
from metering.dated import value_on
from metering.eip import PARK_INDICATORS
from metering.figures import PARK_FIGURES
from metering.model import Localized
from metering.words import GOOD, SOLAR, WARN, Language, text
from store.schema import PARK_EFFICIENCY, PARK_INDICATOR

_PARK = PageScope(tenant=False)
_LEAST = timedelta(days=62)
_SHOWN = (
    ("toe", "energy_toe", TOE, 1.0),
    ("solar_share", "solar_pct", SHARE, 1.0),
    ("reused_m3", None, grafana_unit("m³"), 1.0),
    ("reuse_share", "reuse_pct", SHARE, 1.0),
    ("co2e_kg", "co2e_t", CARBON, 1e3),
)
"""Figure, the indicator that has its target, unit, and divisor."""
_WIDTHS = (8, 8, 8, 12, 12)
_PERCENT = 100.0
_LABELS = {
    code: text(f"{each.label.en} ({each.unit})", f"{each.label.vi} ({each.unit})")
    for code, each in PARK_INDICATORS.items()
}
_NOTHING = text("not metered, or not computed yet", "không đo, hoặc chưa tính")


def page(setting: Setting) -> Page:
    """The page of the indicators."""
    return Page(
        "eip",
        text("Eco-industrial park indicators", "Chỉ tiêu khu công nghiệp sinh thái"),
        text(
            "How does the park do in energy, water and emissions, and against its own targets?",
            "Khu đang ở mức nào về năng lượng, nước, phát thải và so với mục tiêu của mình?",
        ),
        (
            PanelRow((freshness(_PARK, width=4), reporting(_PARK, width=4))),
            PanelRow(
                tuple(_of_year(setting, number, *shown) for number, shown in enumerate(_SHOWN, 10)),
                text("This year so far", "Từ đầu năm đến nay"),
            ),
            PanelRow((_every_indicator(),)),
            PanelRow(
                tuple(_by_month(setting, number, *shown) for number, shown in enumerate(_SHOWN, 20)),
                text("By month", "Theo tháng"),
            ),
        ),
        (PARK_CHOICE,),
        start="now-1y",
    )


def _target(setting: Setting, code: str | None) -> float | None:
    """The target in force, where it is the same for all parks."""
    found = {value_on(park.targets.get(code or "", ()), setting.day) for park in setting.parks}
    return found.pop() if len(found) == 1 else None


def _steps(setting: Setting, code: str | None) -> tuple[ThresholdStep, ...]:
    target = _target(setting, code)
    if code is None or target is None:
        return ()
    at = target / _PERCENT if PARK_INDICATORS[code].unit == "%" else target
    below, above = (WARN, GOOD) if PARK_INDICATORS[code].better > 0 else (GOOD, WARN)
    return ThresholdStep(None, below), ThresholdStep(at, above)


def _about(setting: Setting, code: str | None, unit: Words) -> Localized:
    target = _target(setting, code)
    if code is None or target is None:
        about = text("The park has set no target.", "Khu chưa đặt mục tiêu.")
    else:
        of_target = PARK_INDICATORS[code].unit
        about = text(f"Target: {target:g} {of_target}.", f"Mục tiêu: {Language.VI.exact(target)} {of_target}.")
    return with_factor(about, setting) if unit == CARBON else about


def _of_year(setting: Setting, number: int, name: str, code: str | None, unit: Words, divide: float) -> Panel:
    about = _about(setting, code, unit)
    return stat(
        number,
        PARK_FIGURES[name].label,
        text(
            f"Computed from the park's meters since 1 January. {about.en}",
            f"Tính từ đồng hồ của khu từ ngày 1 tháng 1. {about.vi}",
        ),
        unit,
        InfluxQL(_asked(name, divide, "year"), alias=name),
        steps=_steps(setting, code),
        colour=PLAIN,
        window="366d",
        width=_WIDTHS[number % 10],
        nothing=_NOTHING,
        event_free=True,
    )


def _every_indicator() -> Panel:
    """All headings, those without a value too, with where each value comes from."""
    names = ("place", "value", "target", *(f"{name}_{each}" for name in ("status", "verdict") for each in Language))
    asked = ", ".join(f'last("{name}") AS "{name}"' for name in names)
    return table(
        30,
        text("All indicators of this year", "Mọi chỉ tiêu trong năm"),
        text(
            "By the headings of the international framework. Measured: by meters at the park's edge. Computed: from what is "
            "measured. Entered: in the park file, as no meter knows it. Missing: no value, with the reason.",
            "Theo các đề mục của khung quốc tế. Đo được: từ đồng hồ ở ranh giới khu. Tính toán: từ số liệu đo. Do đơn vị "
            "khai: ghi trong hồ sơ khu vì không có đồng hồ đo. Chưa có: không có giá trị, kèm lý do.",
        ),
        "none",
        InfluxQL(
            f'SELECT {asked} FROM "{PARK_INDICATOR}" {_PARK.where()} GROUP BY "indicator"',
            form="table",
        ),
        columns=(
            Column("place", text("No.", "STT"), "none", decimals=0, width=70),
            Column("indicator", text("Indicator", "Chỉ tiêu"), mapped=_LABELS, width=430),
            Column("value", text("Value", "Giá trị"), SEPARATED, decimals=1, width=140),
            Column("status_{language}", text("Where it comes from", "Nguồn số liệu"), wraps=True),
            Column("target", text("Target", "Mục tiêu"), SEPARATED, decimals=1, width=120),
            Column("verdict_{language}", text("Against the target", "So với mục tiêu"), width=170),
        ),
        window="366d",
        nothing=NONE,
        sort=Sort("place", descending=False),
        height=16,
        event_free=True,
    )


def _by_month(setting: Setting, number: int, name: str, code: str | None, unit: Words, divide: float) -> Panel:
    about = _about(setting, code, unit)
    steps = _steps(setting, code) if unit == SHARE else ()  # a year's amount is no line for a month
    return trend(
        number,
        PARK_FIGURES[name].label,
        text(f"Of each month. {about.en}", f"Theo từng tháng. {about.vi}"),
        unit,
        InfluxQL(f"{_asked(name, divide, 'month')} GROUP BY time(1d) fill(none) tz('{setting.timezone}')", alias=name),
        steps=steps,
        lines=bool(steps),
        colour=SOLAR if name == "solar_share" else GOOD,
        columns=(Column(name, PARK_FIGURES[name].label),),
        width=12 if number % 10 < len(_SHOWN) - 1 else 24,
        draw=Draw.BARS,
        step="1d",
        least=_LEAST,
        nothing=_NOTHING,
        event_free=True,
    )


def _asked(name: str, divide: float, period: str) -> str:
    scaled = f" / {divide:.0f}" if divide != 1 else ""
    return f'SELECT last("{name}"){scaled} FROM "{PARK_EFFICIENCY}" ' + _PARK.where(f"\"period\" = '{period}'")
