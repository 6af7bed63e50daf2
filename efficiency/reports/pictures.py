"""Draws the charts of a report."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from efficiency.indicators.balance import INCOMING, LOSS
from efficiency.reports.charts.columns import Frame, Layer, lines, stacked_bars
from efficiency.reports.charts.flows import Flow, flows
from efficiency.reports.charts.grids import HOURS, ColumnLabel, GridText, QualityRow, heat_map, quality_strips
from efficiency.reports.charts.ranking import Bar, ranking
from efficiency.reports.contents import Common, MainBalance, MeterQuality, ParkReport, TenantReport
from efficiency.reports.entries import Entry, mark_of, with_unit
from efficiency.reports.periods import ReportPeriod
from efficiency.reports.reading import LoadHour
from efficiency.reports.words import TEXTS
from efficiency.valuation.valued import ValueReason
from metering.figures import ELECTRICITY
from metering.model import Localized
from metering.quantities import UTILITIES, Utility
from metering.tariffs import Band
from metering.words import BAD, BAND, BAND_COLOUR, COLOUR, GOOD, INK, NEUTRAL, SOLAR, UTILITY, Language

_STRIPS_A_PAGE = 45
_SMALL = 105.0


def labels(period: ReportPeriod, language: Language) -> list[ColumnLabel]:
    """The days of a month, or the months of a year."""
    if period.month is None:
        return [ColumnLabel(language.month(month), language.short_month(month)) for month in period.months]
    return [ColumnLabel(f"{language.weekday(day)} {language.full_date(day)}", str(day.day)) for day in period.days]


class BaselineCharts(NamedTuple):
    """Actual and expected use by day, and the running sum of savings."""

    use: Markup
    cusum: Markup


class _TenantEntry(NamedTuple):
    tenant: str
    entry: Entry


class Pictures:
    """The charts of one report in one language; each has a unique name in the page."""

    def __init__(self, report: Common, language: Language) -> None:
        self._report = report
        self._language = language
        self._columns = labels(report.period, language)
        self._count = 0

    def by_band(self) -> Markup | None:
        """Electricity by column and band, with own solar on top; None if nothing is known."""
        layers = [
            Layer(self._language.say(BAND[band]), BAND_COLOUR[band], self._report.bands[band.value])
            for band in (Band.OFF_PEAK, Band.NORMAL, Band.PEAK, Band.ALL)
            if band.value in self._report.bands
        ]
        if any(value is not None for value in self._report.solar):
            layers.append(Layer(self._say("solar"), SOLAR, self._report.solar))
        if not any(value is not None for layer in layers for value in layer.values):
            return None
        key = "electricity_by_month" if self._report.period.month is None else "electricity_by_day"
        return stacked_bars(self._frame(self._say(key), "kWh"), layers)

    def utilities(self) -> dict[str, Markup]:
        """A small chart for each other utility that has data, by the utility's name."""
        found = {}
        for utility, values in self._report.utilities.items():
            if any(value is not None for value in values):
                label = self._language.say(UTILITY[utility])
                frame = self._frame(label, self._unit(utility), _SMALL)
                found[label] = stacked_bars(frame, [Layer(label, COLOUR[utility], values)])
        return found

    def load(self) -> Markup | None:
        """Mean power by hour and column; None if nothing is known."""
        if not self._report.load:
            return None
        return heat_map(
            GridText(self._name(), self._say("load_profile"), self._say("load_profile_text")),
            self._columns,
            self._profile(),
            missing=self._say("missing_hour"),
            unit="kW",
            language=self._language,
        )

    def _profile(self) -> list[list[float | None]]:
        load, period = self._report.load, self._report.period
        if period.month is not None:
            return [[load.get(LoadHour(day, hour)) for hour in range(HOURS)] for day in period.days]
        known: dict[LoadHour, list[float]] = {}
        for at, power in load.items():
            known.setdefault(LoadHour(at.day.replace(day=1), at.hour), []).append(power)
        means = {key: sum(values) / len(values) for key, values in known.items()}
        return [[means.get(LoadHour(month, hour)) for hour in range(HOURS)] for month in period.months]

    def quality(self) -> list[Markup]:
        """Strips of completeness, each with as many rows as fit on a page."""
        rows: Sequence[MeterQuality] = self._report.quality
        legend = (self._say("whole"), self._say("short"), self._say("poor"), self._say("none"))
        return [
            quality_strips(
                GridText(self._name(), self._say("quality"), self._say("quality_text")),
                self._columns,
                [
                    QualityRow(self._language.say(row.meter.name), row.columns)
                    for row in rows[first : first + _STRIPS_A_PAGE]
                ],
                legend=legend,
                language=self._language,
            )
            for first in range(0, len(rows), _STRIPS_A_PAGE)
        ]

    def cost_by_utility(self, report: TenantReport) -> Markup | None:
        """The cost of each utility; None if none is known."""
        bars = [self._cost(UTILITY[utility], value, COLOUR[utility]) for utility, value in report.costs.items()]
        return ranking(self._name(), self._say("cost_by_utility"), self._say("cost"), bars) if bars else None

    def cost_by_band(self, report: TenantReport) -> Markup | None:
        """The cost of electricity in each band; None if none is known."""
        costs = {Band(band): value for band, value in report.band_costs.items()}
        bars = [self._cost(BAND[band], value, BAND_COLOUR[band]) for band, value in costs.items()]
        return ranking(self._name(), self._say("cost_by_band"), self._say("cost"), bars) if bars else None

    def _cost(self, label: Localized, value: float, colour: str) -> Bar:
        return Bar(self._language.say(label), value, f"{self._language.number(value, 0)} ₫", colour)

    def baseline(self, report: TenantReport) -> BaselineCharts | None:
        """Actual and expected use by day, and the running sum of savings; None without a baseline."""
        if all(figures["cusum_kwh"].value is None for figures in report.daily.values()):
            return None

        def values(name: str) -> list[float | None]:
            # A day that is not over would look like a drop.
            known = {day: figures[name].value for day, figures in report.daily.items() if day < report.made_on}
            return [known.get(day) for day in report.period.days]

        actual = Layer(self._say("actual"), COLOUR[Utility.ELECTRICITY], values(ELECTRICITY))
        expected = Layer(self._say("expected"), INK, values("expected_kwh"), dash="4 3")
        use = lines(self._frame(self._say("baseline_use"), "kWh", daily=True), [actual, expected])
        cusum = values("cusum_kwh")
        last = next((value for value in reversed(cusum) if value is not None), 0.0)
        layer = Layer(self._say("cusum"), GOOD if last >= 0 else BAD, cusum)
        return BaselineCharts(use, lines(self._frame(self._say("cusum"), "kWh", daily=True), [layer], area=True))

    def ranked(self, report: ParkReport, name: str, key: str, colour: str) -> Markup | None:
        """Tenants ranked by one of their figures; None if no tenant has it."""
        bars = [
            Bar(tenant, entry.now.value, with_unit(entry, self._language), colour)
            for tenant, entry in self._entries(report, name)
        ]
        return self._ranking(self._say(key), self._say("ranking"), bars)

    def savings(self, report: ParkReport) -> Markup | None:
        """Tenants ranked by use against their baseline, the worst on top; None if no tenant has one."""
        bars = []
        for tenant, entry in self._entries(report, "enpi"):
            over = None if entry.now.value is None else entry.now.value - 1
            text = with_unit(entry, self._language)
            if over is not None:
                text = self._language.percent(over, sign=True) + mark_of(entry.now)
            bars.append(Bar(tenant, over, text, BAD if (over or 0.0) > 0 else GOOD))
        return self._ranking(self._say("rank_saving"), self._say("rank_saving_text"), bars)

    def _ranking(self, title: str, description: str, bars: Sequence[Bar]) -> Markup | None:
        if all(bar.value is None for bar in bars):
            return None
        return ranking(self._name(), title, description, bars)

    def _entries(self, report: ParkReport, name: str) -> list[_TenantEntry]:
        return [_TenantEntry(self._language.say(each.name), report.tenants[each.id][name]) for each in report.present]

    def balance(self, balance: MainBalance) -> Markup | None:
        """The flows through one main meter; None if its loss is not known."""
        incoming, loss = balance.figures[INCOMING].value, balance.figures[LOSS].value
        if loss is None or not incoming:
            return None
        main, noise = balance.main, bool(balance.figures[LOSS].reasons & ValueReason.NOT_SIGNIFICANT)
        colour, unit = COLOUR[main.utility], main.unit
        into = [self._flow(self._language.say(b.meter.name), b.amount, unit, SOLAR) for b in balance.branches if b.into]
        own = max(0.0, incoming - sum(flow.value for flow in into))
        sources = [self._flow(self._language.say(main.name), own, unit, colour), *into]
        out = [b for b in balance.branches if not b.into]
        sinks = [
            self._flow(self._language.say(b.meter.name), max(0.0, b.amount), unit, colour)
            for b in sorted(out, key=lambda b: -b.amount)
        ]
        if loss >= 0:
            sinks.append(self._flow(self._say("loss"), loss, unit, NEUTRAL if noise else BAD))
        else:
            sources.append(self._flow(self._say("gain"), -loss, unit, NEUTRAL if noise else BAD))
        title = f"{self._say('balance')}: {self._language.say(main.name)}"
        return flows(self._name(), title, self._say("balance_text"), sources, sinks)

    def _flow(self, label: str, value: float, unit: str, colour: str) -> Flow:
        return Flow(label, value, f"{self._language.number(value)} {unit}", colour)

    def _frame(self, title: str, unit: str, height: float = 170.0, *, daily: bool = False) -> Frame:
        columns = self._columns
        if daily and self._report.period.month is None:
            columns = [
                ColumnLabel(self._language.full_date(day), self._language.short_month(day) if day.day == 1 else "")
                for day in self._report.period.days
            ]
        full, short = [label.full for label in columns], [label.short for label in columns]
        description = f"{title}: {self._report.period.name(self._language)}, {unit}"
        return Frame(
            name=self._name(),
            title=title,
            description=description,
            labels=full,
            short=short,
            unit=unit,
            language=self._language,
            height=height,
        )

    def _unit(self, utility: Utility) -> str:
        units = {row.meter.unit for row in self._report.quality if row.meter.utility is utility}
        return units.pop() if len(units) == 1 else UTILITIES[utility].unit

    def _name(self) -> str:
        self._count += 1
        return f"c{self._count}"

    def _say(self, key: str) -> str:
        return self._language.say(TEXTS[key])
