"""Tenants by name: the store knows ids, the park file knows what people call them."""

import re
from collections import defaultdict
from collections.abc import Iterable
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
    """The name without its legal form, which tells nobody apart and takes a legend's room."""
    return Localized(en=_LEGAL_EN.sub("", name.en), vi=_LEGAL_VI.sub("", name.vi))


def tenant_names(parks: Iterable[Park]) -> dict[str, Localized]:
    """Short names by id; an id that two parks use for different tenants stays an id."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for park in parks:
        for tenant in park.tenants:
            name = short(tenant.name)
            found[tenant.id].add((name.en, name.vi))
    return {key: Localized(en=en, vi=vi) for key, names in found.items() if len(names) == 1 for en, vi in names}


def with_names(page: Page, parks: Iterable[Park]) -> Page:
    """The page with names in tables, legends and rankings where its queries answer with ids."""
    names = tenant_names(parks)
    rows = tuple(replace(row, panels=tuple(_named(panel, names) for panel in row.panels)) for row in page.rows)
    return replace(page, rows=rows)


def _named(panel: Panel, names: dict[str, Localized]) -> Panel:
    if panel.kind is PanelKind.TABLE or panel.by_row:
        mapped = (("", THE_PARK), *names.items())
        columns = (replace(c, mapped=mapped) if c.name == "tenant" else c for c in panel.columns)
        return replace(panel, columns=tuple(columns))
    if panel.kind in {PanelKind.TREND, PanelKind.BARS} and any(
        target.alias == "$tag_tenant" for target in panel.targets
    ):
        known = tuple(replace(c, title=c.title or names.get(c.name)) for c in panel.columns)
        listed = {column.name for column in known}
        colours = cycle(TENANT_COLOURS) if panel.kind is PanelKind.TREND else repeat(None)
        each = zip(names.items(), colours, strict=False)
        rest = tuple(Column(key, name, colour=colour) for (key, name), colour in each if key not in listed)
        return replace(panel, columns=(*known, *rest))
    return panel
