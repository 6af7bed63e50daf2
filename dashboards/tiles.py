"""Shared parts of pages: the freshness tile, the choices at the head, the links between pages, and constructors."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Unpack

from dashboards.influxql import InfluxQL
from dashboards.names import meter_names
from dashboards.panels import (
    COUNT,
    ENERGY,
    SECONDS,
    Column,
    Draw,
    PageLink,
    Panel,
    PanelKind,
    PanelOptions,
    Sort,
    ThresholdStep,
    Variable,
    Words,
)
from dashboards.queries import PageScope, group, ranked, tags_of, total
from dashboards.setting import Setting
from dashboards.words import IN_UNITS, METER, PARK, PLAIN, TENANT
from metering.dated import at
from metering.figures import INDICATIVE_BELOW
from metering.meters import Meter
from metering.model import Localized
from metering.park import Park
from metering.quantities import Utility
from metering.words import BAD, BAND, BAND_COLOUR, COLOUR, GOOD, NEAR, UTILITY, WARN, Language, text
from store.schema import EVENTS, METER_STATUS

OPEN_TENANT = text("Open this tenant", "Mở trang doanh nghiệp này")
OPEN_METER = text("Open this meter", "Mở trang đồng hồ này")
SERIES_TENANT = PageLink(
    OPEN_TENANT, "tenant?${__url_time_range}&${park:queryparam}&var-tenant=${__field.labels.tenant}"
)
ROW_TENANT = PageLink(OPEN_TENANT, "tenant?${__url_time_range}&${park:queryparam}&var-tenant=${__value.raw}")
BAR_TENANT = PageLink(OPEN_TENANT, "tenant?${__url_time_range}&${park:queryparam}&var-tenant=${__data.fields.id}")
SERIES_METER = PageLink(OPEN_METER, "meter?${__url_time_range}&${park:queryparam}&var-meter=${__field.labels.meter}")
BAR_METER = PageLink(OPEN_METER, "meter?${__url_time_range}&${park:queryparam}&var-meter=${__data.fields.id}")
ROW_METER = PageLink(OPEN_METER, "meter?${__url_time_range}&${park:queryparam}&var-meter=${__value.raw}")

PARK_CHOICE = Variable("park", PARK, tags_of("park"))
TENANT_CHOICE = Variable("tenant", TENANT, tags_of("tenant", '"park" =~ /^$park$/'), many=True)
ONE_TENANT = Variable("tenant", TENANT, tags_of("tenant", '"park" =~ /^$park$/'))
CHOICES = (PARK_CHOICE, TENANT_CHOICE)

TODAY, MONTH = "now/d", "now/M"
"""Windows from local midnight, and from the first of the month, until now."""
STATUS_WINDOW = "15m"
WHOLE_DAYS_30 = "now-30d/d"
"""Window of bars that are added up from quarter hours: from a midnight on, or the first day would look like a drop."""
SETTLED = "20m"
"""How far charts of quarter hours end before now: the newest one is incomplete, and would look like a drop."""


AGAINST_BUDGET = (
    ThresholdStep(None, PLAIN),
    ThresholdStep(0.0, GOOD),
    ThresholdStep(1.0, WARN),
    ThresholdStep(1.1, BAD),
)
AGAINST_CONTRACT = (
    ThresholdStep(None, GOOD),
    ThresholdStep(0.8, NEAR),
    ThresholdStep(0.9, WARN),
    ThresholdStep(1.0, BAD),
)
AGAINST_BASELINE = (ThresholdStep(None, GOOD), ThresholdStep(1.0, WARN), ThresholdStep(1.1, BAD))
COMPLETE = (ThresholdStep(None, BAD), ThresholdStep(0.8, WARN), ThresholdStep(INDICATIVE_BELOW, GOOD))
BY_UTILITY = tuple(Column(utility.value, UTILITY[utility], colour=colour) for utility, colour in COLOUR.items())
"""Series that are named after their utility."""
UTILITY_COLUMN = Column("utility", text("Utility", "Tiện ích"), mapped=IN_UNITS, width=165)
EVENT_COLUMN = Column("text_{language}", text("What", "Nội dung"), wraps=True)
BANDS = tuple(Column(band.value, BAND[band], colour=colour) for band, colour in BAND_COLOUR.items())
"""For charts with one series per tariff band."""
NO_BASELINE = text("no baseline yet", "chưa có đường cơ sở")


def stat(
    number: int, title: Localized, about: Localized, unit: Words, *targets: InfluxQL, **more: Unpack[PanelOptions]
) -> Panel:
    """A number; six in a row."""
    options: PanelOptions = {"width": 4, "height": 4, "colour": PLAIN, **more}
    return Panel(id=number, kind=PanelKind.STAT, title=title, about=about, unit=unit, targets=targets, **options)


def trend(
    number: int, title: Localized, about: Localized, unit: Words, *targets: InfluxQL, **more: Unpack[PanelOptions]
) -> Panel:
    """A trend over time; two in a row."""
    options: PanelOptions = {"width": 12, "height": 8, "step": "15m", **more}
    return Panel(id=number, kind=PanelKind.TREND, title=title, about=about, unit=unit, targets=targets, **options)


def daily(
    number: int, title: Localized, about: Localized, unit: Words, *targets: InfluxQL, **more: Unpack[PanelOptions]
) -> Panel:
    """Bars, one per day."""
    options: PanelOptions = {"draw": Draw.BARS, "step": "1d", **more}
    return trend(number, title, about, unit, *targets, **options)


def bars(
    number: int, title: Localized, about: Localized, unit: Words, *targets: InfluxQL, **more: Unpack[PanelOptions]
) -> Panel:
    """A ranking; three in a row."""
    options: PanelOptions = {"width": 8, "height": 12, **more}
    return Panel(id=number, kind=PanelKind.BARS, title=title, about=about, unit=unit, targets=targets, **options)


def ranking(
    number: int,
    title: Localized,
    about: Localized,
    unit: Words,
    question: InfluxQL,
    name: str,
    *,
    of_meters: bool = False,
    **more: Unpack[PanelOptions],
) -> Panel:
    """Tenants, or with `of_meters` meters, by a figure: `question` has a row for each.

    The largest is on top, unless `sort` says otherwise.
    """
    tag, link = ("meter", BAR_METER) if of_meters else ("tenant", BAR_TENANT)
    options: PanelOptions = {"by_row": True, "sort": Sort(name), "columns": (Column(tag),), "link": link, **more}
    return bars(number, title, about, unit, ranked(question, tag, name), **options)


def table(
    number: int, title: Localized, about: Localized, unit: Words, *targets: InfluxQL, **more: Unpack[PanelOptions]
) -> Panel:
    """A table of the full width; what a page's numbers are based on."""
    options: PanelOptions = {"width": 24, "height": 9, "low": None, **more}
    return Panel(id=number, kind=PanelKind.TABLE, title=title, about=about, unit=unit, targets=targets, **options)


