"""The alerting files: rules by group, and who is notified how.

Rules of parks are literal and change with the park file. Contact points contain the names of environment variables,
never an address: Grafana fills in `ECOPARK_ALERT_WEBHOOK` and `ECOPARK_ALERT_EMAIL`.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import yaml

from dashboards.alerts import events, month, silence, use, wastewater
from dashboards.alerts.rule import FOLDER, AlertRule
from dashboards.setting import Setting

TABLES = (silence.KINDS, events.KINDS, wastewater.KINDS, use.KINDS, month.KINDS)
"""Every kind of alert."""
RECEIVER = "ecopark-operators"
GROUPS = (("1m", False), ("10m", True))
HEAD = "# Generated from the park files by `ecopark dashboards`; changes here are lost.\n"

_TEMPLATE = """\
{{ define "ecopark.title" }}{{ .CommonLabels.alertname }}{{ with .CommonAnnotations.name_vi }} / {{ . }}{{ end }} \
[{{ if eq .Status "firing" }}firing / đang cảnh báo{{ else }}resolved / đã hết{{ end }}]{{ end }}
{{ define "ecopark.message" }}{{ range .Alerts }}
{{ .Annotations.summary }}
{{ .Annotations.summary_vi }}
Since / Từ lúc: {{ .StartsAt | tz "@zone@" | date "02/01/2006 15:04" }} (@zone@)
First / Việc cần làm trước: {{ .Annotations.first }} / {{ .Annotations.first_vi }}
{{ .PanelURL }}
{{ end }}{{ end }}
"""


def all_rules(setting: Setting) -> Iterator[AlertRule]:
    """Every rule of every park."""
    for park in setting.parks:
        for kind in chain.from_iterable(TABLES):
            yield from (AlertRule(kind, subject, park.id) for subject in kind.subjects(park, setting.day))


def files(setting: Setting) -> dict[str, str]:
    """Content of every alerting file by its name."""
    return {
        "rules.yaml": _dumped(_rules(setting)),
        "contacts.yaml": _dumped(_contacts(setting.timezone)),
        "policies.yaml": _dumped(_policies()),
    }


def _dumped(content: dict[str, Any]) -> str:
    return HEAD + str(yaml.safe_dump({"apiVersion": 1, **content}, allow_unicode=True, sort_keys=False, width=120))


def _rules(setting: Setting) -> dict[str, Any]:
    rules = list(all_rules(setting))
    groups = []
    for park in setting.parks:
        for every, slow in GROUPS:
            own = [rule.provisioned() for rule in rules if rule.park == park.id and rule.line.slow is slow]
            groups.append({"orgId": 1, "name": f"{park.id}-{every}", "folder": FOLDER, "interval": every, "rules": own})
    return {"groups": groups}


def _contacts(zone: str) -> dict[str, Any]:
    title, message = '{{ template "ecopark.title" . }}', '{{ template "ecopark.message" . }}'
    receivers = [
        {
            "uid": "ecopark-webhook",
            "type": "webhook",
            "settings": {"url": "$ECOPARK_ALERT_WEBHOOK", "httpMethod": "POST", "title": title, "message": message},
        },
        {
            "uid": "ecopark-email",
            "type": "email",
            "settings": {
                "addresses": "$ECOPARK_ALERT_EMAIL",
                "singleEmail": False,
                "subject": title,
                "message": message,
            },
        },
    ]
    return {
        "templates": [{"orgId": 1, "name": "ecopark", "template": _TEMPLATE.replace("@zone@", zone)}],
        "contactPoints": [{"orgId": 1, "name": RECEIVER, "receivers": receivers}],
    }


def _policies() -> dict[str, Any]:
    routes = [
        {"receiver": RECEIVER, "object_matchers": [["severity", "=", severity]], "repeat_interval": repeat}
        for severity, repeat in (("critical", "1h"), ("warning", "12h"), ("info", "3d"))
    ]
    tree = {
        "orgId": 1,
        "receiver": RECEIVER,
        "group_by": ["grafana_folder", "alertname", "tenant"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
        "routes": routes,
    }
    return {"policies": [tree]}
