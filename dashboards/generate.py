"""Writes every dashboard in both languages, and the alerting files, into a folder.

The files depend only on the parks and the day, so the committed files can be compared with them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.alerts.files import files
from dashboards.alerts.subjects import had_by
from dashboards.names import meter_names, tenant_names, with_names
from dashboards.pages import (
    account,
    balance,
    eip,
    electricity,
    heat,
    meter,
    overview,
    pipeline,
    quality,
    ranking,
    symbiosis,
    tenant,
    water,
)
from dashboards.panels import Page
from dashboards.render import dashboard
from dashboards.setting import Setting
from metering.model import Localized
from metering.park import Park
from metering.words import Language

OPERATOR: tuple[Callable[[Setting], Page], ...] = (
    overview.page,
    electricity.page,
    water.page,
    heat.page,
    ranking.page,
    tenant.page,
    meter.page,
    balance.page,
    account.page,
    symbiosis.page,
    eip.page,
    quality.page,
    pipeline.page,
)
"""Pages of the operator's organization."""

OWN: tuple[Callable[[Setting], Page], ...] = (tenant.own_page,)
"""Pages of a tenant's organization."""


@dataclass(frozen=True, slots=True)
class PageOwner:
    """The tenant that a tenant's own page is made for."""

    park: str
    tenant: str

    def meter_names(self, setting: Setting) -> dict[str, Localized]:
        """Names of the meters that the tenant has on the day: other names would reveal who has those."""
        return {
            meter.id: meter.name
            for park in setting.parks
            if park.id == self.park
            for meter in park.meters
            if (entry := had_by(park, meter, setting.day)) is not None and entry.tenant == self.tenant
        }


def write(folder: Path, parks: Sequence[Park], day: date) -> list[Path]:
    """Write `{en,vi}/*.json` (operator), `tenant/{en,vi}/*.json` and `alerting/*.yaml`; returns what was written.

    `day` decides which of the dated contracts and limits hold. Files of these folders that are no longer generated are
    removed.
    """
    setting = Setting(tuple(parks), day)
    files = {folder / name: content for name, content in contents(setting).items()}
    for parent in {file.parent for file in files}:
        parent.mkdir(parents=True, exist_ok=True)
        for old in parent.iterdir():
            if old not in files and old.suffix in {".json", ".yaml"}:
                old.unlink()
    for file, content in files.items():
        file.write_text(content, encoding="utf-8")
    return sorted(files)


def contents(setting: Setting, owner: PageOwner | None = None) -> dict[str, str]:
    """Every file by its path in the folder.

    A tenant's own page is one file for all tenants, and so names no meters; for one `owner` it does.
    """
    made = {}
    nobody: Mapping[str, Localized] = {}
    meters, own_meters = meter_names(setting.parks), owner.meter_names(setting) if owner else nobody
    for prefix, pages, named in (
        ("", OPERATOR, (tenant_names(setting.parks), meters)),
        ("tenant/", OWN, (nobody, own_meters)),
    ):
        for language in Language:
            for make in pages:
                page = with_names(make(setting), *named)
                built = dashboard(page, language, setting.timezone)
                text = json.dumps(built, cls=JSONEncoder, indent=1, ensure_ascii=False, sort_keys=True)
                made[f"{prefix}{language.value}/{page.name}.json"] = text + "\n"
    for name, content in files(setting).items():
        made[f"alerting/{name}"] = content
    return made