SILENCE = 'last("seconds_since_last") / last("silent_after_s") AS "silence", last("seconds_since_last") AS "age"'
"""For a meter: how long it has been silent, also as a share of its limit."""


def used_today(number: int, about: Localized, scope: PageScope) -> Panel:
    """Electricity since midnight."""
    return _today(number, text("Electricity today", "Điện trong ngày"), about, scope)


def used_a_week_ago(number: int, about: Localized, scope: PageScope) -> Panel:
    """Electricity of the same hours a week ago, for comparison with `used_today`."""
    return _today(number, text("Same hours last week", "Cùng giờ tuần trước"), about, scope, shift="7d")


def _today(number: int, title: Localized, about: Localized, scope: PageScope, **more: Unpack[PanelOptions]) -> Panel:
    used = total(scope, "amount", utility=Utility.ELECTRICITY, alias="kWh")
    options: PanelOptions = {"window": TODAY, "colour": COLOUR[Utility.ELECTRICITY], **more}
    return stat(number, title, about, ENERGY, used, **options)


def freshness(scope: PageScope, number: int = 1, *conditions: str, width: int = 4) -> Panel:
    """Age of the newest reading; on every page, so that yesterday's numbers are not taken for today's."""
    inner = (
        f'SELECT last("seconds_since_last") AS "age" FROM "{METER_STATUS}" {scope.where(*conditions)}{group("meter")}'
    )
    return stat(
        number,
        text("Newest reading, age", "Số liệu mới nhất"),
        text(
            "Time since any of the chosen meters was last heard. 'No data' means that the usage service has not looked "
            "for 15 minutes: it has stopped.",
            "Thời gian kể từ lần cuối nhận được số liệu của một đồng hồ bất kỳ đã chọn. 'Chưa có số liệu' nghĩa là "
            "dịch vụ tính tiêu thụ đã dừng ít nhất 15 phút.",
        ),
        SECONDS,
        InfluxQL(f'SELECT min("age") FROM ({inner})', alias="age"),
        steps=(ThresholdStep(None, GOOD), ThresholdStep(900, WARN), ThresholdStep(3600, BAD)),
        window=STATUS_WINDOW,
        decimals=0,
        width=width,
    )


