"""Which alert rules fire, in the reader's language.

The conditions of the generated rules at one instant: nothing waits, is sent or silenced, as it would be in Grafana.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from dashboards.alerts.evaluate import Labels, evaluate
from dashboards.alerts.files import all_rules
from dashboards.alerts.rule import AlertRule, Severity, Silence
from dashboards.names import meter_names, tenant_names
from dashboards.overrides import uid
from dashboards.setting import Setting
from metering.park import Park
from metering.words import Language
from store.client import Store

FRESH = timedelta(seconds=45)
"""How long an evaluation is shared by all requests."""
_AT_ONCE = 4
_ORDER = tuple(Severity)
_NO_LABELS: Labels = frozenset()


@dataclass(frozen=True, slots=True)
class Alert:
    """One instance that fires; without labels where a rule reports that there are no data. `since`: as seen here."""

    rule: AlertRule
    labels: Labels
    value: float | None
    since: datetime

    def shown(self, parks: Sequence[Park], language: Language) -> dict[str, str]:
        """An alert for a page, with tenants and meters by name."""
        labels = dict(self.labels)
        meters = meter_names(parks)
        names = {"tenant": tenant_names(parks), "meter": meters, "main": meters}
        named = {
            key: language.say(names[key][value]) if value in names.get(key, ()) else value for key, value in self.labels
        }
        return {
            "severity": self.rule.severity.value,
            "name": language.say(self.rule.name),
            "text": self.rule.in_words(named, self.value, language),
            "first": language.say(self.rule.line.first),
            "since": self.since.isoformat(),
            "url": self._address(labels, language),
        }

    def _address(self, labels: dict[str, str], language: Language) -> str:
        chosen = {"var-park": self.rule.park, "viewPanel": str(self.rule.line.panel)}
        tenant = labels.get("tenant") or self.rule.subject.tenant
        if tenant is not None:
            chosen["var-tenant"] = tenant
        if "meter" in labels:
            chosen["var-meter"] = labels["meter"]
        return f"/d/{uid(self.rule.line.page, language)}?{urlencode(chosen)}"


class Alerts:
    """Evaluates every rule at most once in `FRESH`, and remembers which fire: a recovery threshold needs that."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._at: datetime | None = None
        self._firing: dict[str, dict[Labels, Alert]] = {}
        self._silent_since: dict[str, datetime] = {}
        self._turn = asyncio.Lock()

    async def firing(self, setting: Setting, now: datetime) -> Sequence[Alert]:
        """Those that fire, the most important first.

        Raises `UnavailableError` or `OperatorError` where the database cannot be asked.
        """
        async with self._turn:
            if self._at is None or now - self._at >= FRESH:
                await self._evaluate(setting, now)
                self._at = now
        found = [alert for alerts in self._firing.values() for alert in alerts.values()]
        return sorted(found, key=lambda alert: (_ORDER.index(alert.rule.severity), alert.rule.title))

    async def _evaluate(self, setting: Setting, now: datetime) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(rule: AlertRule) -> None:
            async with gate:
                before = self._firing.get(rule.uid, {})
                found = await self._true(rule, now, before)
            firing[rule.uid] = {
                labels: Alert(rule, labels, value, before[labels].since if labels in before else now)
                for labels, value in found.items()
            }

        firing: dict[str, dict[Labels, Alert]] = {}
        await asyncio.gather(*(one(rule) for rule in all_rules(setting)))
        self._firing = firing

    async def _true(self, rule: AlertRule, now: datetime, before: dict[Labels, Alert]) -> dict[Labels, float | None]:
        """The instances whose condition has been true for as long as the rule says, each with what was compared."""
        provisioned, hold = rule.provisioned(), timedelta(seconds=rule.line.hold)
        states = await evaluate(self._store, provisioned, now, frozenset(before))
        if states is None:
            # A question without an answer had none in a database that was not there yet either: only seeing it counts.
            alerting = rule.line.silence is Silence.ALERTING
            return {_NO_LABELS: None} if alerting and now - self._silent_since.setdefault(rule.uid, now) >= hold else {}
        self._silent_since.pop(rule.uid, None)
        found: dict[Labels, float | None] = {labels: state.value for labels, state in states.items() if state.fires}
        if hold and found.keys() - before.keys():
            earlier = await evaluate(self._store, provisioned, now - hold) or {}
            found = {
                labels: value
                for labels, value in found.items()
                if labels in before or (labels in earlier and earlier[labels].fires)
            }
        return found
