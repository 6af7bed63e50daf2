"""Tenants and meters by name: the store has ids, the park file their names."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import cycle, repeat

from dashboards.panels import Column, Page, Panel, PanelKind
from dashboards.words import TENANT_COLOURS
from metering.model import Localized
from metering.park import Park
from metering.words import text

_LEGAL_EN = re.compile(r",?\s+(?:(?:Vietnam )?(?:Co\.,? Ltd\.?|JSC|LLC|Ltd\.?|Corp\.?|Inc\.?))$")
_LEGAL_VI = re.compile(r"^Công ty (?:TNHH(?: MTV| Một thành viên)?|CP|Cổ phần)\s+")


THE_PARK = text("the park", "khu công nghiệp")
"""Where a meter has no tenant."""


def short(name: Localized) -> Localized:
    """The name without its legal form, which distinguishes no tenant and takes room in a legend."""
    return Localized(en=_LEGAL_EN.sub("", name.en), vi=_LEGAL_VI.sub("", name.vi))


def tenant_names(parks: Iterable[Park]) -> dict[str, Localized]:
    """Short names by id; an id that two parks use for different tenants stays an id."""
    return _unambiguous({tenant.id: short(tenant.name) for tenant in park.tenants} for park in parks)


def meter_names(parks: Iterable[Park]) -> dict[str, Localized]:
    """Names by id; an id that two parks use for different meters stays an id."""
    return _unambiguous({meter.id: meter.name for meter in park.meters} for park in parks)


def _unambiguous(by_park: Iterable[Mapping[str, Localized]]) -> dict[str, Localized]:
    found: dict[str, list[Localized]] = defaultdict(list)
    for names in by_park:
        for key, name in names.items():
            found[key].append(name)
    return {key: first for key, (first, *others) in found.items() if all(other == first for other in others)}


def with_names(page: Page, tenants: Mapping[str, Localized], meters: Mapping[str, Localized]) -> Page:
    """The page with names in tables, legends and rankings in place of ids."""
    rows = tuple(
        replace(row, panels=tuple(_named(panel, tenants, meters) for panel in row.panels)) for row in page.rows
    )
    return replace(page, rows=rows)


def _named(panel: Panel, tenants: Mapping[str, Localized], meters: Mapping[str, Localized]) -> Panel:
    if panel.kind is PanelKind.TABLE or panel.by_row:
        names = {"tenant": {"": THE_PARK, **tenants}, "meter": meters, "main": meters}
        columns = (replace(c, mapped={**c.mapped, **names.get(c.name, {})}) for c in panel.columns)
        return replace(panel, columns=tuple(columns))
    if panel.kind in {PanelKind.TREND, PanelKind.BARS} and any(
        target.alias == "$tag_tenant" for target in panel.targets
    ):
        known = tuple(replace(c, title=c.title or tenants.get(c.name)) for c in panel.columns)
        listed = {column.name for column in known}
        colours = cycle(TENANT_COLOURS) if panel.kind is PanelKind.TREND else repeat(None)
        each = zip(tenants.items(), colours, strict=False)
        rest = tuple(Column(key, name, colour=colour) for (key, name), colour in each if key not in listed)
        return replace(panel, columns=(*known, *rest))
    return panel