def reporting(scope: PageScope, number: int = 2, *, width: int = 4) -> Panel:
    """How many meters are heard, of how many."""
    inner = f'SELECT {SILENCE} FROM "{METER_STATUS}" {scope.where()}{group("meter")}'
    known = f'SELECT last("heard") AS "heard" FROM "{METER_STATUS}" {scope.where()}{group("meter")}'
    return stat(
        number,
        text("Meters reporting", "Đồng hồ có tín hiệu"),
        text(
            "Meters that have not been silent for longer than they may be, of all meters in the park file.",
            "Số đồng hồ chưa quá thời gian mất tín hiệu cho phép, trên tổng số đồng hồ trong hồ sơ khu.",
        ),
        COUNT,
        InfluxQL(f'SELECT count("age") FROM ({inner}) WHERE "silence" <= 1', alias="now", ref="A"),
        InfluxQL(f'SELECT count("heard") FROM ({known})', alias="all", ref="B"),
        columns=(
            Column("now", text("now", "hiện tại"), colour=GOOD),
            Column("all", text("of", "trên tổng số"), colour=PLAIN),
        ),
        window=STATUS_WINDOW,
        width=width,
    )


def marks(scope: PageScope, condition: str = "") -> str:
    """Events of the selection, for the charts of a page; a change of tariff applies to everybody."""
    own = condition or ('"tenant" =~ /^$tenant$/' if scope.tenant else "")
    where = PageScope(park=scope.park, tenant=False).where(*((f"({own} OR \"kind\" = 'tariff')",) if own else ()))
    return f'SELECT "{{text}}", "kind", "meter" FROM "{EVENTS}" {where}'


def with_factor(about: Localized, setting: Setting) -> Localized:
    """What a panel of emissions says, with electricity's factor and its standing: printed wherever it is used."""
    standing = factor_standing(setting)
    return text(f"{about.en} {standing.en}", f"{about.vi} {standing.vi}")


def factor_standing(setting: Setting) -> Localized:
    """The emission factor of electricity in all parks, and whether it is official or an estimate."""
    held = [at(park.factors.scope2.get(Utility.ELECTRICITY, ()), setting.day) for park in setting.parks]
    found = [entry for entry in held if entry is not None]
    if not found:
        return text("No factor of electricity is dated.", "Chưa có hệ số phát thải điện.")
    standing = {
        frozenset({"official"}): text("official", "công bố chính thức"),
        frozenset({"estimate"}): text("an estimate, for reference", "ước tính, tham khảo"),
        frozenset({"official", "estimate"}): text("partly estimates, for reference", "một phần là ước tính, tham khảo"),
    }[frozenset(entry.standing for entry in found)]
    values = sorted({entry.value for entry in found})
    ends = values if len(values) == 1 else [values[0], values[-1]]
    en, vi = (language.exact for language in (Language.EN, Language.VI))
    return text(
        f"Factor of electricity: {' to '.join(map(en, ends))} kg CO₂e/kWh ({standing.en}).",
        f"Hệ số phát thải điện: {' đến '.join(map(vi, ends))} kg CO₂e/kWh ({standing.vi}).",
    )


def permitted(parks: Iterable[Park], quantity: str, day: date) -> tuple[ThresholdStep, ...]:
    """Lines at the permitted range of a quantity, where all meters of all parks have the same; else none."""
    ranges = {
        (limit.low, limit.high)
        for park in parks
        for meter in park.meters
        if (limit := at(meter.limits.get(quantity, ()), day)) is not None
    }
    if len(ranges) != 1:
        return ()
    low, high = ranges.pop()
    steps = [ThresholdStep(None, GOOD if low is None else BAD)]
    if low is not None:
        steps.append(ThresholdStep(low, GOOD))
    if high is not None:
        steps.append(ThresholdStep(high, BAD))
    return tuple(steps)


def meter_columns(parks: Sequence[Park], which: Callable[[Meter], bool]) -> tuple[Column, ...]:
    """For charts with one series per meter: names of the meters that can be in it."""
    chosen = {meter.id for park in parks for meter in park.meters if which(meter)}
    return tuple(Column(key, name) for key, name in meter_names(parks).items() if key in chosen)


TIME_COLUMN = Column(
    "Time", text("Time", "Thời điểm"), text("time:YYYY-MM-DD HH:mm", "time:DD/MM/YYYY HH:mm"), width=160
)
METER_COLUMN = Column("meter", METER, link=ROW_METER, width=350)
"""Wide: a table of Grafana measures its lines by the ids, so names cannot wrap."""
TENANT_COLUMN = Column("tenant", TENANT, link=ROW_TENANT, width=250)
