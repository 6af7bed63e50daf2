"""What the demo shows in the terminal: where everything is, how the path is doing, and what was used today.

It fits into 80 columns, in the units that people use for a tenant's day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from metering.park import Park
from metering.quantities import Utility


@dataclass(slots=True)
class Scene:
    """The state that is drawn. `today`: use by tenant and utility, in the utility's unit. `trouble`: why it is old."""

    read: int = 0
    stored: int = 0
    refused: int = 0
    spooled: int = 0
    readings_per_s: float = 0.0
    today: Mapping[tuple[str, str], float] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """Addresses and files. `shell` exports what `ecopark` and a client of the broker need."""

    dashboards: str
    reports: Path
    broker: str
    database: str
    shell: Path


@dataclass(frozen=True, slots=True)
class _Column:
    """A utility with the unit that it is shown in: so many of its own units."""

    utility: Utility
    head: str
    unit: str
    divide: float = 1.0


_SHOWN = (
    _Column(Utility.ELECTRICITY, "Electricity", "MWh", 1000),
    _Column(Utility.WATER, "Water", "m³"),
    _Column(Utility.WASTEWATER, "Wastewater", "m³"),
    _Column(Utility.STEAM, "Steam", "t"),
    _Column(Utility.NATURAL_GAS, "Gas", "Nm³"),
    _Column(Utility.COMPRESSED_AIR, "Air", "1000 Nm³", 1000),
    _Column(Utility.CHILLED_WATER, "Cooling", "MWh", 1000),
)
_TENANT_WIDTH = 12
_LITTLE = 10


def draw(park: Park, scene: Scene, where: Where) -> RenderableType:
    """Draw the scene."""
    places = Table.grid(padding=(0, 2))
    places.add_row("Dashboards", f"[bold]{where.dashboards}[/]   [dim]Ctrl-C ends everything[/]")
    places.add_row("Reports", str(where.reports))
    places.add_row("Servers", f"{where.broker}   {where.database}   [dim]. {where.shell}[/]")
    path = Table.grid(padding=(0, 3))
    path.add_row(
        f"[bold]{scene.readings_per_s:,.0f}[/] readings/s",
        f"read [bold]{scene.read:,}[/]",
        f"stored [bold]{scene.stored:,}[/]",
        f"refused [bold]{scene.refused:,}[/]",
    )
    waiting = Text(f"{scene.spooled:,} messages on the gateways' disks, not yet confirmed", style="dim")
    return Group(
        Text(park.park.name.en, style="bold"),
        places,
        path,
        waiting,
        Text(scene.trouble, style="yellow"),
        _use(park, scene),
    )


def _use(park: Park, scene: Scene) -> Table:
    use = Table(
        title="Used today",
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
        footer_style="bold",
        show_footer=True,
    )
    use.add_column("Tenant", "Together", no_wrap=True, max_width=_TENANT_WIDTH)
    for column in _SHOWN:
        total = sum(scene.today.get((tenant.id, column.utility.value), 0.0) for tenant in park.tenants)
        use.add_column(f"{column.head}\n{column.unit}", _written(total / column.divide), justify="right", no_wrap=True)
    for tenant in park.tenants:
        amounts = (scene.today.get((tenant.id, column.utility.value)) for column in _SHOWN)
        shown = (
            "" if amount is None else _written(amount / column.divide)
            for amount, column in zip(amounts, _SHOWN, strict=True)
        )
        use.add_row(tenant.id, *shown)
    return use


def _written(amount: float) -> str:
    """Rounded, unless too little would be left."""
    return f"{amount:,.1f}" if 0 < amount < _LITTLE else f"{amount:,.0f}"
