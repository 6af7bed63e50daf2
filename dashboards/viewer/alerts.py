"""Which alert rules fire, in words of the reader's language.

The conditions of the generated rules at one instant: nothing waits, is sent or silenced, as it would be in Grafana.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from dashboards.alerts.evaluate import InstanceState, Labels, evaluate
from dashboards.alerts.files import all_rules
from dashboards.alerts.rule import AlertRule, Severity, Silence
from dashboards.names import meter_names, tenant_names
from dashboards.overrides import uid
from dashboards.setting import Setting
from metering.park import Park
from metering.words import Language
from store.client import Store

FRESH = timedelta(seconds=45)
"""So long an evaluation serves everybody who asks."""
_AT_ONCE = 4
_ORDER = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Alert:
    """One instance that fires; without labels where a rule complains that there are no data. `since`: as seen here."""

    rule: AlertRule
    labels: Labels
    value: float | None
    since: datetime

    def told(self, parks: Sequence[Park], language: Language) -> dict[str, str]:
        """What a page shows of it, with tenants and meters by name."""
        labels = dict(self.labels)
        meters = meter_names(parks)
        names = {"tenant": tenant_names(parks), "meter": meters, "main": meters}
        named = {
            key: language.say(names[key][value]) if value in names.get(key, ()) else value for key, value in self.labels
        }
        return {
            "severity": self.rule.severity.value,
            "name": language.say(self.rule.name),
            "text": self.rule.told(named, self.value, language),
            "first": language.say(self.rule.line.first),
            "since": self.since.isoformat(),
            "url": self._address(labels, language),
        }

    def _address(self, labels: dict[str, str], language: Language) -> str:
        chosen = {"var-park": self.rule.park, "viewPanel": str(self.rule.line.panel)}
        tenant = labels.get("tenant") or self.rule.about.tenant
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

        async def one(rule: AlertRule) -> tuple[AlertRule, dict[Labels, InstanceState] | None]:
            async with gate:
                firing = frozenset(self._firing.get(rule.uid, {}))
                return rule, await evaluate(self._store, rule.provisioned(), now, firing)

        firing: dict[str, dict[Labels, Alert]] = {}
        for rule, states in await asyncio.gather(*(one(rule) for rule in all_rules(setting))):
            before = self._firing.get(rule.uid, {})
            found: dict[Labels, float | None] = {
                labels: state.value for labels, state in (states or {}).items() if state.fires
            }
            if states is None and rule.line.silence is Silence.ALERTING:
                found = {frozenset(): None}
            if found:
                firing[rule.uid] = {
                    labels: Alert(rule, labels, value, before[labels].since if labels in before else now)
                    for labels, value in found.items()
                }
        self._firing = firing
