"""Resource efficiency: which tenants make the most of what they use, and who is improving?"""

from collections.abc import Iterator

from dashboards.influxql import InfluxQL
from dashboards.panels import (
    ENERGY,
    SHARE,
    Column,
    Draw,
    Page,
    Panel,
    PanelRow,
    Sort,
    ThresholdStep,
    Variable,
    Words,
    grafana_unit,
)
from dashboards.queries import PageScope, figure, newest
from dashboards.setting import Setting
from dashboards.tiles import (
    AGAINST_BASELINE,
    CHOICES,
    COMPLETE,
    NO_BASELINE,
    SERIES_TENANT,
    TENANT_COLUMN,
    freshness,
    marks,
    ranking,
    reporting,
    stat,
    table,
    trend,
    with_factor,
)
from metering.figures import FIGURES, Period, called
from metering.model import Localized
from metering.words import BAD, GOOD, NEUTRAL, text

PERIOD = Variable(
    "period", text("Per", "Theo"), choices={Period.MONTH: text("Month", "Tháng"), Period.DAY: text("Day", "Ngày")}
)
NEWEST = "62d"
"""Contains the newest month, whatever the range of the page."""

_HOW = text(
    "For the newest month or day, one sum divided by another: a tenant without output has no value, never zero. Units of "
    "output differ: compare a tenant with itself, or with others of its own sector.",
    "Kỳ mới nhất: tổng chia tổng, không có sản lượng thì không có giá trị chứ không phải bằng không. Đơn vị sản phẩm mỗi "
    "doanh nghiệp một khác: chỉ so với chính mình hoặc với doanh nghiệp cùng ngành.",
)

_EMITTED = text(
    "For the newest month or day. Units of output differ: compare a tenant with itself, or with others of its own sector.",
    "Kỳ mới nhất. Đơn vị sản phẩm mỗi doanh nghiệp một khác: chỉ so với chính mình hoặc với doanh nghiệp cùng ngành.",
)

_RANKED = text(f"The best on top. {_HOW.en}", f"Tốt nhất ở trên cùng. {_HOW.vi}")


def unit_of(name: str) -> Words:
    """Grafana's unit of a figure."""
    return grafana_unit(FIGURES[name].unit)


def page(setting: Setting) -> Page:
    """The ranking."""
    scope = PageScope(period="$period")
    return Page(
        "ranking",
        text("Resource efficiency ranking", "Xếp hạng hiệu quả tài nguyên"),
        text(
            "Which tenants make the most of what they use, and who is improving?",
            "Doanh nghiệp nào sử dụng tài nguyên hiệu quả nhất, và ai đang cải thiện?",
        ),
        (
            PanelRow((freshness(PageScope(), width=8), reporting(PageScope(), 90, width=8), _completeness(scope))),
            PanelRow(
                (
                    _bars(scope, 3, "enpi", SHARE, steps=AGAINST_BASELINE, decimals=1),
                    _bars(scope, 4, "electricity_per_m2", "suffix:kWh/m²"),
                    _bars(scope, 5, "electricity_per_employee", text("suffix:kWh/person", "suffix:kWh/người")),
                )
            ),
            PanelRow(
                (
                    _bars(scope, 6, "electricity_per_output", unit_of("electricity_per_output")),
                    _bars(scope, 7, "water_per_output", unit_of("water_per_output")),
                    _bars(
                        scope, 8, "co2e_per_output", unit_of("co2e_per_output"), about=with_factor(_EMITTED, setting)
                    ),
                )
            ),
            PanelRow((_trend(scope), _savings(PageScope()))),
            *(PanelRow((each,)) for each in _tables(scope, setting)),
        ),
        (*CHOICES, PERIOD),
        start="now-13M",
        marks=marks(PageScope(tenant=False)),
    )


