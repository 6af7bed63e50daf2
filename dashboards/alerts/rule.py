"""Alert rules as data: a line of the tables of alerts, its subject, and how both become a rule of Grafana.

A rule asks one or two questions, reduces each series to a number, combines them if there are two, and compares. One
that fires continues until its value has passed the recovery threshold, and a little longer: a value that swings around
a limit does not alert twice. Each series of the first question is a separate alert with the series' tags as labels.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from dashboards.alerts.wording import labels_as_template, labels_in_words, value_as_template, value_in_words
from dashboards.overrides import uid
from metering.model import Localized
from metering.park import Park
from metering.words import Language

FOLDER = "Ecopark alerts"
_EXPRESSION = {"type": "__expr__", "uid": "__expr__"}
_PLACE = re.compile(r"\{(\w+)\}")


class Severity(StrEnum):
    """How soon somebody must look: now, today, this week."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Silence(StrEnum):
    """What a rule does when its question has no answer."""

    OK = "OK"
    ALERTING = "Alerting"


@dataclass(frozen=True, slots=True)
class Question:
    """A statement with `$timeFilter`, and how a series of its answer becomes one number.

    Its range begins `back` seconds ago and ends `until` seconds ago.
    """

    query: str
    back: int
    reducer: Literal["last", "max", "min", "mean", "sum"] = "last"
    until: int = 0


@dataclass(frozen=True, slots=True)
class Allowed:
    """The permitted range: a rule fires beyond either side."""

    low: float | None = None
    high: float | None = None

    @property
    def width(self) -> float:
        """The width that a margin's share refers to."""
        if self.low is None or self.high is None:
            return abs(self.low or self.high or 0.0)
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Margin:
    """How far inside the permitted range a number must come back: `by` an amount, and a `share` of its width."""

    by: float = 0.0
    share: float = 0.0


NONE = Allowed(high=0)
NONE_AGAIN = Margin(by=-0.5)
"""For counts: fires with the first, recovers with none."""

SubjectValue = str | float | Localized


@dataclass(frozen=True, slots=True)
class AlertSubject:
    """The subject of a rule, with the values for the placeholders in its texts and questions.

    `allowed` and `severity` are given where they differ within the kind.
    """

    values: Mapping[str, SubjectValue] = field(default_factory=dict)
    tenant: str | None = None
    allowed: Allowed | None = None
    severity: Severity | None = None


def the_park(_: Park, __: date) -> Iterable[AlertSubject]:
    """One rule for each park."""
    return (AlertSubject(),)


