"""One alert rule in our words, and as Grafana's provisioning file wants it.

A rule asks one or two questions, reduces each series to a number, combines them if there are two, and compares. One that
fires goes on until its value has passed the recovery threshold, and a little longer: values that dance around a limit wake
nobody twice. Each series of the first question is an alert of its own with the series' tags as labels.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from dashboards.names import THE_PARK
from dashboards.overrides import uid
from dashboards.words import DOUBTFUL_EVENTS, EVENT, NOT_KNOWN, REASON
from metering.model import Localized
from metering.words import UTILITY, Language

FOLDER = "Ecopark alerts"
_EXPRESSION = {"type": "__expr__", "uid": "__expr__"}


def _amid(name: Localized) -> Localized:
    """A name as it stands amid a sentence."""
    return Localized(en=name.en[0].lower() + name.en[1:], vi=name.vi[0].lower() + name.vi[1:])


_SAID: dict[str, dict[str, Localized]] = {
    "kind": {kind: _amid(EVENT[kind]) for kind in DOUBTFUL_EVENTS},
    "reason": REASON,
    "utility": {utility.value: name for utility, name in UTILITY.items()},
}
"""Labels whose values are words of ours, not names."""
_DURATION_VI = (("d", " ngày"), ("h", " giờ"), ("m", " phút"), ("s", " giây"))
"""In this order: no later letter stands in an earlier word."""
_A_WHILE = Localized(en="some time", vi="một thời gian")
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_LABELS = ("tenant", "meter", "utility", "main", "gateway", "kind", "reason", "instance", "baseline", "part")


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
class Above:
    """Fires above `limit`, recovers under `recover`."""

    limit: float
    recover: float

    def conditions(self) -> dict[str, Any]:
        """Evaluator and recovery of the threshold expression."""
        return _pair("gt", [self.limit], "lt", [self.recover])


@dataclass(frozen=True, slots=True)
class Below:
    """Fires under `limit`, recovers above `recover`."""

    limit: float
    recover: float

    def conditions(self) -> dict[str, Any]:
        """Evaluator and recovery of the threshold expression."""
        return _pair("lt", [self.limit], "gt", [self.recover])


@dataclass(frozen=True, slots=True)
class Outside:
    """Fires outside `low` to `high`, recovers `margin` inside."""

    low: float
    high: float
    margin: float

    def conditions(self) -> dict[str, Any]:
        """Evaluator and recovery of the threshold expression."""
        inside = [self.low + self.margin, self.high - self.margin]
        return _pair("outside_range", [self.low, self.high], "within_range", inside)


def _pair(kind: str, limit: list[float], back: str, recover: list[float]) -> dict[str, Any]:
    return {
        "evaluator": {"type": kind, "params": limit},
        "unloadEvaluator": {"type": back, "params": recover},
    }


_ABSENT = {"tenant": THE_PARK, "gateway": NOT_KNOWN}
"""What a label that is missing means: the park itself; a gateway that the park file does not have."""


def _label(label: str, language: Language) -> str:
    """Template of a label: in words where its values are keys of ours."""
    if label in _ABSENT:
        return f'{{{{ or .Labels.{label} "{language.say(_ABSENT[label])}" }}}}'
    if label not in _SAID:
        return f"{{{{ .Labels.{label} }}}}"
    each = (f'if eq .Labels.{label} "{key}" }}}}{language.say(name)}' for key, name in _SAID[label].items())
    return "{{ " + "{{ else ".join(each) + f"{{{{ else }}}}{{{{ .Labels.{label} }}}}{{{{ end }}}}"


def _told_label(label: str, value: str, language: Language) -> str:
    if label in _ABSENT and not value:
        return language.say(_ABSENT[label])
    words = _SAID.get(label, {}).get(value)
    return value if words is None else language.say(words)


@dataclass(frozen=True, slots=True)
class AlertRule:
    """What wakes somebody.

    `kind` is its place in the documentation; with `park` and `of` (a meter, a tenant, a gateway) it makes the uid, which
    stays the same for good. `combine` computes with `$A` and `$B`, the numbers of the questions. In `what`, `{value}` is
    the number that was compared, `{labels.meter}` a label. `first` says what to look at first.
    """

    kind: str
    park: str
    of: str
    name: Localized
    severity: Severity
    questions: tuple[Question, ...]
    fires: Above | Below | Outside
    what: Localized
    first: Localized
    page: str
    panel: int
    hold: str = "5m"
    keep: str = "5m"
    combine: str | None = None
    tenant: str | None = None
    slow: bool = False
    silence: Silence = Silence.OK
    shape: Literal["%.0f", "%.1f", "%.2f", "%.3f", "duration"] = "%.1f"

    @property
    def uid(self) -> str:
        """At most 40 characters, the same for good."""
        digest = hashlib.blake2s(f"{self.park}/{self.of}".encode(), digest_size=5).hexdigest()
        return f"{self.kind}-{digest}"

    @property
    def title(self) -> str:
        """Unique in its folder."""
        return f"{self.name.en}: {self.of} ({self.park})" if self.of else f"{self.name.en} ({self.park})"

    def provisioned(self) -> dict[str, Any]:
        """The rule of the provisioning file."""
        labels = {"severity": self.severity.value, "park": self.park, "rule": self.kind}
        return {
            "uid": self.uid,
            "title": self.title,
            "condition": "C",
            "for": self.hold,
            "keepFiringFor": self.keep,
            "missing_series_evals_to_resolve": 3,
            "noDataState": self.silence.value,
            "execErrState": "Error",
            "dashboardUid": uid(self.page, Language.EN),
            "panelId": self.panel,
            "labels": labels if self.tenant is None else {**labels, "tenant": self.tenant},
            "annotations": {
                "summary": self._filled(Language.EN),
                "summary_vi": self._filled(Language.VI),
                "name_vi": self.name.vi,
                "first": self.first.en,
                "first_vi": self.first.vi,
            },
            "data": self._data(),
        }

    def told(self, labels: dict[str, str], value: float | None, language: Language) -> str:
        """One instance in words, as Grafana makes them of `annotations`. No value: there are no data."""
        words = language.say(self.what)
        for label in _LABELS:
            words = words.replace(f"{{labels.{label}}}", _told_label(label, labels.get(label, ""), language))
        return words.replace("{value}", language.say(_A_WHILE) if value is None else self._told_value(value, language))

    def _data(self) -> list[dict[str, Any]]:
        data = []
        for name, question in zip(("QA", "QB"), self.questions, strict=False):
            data.append(_asked(name, question))
        for name, source, question in zip("AB", ("QA", "QB"), self.questions, strict=False):
            settings = {"mode": "dropNN"}
            data.append(
                _computed(
                    name, {"type": "reduce", "expression": source, "reducer": question.reducer, "settings": settings}
                )
            )
        compared = "A"
        if self.combine is not None:
            compared = "D"
            data.append(_computed("D", {"type": "math", "expression": self.combine}))
        conditions = [self.fires.conditions()]
        data.append(_computed("C", {"type": "threshold", "expression": compared, "conditions": conditions}))
        return data

    def _filled(self, language: Language) -> str:
        words = language.say(self.what)
        for label in _LABELS:
            words = words.replace(f"{{labels.{label}}}", _label(label, language))
        return words.replace("{value}", self._value(language))

    def _value(self, language: Language) -> str:
        value = f".Values.{'A' if self.combine is None else 'D'}.Value"
        vietnamese = language is Language.VI
        if self.shape == "duration":
            longer = "".join(f' | reReplaceAll "{short}" "{word}"' for short, word in _DURATION_VI)
            return f"{{{{ humanizeDuration {value}{longer if vietnamese else ''} }}}}"
        comma = ' | reReplaceAll "[.]" ","' if vietnamese and self.shape != "%.0f" else ""
        return f'{{{{ printf "{self.shape}" {value}{comma} }}}}'

    def _told_value(self, value: float, language: Language) -> str:
        if self.shape != "duration":
            written = self.shape % value
            return written.replace(".", ",") if language is Language.VI else written
        seconds = int(value)
        parts: list[tuple[int, str]] = []
        for unit, length in _UNITS:
            count, seconds = divmod(seconds, length)
            if count or parts:
                parts.append((count, unit))
        words = dict(_DURATION_VI) if language is Language.VI else {}
        return " ".join(f"{count}{words.get(unit, unit)}" for count, unit in parts[:2]) or "0s"


def _asked(name: str, question: Question) -> dict[str, Any]:
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
            "query": question.query,
        },
    }


def _computed(name: str, model: dict[str, Any]) -> dict[str, Any]:
    return {"refId": name, "datasourceUid": "__expr__", "model": {"refId": name, "datasource": _EXPRESSION, **model}}