def _completeness(scope: PageScope) -> Panel:
    each = newest(scope, "completeness").query
    return stat(
        2,
        text("Completeness, lowest", "Mức độ đầy đủ thấp nhất"),
        text(
            "The lowest completeness of any tenant; the table shows the others. Under 95 % a tenant's figures on this page are "
            "indicative.",
            "Mức độ đầy đủ của doanh nghiệp thiếu số liệu nhiều nhất; các doanh nghiệp khác xem trong bảng. Dưới 95% thì chỉ tiêu "
            "của doanh nghiệp trên trang này chỉ để tham khảo.",
        ),
        SHARE,
        InfluxQL(f'SELECT min("completeness") FROM ({each})', alias="completeness"),
        window=NEWEST,
        decimals=1,
        steps=COMPLETE,
        width=8,
    )


def _bars(
    scope: PageScope,
    number: int,
    name: str,
    unit: Words,
    *,
    about: Localized = _RANKED,
    steps: tuple[ThresholdStep, ...] = (),
    decimals: int | None = None,
) -> Panel:
    return ranking(
        number,
        called(name),
        about,
        unit=unit,
        question=newest(scope, name),
        name=name,
        sort=Sort(name, descending=FIGURES[name].better > 0),
        window=NEWEST,
        newest=True,
        steps=steps,
        decimals=decimals,
        nothing=NO_BASELINE if name == "enpi" else None,
        colour=None if steps else NEUTRAL,
    )


def _trend(scope: PageScope) -> Panel:
    return trend(
        9,
        text("EnPI over time", "EnPI theo thời gian"),
        text(
            "Actual use over the use that the tenant's own baseline expects for its output: under 100 % is better than "
            "before. Comparable between all tenants.",
            "Tiêu thụ thực tế chia cho mức theo đường cơ sở của chính doanh nghiệp: dưới 100% là tốt hơn trước. So sánh được "
            "giữa mọi doanh nghiệp.",
        ),
        SHARE,
        figure(scope, "enpi"),
        window="13M",
        low=None,
        draw=Draw.STEP,
        steps=(ThresholdStep(None, GOOD), ThresholdStep(1.0, BAD)),
        lines=True,
        step="1d",
        nothing=NO_BASELINE,
        link=SERIES_TENANT,
    )


def _savings(scope: PageScope) -> Panel:
    return trend(
        10,
        called("cusum_kwh"),
        text(
            "Running sum of expected minus actual use; positive is saving. A falling line means that a machine or a habit has "
            "got worse.",
            "Tổng lũy kế của (tiêu thụ theo đường cơ sở trừ thực tế); dương là tiết kiệm. Đường đi xuống là máy móc hoặc cách vận hành đã kém đi.",
        ),
        ENERGY,
        figure(scope, "cusum_kwh"),
        low=None,
        zero=True,
        window="13M",
        step="1d",
        nothing=NO_BASELINE,
        link=SERIES_TENANT,
    )


def _tables(scope: PageScope, setting: Setting) -> Iterator[Panel]:
    """Two, because all columns side by side are wider than a page."""

    def column(name: str, decimals: int, width: int) -> Column:
        return Column(name, called(name), unit_of(name), decimals=decimals, width=width)

    energy = (
        column("enpi", 1, 100),
        column("electricity_per_output", 1, 140),
        column("energy_per_output", 1, 145),
        column("toe_per_output", 4, 145),
        column("output_per_mwh", 2, 155),
        column("solar_share", 1, 105),
        column("load_factor", 0, 95),
    )
    water = (
        column("water_per_output", 2, 200),
        column("wastewater_per_output", 2, 200),
        column("co2e_per_output", 1, 220),
    )
    yield _table(scope, 11, text("Energy, newest period", "Năng lượng, kỳ mới nhất"), _HOW, energy, sort="enpi")
    title = text("Water and emissions, newest period", "Nước và phát thải, kỳ mới nhất")
    yield _table(scope, 12, title, with_factor(_EMITTED, setting), water, sort="tenant")


def _table(
    scope: PageScope, number: int, title: Localized, about: Localized, shown: tuple[Column, ...], *, sort: str
) -> Panel:
    return table(
        number,
        title,
        about,
        "none",
        newest(scope, *(column.name for column in shown), "completeness"),
        columns=(
            TENANT_COLUMN,
            *shown,
            Column("completeness", called("completeness"), SHARE, decimals=1, steps=COMPLETE),
        ),
        window=NEWEST,
        newest=True,
        sort=Sort(sort, descending=False),
        height=13,
    )