@dataclass(frozen=True, slots=True)
class AlertKind:
    """A line of the tables of alerts: everything that is the same for all its subjects.

    `id` is its name in the documentation. With the park and `of` (a meter, a tenant, a gateway) it makes the uid, which
    never changes. `subjects` gives the subjects on a day. `combine` computes with `$A` and `$B`, the numbers of the
    questions. `page` and `panel` are the target of the link, `first` is what to look at first.

    `{name}` in texts and questions is a value of the subject; in `what`, `{value}` is the number that was compared, and
    `{labels.meter}` a label.
    """

    id: str
    name: Localized
    questions: tuple[Question, ...]
    what: Localized
    first: Localized
    page: str
    panel: int
    subjects: Callable[[Park, date], Iterable[AlertSubject]] = the_park
    of: str = ""
    severity: Severity = Severity.WARNING
    allowed: Allowed = NONE
    margin: Margin = NONE_AGAIN
    hold: int = 300
    keep: int = 300
    combine: str | None = None
    slow: bool = False
    silence: Silence = Silence.OK
    shape: Literal["%.0f", "%.1f", "%.2f", "%.3f", "duration"] = "%.1f"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A line of the tables of alerts for one of its subjects."""

    line: AlertKind
    subject: AlertSubject
    park: str

    @property
    def kind(self) -> str:
        """Its name in the documentation."""
        return self._written(self.line.id)

    @property
    def of(self) -> str:
        """Its subject among those of its kind in a park."""
        return self._written(self.line.of)

    @property
    def severity(self) -> Severity:
        """How soon somebody must look."""
        return self.subject.severity or self.line.severity

    @property
    def name(self) -> Localized:
        """Its name for people."""
        return Localized(en=self._in_words(self.line.name, Language.EN), vi=self._in_words(self.line.name, Language.VI))

    @property
    def uid(self) -> str:
        """At most 40 characters; it never changes."""
        digest = hashlib.blake2s(f"{self.park}/{self.of}".encode(), digest_size=5).hexdigest()
        return f"{self.kind}-{digest}"

    @property
    def title(self) -> str:
        """Unique in its folder."""
        return f"{self.name.en}: {self.of} ({self.park})" if self.of else f"{self.name.en} ({self.park})"

    def provisioned(self) -> dict[str, Any]:
        """The rule of the provisioning file."""
        line = self.line
        labels = {"severity": self.severity.value, "park": self.park, "rule": self.kind}
        compared = "A" if line.combine is None else "D"
        summary = {
            language: value_as_template(
                labels_as_template(self._in_words(line.what, language), language),
                f".Values.{compared}.Value",
                line.shape,
                language,
            )
            for language in Language
        }
        return {
            "uid": self.uid,
            "title": self.title,
            "condition": "C",
            "for": _duration(line.hold),
            "keepFiringFor": _duration(line.keep),
            "missing_series_evals_to_resolve": 3,
            "noDataState": line.silence.value,
            "execErrState": "Error",
            "dashboardUid": uid(line.page, Language.EN),
            "panelId": line.panel,
            "labels": labels if self.subject.tenant is None else {**labels, "tenant": self.subject.tenant},
            "annotations": {
                "summary": summary[Language.EN],
                "summary_vi": summary[Language.VI],
                "name_vi": self.name.vi,
                "first": line.first.en,
                "first_vi": line.first.vi,
            },
            "data": self._data(compared),
        }

    def in_words(self, labels: dict[str, str], value: float | None, language: Language) -> str:
        """One instance in words, as Grafana builds them from `annotations`. No value: there are no data."""
        words = labels_in_words(self._in_words(self.line.what, language), labels, language)
        return value_in_words(words, value, self.line.shape, language)

    def _data(self, compared: str) -> list[dict[str, Any]]:
        line = self.line
        named = tuple(zip("AB", line.questions, strict=False))
        data = [self._query(f"Q{name}", question) for name, question in named]
        for name, question in named:
            reduced = {"expression": f"Q{name}", "reducer": question.reducer, "settings": {"mode": "dropNN"}}
            data.append(_computed(name, {"type": "reduce", **reduced}))
        if line.combine is not None:
            data.append(_computed(compared, {"type": "math", "expression": self._written(line.combine)}))
        conditions = [_conditions(self.subject.allowed or line.allowed, line.margin)]
        data.append(_computed("C", {"type": "threshold", "expression": compared, "conditions": conditions}))
        return data

    def _query(self, name: str, question: Question) -> dict[str, Any]:
        return {
            "refId": name,
            "datasourceUid": "ecopark",
            "relativeTimeRange": {"from": question.back, "to": question.until},
            "model": {
                "refId": name,
                "rawQuery": True,
                "resultFormat": "time_series",
                "intervalMs": 60000,
                "maxDataPoints": 1000,
                "query": self._filled(question.query, lambda number: f"{number:.3f}"),
            },
        }

    def _written(self, template: str) -> str:
        return self._filled(template, lambda number: f"{number:g}")

    def _in_words(self, words: Localized, language: Language) -> str:
        return self._filled(language.say(words), language.exact, language)

    def _filled(self, template: str, number: Callable[[float], str], language: Language = Language.EN) -> str:
        """The template with the subject's values; other placeholders stay as they are."""

        def value(place: re.Match[str]) -> str:
            match {"park": self.park, **self.subject.values}.get(place[1]):
                case None:
                    return place[0]
                case str() as word:
                    return word
                case Localized() as words:
                    return language.say(words)
                case found:
                    return number(found)

        return _PLACE.sub(value, template)


def _duration(seconds: int) -> str:
    """As Grafana writes one: `2h`, `5m`, `0s`."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _conditions(allowed: Allowed, margin: Margin) -> dict[str, Any]:
    """Evaluator and recovery of the threshold expression."""
    back = allowed.width * margin.share + margin.by
    low, high = allowed.low, allowed.high
    if low is None:
        fires, calms = ("gt", [high]), ("lt", [(high or 0) - back])
    elif high is None:
        fires, calms = ("lt", [low]), ("gt", [low + back])
    else:
        fires, calms = ("outside_range", [low, high]), ("within_range", [low + back, high - back])
    return {
        "evaluator": {"type": fires[0], "params": fires[1]},
        "unloadEvaluator": {"type": calms[0], "params": calms[1]},
    }


def _computed(name: str, model: dict[str, Any]) -> dict[str, Any]:
    return {"refId": name, "datasourceUid": "__expr__", "model": {"refId": name, "datasource": _EXPRESSION, **model}}
